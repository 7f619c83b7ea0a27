"""The `names` column, checked on the samples of a primitive."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.named import set_names, unnamed
from ..prims import NA, Prim
from ..tensor import Tensor
from .samples import Sample, samples_for


def check_names(prim: Prim) -> int:
    """Names do not change numbers, and every output has as many as dims: none that no input has,
    none twice. A record that gives no names at all is called with names, too.
    """
    count = 0
    for sample in samples_for(prim):
        inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
        plain = _outputs(prim, sample, inputs)
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor) and x.ndim:
                _check_call(prim, sample, inputs, i, plain)
                count += 1
    return count


def _check_call(
    prim: Prim, sample: Sample, inputs: tuple[Any, ...], place: int, plain: list[Tensor]
) -> None:
    """One call in which the input at `place` has names."""
    given = tuple(f"dim{i}" for i in range(inputs[place].ndim))
    named = set_names(inputs[place].detach().clone(), given)
    outs = _outputs(prim, sample, (*inputs[:place], named, *inputs[place + 1 :]))
    for out, before in zip(outs, plain, strict=True):
        known = [n for n in out.names if n is not None]
        if len(out.names) != out.ndim or len(set(known)) != len(known) or set(known) - set(given):
            raise AssertionError(
                f"{prim.name}: names {given} of input {place} became {out.names} for shape "
                f"{tuple(out.shape)}"
            )
        if isinstance(prim.names, NA) and known:
            raise AssertionError(f"{prim.name}: its record gives no names, but {out.names} came")
        one, two = unnamed(out).detach().numpy(), before.detach().numpy()
        np.testing.assert_array_equal(one, two, f"{prim.name} with names for input {place}")


def _outputs(prim: Prim, sample: Sample, inputs: tuple[Any, ...]) -> list[Tensor]:
    if "generator" in sample.params:
        sample.params["generator"].manual_seed(3)
    out = prim.call(*inputs, **sample.params)
    return list(out) if prim.outputs > 1 else [out]
