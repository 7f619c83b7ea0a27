"""Voice activity while the sound is coming in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import as_tensor
from triptych_audio.io import StreamResampler

__all__ = ["StreamingDetector", "VADIterator"]

HYSTERESIS = 0.15  # speech ends this much below the threshold from which it begins


class StreamingDetector(Protocol):
    """A model that can go on from a state, such as `SileroVAD`."""

    sample_rate: int
    frame_length: int

    def initial_state(self, batch_size: int = 1) -> Any:
        """The state before the first sample."""
        ...

    def advance(self, waveform: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """(1, t) samples, t whole frames, to (1, frames) probabilities, and the state after."""
        ...


class VADIterator:
    """Says when speech begins and ends, in constant memory, however long the sound is.

    A beginning is told with the frame in which it lies, 32 ms for `SILERO_VAD`; an end when
    `min_silence_duration_ms` have passed without speech. Several of these may share one model.

    Args:
        model: for example `SILERO_VAD.get_model()`.
        threshold: probability from which a frame is speech; it ends 0.15 below.
        sampling_rate: of the sound in Hz; it is resampled for the model if it must be, with soxr,
            which waits a few milliseconds for the samples to come.
        min_silence_duration_ms: shorter pauses do not end speech.
        speech_pad_ms: told times lie so much before the beginning and after the end.

    Example:
        >>> from triptych_audio.models import SileroVAD
        >>> listener = VADIterator(SileroVAD().eval(), threshold=1.1)
        >>> [listener(tp.zeros(512)) for _ in range(3)]
        [None, None, None]

    Source: VADIterator of Silero VAD 6.2, with its defaults.
    """

    def __init__(
        self,
        model: StreamingDetector,
        threshold: float = 0.5,
        sampling_rate: int = 16000,
        min_silence_duration_ms: float = 100,
        speech_pad_ms: float = 30,
    ) -> None:
        self.model, self.threshold, self.sampling_rate = model, threshold, sampling_rate
        self._min_silence = model.sample_rate * min_silence_duration_ms / 1000
        self._pad = model.sample_rate * speech_pad_ms / 1000
        self._resampler = StreamResampler(sampling_rate, model.sample_rate)
        self.reset_states()

    def reset_states(self) -> None:
        """Forget what has come, before another recording."""
        self._resampler.reset()
        self._state = self.model.initial_state(1)
        self._rest = np.empty(0, np.float32)
        self._now = 0  # samples of the model's rate that have been looked at
        self._pause: int | None = None  # where speech may have ended
        self.triggered = False

    def __call__(
        self, x: Any, return_seconds: bool = False, time_resolution: int = 1
    ) -> dict[str, float] | None:
        """Look at the next piece, no longer than a frame.

        Args:
            x: (t,) or (1, t) samples in [-1, 1], a Tensor, NumPy or DLPack array; t is at most
                `model.frame_length` at the model's rate, so that one thing can happen in it.
            return_seconds: tell times in seconds instead of samples.
            time_resolution: digits after the point of the seconds.

        Returns:
            {"start": when} if speech has begun, {"end": when} if it has ended, else None.

        Raises:
            ShapeError: the piece is longer, or has several channels.
        """
        samples = _mono(x)
        most = self.model.frame_length * self.sampling_rate // self.model.sample_rate
        if len(samples) > most:
            raise ShapeError(
                f"VADIterator: wanted at most {most} samples, got {len(samples)}; events() takes "
                "pieces of any length"
            )
        found = self._heard(samples, last=False)
        return self._told(found[0], return_seconds, time_resolution) if found else None

    def events(
        self, x: Any, *, last: bool = False, return_seconds: bool = False, time_resolution: int = 1
    ) -> list[dict[str, float]]:
        """Look at the next piece, of any length.

        Args:
            x: (t,) or (1, t) samples in [-1, 1].
            last: nothing follows: speech that is going on ends here.
            return_seconds: tell times in seconds instead of samples.
            time_resolution: digits after the point of the seconds.

        Returns:
            {"start": when} and {"end": when}, in turn.
        """
        found = self._heard(_mono(x), last)
        return [self._told(event, return_seconds, time_resolution) for event in found]

    def _heard(self, samples: np.ndarray, last: bool) -> list[tuple[str, float]]:
        """What happens in the frames that these samples complete, at the model's rate."""
        heard = self._resampler(samples[:, None], last)[:, 0]
        waiting = np.concatenate([self._rest, heard])
        length = len(waiting)
        frame = self.model.frame_length
        ready = -(-length // frame) * frame if last else length // frame * frame
        waiting = np.pad(waiting, (0, max(ready - length, 0)))
        self._rest = waiting[ready:].copy()
        probabilities: Iterable[float] = ()
        if ready:
            with tp.no_grad():
                found, self._state = self.model.advance(
                    tp.from_numpy(waiting[None, :ready]), self._state
                )
            probabilities = found[0].tolist()
        end = self._now + length
        events = [event for p in probabilities if (event := self._step(p)) is not None]
        if last:
            if self.triggered:
                events.append(("end", end if self._pause is None else self._padded_end(end)))
            self.reset_states()
        return events

    def _step(self, probability: float) -> tuple[str, float] | None:
        """One frame on."""
        begin, self._now = self._now, self._now + self.model.frame_length
        if probability >= self.threshold:
            self._pause = None
            if not self.triggered:
                self.triggered = True
                return "start", max(0.0, begin - self._pad)
        elif self.triggered and probability < self.threshold - HYSTERESIS:
            self._pause = begin if self._pause is None else self._pause
            if begin - self._pause >= self._min_silence:
                end = self._padded_end(self._now)
                self._pause, self.triggered = None, False
                return "end", end
        return None

    def _padded_end(self, most: int) -> float:
        return min((self._pause or 0) + self._pad, most)

    def _told(self, event: tuple[str, float], seconds: bool, digits: int) -> dict[str, float]:
        name, place = event
        if seconds:
            return {name: round(place / self.model.sample_rate, digits)}
        return {name: round(place * self.sampling_rate / self.model.sample_rate)}


def _mono(x: Any) -> np.ndarray:
    """(t,) float32 samples."""
    samples: np.ndarray = as_tensor(x).detach().cpu().numpy()
    if samples.ndim == 2 and samples.shape[0] == 1:
        samples = samples[0]
    if samples.ndim != 1:
        raise ShapeError(
            f"VADIterator: wanted (t,) or (1, t) samples, got {samples.shape}; mix channels down "
            "with x.mean(0)"
        )
    return samples.astype(np.float32, copy=False)
