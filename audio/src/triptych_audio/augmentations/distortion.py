"""Clipping, saturation, coarse bits and lossy codecs."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych_audio.augmentations.base import QUIET, Augmentation, check_choice, check_range, rms
from triptych_audio.functional.codecs import apply_codec
from triptych_audio.functional.resampling import resample

__all__ = ["Aliasing", "BitCrush", "ClippingDistortion", "Mp3Compression", "TanhDistortion"]

# What the codecs take, in Hz
RATES = {
    "mp3": (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000),
    "opus": (8000, 12000, 16000, 24000, 48000),
}
# Highest bitrate of mp3 in kbit/s from a sample rate on: MPEG 2.5, 2 and 1
TOP_BITRATES = ((8000, 64), (16000, 160), (32000, 320))
CHANNELS = 2  # that an mp3 can hold
CODEC_DELAY = 576 + 529  # samples: of the encoder LAME, and of all decoders


class BitCrush(Augmentation):
    """Round to a random number of bits.

    Args:
        min_bit_depth: fewest bits, 1 at least.
        max_bit_depth: most bits, 32 at most.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self, min_bit_depth: int = 5, max_bit_depth: int = 10, p: float = 0.5, **options: Any
    ) -> None:
        super().__init__(p, **options)
        check_range("BitCrush", min_bit_depth, max_bit_depth, "bit_depth", at_least=1, at_most=32)
        self.min_bit_depth, self.max_bit_depth = min_bit_depth, max_bit_depth

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A number of bits."""
        return {"bit_depth": self.integer(self.min_bit_depth, self.max_bit_depth)}

    def transform(self, samples: Tensor, sample_rate: int, bit_depth: int) -> Tensor:
        """Samples in steps of 2 / 2 ** bits, nearly."""
        steps = 2 ** (bit_depth - 1) + 1
        return (samples * steps).round() / steps


class ClippingDistortion(Augmentation):
    """Clip a random share of the samples.

    Args:
        min_percentile_threshold: smallest share in percent.
        max_percentile_threshold: largest share in percent.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_percentile_threshold: float = 0,
        max_percentile_threshold: float = 40,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        ends = min_percentile_threshold, max_percentile_threshold
        check_range("ClippingDistortion", *ends, "percentile_threshold", at_least=0, at_most=100)
        self.min_percentile_threshold, self.max_percentile_threshold = ends

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A share in percent."""
        ends = self.min_percentile_threshold, self.max_percentile_threshold
        return {"percentile_threshold": self.uniform(*ends)}

    def transform(self, samples: Tensor, sample_rate: int, percentile_threshold: float) -> Tensor:
        """Half of the share above, half below."""
        share = percentile_threshold / 200
        low, high = np.quantile(samples.detach().cpu().numpy(), [share, 1 - share])
        return samples.clamp(float(low), float(high))


class TanhDistortion(Augmentation):
    """Saturate by a random amount; the loudness stays.

    Args:
        min_distortion: least amount, from 0 to 1.
        max_distortion: largest amount, from 0 to 1.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    def __init__(
        self,
        min_distortion: float = 0.01,
        max_distortion: float = 0.7,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        ends = min_distortion, max_distortion
        check_range("TanhDistortion", *ends, "distortion", at_least=0, at_most=1)
        self.min_distortion, self.max_distortion = ends

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """An amount."""
        return {"distortion": self.uniform(self.min_distortion, self.max_distortion)}

    def transform(self, samples: Tensor, sample_rate: int, distortion: float) -> Tensor:
        """The larger the amount, the lower the level that comes out at tanh(0.5)."""
        heights = np.abs(samples.detach().cpu().numpy())
        level = float(np.quantile(heights, 1 - 0.99 * distortion))
        bent = (samples * (0.5 / (level + 1e-6))).tanh()
        before, after = rms(samples), rms(bent)
        return bent * (before / after) if float(before) > QUIET else bent


class Mp3Compression(Augmentation):
    """Encode and decode with a random bitrate; no gradients come back.

    The waveform is resampled where the codec does not know its rate.

    Args:
        min_bitrate: lowest in kbit/s, from 8.
        max_bitrate: highest in kbit/s, to 320; those that mp3 has not at a sample rate are rounded.
        format: "mp3"; or "ogg" (Vorbis) or "opus", for which bitrates are a rough guide.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_bitrate: int = 8,
        max_bitrate: int = 64,
        format: str = "mp3",
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("Mp3Compression", min_bitrate, max_bitrate, "bitrate", at_least=8, at_most=320)
        check_choice("Mp3Compression", "format", format, ("mp3", "ogg", "opus"))
        self.min_bitrate, self.max_bitrate, self.format = min_bitrate, max_bitrate, format

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A bitrate in kbit/s."""
        return {"bitrate": self.integer(self.min_bitrate, self.max_bitrate)}

    def transform(self, samples: Tensor, sample_rate: int, bitrate: int) -> Tensor:
        """What the codec leaves, in the shape of before."""
        known = RATES.get(self.format, (sample_rate,))
        rate = min((r for r in known if r >= sample_rate), default=max(known))
        rows = samples.detach().cpu().reshape(-1, samples.shape[-1])
        rows = resample(rows, sample_rate, rate) if rate != sample_rate else rows
        pieces = [
            self._decoded(rows[i : i + CHANNELS], rate, bitrate)
            for i in range(0, len(rows), CHANNELS)
        ]
        decoded = tp.cat(pieces)
        if rate != sample_rate:
            decoded = resample(decoded, rate, sample_rate)[..., : samples.shape[-1]]
        return decoded.reshape(samples.shape).to(samples.device, samples.dtype)

    def _decoded(self, rows: Tensor, rate: int, bitrate: int) -> Tensor:
        top = next(top for start, top in reversed(TOP_BITRATES) if rate >= start or start == 8000)
        level = min(max(1 - bitrate / top, 0.0), 0.999)
        if self.format != "mp3":
            return apply_codec(rows, rate, self.format, compression=level)
        return tp.from_numpy(_mp3_and_back(rows.numpy(), rate, level))


def _mp3_and_back(rows: np.ndarray, rate: int, level: float) -> np.ndarray:
    """(c, t) through mp3 of a constant bitrate, not delayed.

    libsndfile takes the delay of encoder and decoder off if a note of it fits into the first frame;
    at low bitrates it does not, and more samples come back than went in.
    """
    from triptych_audio.io.sound_file import soundfile_module

    module, file = soundfile_module("Mp3Compression"), io.BytesIO()
    kind = {"subtype": "MPEG_LAYER_III", "format": "MP3", "bitrate_mode": "CONSTANT"}
    with module.SoundFile(file, "w", rate, len(rows), compression_level=level, **kind) as sound:
        sound.write(np.ascontiguousarray(rows.T))
    file.seek(0)
    decoded, _ = module.read(file, dtype=rows.dtype.name, always_2d=True)
    start = CODEC_DELAY if len(decoded) > rows.shape[1] else 0
    return np.ascontiguousarray(decoded[start : start + rows.shape[1]].T)


class Aliasing(Augmentation):
    """Take samples out without a filter, so that high tones come back as low ones.

    Args:
        min_sample_rate: lowest rate to go down to, in Hz.
        max_sample_rate: highest rate to go down to, in Hz.
        p: probability that it is applied.
        options: sample_rate and generator, see `Augmentation`.
    """

    needs_sample_rate = True

    def __init__(
        self,
        min_sample_rate: int = 8000,
        max_sample_rate: int = 30000,
        p: float = 0.5,
        **options: Any,
    ) -> None:
        super().__init__(p, **options)
        check_range("Aliasing", min_sample_rate, max_sample_rate, "sample_rate", at_least=2)
        self.min_sample_rate, self.max_sample_rate = min_sample_rate, max_sample_rate

    def make_params(self, samples: Tensor, sample_rate: int) -> dict[str, Any]:
        """A rate in Hz."""
        return {"new_sample_rate": self.integer(self.min_sample_rate, self.max_sample_rate)}

    def transform(self, samples: Tensor, sample_rate: int, new_sample_rate: int) -> Tensor:
        """Down and up again, with straight lines between samples."""
        t = samples.shape[-1]
        if new_sample_rate >= sample_rate or t < 2:
            return samples
        fewer = max(2, round(t * new_sample_rate / sample_rate))
        return _interpolated(_interpolated(samples, fewer), t)


def _interpolated(samples: Tensor, count: int) -> Tensor:
    last = samples.shape[-1] - 1
    places = np.linspace(0, last, count)
    before = np.minimum(places.astype(np.int64), last - 1)
    share = tp.from_numpy(places - before).to(samples.device, samples.dtype)
    index = tp.from_numpy(before).to(samples.device)
    low, high = samples.index_select(-1, index), samples.index_select(-1, index + 1)
    return low + (high - low) * share
