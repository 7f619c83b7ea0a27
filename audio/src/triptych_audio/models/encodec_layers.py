"""Layers of EnCodec's encoder and decoder, with the parameter names of its checkpoints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych.nn import functional as nnF

__all__ = ["SEANetDecoder", "SEANetEncoder"]

NORMS = ("none", "time_group_norm", "weight_norm")
NEW_NAMES = {  # of PyTorch's parametrizations, in files that others wrote
    "parametrizations.weight.original0": "weight_g",
    "parametrizations.weight.original1": "weight_v",
}


class WeightNorm(nn.Module):
    """A convolution whose weights are a direction and a length for each row.

    Args:
        conv: the convolution, whose weights it takes over.
    """

    def __init__(self, conv: nn.Conv1d | nn.ConvTranspose1d) -> None:
        super().__init__()
        self.weight_g = nn.Parameter(_lengths(conv.weight.detach()))
        self.weight_v = nn.Parameter(conv.weight.detach().clone())
        self.bias = conv.bias
        self.stride, self.dilation = conv.stride, conv.dilation
        self.transposed = isinstance(conv, nn.ConvTranspose1d)
        self.register_load_state_dict_pre_hook(_old_names)

    @property
    def weight(self) -> Tensor:
        """(out, in, k), or (in, out, k) of a transposed one."""
        return self.weight_v * (self.weight_g / _lengths(self.weight_v))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) through the convolution, without padding."""
        if self.transposed:
            return nnF.conv_transpose1d(x, self.weight, self.bias, self.stride)
        return nnF.conv1d(x, self.weight, self.bias, self.stride, 0, self.dilation)


def _lengths(weight: Tensor) -> Tensor:
    """(a, 1, 1) norms of the rows."""
    return weight.square().sum((1, 2), keepdim=True).sqrt()


def _old_names(module: nn.Module, state_dict: Any, prefix: str, *_: Any) -> None:
    for new, old in NEW_NAMES.items():
        if prefix + new in state_dict:
            state_dict[prefix + old] = state_dict.pop(prefix + new)


class NormConv(nn.Module):
    """A convolution and its norm.

    Args:
        conv: the convolution.
        norm: "weight_norm", "time_group_norm" or "none".
        name: what the convolution is called in files.

    Raises:
        DomainError: norm is none of the three.
    """

    def __init__(self, conv: nn.Conv1d | nn.ConvTranspose1d, norm: str, name: str) -> None:
        super().__init__()
        if norm not in NORMS:
            raise DomainError(f"EnCodec: norm is one of {', '.join(NORMS)}, got {norm!r}")
        self._name = name
        setattr(self, name, WeightNorm(conv) if norm == "weight_norm" else conv)
        self.norm = (
            nn.GroupNorm(1, conv.out_channels) if norm == "time_group_norm" else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) through both."""
        return self.norm(getattr(self, self._name)(x))


class SConv1d(nn.Module):
    """A convolution that pads so that ceil(t / stride) frames come out.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: of the convolution.
        stride: of the convolution.
        dilation: of the convolution.
        causal: no frame depends on later samples.
        norm: of the convolution.
        pad_mode: how the signal is extended.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        causal: bool = False,
        norm: str = "none",
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride, dilation=dilation)
        self.conv = NormConv(conv, norm, "conv")
        self.stride = stride
        self.padding = (kernel_size - 1) * dilation - (stride - 1)
        self.causal = causal
        self.pad_mode = pad_mode

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to (n, out_channels, ceil(t / stride))."""
        extra = -x.shape[-1] % self.stride
        right = 0 if self.causal else self.padding // 2
        return self.conv(_padded(x, self.padding - right, right + extra, self.pad_mode))


def _padded(x: Tensor, left: int, right: int, mode: str) -> Tensor:
    """Padding that reflects short signals too, over zeros behind their end."""
    short = max(left, right) - x.shape[-1] + 1
    if mode != "reflect" or short <= 0:
        return nnF.pad(x, (left, right), mode)
    return nnF.pad(nnF.pad(x, (0, short)), (left, right), mode)[..., :-short]


class SConvTranspose1d(nn.Module):
    """A transposed convolution that cuts so that t * stride samples come out.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: of the convolution.
        stride: of the convolution.
        causal: cut at the right end only.
        norm: of the convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        causal: bool = False,
        norm: str = "none",
    ) -> None:
        super().__init__()
        conv = nn.ConvTranspose1d(in_channels, out_channels, kernel_size, stride)
        self.convtr = NormConv(conv, norm, "convtr")
        self.surplus = kernel_size - stride
        self.causal = causal

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to (n, out_channels, t * stride)."""
        y = self.convtr(x)
        right = self.surplus if self.causal else self.surplus // 2
        return y[..., self.surplus - right : y.shape[-1] - right]


class SLSTM(nn.Module):
    """Recurrent layers around which the input is carried.

    Args:
        dimension: channels in and out.
        num_layers: of the LSTM.
    """

    def __init__(self, dimension: int, num_layers: int = 2) -> None:
        super().__init__()
        self.lstm = nn.LSTM(dimension, dimension, num_layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        y, _ = self.lstm(x.permute(2, 0, 1))
        return y.permute(1, 2, 0) + x


class SEANetResnetBlock(nn.Module):
    """Two convolutions through half the channels, and one beside them.

    Args:
        dim: channels in and out.
        kernel_size: of the first convolution.
        dilation: of the first convolution.
        **options: causal, norm and pad_mode of all convolutions.
    """

    def __init__(self, dim: int, kernel_size: int, dilation: int, **options: Any) -> None:
        super().__init__()
        self.block = nn.Sequential(
            nn.ELU(),
            SConv1d(dim, dim // 2, kernel_size, dilation=dilation, **options),
            nn.ELU(),
            SConv1d(dim // 2, dim, 1, **options),
        )
        self.shortcut = SConv1d(dim, dim, 1, **options)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        return self.shortcut(x) + self.block(x)


class SEANetEncoder(nn.Module):
    """Samples to frames: convolutions with a stride, residual blocks between them, an LSTM.

    Args:
        channels: of the samples.
        dimension: of a frame.
        n_filters: channels after the first convolution, doubled by each step.
        n_residual_layers: blocks before each step.
        ratios: strides, the last one first; their product is the samples per frame.
        kernel_size: of the first and the last convolution.
        residual_kernel_size: of the blocks.
        dilation_base: block j has dilation dilation_base ** j.
        lstm: recurrent layers, 0 for none.
        causal: no frame depends on later samples.
        norm: of the convolutions.
        pad_mode: how signals are extended.
    """

    def __init__(
        self,
        channels: int = 1,
        dimension: int = 128,
        n_filters: int = 32,
        n_residual_layers: int = 1,
        ratios: Sequence[int] = (8, 5, 4, 2),
        kernel_size: int = 7,
        residual_kernel_size: int = 3,
        dilation_base: int = 2,
        lstm: int = 2,
        causal: bool = False,
        norm: str = "weight_norm",
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"causal": causal, "norm": norm, "pad_mode": pad_mode}
        self.dimension = dimension
        self.ratios = list(reversed(ratios))
        self.hop_length = math.prod(ratios)
        width = n_filters
        layers: list[nn.Module] = [SConv1d(channels, width, kernel_size, **options)]
        for ratio in self.ratios:
            layers += [
                SEANetResnetBlock(width, residual_kernel_size, dilation_base**j, **options)
                for j in range(n_residual_layers)
            ]
            layers += [nn.ELU(), SConv1d(width, 2 * width, 2 * ratio, ratio, **options)]
            width *= 2
        if lstm:
            layers.append(SLSTM(width, lstm))
        layers += [nn.ELU(), SConv1d(width, dimension, kernel_size, **options)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, t) samples to (n, dimension, ceil(t / hop_length))."""
        return self.model(x)


class SEANetDecoder(nn.Module):
    """Frames to samples, the mirror image of `SEANetEncoder`.

    Args:
        channels: of the samples.
        dimension: of a frame.
        n_filters: channels before the last convolution.
        n_residual_layers: blocks after each step.
        ratios: strides.
        kernel_size: of the first and the last convolution.
        residual_kernel_size: of the blocks.
        dilation_base: block j has dilation dilation_base ** j.
        lstm: recurrent layers, 0 for none.
        causal: no sample depends on later frames.
        norm: of the convolutions.
        pad_mode: how signals are extended.
    """

    def __init__(
        self,
        channels: int = 1,
        dimension: int = 128,
        n_filters: int = 32,
        n_residual_layers: int = 1,
        ratios: Sequence[int] = (8, 5, 4, 2),
        kernel_size: int = 7,
        residual_kernel_size: int = 3,
        dilation_base: int = 2,
        lstm: int = 2,
        causal: bool = False,
        norm: str = "weight_norm",
        pad_mode: str = "reflect",
    ) -> None:
        super().__init__()
        options: dict[str, Any] = {"causal": causal, "norm": norm, "pad_mode": pad_mode}
        width = n_filters * 2 ** len(ratios)
        layers: list[nn.Module] = [SConv1d(dimension, width, kernel_size, **options)]
        if lstm:
            layers.append(SLSTM(width, lstm))
        for ratio in ratios:
            up = SConvTranspose1d(width, width // 2, 2 * ratio, ratio, causal=causal, norm=norm)
            layers += [nn.ELU(), up]
            width //= 2
            layers += [
                SEANetResnetBlock(width, residual_kernel_size, dilation_base**j, **options)
                for j in range(n_residual_layers)
            ]
        layers += [nn.ELU(), SConv1d(width, channels, kernel_size, **options)]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(n, dimension, frames) to (n, channels, frames * product of ratios)."""
        return self.model(x)
