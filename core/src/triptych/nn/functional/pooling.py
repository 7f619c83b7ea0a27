"""Pooling: the largest, the mean or the norm of every window."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ... import dtypes
from ...errors import DTypeError, ShapeError
from ...ops.pointwise import div
from ...prims import contract, window
from ...prims import elementwise as ew
from ...prims import movement as mv
from ...prims import reduce as rd
from ...prims.precision import computes_in, rounds_once
from ...tensor import Tensor
from .arguments import Ints, batched, per_axis, recorded

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "avg_pool3d",
    "lp_pool1d",
    "lp_pool2d",
    "lp_pool3d",
    "max_pool1d",
    "max_pool1d_with_indices",
    "max_pool2d",
    "max_pool2d_with_indices",
    "max_pool3d",
    "max_pool3d_with_indices",
]

Size = int | Sequence[int]
Pads = tuple[tuple[int, int], ...]


class Window:
    """A sliding window, read from a pooling function's arguments.

    Args:
        name: of the function, for its errors.
        dims: number of space axes.
        size, stride, padding, dilation: an int or one per space axis; an empty stride is the size.
        ceil_mode: count a last window that starts inside but ends outside.

    Raises:
        ShapeError: padding is more than half the window, or a number is not positive.
    """

    def __init__(
        self,
        name: str,
        dims: int,
        size: Size,
        stride: Size | None,
        padding: Size,
        dilation: Size = 1,
        ceil_mode: bool = False,
    ) -> None:
        self.name, self.ceil_mode = name, ceil_mode
        self.size = per_axis(name, "kernel_size", size, dims)
        empty = stride is None or (not isinstance(stride, int) and len(stride) == 0)
        self.stride = self.size if empty else per_axis(name, "stride", stride, dims)  # type: ignore[arg-type]
        self.padding = per_axis(name, "padding", padding, dims)
        self.dilation = per_axis(name, "dilation", dilation, dims)
        if min(*self.size, *self.stride, *self.dilation) < 1:
            raise ShapeError(
                f"{name}: kernel_size {self.size}, stride {self.stride} and dilation "
                f"{self.dilation} want positive numbers"
            )
        self.span = tuple(d * (k - 1) + 1 for k, d in zip(self.size, self.dilation, strict=True))
        if any(p < 0 or 2 * p > s for p, s in zip(self.padding, self.span, strict=True)):
            raise ShapeError(
                f"{name}: padding {self.padding} wants 0 to half the window {self.span}; pad() "
                "first for more"
            )

    def pads(self, space: Ints) -> Pads:
        """(before, after) of every space axis: padding, and what ceil_mode adds after it.

        Raises:
            ShapeError: the window does not fit.
        """
        even = tuple((p, p) for p in self.padding)
        if not self.ceil_mode:
            contract.conv_lengths(self.name, space, self.size, self.stride, even, self.dilation)
            return even
        sides = zip(space, self.span, self.stride, self.padding, strict=True)
        return tuple((p, self._after(n, span, s, p)) for n, span, s, p in sides)

    def params(self, space: Ints) -> dict[str, Any]:
        """Of the primitives in `prims.window`, for space axes of these lengths."""
        sizes = {"size": self.size, "stride": self.stride, "dilation": self.dilation}
        return {**sizes, "padding": self.pads(space)}

    def _after(self, n: int, span: int, stride: int, p: int) -> int:
        room = n + 2 * p - span
        if room < -(stride - 1):
            raise ShapeError(
                f"{self.name}: a window of {span} does not fit an axis of {n} padded to {n + 2 * p}"
            )
        steps = -(-room // stride)
        if steps * stride >= n + p:  # the last window would start in the padding
            steps -= 1
        return max(steps * stride + span - n - p, p)


def _check_channels(name: str, input: Tensor, dims: int) -> None:
    """Refuse inputs without channels; a batch may be empty.

    Raises:
        ShapeError: there are none.
    """
    if input.ndim > dims and input.shape[-dims - 1] == 0:
        raise ShapeError(f"{name}: there are no channels in the input {tuple(input.shape)}")


# Maximum


def _max_pool(w: Window, x: Tensor) -> tuple[Tensor, Tensor]:
    return window.max_pool(x, **w.params(tuple(x.shape[2:])))


def _max_alone(w: Window, x: Tensor) -> Tensor:
    """Maxima without positions, unless backward will ask for them."""
    params = w.params(tuple(x.shape[2:]))
    return window.max_pool(x, **params)[0] if recorded(x) else window.max_pool_alone(x, **params)


def _max(dims: int, input: Tensor, options: Any, return_indices: bool) -> Any:
    w = Window(f"max_pool{dims}d", dims, *options)
    _check_channels(w.name, input, dims)
    call: Callable[[Tensor], Any] = partial(_max_pool if return_indices else _max_alone, w)
    return batched(w.name, input, dims, call)


def max_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of every window of (n, c, l); see `max_pool2d`."""
    return _max(1, input, (kernel_size, stride, padding, dilation, ceil_mode), return_indices)


def max_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of every window.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        kernel_size: of the window; here and below an int or one per space axis.
        stride: step of the window; default its size.
        padding: elements that never win, put on both sides; up to half the window.
        dilation: distance between the elements a window looks at.
        ceil_mode: count a last window that starts inside but ends outside.
        return_indices: also give the flat position of every maximum in its plane, int64.

    Returns:
        (n, c, h', w'), or a pair with the positions. The first of equal elements gets the gradient.

    Raises:
        ShapeError: the window does not fit, or padding is too wide.
    """
    return _max(2, input, (kernel_size, stride, padding, dilation, ceil_mode), return_indices)


def max_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    dilation: Size = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest of every window of (n, c, d, h, w); see `max_pool2d`."""
    return _max(3, input, (kernel_size, stride, padding, dilation, ceil_mode), return_indices)


def _with_indices(dims: int) -> Callable[..., tuple[Tensor, Tensor]]:
    def call(
        input: Tensor,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> tuple[Tensor, Tensor]:
        return _max(dims, input, (kernel_size, stride, padding, dilation, ceil_mode), True)

    call.__name__ = call.__qualname__ = f"max_pool{dims}d_with_indices"
    call.__doc__ = f"`max_pool{dims}d` and the flat position of every maximum in its plane."
    return call


max_pool1d_with_indices = _with_indices(1)
max_pool2d_with_indices = _with_indices(2)
max_pool3d_with_indices = _with_indices(3)

# Mean


def _sums(x: Tensor, w: Window, pads: Pads, weight: float) -> Tensor:
    """The sum of every window times weight: a depthwise convolution, one axis after the other."""
    channels, dims = x.shape[1], len(w.size)
    for i, (k, s) in enumerate(zip(w.size, w.stride, strict=True)):
        if k == s == 1 and not any(pads[i]) and i < dims - 1:
            continue
        shape = (channels, 1, *(k if j == i else 1 for j in range(dims)))
        taps = x.new_full(shape, weight if i == dims - 1 else 1.0)
        x = contract.conv(
            x,
            taps,
            stride=tuple(s if j == i else 1 for j in range(dims)),
            padding=tuple(pads[i] if j == i else (0, 0) for j in range(dims)),
            dilation=(1,) * dims,
            groups=channels,
        )
    return x


def _tiles(x: Tensor, w: Window, pads: Pads) -> bool:
    """Whether windows cover the space once, without gaps or padding."""
    even = all(n % k == 0 for n, k in zip(x.shape[2:], w.size, strict=True))
    return even and w.size == w.stride and not any(lo or hi for lo, hi in pads)


def _tile_means(x: Tensor, size: Ints, divisor: float) -> Tensor:
    split: list[int] = []
    for n, k in zip(x.shape[2:], size, strict=True):
        split += [n // k, k]
    tiled = mv.reshape(x, shape=(*x.shape[:2], *split))
    axes = tuple(range(3, 3 + 2 * len(size), 2))
    return ew.div(rd.sum(tiled, axes=axes), divisor)


def _counts(w: Window, space: Ints, pads: Pads, include_pad: bool, x: Tensor) -> Tensor:
    """How many elements every window holds, over positions; beyond the padding nothing counts."""
    inner = tuple((p, p) for p in w.padding) if include_pad else ((0, 0),) * len(space)
    total: Any = None
    for i, (n, k, s) in enumerate(zip(space, w.size, w.stride, strict=True)):
        (lo, hi), (a, b) = pads[i], inner[i]
        starts = range(-lo, n + hi - k + 1, s)
        lengths = [min(t + k, n + b) - max(t, -a) for t in starts]
        shape = tuple(-1 if j == i else 1 for j in range(len(space)))
        axis = x.new_tensor(lengths).reshape(shape)
        total = axis if total is None else ew.mul(total, axis)
    return total


@rounds_once
def _avg_pool(w: Window, include_pad: bool, divisor: int | None, x: Tensor) -> Tensor:
    pads = w.pads(tuple(x.shape[2:]))
    padded = any(lo or hi for lo, hi in pads)
    symmetric = all(lo == hi for lo, hi in pads)
    fixed: float | None = divisor
    if fixed is None and (not padded or (include_pad and symmetric)):
        fixed = math.prod(w.size)
    if not dtypes.is_inexact(x._data.dtype):
        space = tuple(x.shape[2:])
        counts = _counts(w, space, pads, include_pad, x) if fixed is None else fixed
        return div(_sums(x, w, pads, 1), counts, rounding_mode="trunc")
    if fixed is not None:
        if _tiles(x, w, pads) and math.prod(w.size) == math.prod(x.shape[2:]):
            return _tile_means(x, w.size, fixed)
        return _sums(x, w, pads, 1 / fixed)
    counts = _counts(w, tuple(x.shape[2:]), pads, include_pad, x)
    return ew.div(_sums(x, w, pads, 1.0), counts)


@computes_in("as is")
def _avg(dims: int, input: Tensor, options: Any, include_pad: bool, divisor: int | None) -> Tensor:
    kernel_size, stride, padding, ceil_mode = options
    w = Window(f"avg_pool{dims}d", dims, kernel_size, stride, padding, 1, ceil_mode)
    if divisor == 0:
        raise ShapeError(f"{w.name}: divisor_override must not be zero")
    if not dtypes.is_inexact(input._data.dtype) and input._data.dtype != dtypes.INT64:
        raise DTypeError(
            f"{w.name}: wanted floating numbers or int64, got {input.dtype}; convert with .float()"
        )
    _check_channels(w.name, input, dims)
    return batched(w.name, input, dims, partial(_avg_pool, w, include_pad, divisor))


def avg_pool1d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """The mean of every window of (n, c, l); see `avg_pool2d`."""
    return _avg(1, input, (kernel_size, stride, padding, ceil_mode), count_include_pad, None)


def avg_pool2d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        kernel_size: of the window; here and below an int or one per space axis.
        stride: step of the window; default its size.
        padding: zeros put on both sides; up to half the window.
        ceil_mode: count a last window that starts inside but ends outside.
        count_include_pad: count the zeros as elements.
        divisor_override: divide sums by this instead of the count.

    Returns:
        (n, c, h', w'); means of int64 lose their fractions.

    Raises:
        ShapeError: the window does not fit, or padding is too wide.
        DTypeError: elements are of another integer dtype, or booleans.
    """
    options = (kernel_size, stride, padding, ceil_mode)
    return _avg(2, input, options, count_include_pad, divisor_override)


def avg_pool3d(
    input: Tensor,
    kernel_size: Size,
    stride: Size | None = None,
    padding: Size = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of every window of (n, c, d, h, w); see `avg_pool2d`."""
    options = (kernel_size, stride, padding, ceil_mode)
    return _avg(3, input, options, count_include_pad, divisor_override)


# Norm


def _lp(
    dims: int,
    input: Tensor,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None,
    ceil_mode: bool,
) -> Tensor:
    size = per_axis(f"lp_pool{dims}d", "kernel_size", kernel_size, dims)
    powers = ew.pow(input, norm_type)
    means = _avg(dims, powers, (size, stride, 0, ceil_mode), True, None)
    totals = ew.mul(ew.mul(ew.sign(means), ew.relu(ew.abs(means))), math.prod(size))
    return ew.pow(totals, 1.0 / norm_type)


def lp_pool1d(
    input: Tensor,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of every window of (n, c, l); see `lp_pool2d`."""
    return _lp(1, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(
    input: Tensor,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of every window: (sum x ** p) ** (1 / p).

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        norm_type: p.
        kernel_size: of the window; here and below an int or one per space axis.
        stride: step of the window; default its size.
        ceil_mode: count a last window that starts inside but ends outside.

    Returns:
        (n, c, h', w').
    """
    return _lp(2, input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(
    input: Tensor,
    norm_type: float,
    kernel_size: Size,
    stride: Size | None = None,
    ceil_mode: bool = False,
) -> Tensor:
    """The p-norm of every window of (n, c, d, h, w); see `lp_pool2d`."""
    return _lp(3, input, norm_type, kernel_size, stride, ceil_mode)
