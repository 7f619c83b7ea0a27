"""Effects on the shape of the wave, as SoX has them."""

from __future__ import annotations

import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn.functional import pad
from triptych_audio.functional.recursive import filtered
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["contrast", "dcshift", "dither", "overdrive"]

BITS = 16  # depth that dither prepares for
GAUSSIAN_TERMS = 6  # numbers added up to look like a normal distribution, besides the first


@same_kind
def contrast(waveform: Tensor, enhancement_amount: float = 75.0) -> Tensor:
    """Make a waveform sound louder by bending it outwards.

    Args:
        waveform: (..., t) samples in [-1, 1].
        enhancement_amount: from 0, which is a good deal already, to 100.

    Returns:
        The same shape.

    Raises:
        DomainError: enhancement_amount is outside of [0, 100].

    Source: SoX, effect contrast.
    """
    if not 0 <= enhancement_amount <= 100:
        raise DomainError(
            f"contrast: enhancement_amount is from 0 to 100, got {enhancement_amount}"
        )
    angle = waveform * (math.pi / 2)
    bent: Tensor = (angle + enhancement_amount / 750 * (angle * 4).sin()).sin()
    return bent


@same_kind
def dcshift(waveform: Tensor, shift: float, limiter_gain: float | None = None) -> Tensor:
    """Move a waveform up or down, such as to remove an offset.

    Args:
        waveform: (..., t) samples in [-1, 1].
        shift: what to add, from -2 to 2.
        limiter_gain: much below 1, such as 0.05: peaks on the side of the shift are pressed by it
            rather than clipped.

    Returns:
        The same shape, in [-1, 1].

    Source: SoX, effect dcshift.
    """
    shifted: Tensor = (waveform + shift).clamp(-1.0, 1.0)
    if limiter_gain is None or shift == 0:
        return shifted
    threshold = 1.0 - (abs(shift) - limiter_gain)
    side = math.copysign(1.0, shift)
    height = waveform * side
    pressed = (height - threshold) * limiter_gain / (1 - threshold) + threshold + abs(shift)
    limited: Tensor = tp.where(height > threshold, pressed.clamp(max=threshold) * side, shifted)
    return limited


def _sample(rows: Tensor, generator: tp.Generator | None) -> Tensor:
    """Any sample of a waveform; torchaudio takes its random numbers from there."""
    places = [int(tp.randint(max(1, n - 1), (1,), generator=generator).item()) for n in rows.shape]
    return rows[places[0], places[1]]


def _rectangular(rows: Tensor, generator: tp.Generator | None) -> Tensor:
    return _sample(rows, generator) - 0.5


def _gaussian(rows: Tensor, generator: tp.Generator | None) -> Tensor:
    return tp.stack([_sample(rows, generator) for _ in range(GAUSSIAN_TERMS + 1)]).sum()


def _triangular(rows: Tensor, generator: tp.Generator | None) -> Tensor:
    return tp.bartlett_window(rows.shape[-1], dtype=rows.dtype, device=rows.device)


DENSITIES = {"GPDF": _gaussian, "RPDF": _rectangular, "TPDF": _triangular}


@same_kind
def dither(
    waveform: Tensor,
    density_function: str = "TPDF",
    noise_shaping: bool = False,
    *,
    generator: tp.Generator | None = None,
) -> Tensor:
    """Round to 16 bits with something added before, as torchaudio's dither does.

    What is added follows torchaudio to the letter: with "TPDF" a triangle over the whole waveform
    and the same each time, else one number for all samples, made of samples of the waveform.

    Args:
        waveform: (..., t) samples in [-1, 1].
        density_function: "TPDF", "RPDF" or "GPDF".
        noise_shaping: add the error of each sample to the next one.
        generator: of the draws of "RPDF" and "GPDF".

    Returns:
        The same shape, in steps of 2 ** -15.

    Raises:
        DomainError: another density_function.
        DTypeError: samples are integers.
    """
    if density_function not in DENSITIES:
        raise DomainError(
            f"dither: density_function is one of {sorted(DENSITIES)}, got {density_function!r}"
        )
    floating_samples("dither", waveform)
    if waveform.numel() == 0:
        return waveform
    rows = waveform.reshape(-1, waveform.shape[-1])
    added = DENSITIES[density_function](rows, generator)
    rounded = (rows * (2 ** (BITS - 1) - 2) + added).round() / 2 ** (BITS - 1)
    if noise_shaping:
        rounded = rounded + pad((rounded - rows)[:, :-1], (1, 0))
    dithered: Tensor = rounded.reshape(waveform.shape)
    return dithered


@same_kind
def overdrive(waveform: Tensor, gain: float = 20, colour: float = 20) -> Tensor:
    """Distort a waveform as an overdriven amplifier does.

    Args:
        waveform: (..., t) samples in [-1, 1], floating.
        gain: before the distortion, from 0 to 100 dB.
        colour: share of even harmonics, from 0 to 100.

    Returns:
        The same shape, in [-1, 1].

    Source: SoX, effect overdrive.
    """
    driven = waveform * 10 ** (gain / 20) + colour / 200
    inside = driven.clamp(-1.0, 1.0)
    bent = inside - inside**3 / 3
    options: dict[str, Any] = {"dtype": tp.float64, "device": waveform.device}
    a, b = tp.tensor([[1.0, -0.995]], **options), tp.tensor([[1.0, -1.0]], **options)
    limited: Tensor = (waveform * 0.5 + filtered(bent, a, b) * 0.75).clamp(-1.0, 1.0)
    return limited
