"""Sound from oscillators and filters whose numbers a network can learn."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych.nn.functional import pad
from triptych_audio.functional.convolution import fftconvolve
from triptych_audio.interop import floating_samples, same_kind

__all__ = [
    "adsr_envelope",
    "exp_sigmoid",
    "extend_pitch",
    "filter_waveform",
    "frequency_impulse_response",
    "oscillator_bank",
    "sinc_impulse_response",
]

REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda x: x.mean(-1),
    "none": lambda x: x,
    "sum": lambda x: x.sum(-1),
}


@same_kind
def oscillator_bank(
    frequencies: Tensor,
    amplitudes: Tensor,
    sample_rate: float,
    reduction: str = "sum",
    dtype: Any = tp.float64,
) -> Tensor:
    """Sines whose frequency and amplitude may change with each sample.

    Args:
        frequencies: (..., t, n) Hz. Sines from half the sample rate on are silent, with a warning.
        amplitudes: the same shape.
        sample_rate: in Hz.
        reduction: over the n oscillators: "sum", "mean" or "none".
        dtype: phases are summed in it; None for that of frequencies, which loses precision.

    Returns:
        (..., t) samples, or (..., t, n) for "none".

    Raises:
        ShapeError: shapes differ, or have fewer than two axes.
        DTypeError: reduction is unknown.

    Example:
        >>> oscillator_bank(tp.full((4, 1), 250.0), tp.ones(4, 1), 1000).round().abs().tolist()
        [1.0, 0.0, 1.0, 0.0]

    Source: Engel et al. 2020, DDSP, eq. 1.
    """
    if frequencies.shape != amplitudes.shape or frequencies.ndim < 2:
        raise ShapeError(
            "oscillator_bank: wanted frequencies and amplitudes of one shape (..., t, n), got "
            f"{tuple(frequencies.shape)} and {tuple(amplitudes.shape)}"
        )
    if reduction not in REDUCTIONS:
        raise DTypeError(
            f"oscillator_bank: reduction is one of {sorted(REDUCTIONS)}, got {reduction!r}"
        )
    too_high = frequencies.abs() >= sample_rate / 2
    if bool(too_high.any()):
        warnings.warn(
            f"oscillator_bank: frequencies from half the sample rate, {sample_rate / 2} Hz, on "
            "are silent",
            stacklevel=3,
        )
        amplitudes = tp.where(too_high, tp.zeros_like(amplitudes), amplitudes)
    exact = frequencies if dtype is None else frequencies.to(dtype)
    phases = (exact * (2 * math.pi / sample_rate)).cumsum(-2) % (2 * math.pi)
    return REDUCTIONS[reduction](amplitudes * phases.to(frequencies.dtype).sin())


def adsr_envelope(
    num_frames: int,
    *,
    attack: float = 0.0,
    hold: float = 0.0,
    decay: float = 0.0,
    sustain: float = 1.0,
    release: float = 0.0,
    n_decay: int = 2,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """How loud a note is over time: it rises, stays, falls, stays, fades.

    Args:
        num_frames: length of the envelope.
        attack: share of the length in which it rises to 1, from 0 to 1, as the other shares.
        hold: share in which it stays there.
        decay: share in which it falls to `sustain`.
        sustain: level from 0 to 1, until the release begins.
        release: share at the end in which it falls to 0.
        n_decay: exponent of the decay; 1 is a straight line.
        dtype: default the default dtype.
        device: where the envelope is made.

    Returns:
        (num_frames,) from 0 to 1.

    Raises:
        DomainError: a value is not from 0 to 1, or shares are more than 1 together.

    Example:
        >>> adsr_envelope(5, attack=0.5, release=0.5).tolist()
        [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    shares = {"attack": attack, "hold": hold, "decay": decay, "release": release}
    wrong = {k: v for k, v in {**shares, "sustain": sustain}.items() if not 0 <= v <= 1}
    if wrong or sum(shares.values()) > 1:
        raise DomainError(
            "adsr_envelope: wanted values from 0 to 1, and attack, hold, decay and release not "
            f"above 1 together, got {wrong or shares}"
        )
    rise, stay, fall, fade = (int((num_frames - 1) * share) for share in shares.values())
    # segments overlap in one frame; what is later wins, as the end of one is the start of the next
    envelope = tp.full((num_frames,), float(sustain), dtype=dtype, device=device)
    line: dict[str, Any] = {"dtype": envelope.dtype, "device": envelope.device}
    if rise:
        envelope[: rise + 1] = tp.linspace(0, 1, rise + 1, **line)
    if stay:
        envelope[rise : rise + stay + 1] = 1.0
    if fall:
        curve = tp.linspace(1, 0, fall + 1, **line) ** n_decay
        envelope[rise + stay : rise + stay + fall + 1] = curve * (1 - sustain) + sustain
    if fade:
        envelope[-fade - 1 :] = tp.linspace(sustain, 0, fade + 1, **line)
    return envelope


@same_kind
def extend_pitch(base: Tensor, pattern: int | Sequence[float] | Tensor) -> Tensor:
    """A pitch and its overtones.

    Args:
        base: (..., t, 1) Hz.
        pattern: how many multiples, from 1 on, or the factors themselves, (n,).

    Returns:
        (..., t, n) Hz.

    Raises:
        ShapeError: the last axis of base is not 1.

    Example:
        >>> extend_pitch(tp.tensor([[100.0]]), 3).tolist()
        [[100.0, 200.0, 300.0]]
    """
    if not base.ndim or base.shape[-1] != 1:
        raise ShapeError(f"extend_pitch: wanted base (..., t, 1), got {tuple(base.shape)}")
    if isinstance(pattern, int):
        pattern = range(1, pattern + 1)
    factors = (
        pattern
        if isinstance(pattern, Tensor)
        else tp.tensor([float(v) for v in pattern], dtype=base.dtype, device=base.device)
    )
    harmonics: Tensor = base * factors
    return harmonics


@same_kind
def sinc_impulse_response(
    cutoff: Tensor, window_size: int = 513, high_pass: bool = False
) -> Tensor:
    """Low-pass or high-pass filters, by a windowed sinc.

    Args:
        cutoff: (...) as a share of half the sample rate, from 0 to 1.
        window_size: taps, an odd number.
        high_pass: keep what is above the cutoff.

    Returns:
        (..., window_size) taps; low-pass ones sum to 1.

    Raises:
        ShapeError: window_size is even.

    Example:
        >>> sinc_impulse_response(tp.tensor(0.5, dtype=tp.float64), 3).round(decimals=3).tolist()
        [0.046, 0.908, 0.046]
    """
    if window_size % 2 == 0 or window_size < 1:
        raise ShapeError(
            "sinc_impulse_response: wanted an odd window_size, which has a middle, got "
            f"{window_size}"
        )
    half = window_size // 2
    options: dict[str, Any] = {"dtype": cutoff.dtype, "device": cutoff.device}
    taps = tp.sinc(cutoff.unsqueeze(-1) * tp.linspace(-half, half, window_size, **options))
    taps = taps * tp.hamming_window(window_size, periodic=False, **options)
    taps = taps / taps.sum(-1, keepdim=True).abs()
    if not high_pass:
        return taps
    impulse = (tp.arange(window_size, device=cutoff.device) == half).to(cutoff.dtype)
    return impulse - taps


@same_kind
def frequency_impulse_response(magnitudes: Tensor) -> Tensor:
    """Filters that make the frequencies as loud as wanted.

    Args:
        magnitudes: (..., f), not negative, from 0 Hz to half the sample rate.

    Returns:
        (..., 2 (f - 1)) taps, symmetric, with a Hann window.

    Raises:
        ShapeError: there are fewer than two frequencies.

    Example:
        >>> frequency_impulse_response(tp.ones(3)).shape
        Size([4])

    Source: Engel et al. 2020, DDSP, section 3.5.
    """
    if not magnitudes.ndim or magnitudes.shape[-1] < 2:
        raise ShapeError(
            "frequency_impulse_response: wanted (..., f) with 2 frequencies at least, got "
            f"{tuple(magnitudes.shape)}"
        )
    if bool((magnitudes < 0).any()):
        warnings.warn("frequency_impulse_response: magnitudes below 0", stacklevel=3)
    taps = tp.fft.fftshift(tp.fft.irfft(magnitudes), dim=-1)
    options: dict[str, Any] = {"dtype": magnitudes.dtype, "device": magnitudes.device}
    shaped: Tensor = taps * tp.hann_window(taps.shape[-1], periodic=False, **options)
    return shaped


@same_kind
def filter_waveform(waveform: Tensor, kernels: Tensor, delay_compensation: int = -1) -> Tensor:
    """Filter with kernels that take turns: each has an equal part of the waveform.

    Args:
        waveform: (..., t) samples, floating.
        kernels: (num_filters, taps), or (..., num_filters, taps) with the waveform's leading axes.
        delay_compensation: samples dropped at the start; -1 for half the taps.

    Returns:
        (..., t) samples.

    Raises:
        DTypeError: samples are integers.
        ShapeError: kernels do not fit, the waveform is empty, or more than `taps` samples would be
            dropped.

    Source: Engel et al. 2020, DDSP, section 3.5.
    """
    floating_samples("filter_waveform", waveform, 1)
    t, leading = waveform.shape[-1], waveform.shape[:-1]
    if kernels.ndim not in (2, waveform.ndim + 1):
        raise ShapeError(
            "filter_waveform: wanted kernels (num_filters, taps), or with the waveform's leading "
            f"axes before, got {tuple(kernels.shape)} for a waveform {tuple(waveform.shape)}"
        )
    n, taps = kernels.shape[-2:]
    start = taps // 2 if delay_compensation < 0 else delay_compensation
    if start >= taps and start:
        raise ShapeError(
            f"filter_waveform: wanted delay_compensation below the {taps} taps, got "
            f"{delay_compensation}"
        )
    length = -(-t // n)
    parts = pad(waveform, (0, length * n - t)).reshape(*leading, n, length)
    filtered = fftconvolve(parts, kernels.expand(*leading, n, taps))
    return _overlapped(filtered, length)[..., start : start + t]


def _overlapped(parts: Tensor, stride: int) -> Tensor:
    """(..., parts, samples) to their sum, each part `stride` samples after the one before."""
    n, size = parts.shape[-2:]
    layers = -(-size // stride)  # how many parts sound at once
    rows = pad(parts, (0, layers * stride - size)).reshape(*parts.shape[:-1], layers, stride)
    shifted = [pad(rows[..., k, :], (0, 0, k, layers - 1 - k)) for k in range(layers)]
    whole: Tensor = tp.stack(shifted).sum(0).reshape(*parts.shape[:-2], (n + layers - 1) * stride)
    return whole


@same_kind
def exp_sigmoid(
    input: Tensor, exponent: float = 10.0, max_value: float = 2.0, threshold: float = 1e-7
) -> Tensor:
    """Numbers to amplitudes above zero: a sigmoid with a slower rise.

    Args:
        input: any shape.
        exponent: the sigmoid is raised to its logarithm.
        max_value: where large numbers lead to.
        threshold: the least amplitude.

    Returns:
        The same shape, from threshold to max_value + threshold.

    Example:
        >>> round(exp_sigmoid(tp.tensor(0.0)).item(), 4)
        0.4054

    Source: Engel et al. 2020, DDSP, eq. 5.
    """
    amplitudes: Tensor = max_value * input.sigmoid() ** math.log(exponent) + threshold
    return amplitudes
