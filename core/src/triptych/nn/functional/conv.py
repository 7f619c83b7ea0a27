"""Convolution, its transpose, and the windows it slides over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...errors import ShapeError
from ...prims import contract
from ...prims import movement as mv
from ...prims.conv_norm import conv_bias, conv_norm
from ...prims.precision import computes_in
from ...prims.window import overlap_add, windows
from ...tensor import Tensor
from .arguments import Ints, batched, onto, per_axis

__all__ = [
    "conv1d",
    "conv2d",
    "conv3d",
    "conv_tbc",
    "conv_transpose1d",
    "conv_transpose2d",
    "conv_transpose3d",
    "fold",
    "unfold",
]

Size = int | Sequence[int]
Pads = tuple[tuple[int, int], ...]


def _pads(name: str, padding: Size | str, kernel: Ints, stride: Ints, dilation: Ints) -> Pads:
    """(before, after) for every space axis."""
    if not isinstance(padding, str):
        return tuple([(p, p) for p in per_axis(name, "padding", padding, len(kernel), 0)])
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise ShapeError(f"{name}: padding is ints, 'valid' or 'same', got {padding!r}")
    if any(s != 1 for s in stride):
        raise ShapeError(f"{name}: padding='same' keeps lengths only with stride 1, got {stride}")
    totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return tuple((t // 2, t - t // 2) for t in totals)


def _with_bias(name: str, out: Tensor, bias: Tensor) -> Tensor:
    contract.check_bias(name, bias, out.shape[1])
    return onto(out, mv.reshape(bias, shape=(out.shape[1], *[1] * (out.ndim - 2))))


def _options(
    name: str,
    dims: int,
    input: Tensor,
    weight: Tensor,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> dict[str, Any]:
    """The parameters of `contract.conv`."""
    kernel = weight._data.shape[2:]
    if len(kernel) != dims:
        raise ShapeError(
            f"{name}: wanted a weight (out, c / groups, {dims} kernel axes), got shape "
            f"{tuple(weight.shape)} for input {tuple(input.shape)}"
        )
    steps = per_axis(name, "stride", stride, dims, 1)
    gaps = per_axis(name, "dilation", dilation, dims, 1)
    pads = _pads(name, padding, kernel, steps, gaps)
    return {"stride": steps, "padding": pads, "dilation": gaps, "groups": groups}


def conv2d_norm(
    input: Tensor, weight: Tensor, vectors: Sequence[Any], eps: float, then: str, *conv: Any
) -> Tensor:
    """`conv2d`, `batch_norm` in evaluation and an activation, in one pass where that is possible.

    Args:
        input: (n, c, h, w).
        weight: (o, c / groups, kh, kw).
        vectors: mean, variance, weight and bias of the norm, each (o,).
        eps: added to the variance.
        then: the activation, one of `prims.conv_norm.ACTIVATIONS`, or "identity".
        conv: stride, padding, dilation and groups, as in `conv2d`.

    Raises:
        ShapeError: shapes do not fit.
        DTypeError: dtypes differ.
    """
    options = _options("conv2d", 2, input, weight, *conv)
    out: Tensor = conv_norm(input, weight, *vectors, eps=eps, then=then, **options)
    return out


def conv2d_bias(input: Tensor, weight: Tensor, bias: Tensor, then: str, *conv: Any) -> Tensor:
    """`conv2d` with a bias (o,), and an activation; arguments and errors as for `conv2d_norm`."""
    options = _options("conv2d", 2, input, weight, *conv)
    out: Tensor = conv_bias(input, weight, bias, then=then, **options)
    return out


@computes_in("low")
def _conv(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size | str,
    dilation: Size,
    groups: int,
) -> Tensor:
    name = f"conv{dims}d"
    options = _options(name, dims, input, weight, stride, padding, dilation, groups)

    def call(x: Tensor) -> Tensor:
        out = contract.conv(x, weight, **options)
        return out if bias is None else _with_bias(name, out, bias)

    return batched(name, input, dims, call)


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of (n, c, l) with (o, c / groups, k); see `conv2d`."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images with kernels.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        weight: (o, c / groups, kh, kw).
        bias: (o,).
        stride: step of the window, in elements; here and below an int or one per space axis.
        padding: zeros put on both sides, or "same" to keep lengths (the odd zero goes after), or
            "valid" for none.
        dilation: distance between the elements a kernel meets.
        groups: channels are split into so many groups that do not see each other.

    Returns:
        (n, o, h', w') with h' = (h + 2 padding - dilation (kh - 1) - 1) // stride + 1.

    Raises:
        ShapeError: channels do not fit, or the kernel is larger than the padded input.
        DTypeError: dtypes differ.

    Example:
        >>> conv2d(ones(1, 3, 8, 8), ones(16, 3, 3, 3), padding=1).shape
        Size([1, 16, 8, 8])
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size | str = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of (n, c, d, h, w) with (o, c / groups, kd, kh, kw); see `conv2d`."""
    return _conv(3, input, weight, bias, stride, padding, dilation, groups)


@computes_in("low")
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor | None = None, pad: int = 0) -> Tensor:
    """`conv1d` with time first and channels last.

    Args:
        input: (t, n, c).
        weight: (k, c, o).
        bias: (o,).
        pad: zeros put on both sides of time.

    Returns:
        (t + 2 pad - k + 1, n, o).

    Raises:
        ShapeError: shapes do not fit.
    """
    if input.ndim != 3 or weight.ndim != 3:
        raise ShapeError(
            f"conv_tbc: wanted input (t, n, c) and weight (k, c, o), got {tuple(input.shape)} and "
            f"{tuple(weight.shape)}"
        )
    turned = mv.permute(input, axes=(1, 2, 0))
    out = conv1d(turned, mv.permute(weight, axes=(2, 1, 0)), bias, padding=pad)
    return mv.permute(out, axes=(2, 0, 1))


@computes_in("low")
def _conv_transpose(
    dims: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Size,
    padding: Size,
    output_padding: Size,
    groups: int,
    dilation: Size,
) -> Tensor:
    name = f"conv_transpose{dims}d"
    steps = per_axis(name, "stride", stride, dims, 1)
    gaps = per_axis(name, "dilation", dilation, dims, 1)
    pads = per_axis(name, "padding", padding, dims, 0)
    extra = per_axis(name, "output_padding", output_padding, dims, 0)
    if any(e >= max(s, d) for e, s, d in zip(extra, steps, gaps, strict=True)):
        raise ShapeError(
            f"{name}: output_padding {extra} must be below the stride {steps} or dilation {gaps}"
        )

    def call(x: Tensor) -> Tensor:
        _check_transposed(name, x, weight, groups)
        sides = zip(x.shape[2:], weight.shape[2:], steps, pads, gaps, extra, strict=True)
        space = tuple((n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, p, d, e in sides)
        if min(space) < 1:
            raise ShapeError(f"{name}: padding {pads} leaves nothing: the output would be {space}")
        out = contract.conv_dx(
            x,
            weight,
            shape=(x.shape[0], weight.shape[1] * groups, *space),
            stride=steps,
            padding=tuple((p, p) for p in pads),
            dilation=gaps,
            groups=groups,
        )
        return out if bias is None else _with_bias(name, out, bias)

    return batched(name, input, dims, call)


def _check_transposed(name: str, x: Tensor, weight: Tensor, groups: int) -> None:
    contract.check_dtypes(name, input=x, weight=weight)
    if weight.ndim != x.ndim or x.shape[1] != weight.shape[0] or x.shape[1] % groups:
        raise ShapeError(
            f"{name}: wanted a weight (c, out / groups, kernel) with c = {x.shape[1]} channels of "
            f"the input {tuple(x.shape)} in {groups} group(s), got {tuple(weight.shape)}"
        )


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose of `conv1d`; see `conv_transpose2d`."""
    return _conv_transpose(
        1, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose of `conv2d`: what its gradient with respect to the input computes.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        weight: (c, o / groups, kh, kw).
        bias: (o,).
        stride: step in the output between neighbours of the input.
        padding: rows taken off both sides of the output.
        output_padding: rows added after the output, below stride or dilation.
        groups: channels are split into so many groups that do not see each other.
        dilation: distance between the elements a kernel writes.

    Returns:
        (n, o, h', w'), h' = (h - 1) stride - 2 padding + dilation (kh - 1) + output_padding + 1.

    Raises:
        ShapeError: channels do not fit, or nothing would be left.
    """
    return _conv_transpose(
        2, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def conv_transpose3d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Tensor:
    """The transpose of `conv3d`; see `conv_transpose2d`."""
    return _conv_transpose(
        3, input, weight, bias, stride, padding, output_padding, groups, dilation
    )


def _around(x: Tensor, pads: Ints, value: Any = 0) -> Tensor:
    """Space axes widened on both sides."""
    if not any(pads):
        return x
    return mv.pad(x, widths=((0, 0), (0, 0), *((p, p) for p in pads)), value=value)


def unfold(
    input: Tensor, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
) -> Tensor:
    """The windows that a convolution slides over, as columns.

    Args:
        input: (n, c, h, w), or one sample (c, h, w).
        kernel_size, dilation, padding, stride: of the window, as for `conv2d`.

    Returns:
        (n, c * kh * kw, positions).

    Raises:
        ShapeError: the window does not fit.
    """
    size, gaps, pads, steps = (
        per_axis("unfold", label, value, 2, least)
        for label, value, least in (
            ("kernel_size", kernel_size, 1),
            ("dilation", dilation, 1),
            ("padding", padding, 0),
            ("stride", stride, 1),
        )
    )

    def call(x: Tensor) -> Tensor:
        seen = windows(_around(x, pads), size=size, stride=steps, dilation=gaps)
        n, c, rows, cols = seen.shape[:4]
        columns = mv.permute(seen, axes=(0, 1, 4, 5, 2, 3))  # (n, c, kh, kw, rows, cols)
        return mv.reshape(columns, shape=(n, c * math.prod(size), rows * cols))

    return batched("unfold", input, 2, call)


def fold(
    input: Tensor,
    output_size: Size,
    kernel_size: Size,
    dilation: Size = 1,
    padding: Size = 0,
    stride: Size = 1,
) -> Tensor:
    """The transpose of `unfold`: columns added up where their windows were.

    Args:
        input: (n, c * kh * kw, positions), or one sample without n.
        output_size: (h, w) of the image.
        kernel_size, dilation, padding, stride: of the window, as for `conv2d`.

    Returns:
        (n, c, h, w).

    Raises:
        ShapeError: the columns are not as many as the windows, or of another size.
    """
    space, size, gaps, pads, steps = (
        per_axis("fold", label, value, 2, least)
        for label, value, least in (
            ("output_size", output_size, 1),
            ("kernel_size", kernel_size, 1),
            ("dilation", dilation, 1),
            ("padding", padding, 0),
            ("stride", stride, 1),
        )
    )
    sides = tuple((p, p) for p in pads)
    rows, cols = contract.conv_lengths("fold", space, size, steps, sides, gaps)

    def call(x: Tensor) -> Tensor:
        n, length, count = x.shape
        if length % math.prod(size) or count != rows * cols:
            raise ShapeError(
                f"fold: wanted (n, c * {math.prod(size)}, {rows} * {cols}) for an image of "
                f"{space}, got {tuple(x.shape)}"
            )
        c = length // math.prod(size)
        seen = mv.permute(mv.reshape(x, shape=(n, c, *size, rows, cols)), axes=(0, 1, 4, 5, 2, 3))
        padded = tuple(s + 2 * p for s, p in zip(space, pads, strict=True))
        out = overlap_add(seen, shape=(n, c, *padded), size=size, stride=steps, dilation=gaps)
        if not any(pads):
            return out
        inner = tuple(slice(p, p + s) for s, p in zip(space, pads, strict=True))
        return mv.slice_(out, key=(Ellipsis, *inner))

    return batched("fold", input, 1, call)
