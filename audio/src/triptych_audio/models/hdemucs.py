"""Hybrid Demucs: separation of music into its instruments, over time and frequencies at once.

Source: Defossez 2021, "Hybrid Spectrogram and Waveform Source Separation"; parameter names and
defaults are torchaudio 2.8's.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind
from triptych_audio.models.hdemucs_layers import (
    DecoderLayer,
    EncoderLayer,
    ScaledEmbedding,
    rescale,
)

__all__ = ["HDemucs", "hdemucs_high", "hdemucs_low", "hdemucs_medium"]

EPS = 1e-5  # added to the spread of a recording


class HDemucs(nn.Module):
    """Hybrid Demucs, an encoder and decoder over the spectrum with a twin over samples.

    Args:
        sources: names of what comes out, such as ["drums", "bass", "other", "vocals"].
        audio_channels: of the mixture and each source.
        channels: of the first level.
        growth: how many times more on each following one.
        nfft: samples in a window of the spectrum; windows are a quarter of it apart.
        depth: levels.
        freq_emb: weight of the embedding of frequencies; 0 for none.
        emb_scale: of the embedding's weights.
        emb_smooth: neighbouring frequencies start alike.
        kernel_size: of the levels.
        time_stride: of levels where one frequency is left.
        stride: of the others.
        context: neighbours that decoder levels see.
        context_enc: neighbours that encoder levels see.
        norm_starts: first level with norms.
        norm_groups: of the norms.
        dconv_depth: blocks in a level.
        dconv_comp: how many times fewer channels inside a block.
        dconv_attn: first level with attention.
        dconv_lstm: first level with recurrent layers.
        dconv_init: factors of the blocks at first.

    Raises:
        DomainError: the frequencies do not shrink to one along the levels.

    Example:
        >>> model = HDemucs(["voice", "rest"], channels=8, nfft=256, depth=4).eval()
        >>> model(tp.zeros(1, 2, 1000)).shape
        Size([1, 2, 2, 1000])
    """

    def __init__(
        self,
        sources: Sequence[str],
        audio_channels: int = 2,
        channels: int = 48,
        growth: int = 2,
        nfft: int = 4096,
        depth: int = 6,
        freq_emb: float = 0.2,
        emb_scale: int = 10,
        emb_smooth: bool = True,
        kernel_size: int = 8,
        time_stride: int = 2,
        stride: int = 4,
        context: int = 1,
        context_enc: int = 0,
        norm_starts: int = 4,
        norm_groups: int = 4,
        dconv_depth: int = 2,
        dconv_comp: int = 4,
        dconv_attn: int = 4,
        dconv_lstm: int = 4,
        dconv_init: float = 1e-4,
    ) -> None:
        super().__init__()
        self.sources = sources
        self.audio_channels, self.channels, self.depth = audio_channels, channels, depth
        self.nfft, self.hop_length = nfft, nfft // 4
        self.kernel_size, self.stride, self.context = kernel_size, stride, context
        self.freq_emb: ScaledEmbedding | None = None
        self.freq_emb_scale = freq_emb
        self.freq_encoder, self.freq_decoder = nn.ModuleList(), nn.ModuleList()
        self.time_encoder, self.time_decoder = nn.ModuleList(), nn.ModuleList()
        width_in, width_in_f = audio_channels, 2 * audio_channels  # a spectrum is two real maps
        width = width_f = channels
        freqs = nfft // 2
        for index in range(depth):
            freq, last_freq = freqs > 1, 1 < freqs <= kernel_size
            if not freq and freqs != 1:
                raise DomainError(
                    f"HDemucs: nfft={nfft} leaves {freqs} frequencies at level {index}; choose "
                    f"nfft / 2 a product of stride {stride} and at most kernel_size {kernel_size}"
                )
            both: dict[str, Any] = {
                "norm_type": "group_norm" if index >= norm_starts else "none",
                "norm_groups": norm_groups,
                "dconv_kw": {
                    "lstm": index >= dconv_lstm,
                    "attn": index >= dconv_attn,
                    "depth": dconv_depth,
                    "compress": dconv_comp,
                    "init": dconv_init,
                },
            }
            over_f = both | {"freq": freq, "pad": not last_freq}
            over_f["kernel_size"] = kernel_size if freq else 2 * time_stride
            over_f["stride"] = stride if freq else time_stride
            over_t = both | {"freq": False, "kernel_size": kernel_size, "stride": stride}
            if last_freq:
                over_f["kernel_size"] = freqs
                width = width_f = max(width, width_f)
                if nfft == 2048:  # two frames fewer of halving than the other sizes have
                    over_t |= {"kernel_size": 4, "stride": 2}
            self.freq_encoder.append(
                EncoderLayer(width_in_f, width_f, context=context_enc, **over_f)
            )
            if freq:
                self.time_encoder.append(
                    EncoderLayer(width_in, width, context=context_enc, empty=last_freq, **over_t)
                )
            if index == 0:
                width_in = audio_channels * len(sources)
                width_in_f = 2 * width_in
            out: dict[str, Any] = {"context": context, "last": index == 0}
            self.freq_decoder.insert(0, DecoderLayer(width_f, width_in_f, **out, **over_f))
            if freq:
                self.time_decoder.insert(
                    0, DecoderLayer(width, width_in, empty=last_freq, **out, **over_t)
                )
            width_in, width_in_f = width, width_f
            width, width_f = int(growth * width), int(growth * width_f)
            if freq:
                freqs = 1 if freqs <= kernel_size else freqs // stride
            if index == 0 and freq_emb:
                self.freq_emb = ScaledEmbedding(freqs, width_in_f, emb_scale, emb_smooth)
        rescale(self)

    @same_kind
    def forward(self, input: Tensor) -> Tensor:
        """Separate a mixture.

        Args:
            input: (n, audio_channels, t) samples.

        Returns:
            (n, sources, audio_channels, t) samples of each source.

        Raises:
            ShapeError: input is not (n, audio_channels, t) with t > 0.
        """
        if input.ndim != 3 or input.shape[1] != self.audio_channels or not input.shape[-1]:
            raise ShapeError(
                f"HDemucs: wanted (n, {self.audio_channels}, t) samples, got "
                f"{tuple(input.shape)}; waveform[None] makes a batch of one recording, "
                "waveform.expand(2, -1) makes two channels of one"
            )
        n, t = input.shape[0], input.shape[-1]
        spectrum = tp.view_as_real(self._spectrum(input))  # (n, c, f, frames, 2)
        maps = spectrum.permute(0, 1, 4, 2, 3).flatten(1, 2)  # (n, 2 c, f, frames)
        maps, mean, spread = _standardized(maps)
        samples, mean_t, spread_t = _standardized(input)
        x, y = self._decode(*self._encode(maps, samples))
        x = x.reshape(n, len(self.sources), -1, *maps.shape[2:])
        x = x * spread.unsqueeze(1) + mean.unsqueeze(1)
        x = x.unflatten(2, (-1, 2)).permute(0, 1, 2, 4, 5, 3).contiguous()
        y = y.reshape(n, len(self.sources), -1, t)
        y = y * spread_t.unsqueeze(1) + mean_t.unsqueeze(1)
        return y + self._waveform(tp.view_as_complex(x), t)

    def _encode(
        self, x: Tensor, y: Tensor
    ) -> tuple[list[Tensor], list[Tensor], list[int], list[int]]:
        """All levels of both branches, and how long they were before each."""
        levels: list[Tensor] = []
        levels_t: list[Tensor] = []
        lengths: list[int] = []
        lengths_t: list[int] = []
        for index, encode in enumerate(self.freq_encoder):
            inject = None
            lengths.append(x.shape[-1])
            if index < len(self.time_encoder):
                encode_t = self.time_encoder[index]
                lengths_t.append(y.shape[-1])
                y = encode_t(y)
                if encode_t.empty:
                    inject = y
                else:
                    levels_t.append(y)
            x = encode(x, inject)
            if index == 0 and self.freq_emb is not None:
                rows = self.freq_emb(tp.arange(x.shape[-2], device=x.device))  # (f, c)
                x = x + self.freq_emb_scale * rows.t().unsqueeze(-1)
            levels.append(x)
        return levels, levels_t, lengths, lengths_t

    def _decode(
        self,
        levels: list[Tensor],
        levels_t: list[Tensor],
        lengths: list[int],
        lengths_t: list[int],
    ) -> tuple[Tensor, Tensor]:
        """From the deepest level back to a spectrum and samples."""
        x = y = tp.zeros_like(levels[-1])
        offset = self.depth - len(self.time_decoder)
        for index, decode in enumerate(self.freq_decoder):
            x, inner = decode(x, levels.pop(), lengths.pop())
            if index < offset:
                continue
            decode_t = self.time_decoder[index - offset]
            if decode_t.empty:
                y, _ = decode_t(inner[:, :, 0], None, lengths_t.pop())
            else:
                y, _ = decode_t(y, levels_t.pop(), lengths_t.pop())
        return x, y

    def _spectrum(self, x: Tensor) -> Tensor:
        """(n, c, t) to (n, c, nfft / 2, ceil(t / hop)) complex."""
        hop, t = self.hop_length, x.shape[-1]
        frames = math.ceil(t / hop)
        left = hop // 2 * 3
        right = left + frames * hop - t
        short = max(left, right) - t + 1
        if short > 0:  # reflection needs more samples than it makes
            x = nnF.pad(x, (0, short))
        x = nnF.pad(x, (left, right), "reflect")
        z = tp.stft(
            x.flatten(0, 1),
            self.nfft,
            hop,
            window=_window(self.nfft, x.dtype, x.device),
            normalized=True,
            return_complex=True,
        )
        return z[:, :-1, 2 : 2 + frames].unflatten(0, tuple(x.shape[:2]))

    def _waveform(self, z: Tensor, t: int) -> Tensor:
        """(..., nfft / 2, frames) complex to (..., t)."""
        hop = self.hop_length
        z = nnF.pad(z, (2, 2, 0, 1))
        left = hop // 2 * 3
        x = tp.istft(
            z.flatten(0, -3),
            self.nfft,
            hop,
            window=_window(self.nfft, z.real.dtype, z.device),
            normalized=True,
            length=hop * math.ceil(t / hop) + 2 * left,
        )
        return x[:, left : left + t].unflatten(0, tuple(z.shape[:-2]))


@functools.cache
def _window(length: int, dtype: tp.dtype, device: tp.device) -> Tensor:
    return tp.hann_window(length, dtype=dtype, device=device)


def _standardized(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each item of a batch with zero mean and unit spread, the mean and the spread."""
    dims = tuple(range(1, x.ndim))
    mean, spread = x.mean(dims, keepdim=True), x.std(dims, keepdim=True)
    return (x - mean) / (EPS + spread), mean, spread


def hdemucs_low(sources: Sequence[str]) -> HDemucs:
    """Hybrid Demucs with windows of 1024 samples, for rates around 8 kHz.

    Args:
        sources: names of what comes out.
    """
    return HDemucs(sources, nfft=1024, depth=5)


def hdemucs_medium(sources: Sequence[str]) -> HDemucs:
    """Hybrid Demucs with windows of 2048 samples, for rates from 16 to 32 kHz.

    Args:
        sources: names of what comes out.
    """
    return HDemucs(sources, nfft=2048, depth=6)


def hdemucs_high(sources: Sequence[str]) -> HDemucs:
    """Hybrid Demucs with windows of 4096 samples, for rates of 44.1 and 48 kHz.

    Args:
        sources: names of what comes out.
    """
    return HDemucs(sources, nfft=4096, depth=6)
