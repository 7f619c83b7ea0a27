"""The battery's check of the `amp` column: autocast does what converting by hand would do."""

from __future__ import annotations

import functools
from typing import Any

from .. import dtypes
from ..amp import autocast
from ..autograd.api import grad
from ..errors import TriptychError
from ..ops.creation import cast_to
from ..prims import NA, Prim
from ..tensor import Tensor
from .close import assert_close
from .samples import Sample, samples_for

SINGLE, LOW = dtypes.float32.dtype, dtypes.bfloat16.dtype
MIXES = ((SINGLE,), (LOW,), (SINGLE, LOW))  # dtypes that the floating inputs take in turn


def check_autocast(prim: Prim) -> int:
    """Under autocast, results and gradients are those of inputs converted by hand to what the class
    of the primitive says, and gradients have the dtypes of the inputs.
    """
    if isinstance(prim.amp, NA):
        return 0
    return sum(_agrees(prim, sample, mix) for sample in samples_for(prim) for mix in MIXES)


def _agrees(prim: Prim, sample: Sample, mix: tuple[Any, ...]) -> bool:
    """Whether there was something to compare: not every primitive takes every dtype."""
    inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
    floats = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.is_floating_point()]
    xs = list(inputs)
    for turn, i in enumerate(floats):
        xs[i] = cast_to(inputs[i].detach(), mix[turn % len(mix)])
    by_hand = _results(prim, sample, xs, prim.amp)
    with autocast("cpu", dtype=dtypes.bfloat16):
        found = _results(prim, sample, xs, "as is")
    if isinstance(by_hand, TriptychError) or isinstance(found, TriptychError):
        if type(by_hand) is not type(found):
            raise AssertionError(f"{prim.name}: {found!r} under autocast, {by_hand!r} by hand")
        return False
    assert_close(found, by_hand, rtol=0, atol=0, equal_nan=True)
    return True


def _results(prim: Prim, sample: Sample, xs: list[Any], amp: str) -> Any:
    """Outputs and gradients, with inputs converted as a class says; or the error of the call."""
    if "generator" in sample.params:
        sample.params["generator"].manual_seed(3)
    leaves = [_leaf(x) for x in xs]
    try:
        out = prim.call(*_converted(leaves, amp), **sample.params)
    except TriptychError as error:
        return error
    outs = list(out) if prim.outputs > 1 else [out]
    wanted = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]
    starts = [o for o in outs if o.requires_grad]
    if not starts:
        return outs
    ones = [o.detach() * 0 + 0.5 for o in starts]
    grads = grad(starts, wanted, ones, materialize_grads=True)
    for x, g in zip(wanted, grads, strict=True):
        if g is not None and g.dtype is not x.dtype:
            raise AssertionError(f"{prim.name}: a gradient is {g.dtype}, its input {x.dtype}")
    return [*(o.detach() for o in outs), *grads]


def _leaf(x: Any) -> Any:
    if isinstance(x, Tensor) and x.is_floating_point():
        return x.detach().requires_grad_()
    return x


def _converted(xs: list[Any], amp: str) -> list[Any]:
    """The definition of the classes, apart from the code that autocast runs."""
    mine = [
        x._data.dtype
        for x in xs
        if isinstance(x, Tensor) and x.is_floating_point() and x.itemsize <= 4
    ]
    if amp == "as is" or not mine:
        return xs
    goal = {"low": LOW, "single": SINGLE}.get(amp, functools.reduce(dtypes.promote, mine))
    return [
        cast_to(x, goal)
        if isinstance(x, Tensor) and x.is_floating_point() and x.itemsize <= 4
        else x
        for x in xs
    ]
