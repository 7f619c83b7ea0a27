"""Conversions between floats and bytes, and affine maps of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..ops.creation import as_tensor, zeros_like
from ..ops.reduce import amax, amin
from ..prims import quantized as prims
from ..tensor import Tensor

__all__ = ["choose_scale", "dequantize", "quantize", "quantized_conv", "quantized_linear"]


def _limits(name: str, dtype: dtypes.dtype) -> tuple[int, int]:
    found = prims.BYTES.get(dtypes.to_numpy_dtype(dtype))
    if found is None:
        raise DTypeError(f"{name}: wanted dtype int8 or uint8, got {dtype}")
    return found


def _axis(name: str, x: Tensor, axis: int | None) -> int | None:
    if axis is None or -x.ndim <= axis < x.ndim:
        return axis if axis is None else axis % x.ndim
    raise ShapeError(f"{name}: axis {axis} is out of range for an input {tuple(x.shape)}")


def choose_scale(
    x: Tensor,
    *,
    axis: int | None = None,
    dtype: dtypes.dtype = dtypes.int8,
    symmetric: bool = True,
) -> tuple[Tensor, Tensor]:
    """The scale and zero point by which bytes cover the range of x, and zero exactly.

    Args:
        x: floats, of any shape, at least one, all finite.
        axis: one scale for each place along it; without, one for all of x.
        dtype: int8 or uint8.
        symmetric: of int8: the zero point is 0, and -127 to 127 stand for -a to a, where a is the
            largest size. Otherwise, and always with uint8, all bytes cover the range from the
            smallest to the largest number, zero included.

    Returns:
        scale float32 and zero point int32, both () or (x.shape[axis],).

    Raises:
        DTypeError: dtype is neither int8 nor uint8.
        ShapeError: the axis is out of range, or x is empty.

    Example:
        >>> scale, zero = choose_scale(triptych.tensor([-1.0, 0.5, 2.54]))
        >>> round(scale.item(), 6), zero.item()
        (0.02, 0)
    """
    low_byte, high_byte = _limits("choose_scale", dtype)
    axis = _axis("choose_scale", x, axis)
    if not x.numel():
        raise ShapeError(f"choose_scale: an input {tuple(x.shape)} has no range")
    x = x.detach().float()
    dims = tuple(i for i in range(x.ndim) if i != axis)
    low, high = (amin(x, dims), amax(x, dims)) if dims else (x, x)
    low, high = low.clamp(max=0.0), high.clamp(min=0.0)
    even = symmetric and low_byte < 0
    width = (-low).maximum(high) / high_byte if even else (high - low) / (high_byte - low_byte)
    scale = width.masked_fill(width < float(np.finfo(np.float32).tiny), 1.0)
    zero = zeros_like(scale) if even else (-low / scale).round() + low_byte
    return scale, zero.int()


def _scales(x: Tensor, scale: Any, zero_point: Any, axis: int | None) -> tuple[Tensor, Tensor]:
    """As the primitives want them; numbers stand for all of an axis."""
    shape = () if axis is None else (x.shape[axis],)
    found = []
    for v, dtype in ((scale, dtypes.float32), (zero_point, dtypes.int32)):
        t = as_tensor(v, dtype=dtype, device=x.device)
        found.append(t.expand(shape).contiguous() if t.ndim == 0 else t)
    return found[0], found[1]


def quantize(
    x: Tensor,
    scale: Tensor | float,
    zero_point: Tensor | int = 0,
    *,
    axis: int | None = None,
    dtype: dtypes.dtype = dtypes.int8,
) -> Tensor:
    """``round(x / scale) + zero_point``, kept within the limits of the dtype.

    Args:
        x: floats, of any shape; halves and doubles are computed in float32.
        scale: above zero; () or, with an axis, (x.shape[axis],).
        zero_point: the byte for 0.0; the same shapes.
        axis: that scale and zero point are along.
        dtype: int8 or uint8.

    Returns:
        Bytes of the shape of x. Halves are rounded to the even byte; NaN becomes the zero point.

    Raises:
        DTypeError: dtype is neither int8 nor uint8.
        ShapeError: scale or zero point have another shape.

    Example:
        >>> quantize(triptych.tensor([-1.0, 0.26, 100.0]), 0.1)
        tensor([-10,   3, 127], dtype=triptych.int8)

    Source: QuantizeLinear of ONNX.
    """
    _limits("quantize", dtype)
    axis = _axis("quantize", x, axis)
    scale, zero = _scales(x, scale, zero_point, axis)
    made: Tensor = prims.quantize(
        x.detach().float(), scale, zero, axis=axis, dtype=dtypes.to_numpy_dtype(dtype)
    )
    return made


def dequantize(
    x: Tensor, scale: Tensor | float, zero_point: Tensor | int = 0, *, axis: int | None = None
) -> Tensor:
    """``(x - zero_point) * scale`` as float32.

    Args:
        x: int8 or uint8, of any shape.
        scale, zero_point, axis: as `quantize` took them.

    Raises:
        DTypeError: x is neither int8 nor uint8.
        ShapeError: scale or zero point have another shape.

    Example:
        >>> dequantize(triptych.tensor([-10, 127], dtype=triptych.int8), 0.5)
        tensor([-5. , 63.5])
    """
    axis = _axis("dequantize", x, axis)
    made: Tensor = prims.dequantize(x, *_scales(x, scale, zero_point, axis), axis=axis)
    return made


def _result(name: str, dtype: dtypes.dtype, scale: float, zero_point: int) -> dict[str, Any]:
    if dtype is not dtypes.float32:
        _limits(name, dtype)
    found = dtypes.to_numpy_dtype(dtype)
    return {"y_scale": float(scale), "y_zero": int(zero_point), "dtype": found}


def _weights(
    weight: Tensor, scale: Tensor | float, zero_point: Tensor | int, bias: Tensor | None
) -> tuple[Tensor, ...]:
    rest = () if bias is None else (bias.detach(),)
    return (weight, *_scales(weight, scale, zero_point, 0), *rest)


def quantized_linear(
    input: Tensor,
    input_scale: float,
    input_zero_point: int,
    weight: Tensor,
    weight_scale: Tensor | float,
    weight_zero_point: Tensor | int = 0,
    bias: Tensor | None = None,
    *,
    relu: bool = False,
    dtype: dtypes.dtype = dtypes.float32,
    scale: float = 1.0,
    zero_point: int = 0,
) -> Tensor:
    """``x Wᵀ + b`` of bytes: products are summed exactly, in int32, and scaled once.

    Args:
        input: (..., d) int8 or uint8; d is at most 32,768.
        input_scale, input_zero_point: of all of the input.
        weight: (o, d) int8.
        weight_scale: () or (o,), one for each output.
        weight_zero_point: the same; 0 takes least time.
        bias: (o,) float32.
        relu: set results below zero to zero.
        dtype: of the result: float32, or int8 or uint8 for another such layer.
        scale, zero_point: of a result of bytes.

    Returns:
        (..., o).

    Raises:
        DTypeError: a dtype is another.
        ShapeError: shapes do not go together.

    Example:
        >>> x, w = triptych.tensor([[1.0, -2.0]]), triptych.tensor([[0.5, 1.0]])
        >>> quantized_linear(quantize(x, 0.02), 0.02, 0, quantize(w, 0.01), 0.01)
        tensor([[-1.5]])
    """
    result = _result("quantized_linear", dtype, scale, zero_point)
    made: Tensor = prims.quantized_linear(
        input,
        *_weights(weight, weight_scale, weight_zero_point, bias),
        x_scale=float(input_scale),
        x_zero=int(input_zero_point),
        relu=relu,
        **result,
    )
    return made


def quantized_conv(
    input: Tensor,
    input_scale: float,
    input_zero_point: int,
    weight: Tensor,
    weight_scale: Tensor | float,
    weight_zero_point: Tensor | int = 0,
    bias: Tensor | None = None,
    *,
    stride: int | Sequence[int] = 1,
    padding: int | Sequence[int] = 0,
    dilation: int | Sequence[int] = 1,
    groups: int = 1,
    relu: bool = False,
    dtype: dtypes.dtype = dtypes.float32,
    scale: float = 1.0,
    zero_point: int = 0,
) -> Tensor:
    """Convolution of bytes over any number of axes: exact sums, scaled once.

    Args:
        input: (n, c, ...) int8 or uint8.
        input_scale, input_zero_point: of all of the input.
        weight: (o, c / groups, ...) int8, of at most 32,768 numbers for each output.
        weight_scale: () or (o,), one for each output.
        weight_zero_point: the same; 0 takes least time.
        bias: (o,) float32.
        stride, padding, dilation, groups: as in `nn.functional.conv2d`; padding counts as 0.0.
        relu, dtype, scale, zero_point: as in `quantized_linear`.

    Returns:
        (n, o, ...).

    Raises:
        DTypeError: a dtype is another.
        ShapeError: shapes do not go together.
    """
    result = _result("quantized_conv", dtype, scale, zero_point)
    dims = weight.ndim - 2
    steps, edges, gaps = (
        (v,) * dims if isinstance(v, int) else tuple(v) for v in (stride, padding, dilation)
    )
    made: Tensor = prims.quantized_conv(
        input,
        *_weights(weight, weight_scale, weight_zero_point, bias),
        x_scale=float(input_scale),
        x_zero=int(input_zero_point),
        stride=steps,
        padding=tuple((p, p) for p in edges),
        dilation=gaps,
        groups=groups,
        relu=relu,
        **result,
    )
    return made
