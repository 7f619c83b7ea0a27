"""Sample inputs for primitives of int8 and uint8."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.creation import tensor
from ..tensor import Tensor
from .samples import F32, Sample, sampled

INT8, UINT8, INT32 = np.dtype(np.int8), np.dtype(np.uint8), np.dtype(np.int32)


def _singles(rng: np.random.Generator, *shape: int) -> Tensor:
    return tensor(rng.normal(size=shape).astype(np.float32))


def _scales(rng: np.random.Generator, *shape: int) -> tuple[Tensor, Tensor]:
    zero = rng.integers(-5, 6, shape).astype(np.int32)
    return tensor(rng.uniform(0.01, 0.05, shape).astype(np.float32)), tensor(zero)


def _bytes(rng: np.random.Generator, dtype: Any, *shape: int) -> Tensor:
    info = np.iinfo(dtype)
    return tensor(rng.integers(info.min, info.max + 1, shape).astype(dtype))


@sampled("quantize")
def _quantize(rng: np.random.Generator) -> list[Sample]:
    x = _singles(rng, 3, 4)
    return [
        Sample((x, *_scales(rng)), {"axis": None, "dtype": INT8}),
        Sample((x, *_scales(rng, 4)), {"axis": 1, "dtype": UINT8}),
    ]


@sampled("dequantize")
def _dequantize(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((_bytes(rng, INT8, 3, 4), *_scales(rng, 3)), {"axis": 0}),
        Sample((_bytes(rng, UINT8, 3, 4), *_scales(rng)), {"axis": None}),
    ]


@sampled("integer_linear")
def _integer_linear(rng: np.random.Generator) -> list[Sample]:
    w = _bytes(rng, INT8, 4, 3)
    return [Sample((_bytes(rng, dtype, 2, 5, 3), w)) for dtype in (INT8, UINT8)]


FLOATS = {"x_scale": 0.02, "x_zero": 3, "relu": False, "y_scale": 1.0, "y_zero": 0, "dtype": F32}
BYTES = {**FLOATS, "relu": True, "y_scale": 0.1, "y_zero": -7, "dtype": INT8}


@sampled("quantized_linear")
def _quantized_linear(rng: np.random.Generator) -> list[Sample]:
    w, bias = _bytes(rng, INT8, 4, 3), _singles(rng, 4)
    return [
        Sample((_bytes(rng, INT8, 2, 3), w, *_scales(rng, 4)), FLOATS),
        Sample((_bytes(rng, UINT8, 2, 2, 3), w, *_scales(rng, 4), bias), BYTES),
    ]


@sampled("quantized_conv")
def _quantized_conv(rng: np.random.Generator) -> list[Sample]:
    near: dict[str, Any] = {"stride": (1, 1), "padding": ((0, 0), (0, 0)), "dilation": (1, 1)}
    far: dict[str, Any] = {"stride": (2,), "padding": ((2, 1),), "dilation": (2,)}
    x, w = _bytes(rng, UINT8, 2, 3, 5, 6), _bytes(rng, INT8, 4, 3, 3, 2)
    sound, taps = _bytes(rng, INT8, 1, 4, 9), _bytes(rng, INT8, 4, 2, 3)
    return [
        Sample((x, w, *_scales(rng, 4), _singles(rng, 4)), {**BYTES, **near, "groups": 1}),
        Sample((sound, taps, *_scales(rng, 4)), {**FLOATS, **far, "groups": 2}),
    ]


@sampled("dynamic_linear")
def _dynamic_linear(rng: np.random.Generator) -> list[Sample]:
    w, scale = _bytes(rng, INT8, 4, 3), _scales(rng, 4)[0]
    return [
        Sample((_singles(rng, 2, 3), w, scale)),
        Sample((_singles(rng, 2, 2, 3), w, scale, _singles(rng, 4))),
    ]
