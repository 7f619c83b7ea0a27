"""Where there is sound at all."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych_audio.functional.frames import rms
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["split", "trim"]

FLOOR = 1e-5  # librosa: -100 dB, the least loudness of a frame


def _sounding(
    name: str,
    waveform: Tensor,
    top_db: float,
    ref: float | None,
    frame_length: int,
    hop_length: int,
) -> np.ndarray:
    """(frames,) whether any channel is less than top_db below the reference."""
    floating_samples(name, waveform)
    if not waveform.numel():
        return np.zeros(0, bool)
    loudness = rms(waveform.detach(), frame_length, hop_length).cpu().numpy()
    reference = loudness.max(initial=0.0) if ref is None else abs(ref)
    decibels = 20 * np.log10(np.maximum(loudness, FLOOR) / max(reference, FLOOR))
    return np.asarray((decibels > -top_db).reshape(-1, loudness.shape[-1]).any(0))


@same_kind
def trim(
    waveform: Tensor,
    top_db: float = 60.0,
    ref: float | None = None,
    frame_length: int = 2048,
    hop_length: int = 512,
) -> tuple[Tensor, tuple[int, int]]:
    """Cut silence off both ends.

    Args:
        waveform: (..., t) samples, floating.
        top_db: frames that are further than this below the reference are silent.
        ref: loudness of 0 dB, a root mean square; default that of the loudest frame.
        frame_length: in samples.
        hop_length: step between frames in samples; the precision of the cut.

    Returns:
        The part with sound, the same in all channels, and its first sample and the one after its
        last. Nothing, and (0, 0), if all is silent.

    Raises:
        DTypeError: samples are integers.

    Example:
        >>> x = tp.cat([tp.zeros(8192), tp.ones(8192), tp.zeros(8192)])
        >>> part, (start, end) = trim(x)
        >>> start, end
        (7680, 17408)
    """
    sounding = np.flatnonzero(_sounding("trim", waveform, top_db, ref, frame_length, hop_length))
    if not len(sounding):
        return waveform[..., :0], (0, 0)
    start = int(sounding[0]) * hop_length
    end = min(waveform.shape[-1], (int(sounding[-1]) + 1) * hop_length)
    return waveform[..., start:end], (start, end)


@same_kind
def split(
    waveform: Tensor,
    top_db: float = 60.0,
    ref: float | None = None,
    frame_length: int = 2048,
    hop_length: int = 512,
) -> Tensor:
    """The parts of a waveform with sound in any channel.

    Args:
        waveform: (..., t) samples, floating.
        top_db: frames that are further than this below the reference are silent.
        ref: loudness of 0 dB, a root mean square; default that of the loudest frame.
        frame_length: in samples.
        hop_length: step between frames in samples; the precision of the cuts.

    Returns:
        (n, 2) int64: the first sample of each part, and the one after its last.

    Raises:
        DTypeError: samples are integers.
    """
    sounding = _sounding("split", waveform, top_db, ref, frame_length, hop_length).astype(np.int8)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], sounding, [0]])))
    samples = np.minimum(edges * hop_length, waveform.shape[-1])
    return tp.as_tensor(samples.reshape(-1, 2))
