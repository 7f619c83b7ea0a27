"""Primitives without array inputs: constants, ranges and random numbers."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from ..avals import Aval
from ..dtypes import real_of
from .kinds import primitive
from .table import NA

NO_INPUTS = NA("there are no inputs to have gradients")


def _made(*, shape: Any, dtype: Any, device: Any, **params: Any) -> Aval:
    return Aval(shape, dtype)


def _full(xp: Any, *, shape: Any, dtype: Any, device: Any, value: Any) -> Any:
    return xp.full(shape, value, dtype)


def _arange(xp: Any, *, shape: Any, dtype: Any, device: Any, start: Any, step: Any) -> Any:
    steps = xp.arange(shape[0], dtype=np.int64 if dtype.kind in "iu" else np.float64)
    return (steps * step + start).astype(dtype)


full = primitive("full", "create", _full, _made, NO_INPUTS)
arange = primitive("arange", "create", _arange, _made, NO_INPUTS)


def _uniform(xp: Any, *, shape: Any, dtype: Any, device: Any, generator: Any) -> Any:
    if dtype.kind == "c":
        pairs = generator.source(device).random((*shape, 2), dtype=real_of(dtype))
        return pairs.view(dtype)[..., 0]
    draw = np.float64 if dtype.itemsize == 8 else np.float32
    numbers = generator.source(device).random(shape, dtype=draw)
    if dtype.itemsize == 2:  # rounding to so few bits could give one
        step = float(ml_dtypes.finfo(dtype).eps) / 2
        numbers = xp.floor(numbers / step) * step
    return numbers.astype(dtype, copy=False)


def _normal(xp: Any, *, shape: Any, dtype: Any, device: Any, generator: Any) -> Any:
    if dtype.kind == "c":  # variance 1, half of it in each part
        pairs = generator.source(device).standard_normal((*shape, 2), dtype=real_of(dtype))
        return (pairs * real_of(dtype).type(math.sqrt(0.5))).view(dtype)[..., 0]
    draw = np.float64 if dtype.itemsize == 8 else np.float32
    return generator.source(device).standard_normal(shape, dtype=draw).astype(dtype, copy=False)


def _integers(
    xp: Any, *, shape: Any, dtype: Any, device: Any, generator: Any, low: int, high: int
) -> Any:
    return (
        generator.source(device)
        .integers(low, high, shape, dtype=np.int64)
        .astype(dtype, copy=False)
    )


def _permutation(xp: Any, *, shape: Any, dtype: Any, device: Any, generator: Any) -> Any:
    return xp.argsort(generator.source(device).random(shape)).astype(dtype, copy=False)


uniform = primitive("uniform", "create", _uniform, _made, NO_INPUTS, effect=True)
normal = primitive("normal", "create", _normal, _made, NO_INPUTS, effect=True)
integers = primitive("integers", "create", _integers, _made, NO_INPUTS, effect=True)
permutation = primitive("permutation", "create", _permutation, _made, NO_INPUTS, effect=True)
