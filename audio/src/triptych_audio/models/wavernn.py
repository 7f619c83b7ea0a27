"""WaveRNN: samples of speech one after the other, from a mel spectrogram.

Source: Kalchbrenner et al. 2018, "Efficient Neural Audio Synthesis", in the form of
fatchord/WaveRNN; parameter names and defaults are torchaudio's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.models.lengths import check_lengths
from triptych_audio.models.wavernn_sampling import sample_waveform

__all__ = ["MelResNet", "ResBlock", "Stretch2d", "UpsampleNetwork", "WaveRNN"]


class ResBlock(nn.Module):
    """Two pointwise convolutions around which the input is carried.

    Args:
        n_freq: channels.
    """

    def __init__(self, n_freq: int = 128) -> None:
        super().__init__()
        self.resblock_model = nn.Sequential(
            nn.Conv1d(n_freq, n_freq, 1, bias=False),
            nn.BatchNorm1d(n_freq),
            nn.ReLU(inplace=True),
            nn.Conv1d(n_freq, n_freq, 1, bias=False),
            nn.BatchNorm1d(n_freq),
        )

    def forward(self, specgram: Tensor) -> Tensor:
        """(n, n_freq, t) to the same."""
        return self.resblock_model(specgram) + specgram


class MelResNet(nn.Module):
    """A convolution over time, residual blocks, and a pointwise convolution.

    Args:
        n_res_block: number of blocks.
        n_freq: bands of the spectrogram.
        n_hidden: channels of the blocks.
        n_output: channels out.
        kernel_size: of the first convolution.

    Example:
        >>> MelResNet()(tp.zeros(2, 128, 20)).shape
        Size([2, 128, 16])
    """

    def __init__(
        self,
        n_res_block: int = 10,
        n_freq: int = 128,
        n_hidden: int = 128,
        n_output: int = 128,
        kernel_size: int = 5,
    ) -> None:
        super().__init__()
        self.melresnet_model = nn.Sequential(
            nn.Conv1d(n_freq, n_hidden, kernel_size, bias=False),
            nn.BatchNorm1d(n_hidden),
            nn.ReLU(inplace=True),
            *(ResBlock(n_hidden) for _ in range(n_res_block)),
            nn.Conv1d(n_hidden, n_output, 1),
        )

    def forward(self, specgram: Tensor) -> Tensor:
        """(n, n_freq, t) to (n, n_output, t - kernel_size + 1)."""
        return self.melresnet_model(specgram)


class Stretch2d(nn.Module):
    """Repeat every value along time and frequencies.

    Args:
        time_scale: repetitions along time.
        freq_scale: repetitions along frequencies.

    Example:
        >>> Stretch2d(time_scale=10, freq_scale=5)(tp.zeros(2, 100, 51)).shape
        Size([2, 500, 510])
    """

    def __init__(self, time_scale: int, freq_scale: int) -> None:
        super().__init__()
        self.time_scale = time_scale
        self.freq_scale = freq_scale

    def forward(self, specgram: Tensor) -> Tensor:
        """(..., f, t) to (..., f * freq_scale, t * time_scale)."""
        if self.freq_scale != 1:
            specgram = specgram.repeat_interleave(self.freq_scale, -2)
        return specgram.repeat_interleave(self.time_scale, -1)


class UpsampleNetwork(nn.Module):
    """From frames of a spectrogram to one column for each sample.

    Args:
        upsample_scales: steps, whose product is the number of samples per frame.
        n_res_block: number of blocks.
        n_freq: bands of the spectrogram.
        n_hidden: channels of the blocks.
        n_output: channels of the second result.
        kernel_size: frames that one column looks at.

    Example:
        >>> first, second = UpsampleNetwork([4, 4, 16])(tp.zeros(1, 128, 10))
        >>> first.shape, second.shape
        (Size([1, 128, 1536]), Size([1, 128, 1536]))
    """

    def __init__(
        self,
        upsample_scales: Sequence[int],
        n_res_block: int = 10,
        n_freq: int = 128,
        n_hidden: int = 128,
        n_output: int = 128,
        kernel_size: int = 5,
    ) -> None:
        super().__init__()
        self.total_scale = math.prod(upsample_scales)
        self.indent = (kernel_size - 1) // 2 * self.total_scale
        self.resnet = MelResNet(n_res_block, n_freq, n_hidden, n_output, kernel_size)
        self.resnet_stretch = Stretch2d(self.total_scale, 1)
        layers: list[nn.Module] = []
        for scale in upsample_scales:
            width = 2 * scale + 1
            smooth = nn.Conv2d(1, 1, (1, width), padding=(0, scale), bias=False)
            nn.init.constant_(smooth.weight, 1.0 / width)
            layers += [Stretch2d(scale, 1), smooth]
        self.upsample_layers = nn.Sequential(*layers)

    def forward(self, specgram: Tensor) -> tuple[Tensor, Tensor]:
        """Columns for every sample.

        Args:
            specgram: (n, n_freq, t).

        Returns:
            (n, n_freq, s) of the spectrogram itself and (n, n_output, s) of what the blocks see in
            it, s = (t - kernel_size + 1) * the product of the scales.
        """
        blocks = self.resnet_stretch(self.resnet(specgram))
        columns = self.upsample_layers(specgram.unsqueeze(1)).squeeze(1)
        return columns[..., self.indent : columns.shape[-1] - self.indent], blocks


class WaveRNN(nn.Module):
    """Two recurrent layers that say how likely every value of the next sample is.

    Args:
        upsample_scales: steps from frames to samples; their product is hop_length.
        n_classes: values that a sample can have.
        hop_length: samples per frame of the spectrogram.
        n_res_block: blocks over the spectrogram.
        n_rnn: width of the recurrent layers.
        n_fc: width of the layers behind them.
        kernel_size: frames that one column looks at.
        n_freq: bands of the spectrogram.
        n_hidden: channels of the blocks.
        n_output: channels of their result, a multiple of four.

    Raises:
        DomainError: the scales' product is not hop_length.

    Example:
        >>> model = WaveRNN([2, 3], 16, 6, 1, n_rnn=8, n_fc=8, n_freq=5, n_hidden=4, n_output=8)
        >>> model(tp.zeros(2, 1, 36), tp.zeros(2, 1, 5, 10)).shape
        Size([2, 1, 36, 16])
    """

    def __init__(
        self,
        upsample_scales: Sequence[int],
        n_classes: int,
        hop_length: int,
        n_res_block: int = 10,
        n_rnn: int = 512,
        n_fc: int = 512,
        kernel_size: int = 5,
        n_freq: int = 128,
        n_hidden: int = 128,
        n_output: int = 128,
    ) -> None:
        super().__init__()
        total_scale = math.prod(upsample_scales)
        if total_scale != hop_length:
            raise DomainError(
                f"WaveRNN: the product of upsample_scales is hop_length; {list(upsample_scales)} "
                f"give {total_scale}, hop_length is {hop_length}"
            )
        self.kernel_size = kernel_size
        self.n_rnn = n_rnn
        self.n_aux = n_output // 4
        self.hop_length = hop_length
        self.n_classes = n_classes
        self.n_bits = int(math.log2(n_classes))
        self.upsample = UpsampleNetwork(
            upsample_scales, n_res_block, n_freq, n_hidden, n_output, kernel_size
        )
        self.n_freq = n_freq
        self.fc = nn.Linear(n_freq + self.n_aux + 1, n_rnn)
        self.rnn1 = nn.GRU(n_rnn, n_rnn, batch_first=True)
        self.rnn2 = nn.GRU(n_rnn + self.n_aux, n_rnn, batch_first=True)
        self.relu1 = nn.ReLU(inplace=True)
        self.relu2 = nn.ReLU(inplace=True)
        self.fc1 = nn.Linear(n_rnn + self.n_aux, n_fc)
        self.fc2 = nn.Linear(n_fc + self.n_aux, n_fc)
        self.fc3 = nn.Linear(n_fc, n_classes)

    @same_kind
    def forward(self, waveform: Tensor, specgram: Tensor) -> Tensor:
        """Score the next sample at every sample of a known waveform.

        Args:
            waveform: (n, 1, s) samples, s = (t - kernel_size + 1) * hop_length.
            specgram: (n, 1, n_freq, t).

        Returns:
            (n, 1, s, n_classes) logits.

        Raises:
            ShapeError: there is more than one channel, or the lengths do not fit.
        """
        if waveform.ndim != 3 or waveform.shape[1] != 1:
            raise ShapeError(f"WaveRNN: wanted waveform (n, 1, s), got {tuple(waveform.shape)}")
        if specgram.ndim != 4 or specgram.shape[1] != 1:
            raise ShapeError(f"WaveRNN: wanted specgram (n, 1, f, t), got {tuple(specgram.shape)}")
        columns, blocks = self.upsample(specgram.squeeze(1))
        if columns.shape[-1] != waveform.shape[-1]:
            raise ShapeError(
                f"WaveRNN: {specgram.shape[-1]} frames are {columns.shape[-1]} samples, waveform "
                f"has {waveform.shape[-1]}; take (frames - {self.kernel_size - 1}) * "
                f"{self.hop_length} samples"
            )
        aux = blocks.transpose(1, 2).split(self.n_aux, -1)
        x = tp.cat([waveform.transpose(1, 2), columns.transpose(1, 2), aux[0]], -1)
        x = self.fc(x)
        x = self.rnn1(x)[0] + x
        x = self.rnn2(tp.cat([x, aux[1]], -1))[0] + x
        x = self.relu1(self.fc1(tp.cat([x, aux[2]], -1)))
        x = self.relu2(self.fc2(tp.cat([x, aux[3]], -1)))
        return self.fc3(x).unsqueeze(1)

    @same_kind
    def infer(
        self,
        specgram: Tensor,
        lengths: Tensor | None = None,
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Draw a waveform. No gradients are recorded.

        Args:
            specgram: (n, n_freq, t).
            lengths: (n,) valid frames of each; default all.
            generator: of the random numbers; default the global one.

        Returns:
            (n, 1, t * hop_length) samples in [-1, 1], and the valid lengths if they were given.

        Raises:
            ShapeError: specgram is not (n, n_freq, t), or lengths are not (n,) numbers from 0 to t.
        """
        if specgram.ndim != 3 or specgram.shape[1] != self.n_freq:
            raise ShapeError(
                f"WaveRNN.infer: wanted specgram (n, {self.n_freq}, t), got {tuple(specgram.shape)}"
            )
        if lengths is not None:
            check_lengths("WaveRNN.infer: lengths", lengths, *specgram.shape[::2])
        with tp.no_grad():
            left = self.kernel_size // 2
            columns, blocks = self.upsample(nnF.pad(specgram, (left, left)))
            chances = tp.rand(
                columns.shape[-1], specgram.shape[0], dtype=tp.float64, generator=generator
            )
            samples = sample_waveform(self, columns, blocks, chances)
        return samples.unsqueeze(1), None if lengths is None else lengths * self.hop_length
