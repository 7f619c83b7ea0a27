"""What function transforms give for every primitive, against what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..errors import TransformError
from ..ops.creation import tensor
from ..prims import NA, Prim
from ..tensor import Tensor
from .close import assert_close
from .samples import Sample, samples_for

SIZE = 3


def _call(prim: Prim, sample: Sample, inputs: tuple[Any, ...]) -> list[Tensor]:
    given = inputs if sample.prepare is None else sample.prepare(*inputs)
    out = prim.call(*given, **sample.params)
    return list(out) if prim.outputs > 1 else [out]


def _is_inexact(x: Any) -> bool:
    return isinstance(x, Tensor) and bool(x.is_floating_point() or x.is_complex())


def _random_like(t: Tensor, rng: np.random.Generator) -> Tensor:
    value = rng.uniform(-1, 1, tuple(t.shape))
    if t.is_complex():
        value = value + 1j * rng.uniform(-1, 1, tuple(t.shape))
    return tensor(value).to(t.dtype)


def _inner(a: list[Tensor], b: list[Tensor]) -> float:
    pairs = zip(a, b, strict=True)
    return float(sum(np.sum((np.conj(x.numpy()) * y.numpy()).real) for x, y in pairs))


def check_forward(prim: Prim) -> int:
    """The change of the outputs, along a random cotangent, is that of the gradient along the random
    change of the inputs.
    """
    from ..func import jvp, vjp

    if isinstance(prim.vjp, NA):
        return 0
    rng = np.random.default_rng(5)
    count = 0
    for sample in samples_for(prim):
        places = [i for i, x in enumerate(sample.inputs) if _is_inexact(x)]
        fn = _of_places(prim, sample, places)
        primals = tuple(sample.inputs[i] for i in places)
        if not places or not fn(*primals):
            continue
        changes = tuple(_random_like(x, rng) for x in primals)
        _, moves = jvp(fn, primals, changes)
        outs, pull = vjp(fn, *primals)
        seeds = [_random_like(o, rng) for o in outs]
        forward, backward = _inner(seeds, moves), _inner(list(pull(seeds)), list(changes))
        if not np.isclose(forward, backward, rtol=1e-7, atol=1e-9):
            raise AssertionError(f"{prim.name}: forward gives {forward}, backward {backward}")
        count += 1
    return count


def _of_places(prim: Prim, sample: Sample, places: list[int]) -> Callable[..., list[Tensor]]:
    """The floating outputs as a function of some inputs."""

    def fn(*values: Tensor) -> list[Tensor]:
        inputs = list(sample.inputs)
        for place, value in zip(places, values, strict=True):
            inputs[place] = value
        return [o for o in _call(prim, sample, tuple(inputs)) if _is_inexact(o)]

    return fn


def check_batches(prim: Prim) -> int:
    """A batch gives what a loop over it gives: with every input batched, and each by itself."""
    if prim.effect:
        return _check_draws(prim)
    rng = np.random.default_rng(6)
    count = 0
    for sample in samples_for(prim):
        places = [i for i, x in enumerate(sample.inputs) if isinstance(x, Tensor)]
        choices = [places] if len(places) < 2 else [places, *([i] for i in places)]
        for chosen in choices:
            chosen = [i for i in chosen if not _is_mask(prim, sample.inputs[i])]
            if chosen:
                _check_choice(prim, sample, chosen, rng)
                count += 1
    return count


def _is_mask(prim: Prim, x: Tensor) -> bool:
    return prim.kind == "index" and x.dtype.name == "bool"


def _check_choice(prim: Prim, sample: Sample, chosen: list[int], rng: np.random.Generator) -> None:
    from ..func import vmap

    batches = {i: _shuffled(sample.inputs[i], rng) for i in chosen}

    def fn(*values: Tensor) -> list[Tensor]:
        inputs = list(sample.inputs)
        for place, value in zip(chosen, values, strict=True):
            inputs[place] = value
        return _call(prim, sample, tuple(inputs))

    if isinstance(prim.vmap, NA):
        try:
            vmap(fn)(*batches.values())
        except TransformError:
            return
        raise AssertionError(f"{prim.name}: vmap should refuse: {prim.vmap.reason}")
    found = vmap(fn)(*batches.values())
    for k in range(SIZE):
        alone = fn(*(batch[k] for batch in batches.values()))
        assert_close([o[k] for o in found], alone, rtol=1e-9, atol=1e-11)


def _shuffled(x: Tensor, rng: np.random.Generator) -> Tensor:
    """Samples with the elements of x in other orders, so that all stay in the domain."""
    flat = x.numpy().reshape(-1)
    rows = [flat, *(rng.permutation(flat) for _ in range(SIZE - 1))]
    return tensor(np.stack(rows).reshape(SIZE, *x.shape))


def _check_draws(prim: Prim) -> int:
    """Random numbers are refused, drawn for each sample, or drawn once, as asked."""
    from ..func import vmap

    samples = samples_for(prim)
    for sample in samples:
        dummy = tensor(np.zeros(SIZE))

        def fn(x: Tensor, sample: Sample = sample) -> Tensor:
            return _call(prim, sample, sample.inputs)[0]

        try:
            vmap(fn)(dummy)
        except TransformError:
            pass
        else:
            raise AssertionError(f"{prim.name}: vmap should refuse random numbers unless told")
        different = vmap(fn, randomness="different")(dummy).numpy()
        same = vmap(fn, randomness="same")(dummy).numpy()
        if different.shape != same.shape or (same != same[:1]).any():
            raise AssertionError(f"{prim.name}: randomness='same' differs from sample to sample")
        if (different == different[:1]).all():
            raise AssertionError(f"{prim.name}: randomness='different' drew once for all")
    return len(samples)
