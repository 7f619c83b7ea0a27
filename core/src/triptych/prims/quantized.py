"""int8 and uint8 for floats: conversions, and affine maps whose products are whole numbers.

A byte q stands for ``(q - zero) * scale``. Products are summed exactly, in int32, and only the sum
is multiplied by the scales: every backend gives the same whole numbers.

Letters: n rows, d features, o outputs, c channels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval
from ..errors import DTypeError, ShapeError
from .composite import composite, linear
from .contract import conv, conv_lengths
from .elementwise import add, cast, div, eq, maximum, minimum, mul, round, sub, where
from .movement import reshape
from .reduce import amax, amin
from .table import NA

STEPS = NA("whole numbers change in steps, so there is no derivative")

NO_NAMES = NA("bytes carry no names")
BYTES = {np.dtype(np.int8): (-128, 127), np.dtype(np.uint8): (0, 255)}
"""The dtypes, and the smallest and largest number of each."""
DEPTH = 1 << 15
"""Of so many products of bytes, the sum fits int32."""
SINGLE, DOUBLE, WHOLE = dtypes.float32.dtype, np.dtype(np.float64), np.dtype(np.int32)


def _check_bytes(name: str, **inputs: Any) -> None:
    for label, x in inputs.items():
        if x.dtype not in BYTES:
            raise DTypeError(
                f"{name}: wanted {label} of int8 or uint8, got {x.dtype}; use quantize first"
            )


def _check_scales(name: str, x: Any, scale: Any, zero: Any, axis: int | None) -> None:
    want = () if axis is None else (x.shape[axis],)
    for label, v, dtype in (("scale", scale, SINGLE), ("zero_point", zero, WHOLE)):
        if v.dtype != dtype or tuple(v.shape) != want:
            raise ShapeError(
                f"{name}: wanted {label} {want} of {dtype} for an input {tuple(x.shape)} with "
                f"axis={axis}, got {tuple(v.shape)} of {v.dtype}"
            )


def _along(v: Any, x: Any, axis: int | None) -> Any:
    """A vector shaped so that it stretches along an axis of x."""
    return v if axis is None else reshape(v, shape=_shape_along(x, axis))


def _shape_along(x: Any, axis: int) -> tuple[int, ...]:
    return tuple(n if i == axis else 1 for i, n in enumerate(x.shape))


# Conversions


def _quantize_aval(x: Any, scale: Any, zero: Any, *, axis: int | None, dtype: Any) -> Aval:
    _check_scales("quantize", x, scale, zero, axis)
    if x.dtype != SINGLE or dtype not in BYTES:
        raise DTypeError(f"quantize: wanted float32 to int8 or uint8, got {x.dtype} to {dtype}")
    return Aval(x.shape, dtype)


def _quantize_decomp(x: Any, scale: Any, zero: Any, *, axis: int | None, dtype: Any) -> Any:
    low, high = BYTES[dtype]
    ratio = round(div(x, _along(scale, x, axis)))
    ratio = where(eq(ratio, ratio), ratio, 0.0)  # NaN
    start = cast(_along(zero, x, axis), dtype=SINGLE)
    kept = minimum(maximum(ratio, sub(low, start)), sub(high, start))
    return cast(cast(add(kept, start), dtype=WHOLE), dtype=dtype)


def _quantize(xp: Any, x: Any, scale: Any, zero: Any, *, axis: int | None, dtype: Any) -> Any:
    if axis is not None:
        scale, zero = (v.reshape(_shape_along(x, axis)) for v in (scale, zero))
    low, high = BYTES[dtype]
    ratio = xp.rint(x / scale)
    ratio = xp.where(ratio == ratio, ratio, xp.float32(0))
    start = zero.astype(xp.float32)
    return (xp.clip(ratio, low - start, high - start) + start).astype(xp.int32).astype(dtype)


quantize = composite(
    "quantize",
    _quantize_decomp,
    _quantize,
    STEPS,
    aval=_quantize_aval,
    names=NO_NAMES,
    amp="as is",
)
"""round(x / scale) + zero of float32, within the limits of the dtype; NaN becomes the zero. scale
float32 and zero int32 are () or, with an axis, vectors along it."""


def _dequantize_aval(x: Any, scale: Any, zero: Any, *, axis: int | None) -> Aval:
    _check_bytes("dequantize", input=x)
    _check_scales("dequantize", x, scale, zero, axis)
    return Aval(x.shape, SINGLE)


def _dequantize_decomp(x: Any, scale: Any, zero: Any, *, axis: int | None) -> Any:
    whole = sub(cast(x, dtype=WHOLE), _along(zero, x, axis))
    return mul(cast(whole, dtype=SINGLE), _along(scale, x, axis))


def _dequantize(xp: Any, x: Any, scale: Any, zero: Any, *, axis: int | None) -> Any:
    if axis is not None:
        scale, zero = (v.reshape(_shape_along(x, axis)) for v in (scale, zero))
    return (x.astype(xp.int32) - zero).astype(xp.float32) * scale


dequantize = composite(
    "dequantize",
    _dequantize_decomp,
    _dequantize,
    STEPS,
    aval=_dequantize_aval,
    names=NO_NAMES,
    amp="as is",
)
"""(x - zero) scale, float32, of int8 or uint8; see `quantize`."""

# Products


def _check_product(name: str, x: Any, w: Any, depth: int) -> None:
    _check_bytes(name, input=x)
    if w.dtype != np.int8:
        raise DTypeError(f"{name}: wanted a weight of int8, got {w.dtype}")
    if depth > DEPTH:
        raise ShapeError(f"{name}: sums of {depth} products may not fit int32; wanted {DEPTH}")


def _check_rows(name: str, x: Any, w: Any) -> None:
    if w.ndim != 2 or x.ndim < 1 or x.shape[-1] != w.shape[1]:
        raise ShapeError(
            f"{name}: weight {tuple(w.shape)} takes {w.shape[-1]} features, input is "
            f"{tuple(x.shape)}; the last dim of the input must be the second of the weight"
        )


def _check_vectors(name: str, w: Any, bias: tuple[Any, ...], **vectors: Any) -> None:
    wanted = {"scale": SINGLE, "zero_point": WHOLE, "bias": SINGLE}
    for label, v in (*vectors.items(), *(("bias", v) for v in bias)):
        if tuple(v.shape) != (w.shape[0],) or v.dtype != wanted[label]:
            raise ShapeError(
                f"{name}: wanted {label} ({w.shape[0]},) of {wanted[label]}, got "
                f"{tuple(v.shape)} of {v.dtype}"
            )


def _integer_aval(x: Any, w: Any) -> Aval:
    _check_rows("integer_linear", x, w)
    _check_product("integer_linear", x, w, w.shape[1])
    return Aval((*x.shape[:-1], w.shape[0]), WHOLE)


integer_linear = composite(
    "integer_linear",
    # Doubles hold the sums exactly, and their products are fast everywhere.
    lambda x, w: cast(linear(cast(x, dtype=DOUBLE), cast(w, dtype=DOUBLE)), dtype=WHOLE),
    lambda xp, x, w: linear.prim.impl(xp, x.astype(xp.float64), w.astype(xp.float64)).astype(
        xp.int32
    ),
    STEPS,
    aval=_integer_aval,
    names=NO_NAMES,
    amp="as is",
)
"""x (..., d) int8 or uint8 times w (o, d) int8 to (..., o) int32: exact sums."""


def _result_of(
    s: Any, scale: Any, bias: Any, relu: bool, y_scale: float, y_zero: int, dtype: Any
) -> Any:
    """float32 or bytes, of sums in doubles, made of primitives."""
    y = mul(cast(s, dtype=SINGLE), scale)
    y = y if bias is None else add(y, bias)
    y = maximum(y, 0.0) if relu else y
    if dtype == SINGLE:
        return y
    low, high = BYTES[dtype]
    ratio = round(div(y, float(np.float32(y_scale))))
    kept = minimum(maximum(ratio, float(low - y_zero)), float(high - y_zero))
    return cast(cast(add(kept, float(y_zero)), dtype=WHOLE), dtype=dtype)


def _centred(x: Any, zero: Any) -> Any:
    return sub(cast(x, dtype=DOUBLE), zero)


def _quantized_linear_aval(
    x: Any, w: Any, scale: Any, zero: Any, *bias: Any, dtype: Any, **params: Any
) -> Aval:
    name = "quantized_linear"
    _check_rows(name, x, w)
    _check_product(name, x, w, w.shape[1])
    _check_vectors(name, w, bias, scale=scale, zero_point=zero)
    return Aval((*x.shape[:-1], w.shape[0]), dtype)


def _quantized_linear_decomp(
    x: Any,
    w: Any,
    scale: Any,
    zero: Any,
    *bias: Any,
    x_scale: float,
    x_zero: int,
    relu: bool,
    y_scale: float,
    y_zero: int,
    dtype: Any,
) -> Any:
    rows = _centred(w, cast(reshape(zero, shape=(w.shape[0], 1)), dtype=DOUBLE))
    factor = mul(scale, float(np.float32(x_scale)))
    shift = bias[0] if bias else None
    s = linear(_centred(x, float(x_zero)), rows)
    return _result_of(s, factor, shift, relu, y_scale, y_zero, dtype)


quantized_linear = composite(
    "quantized_linear",
    _quantized_linear_decomp,
    lambda xp, *inputs, **params: _quantized_linear_decomp(*inputs, **params),
    STEPS,
    aval=_quantized_linear_aval,
    names=NO_NAMES,
    amp="as is",
)
"""The affine map of bytes x (..., d), of which each stands for (x - x_zero) x_scale, by w (o, d)
int8, scale (o,), zero (o,) and optional bias (o,), then relu if asked for: float32, or bytes for
which y_scale and y_zero stand."""


def _quantized_conv_aval(
    x: Any,
    w: Any,
    scale: Any,
    zero: Any,
    *bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    dtype: Any,
    **params: Any,
) -> Aval:
    name = "quantized_conv"
    if x.ndim < 3 or w.ndim != x.ndim or x.shape[1] != w.shape[1] * groups:
        raise ShapeError(
            f"{name}: weight {tuple(w.shape)} in {groups} group(s) does not fit an input "
            f"{tuple(x.shape)}; wanted (n, c, ...) and (o, c / groups, ...)"
        )
    _check_product(name, x, w, math.prod(w.shape[1:]))
    _check_vectors(name, w, bias, scale=scale, zero_point=zero)
    out = conv_lengths(name, x.shape[2:], w.shape[2:], stride, padding, dilation)
    return Aval((x.shape[0], w.shape[0], *out), dtype)


def _quantized_conv_decomp(
    x: Any,
    w: Any,
    scale: Any,
    zero: Any,
    *bias: Any,
    x_scale: float,
    x_zero: int,
    relu: bool,
    y_scale: float,
    y_zero: int,
    dtype: Any,
    **options: Any,
) -> Any:
    ones = (1,) * (len(w.shape) - 1)
    channels = [reshape(v, shape=(w.shape[0], *ones)) for v in (zero, scale, *bias)]
    weight = _centred(w, cast(channels[0], dtype=DOUBLE))
    factor = mul(reshape(scale, shape=(w.shape[0], *ones[1:])), float(np.float32(x_scale)))
    shift = reshape(bias[0], shape=(w.shape[0], *ones[1:])) if bias else None
    s = conv(_centred(x, float(x_zero)), weight, **options)
    return _result_of(s, factor, shift, relu, y_scale, y_zero, dtype)


quantized_conv = composite(
    "quantized_conv",
    _quantized_conv_decomp,
    lambda xp, *inputs, **params: _quantized_conv_decomp(*inputs, **params),
    STEPS,
    aval=_quantized_conv_aval,
    names=NO_NAMES,
    amp="as is",
)
"""The same for convolution: x (n, c, ...) bytes, w (o, c / groups, ...) int8. Padding counts as 0,
which is the byte x_zero."""

# With a scale found as it goes


def _dynamic_aval(x: Any, w: Any, scale: Any, *bias: Any) -> Aval:
    name = "dynamic_linear"
    if x.dtype != SINGLE:
        raise DTypeError(f"{name}: wanted an input of float32, got {x.dtype}")
    _check_rows(name, x, w)
    if w.dtype != np.int8 or w.shape[1] > DEPTH:
        raise DTypeError(f"{name}: wanted a weight (o, d) of int8 with d up to {DEPTH}, got {w!r}")
    _check_vectors(name, w, bias, scale=scale)
    return Aval((*x.shape[:-1], w.shape[0]), SINGLE)


def _dynamic_decomp(x: Any, w: Any, scale: Any, *bias: Any) -> Any:
    axes = tuple(range(len(x.shape)))
    if not math.prod(x.shape):
        return linear(x, mul(cast(w, dtype=SINGLE), 0.0), *bias)
    low = minimum(amin(x, axes=axes, keepdim=False), 0.0)
    width = div(sub(maximum(amax(x, axes=axes, keepdim=False), 0.0), low), 255.0)
    tiny = float(np.finfo(np.float32).tiny)
    width = where(eq(maximum(width, tiny), width), width, 1.0)
    zero = round(div(sub(0.0, low), width))
    q = minimum(maximum(round(div(x, width)), sub(0.0, zero)), sub(255.0, zero))
    s = linear(cast(q, dtype=DOUBLE), cast(w, dtype=DOUBLE))
    return _result_of(s, mul(scale, width), bias[0] if bias else None, False, 1.0, 0, SINGLE)


def _dynamic(xp: Any, x: Any, w: Any, scale: Any, *bias: Any) -> Any:
    if not xp.isfinite(x).all():
        return xp.full((*x.shape[:-1], w.shape[0]), xp.nan, xp.float32)
    return _dynamic_decomp(x, w, scale, *bias)


dynamic_linear = composite(
    "dynamic_linear",
    _dynamic_decomp,
    _dynamic,
    STEPS,
    aval=_dynamic_aval,
    names=NO_NAMES,
    amp="single",
)
"""x (..., d) float32 times w (o, d) int8, which stands for w scale (o,), and an optional bias: x
becomes uint8 by a scale from its smallest to its largest number. With a number that is not finite,
all results are NaN."""
