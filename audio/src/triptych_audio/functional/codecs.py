"""What a codec leaves of a waveform."""

from __future__ import annotations

import io

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.resampling import resample
from triptych_audio.interop import same_kind

__all__ = ["apply_codec"]


@same_kind
def apply_codec(
    waveform: Tensor,
    sample_rate: int,
    format: str,
    channels_first: bool = True,
    compression: float | None = None,
    encoding: str | None = None,
    bits_per_sample: int | None = None,
) -> Tensor:
    """Encode and decode a waveform, in memory; libsndfile does it.

    Args:
        waveform: (c, t) samples in [-1, 1], float32 or float64.
        sample_rate: in Hz.
        format: "mp3", "ogg" (Vorbis), "opus", "flac", "wav", ...
        channels_first: False if waveform is (t, c).
        compression: from 0, best, to 1, smallest, for mp3, ogg, opus and flac.
        encoding: such as "ULAW" or "ALAW" for wav; see `io.save`.
        bits_per_sample: for wav and flac; see `io.save`.

    Returns:
        The same shape and dtype; no gradients come back.

    Raises:
        ShapeError: waveform has not two axes.
        ValueError: format, encoding, rate and channels do not go together.

    Example:
        >>> apply_codec(tp.zeros(1, 8000), 8000, "wav", encoding="ULAW").shape
        Size([1, 8000])
    """
    from triptych_audio.io import load, save

    if waveform.ndim != 2:
        raise ShapeError(f"apply_codec: wanted (c, t) or (t, c), got {tuple(waveform.shape)}")
    if waveform.numel() == 0:
        return waveform
    file = io.BytesIO()
    save(
        file,
        waveform.detach().cpu(),
        sample_rate,
        channels_first,
        format,
        encoding,
        bits_per_sample,
        compression=compression,
    )
    file.seek(0)
    decoded, rate = load(file, channels_first=channels_first)
    if rate != sample_rate:  # a codec may have a rate of its own
        decoded = _resampled(decoded, rate, sample_rate, channels_first)
    return decoded.to(waveform.device, waveform.dtype)


def _resampled(decoded: Tensor, rate: int, sample_rate: int, channels_first: bool) -> Tensor:
    if channels_first:
        return resample(decoded, rate, sample_rate)
    return tp.transpose(resample(tp.transpose(decoded, 0, 1), rate, sample_rate), 0, 1)
