"""The log-mel spectrogram of a recording of any length, window by window, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.whisper import mel_levels, normalized_levels
from triptych_audio.interop import as_tensor
from triptych_audio.io import stream

__all__ = ["FRAMES_PER_SECOND", "HOP_LENGTH", "RecordingFeatures", "SAMPLE_RATE"]

SAMPLE_RATE, N_FFT, HOP_LENGTH = 16000, 400, 160
FRAMES_PER_SECOND = SAMPLE_RATE // HOP_LENGTH
WINDOW = 30 * SAMPLE_RATE


class RecordingFeatures:
    """What Whisper hears of a recording, as if the whole spectrogram were there.

    The loudest moment of all sets the floor, so the recording is gone through once for it, and once
    more for the windows.

    Args:
        audio: path, address, encoded bytes or a file object, resampled and mixed; or an array of
            samples at 16 kHz, (t,) or (channels, t), floating, in [-1, 1].
        n_mels: 80 or 128.

    Attributes:
        num_frames: of 10 ms, of the recording.

    Raises:
        DTypeError: the array is not floating.
        FileFormatError: the file is damaged.
        FileNotFoundError: there is no such file.
        ShapeError: the array has more than two axes.
    """

    def __init__(self, audio: Any, n_mels: int) -> None:
        self.audio = _samples(audio)
        self.n_mels = n_mels
        self._place = audio.tell() if hasattr(audio, "tell") else None
        self._length = 0
        self.peak = max(float(levels.max()) for levels in self._levels())
        self.num_frames = self._length // HOP_LENGTH
        self._source = self._levels()
        self._first = 0
        self._buffer = np.empty((n_mels, 0), np.float32)

    def window(self, start: int, count: int, length: int) -> Tensor:
        """A part of the spectrogram; frames after the end are those of silence.

        Args:
            start: first frame; going on from the last window is fastest.
            count: frames that are wanted.
            length: how many come; what is missing is 0.

        Returns:
            (n_mels, length) float32.
        """
        if start < self._first:
            self._begin()
        while self._first + self._buffer.shape[1] < start + count:
            levels = next(self._source, None)
            if levels is None:
                break
            self._buffer = np.concatenate([self._buffer, levels], 1)
            gone = min(max(start - self._first, 0), self._buffer.shape[1])
            self._buffer = self._buffer[:, gone:]
            self._first += gone
        found = self._buffer[:, start - self._first : start - self._first + count]
        window = np.zeros((self.n_mels, length), np.float32)
        window[:, : found.shape[1]] = normalized_levels(tp.from_numpy(found), self.peak).numpy()
        return tp.from_numpy(window)

    def _begin(self) -> None:
        self._source = self._levels()
        self._first = 0
        self._buffer = np.empty((self.n_mels, 0), np.float32)

    def _blocks(self) -> Iterator[np.ndarray]:
        """(t,) pieces, then 30 s of silence."""
        self._length = 0
        for block in self._pieces():
            self._length += len(block)
            yield block
        yield np.zeros(WINDOW + N_FFT // 2, np.float32)

    def _pieces(self) -> Iterator[np.ndarray]:
        if isinstance(self.audio, np.ndarray):
            for start in range(0, len(self.audio), WINDOW):
                yield self.audio[start : start + WINDOW]
            return
        if self._place is not None:
            self.audio.seek(self._place)
        for block, _ in stream(self.audio, WINDOW, sr=SAMPLE_RATE, mono=True):
            yield block[0].numpy()

    def _levels(self) -> Iterator[np.ndarray]:
        """(n_mels, frames) log10 of the power, of each piece."""
        waiting, begun = np.empty(0, np.float32), False
        for block in self._blocks():
            waiting = np.concatenate([waiting, block])
            if not begun and len(waiting) > N_FFT // 2:
                waiting = np.concatenate([waiting[N_FFT // 2 : 0 : -1], waiting])  # mirrored
                begun = True
            count = (len(waiting) - N_FFT) // HOP_LENGTH + 1
            if begun and count > 0:
                samples = waiting[: (count - 1) * HOP_LENGTH + N_FFT]
                yield mel_levels(tp.from_numpy(samples), self.n_mels, center=False).numpy()
                waiting = waiting[count * HOP_LENGTH :]


def _samples(audio: Any) -> Any:
    """Arrays as (t,) float32; what names a file as it is."""
    if isinstance(audio, (str, bytes)) or not (
        isinstance(audio, (tp.Tensor, np.ndarray)) or hasattr(audio, "__dlpack__")
    ):
        return audio
    waveform: Tensor = as_tensor(audio)
    if not waveform.is_floating_point():
        raise DTypeError(
            f"transcribe: wanted floating samples in [-1, 1], got {waveform.dtype}; divide by the "
            "largest number of the type"
        )
    if waveform.ndim not in (1, 2):
        raise ShapeError(f"transcribe: wanted (t,) or (channels, t), got {tuple(waveform.shape)}")
    mono = waveform if waveform.ndim == 1 else waveform.mean(0)
    return mono.detach().to(tp.float32).cpu().numpy()
