"""Layers of Hybrid Demucs, with the parameter names of its checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF

__all__ = ["DecoderLayer", "DilatedConv", "EncoderLayer", "ScaledEmbedding", "rescale"]

LSTM_STEPS = 200  # frames that the recurrent layer sees at once
NEVER = -100.0  # score of a frame's attention to itself


def group_norm(groups: int, channels: int, norm_type: str) -> nn.Module:
    """A group norm, or nothing.

    Args:
        groups: of channels.
        channels: in and out.
        norm_type: "group_norm" or "none".
    """
    return nn.GroupNorm(groups, channels) if norm_type == "group_norm" else nn.Identity()


class ScaledEmbedding(nn.Module):
    """An embedding whose weights are kept small, so that they learn faster.

    Args:
        num_embeddings: rows.
        embedding_dim: columns.
        scale: what the weights are multiplied by in use.
        smooth: neighbouring rows start alike.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, scale: float = 10.0, smooth: bool = False
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.scale = scale
        with tp.no_grad():
            weight = self.embedding.weight
            if smooth:
                steps = tp.arange(1, num_embeddings + 1, dtype=weight.dtype)
                weight.copy_(weight.cumsum(0) / steps.sqrt().unsqueeze(1))
            weight.div_(scale)

    @property
    def weight(self) -> Tensor:
        """(num_embeddings, embedding_dim) as used."""
        return self.embedding.weight * self.scale

    def forward(self, x: Tensor) -> Tensor:
        """(...) indices to (..., embedding_dim)."""
        return self.embedding(x) * self.scale


class LayerScale(nn.Module):
    """One factor per channel, near zero at first.

    Args:
        channels: of the input.
        init: all factors at first.
    """

    def __init__(self, channels: int, init: float = 0.0) -> None:
        super().__init__()
        self.scale = nn.Parameter(tp.full((channels,), float(init)))

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        return self.scale.unsqueeze(1) * x


class BidirectionalLSTM(nn.Module):
    """Recurrent layers in both directions over overlapping stretches of a long sequence.

    Args:
        dim: channels in and out.
        layers: of the LSTM.
        skip: add the input to the output.
    """

    def __init__(self, dim: int, layers: int = 1, skip: bool = False) -> None:
        super().__init__()
        self.max_steps = LSTM_STEPS
        self.lstm = nn.LSTM(dim, dim, num_layers=layers, bidirectional=True)
        self.linear = nn.Linear(2 * dim, dim)
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        n, c, t = x.shape
        if t <= self.max_steps:
            y = self._run(x)
        else:
            stride = self.max_steps // 2
            count = math.ceil(t / stride)
            padded = nnF.pad(x, (0, (count - 1) * stride + self.max_steps - t))
            frames = padded.unfold(-1, self.max_steps, stride)  # (n, c, count, max_steps)
            frames = frames.transpose(1, 2).reshape(-1, c, self.max_steps)
            y = _middles(self._run(frames).reshape(n, count, c, -1), stride // 2)[..., :t]
        return x + y if self.skip else y

    def _run(self, x: Tensor) -> Tensor:
        outputs, _ = self.lstm(x.permute(2, 0, 1))
        return self.linear(outputs).permute(1, 2, 0)


def _middles(frames: Tensor, margin: int) -> Tensor:
    """(n, k, c, w) frames that overlap by half, to (n, c, t) of their middles."""
    first, last = frames[:, 0, :, :-margin], frames[:, -1, :, margin:]
    inner = frames[:, 1:-1, :, margin:-margin].transpose(1, 2).flatten(2)
    return tp.cat([first, inner, last], -1)


class LocalState(nn.Module):
    """Attention by content with a learned penalty on distance in time.

    Args:
        channels: in and out.
        heads: that share the channels.
        ndecay: speeds of the penalty.

    Raises:
        DomainError: heads do not divide the channels.
    """

    def __init__(self, channels: int, heads: int = 4, ndecay: int = 4) -> None:
        super().__init__()
        if channels % heads:
            raise DomainError(
                f"LocalState: channels are a multiple of heads, got {channels} and {heads}"
            )
        self.heads = heads
        self.ndecay = ndecay
        self.content = nn.Conv1d(channels, channels, 1)
        self.query = nn.Conv1d(channels, channels, 1)
        self.key = nn.Conv1d(channels, channels, 1)
        self.query_decay = nn.Conv1d(channels, heads * ndecay, 1)
        with tp.no_grad():  # a wide window at first
            self.query_decay.weight.mul_(0.01)
            nn.init.constant_(self.query_decay.bias, -2.0)
        self.proj = nn.Conv1d(channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        n, c, t = x.shape
        heads = (n, self.heads, -1, t)
        queries, keys = self.query(x).reshape(heads), self.key(x).reshape(heads)
        scores = tp.matmul(keys.mT, queries) / math.sqrt(keys.shape[2])  # (n, h, key, query)
        times = tp.arange(t, device=x.device)
        if self.ndecay:
            speeds = tp.arange(1, self.ndecay + 1, dtype=x.dtype, device=x.device)
            slopes = self.query_decay(x).reshape(heads).sigmoid() / 2  # (n, h, ndecay, query)
            slopes = (slopes * speeds.unsqueeze(1)).sum(2, keepdim=True) / math.sqrt(self.ndecay)
            distance = (times.unsqueeze(1) - times).abs().to(x.dtype)
            scores = scores - distance * slopes
        scores = scores.masked_fill(times.unsqueeze(1) == times, NEVER)
        weights = scores.softmax(2)
        result = tp.matmul(self.content(x).reshape(heads), weights)
        return x + self.proj(result.reshape(n, c, t))


class DilatedConv(nn.Module):
    """Residual blocks with growing dilation, and recurrence and attention where asked for.

    Args:
        channels: in and out.
        compress: how many times fewer channels inside.
        depth: blocks; negative keeps the dilation at one.
        init: of the residual's factors.
        norm_type: "group_norm" or "none".
        attn: with attention.
        heads: of the attention.
        ndecay: of the attention.
        lstm: with recurrent layers.
        kernel_size: odd.

    Raises:
        DomainError: kernel_size is even.
    """

    def __init__(
        self,
        channels: int,
        compress: float = 4,
        depth: int = 2,
        init: float = 1e-4,
        norm_type: str = "group_norm",
        attn: bool = False,
        heads: int = 4,
        ndecay: int = 4,
        lstm: bool = False,
        kernel_size: int = 3,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise DomainError(f"DilatedConv: kernel_size is odd, got {kernel_size}")
        self.channels, self.compress, self.depth = channels, compress, abs(depth)
        hidden = int(channels / compress)
        self.layers = nn.ModuleList()
        for index in range(self.depth):
            dilation = 2**index if depth > 0 else 1
            between: list[nn.Module] = []
            if lstm:
                between.append(BidirectionalLSTM(hidden, layers=2, skip=True))
            if attn:
                between.append(LocalState(hidden, heads, ndecay))
            padding = dilation * (kernel_size // 2)
            self.layers.append(
                nn.Sequential(
                    nn.Conv1d(channels, hidden, kernel_size, dilation=dilation, padding=padding),
                    group_norm(1, hidden, norm_type),
                    nn.GELU(),
                    *between,
                    nn.Conv1d(hidden, 2 * channels, 1),
                    group_norm(1, 2 * channels, norm_type),
                    nn.GLU(1),
                    LayerScale(channels, init),
                )
            )

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        for layer in self.layers:
            x = x + layer(x)
        return x


class EncoderLayer(nn.Module):
    """A step down in resolution, over frequencies or over time.

    Args:
        chin: channels in.
        chout: channels out.
        kernel_size: along the frequencies, or time.
        stride: likewise.
        norm_groups: of the norms.
        empty: nothing but the convolution.
        freq: over (n, c, f, t), else over (n, c, t).
        norm_type: "group_norm" or "none".
        context: neighbours on each side that the last convolution sees.
        dconv_kw: arguments of `DilatedConv`.
        pad: by a quarter of the kernel.
    """

    def __init__(
        self,
        chin: int,
        chout: int,
        kernel_size: int = 8,
        stride: int = 4,
        norm_groups: int = 4,
        empty: bool = False,
        freq: bool = True,
        norm_type: str = "group_norm",
        context: int = 0,
        dconv_kw: Mapping[str, Any] | None = None,
        pad: bool = True,
    ) -> None:
        super().__init__()
        self.freq, self.kernel_size, self.stride, self.empty = freq, kernel_size, stride, empty
        self.pad = kernel_size // 4 if pad else 0
        conv: Callable[..., nn.Module] = nn.Conv2d if freq else nn.Conv1d
        self.conv = conv(
            chin, chout, *(_along(freq, *v) for v in ((kernel_size, 1), (stride, 1), (self.pad, 0)))
        )
        self.norm1 = group_norm(norm_groups, chout, norm_type)
        self.rewrite: nn.Module = nn.Identity()
        self.norm2: nn.Module = nn.Identity()
        self.dconv: nn.Module = nn.Identity()
        if not empty:
            self.rewrite = conv(chout, 2 * chout, 1 + 2 * context, 1, context)
            self.norm2 = group_norm(norm_groups, 2 * chout, norm_type)
            self.dconv = DilatedConv(chout, **(dconv_kw or {}))

    def forward(self, x: Tensor, inject: Tensor | None = None) -> Tensor:
        """One level of the encoder.

        Args:
            x: (n, c, f, t), or (n, c, t) for the branch over time.
            inject: of the other branch, added after the convolution.

        Returns:
            (n, chout, f / stride, t), or (n, chout, t / stride).

        Raises:
            ShapeError: inject is not as long as x is after the convolution.
        """
        if not self.freq:
            if x.ndim == 4:
                x = x.flatten(1, 2)
            x = nnF.pad(x, (0, -x.shape[-1] % self.stride))
        y = self.conv(x)
        if self.empty:
            return y
        if inject is not None:
            if inject.shape[-1] != y.shape[-1]:
                raise ShapeError(
                    f"EncoderLayer: {inject.shape[-1]} frames of the branch over time meet "
                    f"{y.shape[-1]} of the branch over frequencies"
                )
            y = y + (inject.unsqueeze(2) if inject.ndim == 3 and y.ndim == 4 else inject)
        y = nnF.gelu(self.norm1(y))
        if self.freq:
            n, c, f, t = y.shape
            y = self.dconv(y.transpose(1, 2).reshape(-1, c, t))
            y = y.reshape(n, f, c, t).transpose(1, 2)
        else:
            y = self.dconv(y)
        return nnF.glu(self.norm2(self.rewrite(y)), 1)


class DecoderLayer(nn.Module):
    """A step up in resolution, over frequencies or over time.

    Args:
        chin: channels in.
        chout: channels out.
        last: no activation behind it.
        kernel_size: along the frequencies, or time.
        stride: likewise.
        norm_groups: of the norms.
        empty: nothing but the transposed convolution.
        freq: over (n, c, f, t), else over (n, c, t).
        norm_type: "group_norm" or "none".
        context: neighbours on each side that the first convolution sees.
        dconv_kw: not used; here for the sake of one set of arguments with `EncoderLayer`.
        pad: cut what the encoder's padding added.

    Raises:
        DomainError: kernel_size and stride leave an odd number of samples to cut.
    """

    def __init__(
        self,
        chin: int,
        chout: int,
        last: bool = False,
        kernel_size: int = 8,
        stride: int = 4,
        norm_groups: int = 1,
        empty: bool = False,
        freq: bool = True,
        norm_type: str = "group_norm",
        context: int = 1,
        dconv_kw: Mapping[str, Any] | None = None,
        pad: bool = True,
    ) -> None:
        super().__init__()
        if pad and (kernel_size - stride) % 2:
            raise DomainError(
                "DecoderLayer: kernel_size - stride is even, so that the same is cut at both ends; "
                f"got {kernel_size} and {stride}"
            )
        self.pad = (kernel_size - stride) // 2 if pad else 0
        self.chin, self.last, self.freq, self.empty = chin, last, freq, empty
        self.kernel_size, self.stride = kernel_size, stride
        conv: Callable[..., nn.Module] = nn.Conv2d if freq else nn.Conv1d
        up: Callable[..., nn.Module] = nn.ConvTranspose2d if freq else nn.ConvTranspose1d
        self.conv_tr = up(chin, chout, *(_along(freq, v, 1) for v in (kernel_size, stride)))
        self.norm2 = group_norm(norm_groups, chout, norm_type)
        self.rewrite: nn.Module = nn.Identity()
        self.norm1: nn.Module = nn.Identity()
        if not empty:
            self.rewrite = conv(chin, 2 * chin, 1 + 2 * context, 1, context)
            self.norm1 = group_norm(norm_groups, 2 * chin, norm_type)

    def forward(self, x: Tensor, skip: Tensor | None, length: int) -> tuple[Tensor, Tensor]:
        """One level of the decoder.

        Args:
            x: (n, c, f, t) or (n, c, t).
            skip: of the encoder's level, same shape; None for an empty layer.
            length: of the result over time.

        Returns:
            The level above, and what went into the transposed convolution.
        """
        if self.freq and x.ndim == 3:
            x = x.reshape(x.shape[0], self.chin, -1, x.shape[-1])
        y = x if self.empty else nnF.glu(self.norm1(self.rewrite(x + skip)), 1)
        z = self.norm2(self.conv_tr(y))
        if not self.freq:
            z = z[..., self.pad : self.pad + length]
        elif self.pad:
            z = z[..., self.pad : -self.pad, :]
        return (z if self.last else nnF.gelu(z)), y


def _along(freq: bool, value: int, across: int) -> int | list[int]:
    """A convolution's argument: along the frequencies only, or along time."""
    return [value, across] if freq else value


def rescale(module: nn.Module, reference: float = 0.1) -> None:
    """Bring the spread of all convolutions' first weights nearer to a common one.

    Args:
        module: whose convolutions are changed.
        reference: standard deviation.
    """
    kinds = (nn.Conv1d, nn.ConvTranspose1d, nn.Conv2d, nn.ConvTranspose2d)
    with tp.no_grad():
        for layer in module.modules():
            if isinstance(layer, kinds):
                scale = (layer.weight.std() / reference) ** 0.5
                layer.weight.div_(scale)
                if layer.bias is not None:
                    layer.bias.div_(scale)
