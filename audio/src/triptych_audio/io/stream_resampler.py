"""Another sample rate for sound that comes piece by piece."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from triptych.errors import DTypeError, MissingDependencyError, ShapeError

__all__ = ["StreamResampler", "mixed"]


def mixed(samples: np.ndarray, num_channels: int | None) -> np.ndarray:
    """The samples in another number of channels.

    Args:
        samples: (t, c).
        num_channels: 1 takes the mean; several repeat a mono signal; None leaves the samples alone.

    Returns:
        (t, num_channels).

    Raises:
        ShapeError: neither end is mono.
    """
    have = samples.shape[1]
    if num_channels is None or num_channels == have:
        return samples
    if num_channels == 1:
        return samples.mean(1, keepdims=True, dtype=samples.dtype)
    if have == 1 and num_channels > 1:
        return np.repeat(samples, num_channels, 1)
    raise ShapeError(
        f"num_channels: a signal of {have} channels becomes mono or stays, wanted {num_channels}; "
        "mix it yourself"
    )


class StreamResampler:
    """A resampler with a memory, which joins pieces without a seam, in constant memory.

    What comes out is what `functional.resample(..., resampling_method="soxr")` makes of the whole.
    It comes late: the filter waits for the samples after a sample, a few milliseconds, and the last
    piece brings the rest.

    Args:
        orig_freq: rate of the pieces in Hz, a whole number.
        new_freq: rate wanted in Hz, a whole number.
        num_channels: of the pieces.
        quality: of the SoX resampler: "QQ", "LQ", "MQ", "HQ" or "VHQ".

    Raises:
        ShapeError: a number is not positive.
        MissingDependencyError: soxr is not installed.

    Example:
        >>> resampler = StreamResampler(44100, 16000)
        >>> pieces = [np.zeros((4410, 1), np.float32)] * 10
        >>> sum(len(resampler(p, last=i == 9)) for i, p in enumerate(pieces))
        16000
    """

    def __init__(
        self, orig_freq: int, new_freq: int, num_channels: int = 1, quality: str = "HQ"
    ) -> None:
        if min(orig_freq, new_freq, num_channels) < 1:
            raise ShapeError(
                f"StreamResampler: wanted rates and channels above 0, got {orig_freq}, {new_freq} "
                f"and {num_channels}"
            )
        self.orig_freq, self.new_freq, self.num_channels = orig_freq, new_freq, num_channels
        self.quality = quality
        self._stream: Any = None
        self._taken = self._given = 0

    def __call__(self, piece: np.ndarray, last: bool = False) -> np.ndarray:
        """Go on with a further piece.

        Args:
            piece: (t, num_channels) float32 or float64; the dtype stays the same from piece to
                piece.
            last: nothing follows: give all that is left, and begin anew with the next piece.

        Returns:
            (samples, num_channels), of any length; after the last piece,
            ceil(t * new_freq / orig_freq) have come in all.

        Raises:
            ShapeError: another shape.
            DTypeError: another dtype.
        """
        self._check(piece)
        if self.orig_freq == self.new_freq:
            return piece
        if self._stream is None:
            self._stream = self._begun(piece.dtype.name)
        out: np.ndarray = self._stream.resample_chunk(np.ascontiguousarray(piece), last=last)
        self._taken += len(piece)
        target = math.ceil(self._taken * self.new_freq / self.orig_freq)
        if last:
            short = max(target - self._given - len(out), 0)
            out = np.pad(out, ((0, short), (0, 0)))[: target - self._given]
            self.reset()
        else:
            self._given += len(out)
        return out

    def reset(self) -> None:
        """Forget what has come."""
        self._stream, self._taken, self._given = None, 0, 0

    def _begun(self, dtype: str) -> Any:
        try:
            import soxr
        except ImportError as error:
            raise MissingDependencyError("StreamResampler needs soxr; pip install soxr") from error
        return soxr.ResampleStream(
            self.orig_freq, self.new_freq, self.num_channels, dtype=dtype, quality=self.quality
        )

    def _check(self, piece: np.ndarray) -> None:
        if piece.ndim != 2 or piece.shape[1] != self.num_channels:
            raise ShapeError(
                f"StreamResampler: wanted (t, {self.num_channels}) samples, got {piece.shape}"
            )
        if piece.dtype.name not in ("float32", "float64"):
            raise DTypeError(f"StreamResampler: wanted float32 or float64, got {piece.dtype}")
