"""Convolution whose taps are moved, each at each place."""

from __future__ import annotations

import math
from collections.abc import Sequence

import triptych as tp
from triptych import nn
from triptych.errors import ShapeError

from .regions import output_pair

__all__ = ["DeformConv2d", "deform_conv2d"]

Pair = int | Sequence[int]


def deform_conv2d(
    input: tp.Tensor,
    offset: tp.Tensor,
    weight: tp.Tensor,
    bias: tp.Tensor | None = None,
    stride: Pair = (1, 1),
    padding: Pair = (0, 0),
    dilation: Pair = (1, 1),
    mask: tp.Tensor | None = None,
) -> tp.Tensor:
    """Convolution that reads at moved places, by bilinear interpolation; zero outside.

    Args:
        input: (n, c, h, w).
        offset: (n, 2 * offset groups * kernel area, out h, out w): for each group and tap, down
            and then to the right, in pixels.
        weight: (out c, c / groups, kernel h, kernel w).
        bias: (out c,).
        stride: step between outputs in pixels.
        padding: zeros around the image.
        dilation: distance between taps in pixels.
        mask: (n, offset groups * kernel area, out h, out w), multiplies what each tap reads.

    Returns:
        (n, out c, out h, out w). Gradients flow to all tensors.

    Raises:
        ShapeError: the shapes do not fit.

    Example:
        >>> x, weight = tp.rand(1, 3, 10, 10), tp.rand(5, 3, 3, 3)
        >>> deform_conv2d(x, tp.zeros(1, 18, 8, 8), weight).shape
        Size([1, 5, 8, 8])

    Source: Dai et al. 2017, equations 2 to 4; Zhu, Hu, Lin and Dai 2019, equation 1, with a mask.
    """
    taps = weight.shape[2] * weight.shape[3]
    steps = output_pair(stride), output_pair(padding), output_pair(dilation)
    out_size = _check(input, offset, weight, mask, steps)
    n, c = input.shape[:2]
    offset_groups = offset.shape[1] // (2 * taps)
    y, x = _places(offset.reshape(n, offset_groups, taps, 2, *out_size), weight.shape[2:], steps)
    maps = input.reshape(n * offset_groups, c // offset_groups, *input.shape[2:])
    read = _read(maps, y.flatten(0, 1), x.flatten(0, 1))
    if mask is not None:  # read: (n * offset groups, taps, out h, out w, c / offset groups)
        read = read * mask.reshape(n * offset_groups, taps, *out_size)[..., None]
    out = _matmul(read, weight, (n, offset_groups, c))
    out = out.reshape(n, weight.shape[0], *out_size)
    return out if bias is None else out + bias[:, None, None]


def _places(
    offset: tp.Tensor, kernel: Sequence[int], steps: tuple[tuple[int, int], ...]
) -> tuple[tp.Tensor, tp.Tensor]:
    """Rows and columns that the taps read at, (n, offset groups, taps, out h, out w) each."""
    grids = []
    for axis, (stride, padding, dilation) in enumerate(zip(*steps, strict=True)):
        out = tp.arange(offset.shape[4 + axis], device=offset.device) * stride - padding
        tap = tp.arange(kernel[axis], device=offset.device) * dilation
        grids.append((tap[:, None] + out).to(offset.dtype))  # (kernel, out)
    down = grids[0][:, None, :, None].expand(-1, kernel[1], -1, 1).flatten(0, 1)
    right = grids[1][None, :, None, :].expand(kernel[0], -1, 1, -1).flatten(0, 1)
    return offset[:, :, :, 0] + down, offset[:, :, :, 1] + right


def _read(maps: tp.Tensor, y: tp.Tensor, x: tp.Tensor) -> tp.Tensor:
    """Interpolate maps (b, c, h, w) at (b, ...), to (b, ..., c)."""
    b, c, h, w = maps.shape
    pixels = maps.permute(0, 2, 3, 1).reshape(b * h * w, c)
    image = tp.arange(b, device=maps.device).reshape(b, *[1] * (y.ndim - 1)) * (h * w)
    ways = [_two_ways(y, h), _two_ways(x, w)]
    total: tp.Tensor | None = None
    for row, row_weight in ways[0]:
        for column, column_weight in ways[1]:
            place = (image + row * w + column).flatten()
            value = pixels.index_select(0, place).reshape(*y.shape, c)
            part = value * (row_weight * column_weight)[..., None]
            total = part if total is None else total + part
    assert total is not None  # both axes have two ways
    return total


def _two_ways(at: tp.Tensor, size: int) -> list[tuple[tp.Tensor, tp.Tensor]]:
    """The pixels below and above a place along one axis, with their weights, 0 outside."""
    floor = at.detach().floor()
    part = at - floor
    low = floor.to(tp.int64)
    ways = []
    for pixel, weight in ((low, 1 - part), (low + 1, part)):
        inside = ((pixel >= 0) & (pixel < size)).to(at.dtype)
        ways.append((pixel.clamp(0, size - 1), weight * inside))
    return ways


def _matmul(read: tp.Tensor, weight: tp.Tensor, sizes: tuple[int, int, int]) -> tp.Tensor:
    """(n * offset groups, taps, out h, out w, c') to (n, out c, out h * out w)."""
    n, offset_groups, c = sizes
    taps, pixels = read.shape[1], read.shape[2] * read.shape[3]
    columns = read.reshape(n, offset_groups, taps, pixels, c // offset_groups).permute(
        0, 3, 1, 4, 2
    )
    groups = c // weight.shape[1]
    columns = columns.reshape(
        n, pixels, groups, taps * c // groups
    )  # channels, then taps, as in the weight
    kernels = weight.reshape(groups, weight.shape[0] // groups, -1)
    return kernels @ columns.permute(0, 2, 3, 1)  # (n, groups, out c / groups, pixels)


def _check(
    input: tp.Tensor,
    offset: tp.Tensor,
    weight: tp.Tensor,
    mask: tp.Tensor | None,
    steps: tuple[tuple[int, int], ...],
) -> tuple[int, int]:
    """Raise for shapes that do not fit, else the output's height and width."""
    if not input.ndim == offset.ndim == weight.ndim == 4:
        raise ShapeError(
            "deform_conv2d: input, offset and weight have four axes, got "
            f"{tuple(input.shape)}, {tuple(offset.shape)} and {tuple(weight.shape)}"
        )
    n, c = input.shape[:2]
    taps = weight.shape[2] * weight.shape[3]
    if c % weight.shape[1] or weight.shape[0] % (c // weight.shape[1]):
        raise ShapeError(
            f"deform_conv2d: weight {tuple(weight.shape)} does not divide {c} input channels "
            "into groups"
        )
    groups = offset.shape[1] // (2 * taps)
    if groups == 0 or offset.shape[1] != 2 * taps * groups or c % groups:
        raise ShapeError(
            f"deform_conv2d: offset has 2 * {taps} channels for each offset group, and the groups "
            f"divide {c} input channels; got {offset.shape[1]} channels"
        )
    out = tuple(
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(input.shape[2:], weight.shape[2:], *steps, strict=True)
    )
    if min(out) < 1:
        raise ShapeError(
            f"deform_conv2d: the kernel {tuple(weight.shape[2:])} is larger than the padded input "
            f"{tuple(input.shape)}"
        )
    for name, value, channels in (("offset", offset, 2), ("mask", mask, 1)):
        wanted = (n, channels * taps * groups, *out)
        if value is not None and tuple(value.shape) != wanted:
            raise ShapeError(f"deform_conv2d: {name} is {wanted}, got {tuple(value.shape)}")
    return out[0], out[1]


class DeformConv2d(nn.Module):
    """Layer of `deform_conv2d`; the offsets come with each call.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        kernel_size: height and width of the kernel.
        stride: step between outputs in pixels.
        padding: zeros around the image.
        dilation: distance between taps in pixels.
        groups: parts the channels are split into.
        bias: whether there is one.

    Raises:
        ShapeError: groups does not divide the channels.
    """

    bias: nn.Parameter | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Pair,
        stride: Pair = 1,
        padding: Pair = 0,
        dilation: Pair = 1,
        groups: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if in_channels % groups or out_channels % groups:
            raise ShapeError(
                f"DeformConv2d: groups={groups} divides in_channels and out_channels, got "
                f"{in_channels} and {out_channels}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size, self.stride = output_pair(kernel_size), output_pair(stride)
        self.padding, self.dilation = output_pair(padding), output_pair(dilation)
        self.weight = nn.Parameter(tp.empty(out_channels, in_channels // groups, *self.kernel_size))
        if bias:
            self.bias = nn.Parameter(tp.empty(out_channels))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new initial values, those of an ordinary convolution."""
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            bound = 1 / math.sqrt(math.prod(self.weight.shape[1:]))
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(
        self, input: tp.Tensor, offset: tp.Tensor, mask: tp.Tensor | None = None
    ) -> tp.Tensor:
        """As `deform_conv2d`: (n, in_channels, h, w) to (n, out_channels, out h, out w)."""
        return deform_conv2d(
            input,
            offset,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            mask=mask,
        )

    def extra_repr(self) -> str:
        """The arguments, for printing; those with their default value are left out."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        parts.append(f"stride={self.stride}")
        if self.padding != (0, 0):
            parts.append(f"padding={self.padding}")
        if self.dilation != (1, 1):
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        return ", ".join(parts)
