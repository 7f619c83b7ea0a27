"""Arguments as SoX spells them: 1.5k, 0:30, 8000s, -3dB."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

from triptych import Tensor

__all__ = ["Arguments", "Sound", "quality"]


class Sound(NamedTuple):
    """What goes from effect to effect.

    Attributes:
        waveform: (c, t) samples in [-1, 1].
        rate: in Hz; not a whole number after `speed` or `pitch`.
    """

    waveform: Tensor
    rate: float


class Arguments:
    """The arguments of one effect, taken from the front; a wrong one is a ValueError.

    Args:
        values: as SoX's command line has them; numbers are welcome, too.
    """

    def __init__(self, values: Sequence[object]) -> None:
        self.left = [str(value) for value in values]

    def flag(self, *names: str) -> str | None:
        """The next argument, if it is one of these flags."""
        return self.left.pop(0) if self.left and self.left[0] in names else None

    def text(self) -> str:
        """The next argument."""
        if not self.left:
            raise ValueError("an argument is missing")
        return self.left.pop(0)

    def number(self, default: float | None = None, unit: str = "") -> float:
        """The next argument as a number; the unit may stand behind it."""
        if not self.left and default is not None:
            return default
        return float(self.text().removesuffix(unit) if unit else self.text())

    def frequency(self, default: float | None = None) -> float:
        """The next argument in Hz; k stands for a thousand."""
        if not self.left and default is not None:
            return default
        text = self.text()
        return float(text[:-1]) * 1000 if text.endswith("k") else float(text)

    def width(self, default: str, unit: str) -> tuple[float, str]:
        """The next argument as a width and its unit: h, k, o, q or s."""
        text = self.text() if self.left else default
        found = text[-1] if text[-1] in "hkoqs" else unit
        return float(text.rstrip("hkoqs")), found

    def samples(self, rate: float) -> int:
        """The next argument as a length: seconds, [[hh:]mm:]ss, or samples with an s behind."""
        return samples_of(self.text(), rate)

    def position(self, rate: float, before: int, end: int) -> int:
        """The next argument as a place: after the one before, = from the start, - from the end."""
        text = self.text()
        start = {"=": 0, "-": end, "+": before}.get(text[0], before)
        length = samples_of(text.lstrip("=+-"), rate)
        return start - length if text[0] == "-" else start + length

    def done(self) -> None:
        """Raise when something is left."""
        if self.left:
            raise ValueError(f"{self.left} is too much")


def samples_of(text: str, rate: float) -> int:
    """A length in samples.

    Args:
        text: seconds, [[hh:]mm:]ss, or samples with an s behind.
        rate: in Hz.

    Raises:
        ValueError: it is none of these.
    """
    if re.fullmatch(r"\d+s", text):
        return int(text[:-1])
    seconds = 0.0
    for part in text.removesuffix("t").split(":"):
        seconds = 60 * seconds + float(part)
    if seconds < 0:
        raise ValueError(f"{text!r} is negative")
    return round(seconds * rate)


def quality(width: tuple[float, str], freq: float, rate: float, gain_db: float = 0.0) -> float:
    """The Q of a filter from a width in any unit.

    Args:
        width: the number, and its unit: h for Hz, k for kHz, o for octaves, q for Q, s for slope.
        freq: middle of the filter in Hz.
        rate: sample rate in Hz.
        gain_db: of a shelf, for slopes.

    Returns:
        Q.

    Raises:
        ValueError: the width is not positive.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    value, unit = width
    if value <= 0:
        raise ValueError(f"a width is above 0, got {value}")
    w0 = 2 * math.pi * freq / rate
    amplitude = 10 ** (gain_db / 40)
    by_unit = {
        "h": lambda: freq / value,
        "k": lambda: freq / (1000 * value),
        "o": lambda: 1 / (2 * math.sinh(math.log(2) / 2 * value * w0 / math.sin(w0))),
        "q": lambda: value,
        "s": lambda: 1 / math.sqrt((amplitude + 1 / amplitude) * (1 / value - 1) + 2),
    }
    return by_unit[unit]()
