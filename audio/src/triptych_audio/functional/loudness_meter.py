"""How loud a programme sounds."""

from __future__ import annotations

import math

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.biquads import highpass_biquad, treble_biquad
from triptych_audio.interop import same_kind

__all__ = ["loudness"]

# ITU-R BS.1770-4: blocks of 0.4 s that overlap by three quarters, and what counts in the mean
BLOCK_S, STEP = 0.4, 0.25
ABSOLUTE_GATE, RELATIVE_GATE = -70.0, -10.0  # LKFS, and LU below the mean
BIAS = -0.691
WEIGHTS = (1.0, 1.0, 1.0, 1.41, 1.41)  # left, right, centre, left and right surround


def _level(energy: Tensor, weights: Tensor) -> Tensor:
    """LKFS of channel energies (..., c)."""
    level: Tensor = BIAS + 10 * (energy * weights).sum(-1).log10()
    return level


def _gated_mean(energy: Tensor, counts: Tensor) -> Tensor:
    """(..., c) the mean over the blocks (..., c, blocks) that count; not a number if none does."""
    kept = counts.unsqueeze(-2).to(energy.dtype)
    mean: Tensor = (energy * kept).sum(-1) / kept.sum(-1)
    return mean


@same_kind
def loudness(waveform: Tensor, sample_rate: int) -> Tensor:
    """Loudness of whole recordings in LKFS, the same as LUFS.

    Args:
        waveform: (..., c, t) samples in [-1, 1], floating, at most 5 channels: left, right, centre
            and the two surround channels.
        sample_rate: in Hz.

    Returns:
        (...) LKFS; a sine of full scale in one channel has about -3. Silence has no loudness: nan.

    Raises:
        ShapeError: no channel axis, too many channels, or shorter than 0.4 s.

    Example:
        >>> t = tp.arange(48000) / 48000
        >>> sine = (2 * math.pi * 997 * t).sin()
        >>> round(loudness(sine[None], 48000).item())
        -3

    Source: ITU-R BS.1770-4; filters as in torchaudio, which also clips what they put out: here a
    loud recording is measured in full.
    """
    if waveform.ndim < 2 or waveform.shape[-2] > len(WEIGHTS):
        raise ShapeError(
            f"loudness: wanted (..., c, t) with at most 5 channels, got {tuple(waveform.shape)}"
        )
    block = round(BLOCK_S * sample_rate)
    if waveform.shape[-1] < block:
        raise ShapeError(
            f"loudness: wanted {BLOCK_S} s at least, {block} samples at {sample_rate} Hz, got "
            f"{waveform.shape[-1]}"
        )
    lifted = treble_biquad(waveform, sample_rate, 4.0, 1500.0, 1 / math.sqrt(2), clamp=False)
    weighted = highpass_biquad(lifted, sample_rate, 38.0, 0.5, clamp=False)
    energy = weighted.square().unfold(-1, block, round(block * STEP)).mean(-1)
    weights = tp.tensor(WEIGHTS[: energy.shape[-2]], dtype=energy.dtype, device=energy.device)
    levels = _level(energy.movedim(-1, -2), weights)
    audible = levels > ABSOLUTE_GATE
    threshold = _level(_gated_mean(energy, audible), weights) + RELATIVE_GATE
    return _level(_gated_mean(energy, audible & (levels > threshold.unsqueeze(-1))), weights)
