"""Convolutions in one, two and three dims, and their transposes."""

from __future__ import annotations

import math
from typing import Any

from ...errors import ShapeError, UnknownNameError
from ...ops.creation import empty
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..functional.arguments import per_axis
from ..module import Module
from ..parameter import Parameter
from .sizes import Sizes

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """What all convolutions share; a subclass says its number of spatial dims."""

    _ndim: int
    _transposed = False
    weight: Parameter
    bias: Parameter | None

    def _build(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes,
        padding: Any,
        dilation: Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
        output_padding: Sizes = 0,
    ) -> None:
        name = type(self).__name__
        _check(name, in_channels, out_channels, groups, padding_mode)
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, self._ndim, 1)
        self.stride = per_axis(name, "stride", stride, self._ndim, 1)
        self.dilation = per_axis(name, "dilation", dilation, self._ndim, 1)
        self.output_padding = per_axis(name, "output_padding", output_padding, self._ndim, 0)
        self.padding_mode = padding_mode
        self.padding = self._padding(name, padding)
        first = (in_channels, out_channels) if self._transposed else (out_channels, in_channels)
        shape = (first[0], first[1] // groups, *self.kernel_size)
        self.weight = Parameter(empty(*shape, device=device, dtype=dtype))
        new_bias = Parameter(empty(out_channels, device=device, dtype=dtype)) if bias else None
        self.register_parameter("bias", new_bias)
        self.reset_parameters()

    def _padding(self, name: str, padding: Any) -> Any:
        """As given if a word; sets the amounts per side that the modes other than zeros pad."""
        if not isinstance(padding, str):
            amounts = per_axis(name, "padding", padding, self._ndim, 0)
            self._sides = [side for p in reversed(amounts) for side in (p, p)]
            return amounts
        if padding not in ("same", "valid"):
            raise UnknownNameError(
                f"{name}: padding is an int, a tuple, 'same' or 'valid', got {padding!r}"
            )
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ShapeError(f"{name}: padding='same' needs stride 1, got {self.stride}")
        self._sides = []
        for d, k in zip(reversed(self.dilation), reversed(self.kernel_size), strict=True):
            total = d * (k - 1) if padding == "same" else 0
            self._sides += [total // 2, total - total // 2]
        return padding

    def reset_parameters(self) -> None:
        """Draw new starting values, uniform within ±1/√fan_in."""
        fan_in = self.weight.shape[1] * math.prod(self.kernel_size)
        bound = 1 / math.sqrt(fan_in) if fan_in else 0
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}"]
        parts += [f"kernel_size={self.kernel_size}, stride={self.stride}"]
        zeros, ones = (0,) * self._ndim, (1,) * self._ndim
        parts += [f"padding={self.padding}"] if self.padding != zeros else []
        parts += [f"dilation={self.dilation}"] if self.dilation != ones else []
        parts += [f"output_padding={self.output_padding}"] if self.output_padding != zeros else []
        parts += [f"groups={self.groups}"] if self.groups != 1 else []
        parts += ["bias=False"] if self.bias is None else []
        parts += [f"padding_mode={self.padding_mode}"] if self.padding_mode != "zeros" else []
        return ", ".join(parts)


def _check(name: str, in_channels: int, out_channels: int, groups: int, padding_mode: str) -> None:
    if groups < 1 or in_channels % groups or out_channels % groups:
        raise ShapeError(
            f"{name}: {in_channels} input and {out_channels} output channels cannot be split into "
            f"{groups} groups"
        )
    if padding_mode not in PADDING_MODES:
        raise UnknownNameError(
            f"{name}: padding_mode is one of {PADDING_MODES}, got {padding_mode!r}"
        )


class _Conv(_ConvNd):
    """A convolution; see `Conv2d`."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self._build(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._sides, mode=self.padding_mode)
            padding = 0
        convolve = (F.conv1d, F.conv2d, F.conv3d)[self._ndim - 1]
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(_Conv):
    """Convolution over time: (n, c_in, t) to (n, c_out, t'), the leading n optional.

    Arguments and attributes as for `Conv2d`, with one spatial dim.

    Example:
        >>> Conv1d(2, 4, 3, stride=2)(triptych.zeros(1, 2, 9)).shape
        Size([1, 4, 4])
    """

    _ndim = 1


class Conv2d(_Conv):
    """Convolution (cross-correlation) over images: (n, c_in, h, w) to (n, c_out, h', w'), the
    leading n optional.

    Args:
        in_channels: c_in.
        out_channels: c_out.
        kernel_size: k, or (k_h, k_w).
        stride: step between windows.
        padding: rows and columns added on each side; "same" keeps h and w, "valid" adds none.
        dilation: step between the elements of a window.
        groups: split channels into groups that do not see each other.
        bias: add a learned number per output channel.
        padding_mode: what is added: "zeros", "reflect", "replicate" or "circular".
        device, dtype: of the parameters.

    Attributes:
        weight: (c_out, c_in / groups, k_h, k_w), uniform within ±1/√fan_in at first.
        bias: (c_out,), the same.

    Raises:
        ShapeError: channels are no multiple of groups; "same" with a stride.

    Example:
        >>> Conv2d(3, 8, 3, padding=1)(triptych.zeros(1, 3, 32, 32)).shape
        Size([1, 8, 32, 32])
    """

    _ndim = 2


class Conv3d(_Conv):
    """Convolution over volumes: (n, c_in, d, h, w) to (n, c_out, d', h', w'), n optional.

    Arguments and attributes as for `Conv2d`, with three spatial dims.
    """

    _ndim = 3


class _ConvTranspose(_ConvNd):
    """The transpose of a convolution; see `ConvTranspose2d`."""

    _transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if padding_mode != "zeros":
            raise UnknownNameError(
                f"{type(self).__name__}: padding_mode is always 'zeros', got {padding_mode!r}"
            )
        self._build(
            in_channels,
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
            output_padding,
        )

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        extra = self.output_padding if output_size is None else self._extra(input, output_size)
        convolve = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[self._ndim - 1]
        return convolve(
            input,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            extra,
            self.groups,
            self.dilation,
        )

    def _extra(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """The output padding that gives the wanted size."""
        wanted = tuple(output_size)[-self._ndim :]
        settings = zip(
            input.shape[-self._ndim :],
            self.stride,
            self.padding,
            self.dilation,
            self.kernel_size,
            strict=True,
        )
        least = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, s, p, d, k in settings)
        extra = tuple(w - n for w, n in zip(wanted, least, strict=True))
        if any(e < 0 or e >= s for e, s in zip(extra, self.stride, strict=True)):
            most = tuple(n + s - 1 for n, s in zip(least, self.stride, strict=True))
            raise ShapeError(
                f"{type(self).__name__}: output_size {wanted} is not between {least} and "
                f"{most} for an "
                f"input of shape {tuple(input.shape)}"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """Transposed convolution over time; as `ConvTranspose2d`, with one spatial dim."""

    _ndim = 1


class ConvTranspose2d(_ConvTranspose):
    """The transpose of `Conv2d`, which turns small images into larger ones:
    (n, c_in, h, w) to (n, c_out, h', w') with h' = (h - 1) stride - 2 padding + dilation (k - 1) +
    output_padding + 1.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, bias, dilation: as for `Conv2d`.
        padding: dilation (k - 1) - padding zeros are added on each side of the input.
        output_padding: rows and columns added to one side of the output's size.
        padding_mode: "zeros" is the only one.
        device, dtype: of the parameters.

    Attributes:
        weight: (c_in, c_out / groups, k_h, k_w), uniform at first within ±1/√m, where m is the
            product of all but its first length.
        bias: (c_out,), the same.

    Example:
        >>> up = ConvTranspose2d(8, 3, 4, stride=2, padding=1)
        >>> up(triptych.zeros(1, 8, 16, 16)).shape
        Size([1, 3, 32, 32])
    """

    _ndim = 2


class ConvTranspose3d(_ConvTranspose):
    """Transposed convolution over volumes; as `ConvTranspose2d`, with three spatial dims."""

    _ndim = 3
