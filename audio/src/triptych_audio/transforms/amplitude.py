"""Loudness: decibels, companding, volume and fades."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych.nn import Module
from triptych_audio import functional as F
from triptych_audio.interop import same_kind

__all__ = ["AmplitudeToDB", "Fade", "MuLawDecoding", "MuLawEncoding", "Vol"]

MULTIPLIERS = {"magnitude": 20.0, "power": 10.0}


class AmplitudeToDB(Module):
    """Amplitude or power to decibels; 1 is 0 dB.

    Args:
        stype: "power" or "magnitude", what comes in.
        top_db: nothing is further than this below the loudest value of an example.
    """

    def __init__(self, stype: str = "power", top_db: float | None = None) -> None:
        super().__init__()
        if stype not in MULTIPLIERS:
            raise DTypeError(f"AmplitudeToDB: stype is 'power' or 'magnitude', got {stype!r}")
        if top_db is not None and top_db < 0:
            raise ShapeError(f"AmplitudeToDB: top_db must not be negative, got {top_db}")
        self.stype, self.top_db, self.multiplier = stype, top_db, MULTIPLIERS[stype]
        self.amin, self.ref_value, self.db_multiplier = 1e-10, 1.0, 0.0

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """Decibels, in the same shape.

        Args:
            x: (f, frames), (c, f, frames) or (n, c, f, frames), not negative.
        """
        return F.amplitude_to_DB(x, self.multiplier, self.amin, self.db_multiplier, self.top_db)


class MuLawEncoding(Module):
    """Samples to one of a few levels, finer where it is quiet.

    Args:
        quantization_channels: number of levels.
    """

    def __init__(self, quantization_channels: int = 256) -> None:
        super().__init__()
        self.quantization_channels = quantization_channels

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """Levels as int64, in the same shape.

        Args:
            x: any shape, in [-1, 1].
        """
        return F.mu_law_encoding(x, self.quantization_channels)


class MuLawDecoding(Module):
    """Levels of `MuLawEncoding` back to samples.

    Args:
        quantization_channels: number of levels.
    """

    def __init__(self, quantization_channels: int = 256) -> None:
        super().__init__()
        self.quantization_channels = quantization_channels

    @same_kind
    def forward(self, x_mu: Tensor) -> Tensor:
        """Samples in [-1, 1], in the same shape.

        Args:
            x_mu: any shape, levels from 0 to quantization_channels - 1.
        """
        return F.mu_law_decoding(x_mu, self.quantization_channels)


# What a gain is multiplied with, by how it is given
GAINS: dict[str, Callable[[float], float]] = {
    "amplitude": lambda gain: gain,
    "db": lambda gain: 10.0 ** (gain / 20),
    "power": lambda gain: math.sqrt(gain),
}


class Vol(Module):
    """Make a waveform louder or softer; what leaves [-1, 1] is clipped.

    Args:
        gain: how much.
        gain_type: "amplitude" (a factor), "power" (a factor of power) or "db".
    """

    def __init__(self, gain: float, gain_type: str = "amplitude") -> None:
        super().__init__()
        if gain_type not in GAINS:
            raise DTypeError(f"Vol: gain_type is one of {sorted(GAINS)}, got {gain_type!r}")
        if gain_type != "db" and gain < 0:
            raise ShapeError(f"Vol: a gain in {gain_type} must not be negative, got {gain}")
        self.gain, self.gain_type = gain, gain_type

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform, in the same shape.

        Args:
            waveform: (..., t) samples.
        """
        louder: Tensor = (waveform * GAINS[self.gain_type](self.gain)).clamp(-1.0, 1.0)
        return louder


# From x = 0, silence, to x = 1, full volume; exponents and logarithms as in torchaudio
SHAPES: dict[str, Callable[[Tensor], Tensor]] = {
    "exponential": lambda x: 2.0 ** (x - 1) * x,
    "half_sine": lambda x: (x * math.pi - math.pi / 2).sin() / 2 + 0.5,
    "linear": lambda x: x,
    "logarithmic": lambda x: (x + 0.1).log10() + 1,
    "quarter_sine": lambda x: (x * (math.pi / 2)).sin(),
}


class Fade(Module):
    """Fade in at the start and out at the end.

    Args:
        fade_in_len: samples until full volume.
        fade_out_len: samples from full volume to silence.
        fade_shape: "linear", "exponential", "logarithmic", "quarter_sine" or "half_sine".
    """

    def __init__(
        self, fade_in_len: int = 0, fade_out_len: int = 0, fade_shape: str = "linear"
    ) -> None:
        super().__init__()
        if fade_shape not in SHAPES:
            raise DTypeError(f"Fade: fade_shape is one of {sorted(SHAPES)}, got {fade_shape!r}")
        self.fade_in_len, self.fade_out_len, self.fade_shape = fade_in_len, fade_out_len, fade_shape

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """The waveform, in the same shape.

        Args:
            waveform: (..., t) samples.

        Raises:
            ShapeError: the waveform is shorter than a fade.
        """
        t = waveform.shape[-1]
        if max(self.fade_in_len, self.fade_out_len) > t:
            raise ShapeError(
                f"Fade: fades of {self.fade_in_len} and {self.fade_out_len} samples do not fit {t}"
            )
        options: dict[str, Any] = {"dtype": waveform.dtype, "device": waveform.device}
        rise, fall = (self._curve(n, options) for n in (self.fade_in_len, self.fade_out_len))
        fade_in = tp.cat([rise, tp.ones(t - self.fade_in_len, **options)])
        fade_out = tp.cat([tp.ones(t - self.fade_out_len, **options), fall.flip(0)])
        faded: Tensor = waveform * fade_in * fade_out
        return faded

    def _curve(self, length: int, options: dict[str, Any]) -> Tensor:
        curve = SHAPES[self.fade_shape](tp.linspace(0, 1, length, **options))
        limited: Tensor = curve.clamp(0.0, 1.0)
        return limited
