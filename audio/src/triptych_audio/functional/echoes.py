"""Delay and reverberation."""

from __future__ import annotations

import functools
import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.nn.functional import pad
from triptych_audio.functional.convolution import fftconvolve
from triptych_audio.functional.recursive import filter_rows, solve_feedback
from triptych_audio.interop import same_kind

__all__ = ["delay", "reverb"]

# Freeverb (Jezar at Dreampoint, 2000, public domain): lengths in samples at 44.1 kHz, and scales
COMBS = (1116, 1188, 1277, 1356, 1422, 1491, 1557, 1617)
ALLPASSES = (556, 441, 341, 225)
ALLPASS_FEEDBACK = 0.5
SPREAD = 23  # samples more in the right channel
TUNING_RATE = 44100
GAIN, ROOM_SCALE, ROOM_OFFSET, DAMP_SCALE, WET_SCALE, DRY_SCALE = 0.015, 0.28, 0.7, 0.4, 3.0, 2.0
INAUDIBLE = 1e-5  # -100 dB: where a response may end


@same_kind
def delay(
    waveform: Tensor,
    sample_rate: int,
    delay_seconds: float = 0.5,
    feedback: float = 0.0,
    mix: float = 0.5,
) -> Tensor:
    """Echoes.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        delay_seconds: time to the first echo, and between echoes.
        feedback: loudness of an echo relative to the one before, magnitude below 1.
        mix: share of the echoes in the result, from 0 to 1.

    Returns:
        The same shape.

    Raises:
        DomainError: a number is out of its range.

    Example:
        >>> delay(tp.tensor([1.0, 0.0, 0.0, 0.0]), 1, 1.0, 0.5).tolist()
        [0.5, 0.5, 0.25, 0.125]

    Source: parameters of pedalboard's Delay.
    """
    lag = round(delay_seconds * sample_rate)
    if lag < 1 or not 0 <= mix <= 1 or abs(feedback) >= 1:
        raise DomainError(
            "delay: wanted a sample of delay at least, mix from 0 to 1 and feedback below 1, got "
            f"{delay_seconds} s, {mix} and {feedback}"
        )
    t = waveform.shape[-1]
    late = pad(waveform, (lag, 0))[..., :t]
    if feedback and waveform.numel():
        late = _comb(late, lag, feedback)
    mixed: Tensor = waveform * (1 - mix) + late * mix
    return mixed


def _comb(x: Tensor, lag: int, feedback: float) -> Tensor:
    """y[t] = x[t] + feedback * y[t - lag]: the samples a lag apart are a waveform of their own."""
    t = x.shape[-1]
    blocks = -(-t // lag)
    rows = pad(x, (0, blocks * lag - t)).reshape(-1, blocks, lag).transpose(1, 2)
    a = tp.tensor([[1.0, -feedback]], dtype=tp.float64, device=x.device)
    b = tp.tensor([[1.0, 0.0]], dtype=tp.float64, device=x.device)
    echoes = filter_rows(rows.reshape(-1, 1, blocks), a, b).reshape(-1, lag, blocks)
    return echoes.transpose(1, 2).reshape(*x.shape[:-1], -1)[..., :t]


@functools.lru_cache(maxsize=8)
def _response(sample_rate: int, room_size: float, damping: float, spread: int, t: int) -> Tensor:
    """(t,) float32, the sound of the room: combs side by side, then all-passes in a row."""
    feedback, damp = room_size * ROOM_SCALE + ROOM_OFFSET, damping * DAMP_SCALE
    impulse = tp.zeros((1, t), dtype=tp.float64)
    impulse[0, 0] = 1.0
    damped = impulse - damp * pad(impulse, (1, 0))[:, :t]
    sound = tp.zeros_like(impulse)
    for length in COMBS:
        lag = _scaled(length + spread, sample_rate)
        delays = np.repeat([[1], [lag]], t, 1)
        weights = np.repeat([[damp], [feedback * (1 - damp)]], t, 1)
        sound = sound + pad(solve_feedback(damped, delays, weights), (lag, 0))[:, :t]
    for length in ALLPASSES:
        lag = _scaled(length + spread, sample_rate)
        echoes = _comb(sound, lag, ALLPASS_FEEDBACK)
        sound = pad(echoes, (lag, 0))[:, :t] - sound
    return sound[0].float()


def _scaled(length: int, sample_rate: int) -> int:
    return max(1, length * sample_rate // TUNING_RATE)


def _response_length(sample_rate: int, room_size: float, t: int) -> int:
    """Samples until the longest comb is inaudible, but a waveform's length at most."""
    rounds = math.log(INAUDIBLE) / math.log(room_size * ROOM_SCALE + ROOM_OFFSET)
    longest = _scaled(max(COMBS), sample_rate) * (rounds + 1)
    return min(int(longest), 1 << max(1, t - 1).bit_length())


@same_kind
def reverb(
    waveform: Tensor,
    sample_rate: int,
    room_size: float = 0.5,
    damping: float = 0.5,
    wet_level: float = 0.33,
    dry_level: float = 0.4,
    width: float = 1.0,
) -> Tensor:
    """The sound of a room, made up.

    The response of the room is computed once, and waveforms are convolved with it.

    Args:
        waveform: (..., c, t) or (t,) samples, floating; two channels get the two sides of a room,
            others one each as if alone.
        sample_rate: in Hz.
        room_size: from 0 to 1.
        damping: of high frequencies at the walls, from 0 to 1.
        wet_level: of the room, from 0 to 1.
        dry_level: of the waveform itself, from 0 to 1.
        width: how far the two sides differ, from 0 to 1.

    Returns:
        The same shape.

    Raises:
        DomainError: a number is out of its range.

    Source: Freeverb, by Jezar at Dreampoint, as pedalboard's Reverb has it.
    """
    values = (room_size, damping, wet_level, dry_level, width)
    if not all(0 <= v <= 1 for v in values):
        raise DomainError(
            "reverb: room_size, damping, wet_level, dry_level and width are from 0 to 1, got "
            f"{', '.join(map(str, values))}"
        )
    t = waveform.shape[-1]
    if waveform.numel() == 0:
        return waveform
    length = _response_length(sample_rate, room_size, t)
    stereo = waveform.ndim > 1 and waveform.shape[-2] == 2
    sides = [
        _response(sample_rate, room_size, damping, spread, length).to(
            waveform.device, waveform.dtype
        )
        for spread in ((0, SPREAD) if stereo else (0,))
    ]
    source = waveform.sum(-2, keepdim=True) if stereo else waveform * 2
    rooms = [_convolved(source * GAIN, side) for side in sides]
    wet = wet_level * WET_SCALE
    if stereo:
        near, far = wet * (1 + width) / 2, wet * (1 - width) / 2
        left, right = rooms
        room = tp.cat([near * left + far * right, near * right + far * left], -2)
    else:
        room = wet * rooms[0]
    mixed: Tensor = waveform * (dry_level * DRY_SCALE) + room
    return mixed


def _convolved(x: Tensor, response: Tensor) -> Tensor:
    shape = [1] * (x.ndim - 1) + [-1]
    return fftconvolve(x, response.reshape(shape))[..., : x.shape[-1]]
