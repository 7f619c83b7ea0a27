"""HiFi-GAN: a waveform from a mel spectrogram, all samples at once.

Source: Kong, Kim and Bae 2020, "HiFi-GAN: Generative Adversarial Networks for Efficient and High
Fidelity Speech Synthesis"; parameter names and configurations are torchaudio.prototype's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind

__all__ = [
    "HiFiGANVocoder",
    "hifigan_vocoder",
    "hifigan_vocoder_v1",
    "hifigan_vocoder_v2",
    "hifigan_vocoder_v3",
]

LAST_SLOPE = 0.01  # of the leaky ReLU before the last convolution, as published
THREE_BY_THREE = ((1, 3, 5),) * 3


def _same(channels: int, kernel_size: int, dilation: int) -> nn.Conv1d:
    """A convolution that keeps the length."""
    padding = (kernel_size - 1) * dilation // 2
    return nn.Conv1d(channels, channels, kernel_size, dilation=dilation, padding=padding)


class ResBlock1(nn.Module):
    """Residual pairs of a dilated convolution and a plain one.

    Args:
        channels: in and out.
        kernel_size: odd.
        dilation: of each pair.
        lrelu_slope: for negative values.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        dilation: Sequence[int] = (1, 3, 5),
        lrelu_slope: float = 0.1,
    ) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(_same(channels, kernel_size, d) for d in dilation)
        self.convs2 = nn.ModuleList(_same(channels, kernel_size, 1) for _ in dilation)
        self.lrelu_slope = lrelu_slope

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        for first, second in zip(self.convs1, self.convs2, strict=True):
            y = first(nnF.leaky_relu(x, self.lrelu_slope))
            x = x + second(nnF.leaky_relu(y, self.lrelu_slope))
        return x


class ResBlock2(nn.Module):
    """Residual dilated convolutions.

    Args:
        channels: in and out.
        kernel_size: odd.
        dilation: of each.
        lrelu_slope: for negative values.
    """

    def __init__(
        self,
        channels: int,
        kernel_size: int = 3,
        dilation: Sequence[int] = (1, 3),
        lrelu_slope: float = 0.1,
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(_same(channels, kernel_size, d) for d in dilation)
        self.lrelu_slope = lrelu_slope

    def forward(self, x: Tensor) -> Tensor:
        """(n, c, t) to the same."""
        for conv in self.convs:
            x = x + conv(nnF.leaky_relu(x, self.lrelu_slope))
        return x


RESBLOCKS: dict[int, Callable[..., nn.Module]] = {1: ResBlock1, 2: ResBlock2}


class HiFiGANVocoder(nn.Module):
    """The generator of HiFi-GAN.

    Args:
        in_channels: bands of the spectrogram.
        upsample_rates: samples per frame are their product.
        upsample_initial_channel: channels at first, halved by each step up.
        upsample_kernel_sizes: one for each rate.
        resblock_kernel_sizes: of the blocks whose mean each step takes.
        resblock_dilation_sizes: one row for each of them.
        resblock_type: 1 with pairs of convolutions, 2 with single ones.
        lrelu_slope: for negative values.

    Raises:
        DomainError: resblock_type is neither.

    Example:
        >>> import triptych as tp
        >>> hifigan_vocoder_v3()(tp.zeros(1, 80, 10)).shape
        Size([1, 1, 2560])
    """

    def __init__(
        self,
        in_channels: int,
        upsample_rates: Sequence[int],
        upsample_initial_channel: int,
        upsample_kernel_sizes: Sequence[int],
        resblock_kernel_sizes: Sequence[int],
        resblock_dilation_sizes: Sequence[Sequence[int]],
        resblock_type: int,
        lrelu_slope: float,
    ) -> None:
        super().__init__()
        if resblock_type not in RESBLOCKS:
            raise DomainError(f"HiFiGANVocoder: resblock_type is 1 or 2, got {resblock_type}")
        block = RESBLOCKS[resblock_type]
        width = upsample_initial_channel
        self.lrelu_slope = lrelu_slope
        self.num_kernels = len(resblock_kernel_sizes)
        self.conv_pre = nn.Conv1d(in_channels, width, 7, padding=3)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(upsample_rates, upsample_kernel_sizes, strict=True):
            up = nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2)
            self.ups.append(up)
            width //= 2
            for size, dilation in zip(resblock_kernel_sizes, resblock_dilation_sizes, strict=True):
                self.resblocks.append(block(width, size, dilation, lrelu_slope))
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3)

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """Make a waveform.

        Args:
            x: (n, in_channels, t) logarithmic mel spectrogram.

        Returns:
            (n, 1, t * product of upsample_rates) samples in [-1, 1].
        """
        x = self.conv_pre(x)
        for index, up in enumerate(self.ups):
            x = up(nnF.leaky_relu(x, self.lrelu_slope))
            blocks = list(self.resblocks)[index * self.num_kernels : (index + 1) * self.num_kernels]
            total = blocks[0](x)
            for block in blocks[1:]:
                total = total + block(x)
            x = total / self.num_kernels
        return self.conv_post(nnF.leaky_relu(x, LAST_SLOPE)).tanh()


def hifigan_vocoder(
    in_channels: int,
    upsample_rates: Sequence[int],
    upsample_initial_channel: int,
    upsample_kernel_sizes: Sequence[int],
    resblock_kernel_sizes: Sequence[int],
    resblock_dilation_sizes: Sequence[Sequence[int]],
    resblock_type: int,
    lrelu_slope: float,
) -> HiFiGANVocoder:
    """A vocoder of any size.

    Args:
        in_channels: bands of the spectrogram.
        upsample_rates: samples per frame are their product.
        upsample_initial_channel: channels at first, halved by each step up.
        upsample_kernel_sizes: one for each rate.
        resblock_kernel_sizes: of the blocks whose mean each step takes.
        resblock_dilation_sizes: one row for each of them.
        resblock_type: 1 with pairs of convolutions, 2 with single ones.
        lrelu_slope: for negative values.

    Returns:
        The vocoder.

    Raises:
        DomainError: resblock_type is neither 1 nor 2.
    """
    return HiFiGANVocoder(
        in_channels,
        upsample_rates,
        upsample_initial_channel,
        upsample_kernel_sizes,
        resblock_kernel_sizes,
        resblock_dilation_sizes,
        resblock_type,
        lrelu_slope,
    )


def hifigan_vocoder_v1() -> HiFiGANVocoder:
    """V1 of the paper: the best sound, 13.9 million parameters."""
    return HiFiGANVocoder(80, (8, 8, 2, 2), 512, (16, 16, 4, 4), (3, 7, 11), THREE_BY_THREE, 1, 0.1)


def hifigan_vocoder_v2() -> HiFiGANVocoder:
    """V2 of the paper: V1 with a quarter of the channels, 0.9 million parameters."""
    return HiFiGANVocoder(80, (8, 8, 2, 2), 128, (16, 16, 4, 4), (3, 7, 11), THREE_BY_THREE, 1, 0.1)


def hifigan_vocoder_v3() -> HiFiGANVocoder:
    """V3 of the paper: the fastest, 1.5 million parameters."""
    return HiFiGANVocoder(
        80, (8, 8, 4), 256, (16, 16, 8), (3, 5, 7), ((1, 2), (2, 6), (3, 12)), 2, 0.1
    )
