"""From samples to a feature vector every 20 ms: the convolutions at the start of wav2vec 2.0."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.models.lengths import check_lengths

__all__ = ["ConvLayerBlock", "FeatureExtractor", "LayerNorm", "build_feature_extractor"]

ConvLayers = Sequence[tuple[int, int, int]]


class LayerNorm(nn.LayerNorm):
    """Layer normalisation over the channels of (n, c, frames)."""

    def forward(self, input: Tensor) -> Tensor:
        """(n, c, frames) to the same shape."""
        return super().forward(input.transpose(-2, -1)).transpose(-2, -1)


class ConvLayerBlock(nn.Module):
    """Convolution, normalisation if any, GELU.

    Args:
        in_channels: channels before.
        out_channels: channels after.
        kernel_size: of the convolution.
        stride: of the convolution.
        bias: whether the convolution has one.
        layer_norm: normalises (n, out_channels, frames); None leaves it out.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int,
        bias: bool,
        layer_norm: nn.Module | None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride
        self.layer_norm = layer_norm
        self.conv = nn.Conv1d(in_channels, out_channels, kernel_size, stride=stride, bias=bias)

    def forward(self, x: Tensor, length: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """Features of a layer.

        Args:
            x: (n, in_channels, frames).
            length: (n,) valid frames, or None.

        Returns:
            (n, out_channels, fewer frames), and how many of them are valid.
        """
        x = self.conv(x)
        if self.layer_norm is not None:
            x = self.layer_norm(x)
        if length is not None:  # no frame comes from fewer samples than a kernel has
            steps = tp.div(length - self.kernel_size, self.stride, rounding_mode="floor")
            length = (steps + 1).clamp(min=0)
        return nnF.gelu(x), length


class FeatureExtractor(nn.Module):
    """The convolutions, one after the other.

    Args:
        conv_layers: `ConvLayerBlock`s.
    """

    def __init__(self, conv_layers: nn.ModuleList) -> None:
        super().__init__()
        self.conv_layers = conv_layers

    def forward(self, x: Tensor, length: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features of waveforms.

        Args:
            x: (n, t) samples.
            length: (n,) valid samples, or None where all are.

        Returns:
            (n, frames, c), and (n,) valid frames or None.

        Raises:
            ShapeError: x is not (n, t), or shorter than the convolutions look; or length is not
                (n,) numbers from 0 to t.
        """
        if x.ndim != 2:
            raise ShapeError(
                f"Wav2Vec2Model: wanted waveforms (n, t), got {tuple(x.shape)}; waveform[None] "
                "makes a batch of one, waveform.mean(0) mixes channels down"
            )
        if x.shape[-1] < self.receptive_field:
            raise ShapeError(
                f"Wav2Vec2Model: the first frame looks at {self.receptive_field} samples, got "
                f"waveforms of shape {tuple(x.shape)}; pad them with zeros"
            )
        if length is not None:
            check_lengths("Wav2Vec2Model: lengths", length, *x.shape)
        x = x.unsqueeze(1)
        for layer in self.conv_layers:
            x, length = layer(x, length)
        return x.transpose(1, 2), length

    @property
    def receptive_field(self) -> int:
        """Samples that one frame looks at."""
        size = 1
        for layer in reversed(list(self.conv_layers)):
            size = (size - 1) * layer.stride + layer.kernel_size
        return size


def _group_norm(channels: int, first: bool) -> nn.Module | None:
    return nn.GroupNorm(channels, channels) if first else None


NORMS: dict[str, Callable[[int, bool], nn.Module | None]] = {
    "group_norm": _group_norm,
    "layer_norm": lambda channels, first: LayerNorm(channels),
}


def build_feature_extractor(norm_mode: str, shapes: ConvLayers, bias: bool) -> FeatureExtractor:
    """A feature extractor from its numbers.

    Args:
        norm_mode: "group_norm" normalises each channel of the first layer over time, "layer_norm"
            the channels of every frame in all layers.
        shapes: (out_channels, kernel_size, stride) of each layer.
        bias: whether the convolutions have one.

    Returns:
        The module.

    Raises:
        DomainError: norm_mode is neither.
    """
    if norm_mode not in NORMS:
        raise DomainError(f"extractor_mode: wanted one of {sorted(NORMS)}, got {norm_mode!r}")
    channels = [1, *(shape[0] for shape in shapes)]
    return FeatureExtractor(
        nn.ModuleList(
            ConvLayerBlock(before, after, kernel, stride, bias, NORMS[norm_mode](after, i == 0))
            for i, ((before, after), (_, kernel, stride)) in enumerate(
                zip(pairwise(channels), shapes, strict=True)
            )
        )
    )
