"""From the probability of speech in every frame to when somebody speaks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio import functional as F
from triptych_audio.interop import as_tensor

__all__ = ["VoiceDetector", "get_speech_timestamps", "speech_segments"]


class VoiceDetector(Protocol):
    """A model that gives the probability of speech in every frame."""

    sample_rate: int
    frame_length: int

    def __call__(self, waveform: Tensor) -> Tensor:
        """(t,) samples to (ceil(t / frame_length),) probabilities."""
        ...


def speech_segments(
    probabilities: Iterable[float],
    num_samples: int,
    *,
    frame_length: int = 512,
    threshold: float = 0.5,
    neg_threshold: float | None = None,
    min_speech: float = 4000,
    min_silence: float = 1600,
    speech_pad: int = 480,
) -> list[tuple[int, int]]:
    """Stretches of speech. All lengths are in samples.

    Speech begins with a frame at or above `threshold` and ends where frames go below
    `neg_threshold` and no frame comes back to `threshold` for `min_silence`. What lies between the
    thresholds changes nothing. Stretches no longer than `min_speech` are dropped, the others
    are widened by `speech_pad` at both ends; neighbours closer than twice that share the gap.

    Args:
        probabilities: of each frame; frame k begins at sample k * frame_length.
        num_samples: length of the recording.
        frame_length: samples per probability.
        threshold: from 0 to 1.
        neg_threshold: default max(threshold - 0.15, 0.01).
        min_speech: shortest stretch of speech.
        min_silence: shortest pause that ends a stretch.
        speech_pad: samples added at both ends.

    Returns:
        (start, end) of each stretch, in order, not overlapping.

    Example:
        >>> speech_segments([0.1] * 20 + [0.9] * 20 + [0.1] * 20, 60 * 512)
        [(9760, 20960)]

    Source: the algorithm of Silero VAD 6.2, with its defaults at 16 kHz.
    """
    if neg_threshold is None:
        neg_threshold = max(threshold - 0.15, 0.01)
    found: list[tuple[int, int]] = []
    start: int | None = None
    pause: int | None = None
    for k, probability in enumerate(probabilities):
        now = k * frame_length
        if probability >= threshold:
            start, pause = now if start is None else start, None
        elif start is not None and probability < neg_threshold:
            pause = now if pause is None else pause
            if now - pause < min_silence:
                continue
            if pause - start > min_speech:
                found.append((start, pause))
            start = pause = None
    if start is not None and num_samples - start > min_speech:
        found.append((start, num_samples))
    return _widened(found, num_samples, speech_pad)


def _widened(segments: list[tuple[int, int]], num_samples: int, pad: int) -> list[tuple[int, int]]:
    """Segments with pad samples more at both ends, or half the gap to a neighbour nearby."""
    if not segments:
        return []
    gaps = [b[0] - a[1] for a, b in itertools.pairwise(segments)]
    shares = [gap // 2 if gap < 2 * pad else pad for gap in gaps]
    before, after = [pad, *shares], [*shares, pad]
    return [
        (max(0, start - lo), min(num_samples, end + hi))
        for (start, end), lo, hi in zip(segments, before, after, strict=True)
    ]


def get_speech_timestamps(
    waveform: Any,
    model: VoiceDetector,
    threshold: float = 0.5,
    neg_threshold: float | None = None,
    min_speech_duration_ms: float = 250,
    min_silence_duration_ms: float = 100,
    speech_pad_ms: float = 30,
    return_seconds: bool = False,
    *,
    sample_rate: int | None = None,
) -> list[dict[str, Any]]:
    """When somebody speaks in a recording.

    Args:
        waveform: (t,) or (1, t) samples in [-1, 1]: a Tensor, NumPy or DLPack array.
        model: for example `SILERO_VAD.get_model()`.
        threshold: probability from which a frame is speech; raise it for noisy recordings.
        neg_threshold: probability below which speech ends; default max(threshold - 0.15, 0.01).
        min_speech_duration_ms: shorter stretches are dropped.
        min_silence_duration_ms: shorter pauses do not end a stretch.
        speech_pad_ms: added at both ends of a stretch.
        return_seconds: give times in seconds instead of samples.
        sample_rate: of the waveform in Hz, which is resampled for the model if it must be; default
            the model's own.

    Returns:
        A dict with "start" and "end" for each stretch, in samples of the given waveform or in
        seconds.

    Raises:
        ShapeError: the waveform has several channels or no samples.
    """
    samples = _mono(waveform)
    t = samples.shape[-1]
    own = model.sample_rate
    rate = own if sample_rate is None else sample_rate
    with tp.no_grad():
        heard = F.resample(samples, rate, own)
        probabilities: np.ndarray = model(heard).cpu().numpy()
    segments = speech_segments(
        probabilities.tolist(),
        heard.shape[-1],
        frame_length=model.frame_length,
        threshold=threshold,
        neg_threshold=neg_threshold,
        min_speech=own * min_speech_duration_ms / 1000,
        min_silence=own * min_silence_duration_ms / 1000,
        speech_pad=int(own * speech_pad_ms / 1000),
    )
    if return_seconds:
        return [{"start": a / own, "end": min(b / own, t / rate)} for a, b in segments]
    return [
        {"start": round(a * rate / own), "end": min(round(b * rate / own), t)} for a, b in segments
    ]


def _mono(waveform: Any) -> Tensor:
    """(t,) floating samples, without history."""
    samples: Tensor = as_tensor(waveform).detach()
    if samples.ndim == 2 and samples.shape[0] == 1:
        samples = samples[0]
    if samples.ndim != 1 or samples.numel() == 0:
        raise ShapeError(
            f"get_speech_timestamps: wanted (t,) or (1, t) samples, got {tuple(samples.shape)}; "
            "mix channels down with waveform.mean(0)"
        )
    return samples
