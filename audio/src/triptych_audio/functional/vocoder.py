"""Slower, faster, higher and lower: spectra stretched in time."""

from __future__ import annotations

import functools

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.resampling import resample
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["phase_advance", "phase_vocoder", "pitch_shift", "shift_plan", "time_stretch"]

TURN = 2 * np.pi
LARGEST_PHASE = 2.0**16  # radians; single precision is 0.008 apart there


@functools.lru_cache(maxsize=16)
def phase_advance(n_freqs: int, hop_length: int) -> Tensor:
    """How far the phase of each bin's middle turns in a hop.

    Rounded as torch rounds an even division in single precision: errors add up over frames, so
    these decide about the fourth digit of a stretched spectrogram.

    Args:
        n_freqs: number of bins of the spectrum, n_fft // 2 + 1.
        hop_length: step between frames in samples.

    Returns:
        (f, 1) float32 radians.
    """
    end = np.float32(np.pi * hop_length)
    step, i = end / np.float32(max(n_freqs - 1, 1)), np.arange(n_freqs)
    late = float(end) - float(step) * (n_freqs - 1 - i)
    turns = np.where(i < n_freqs // 2, step * i.astype(np.float32), late.astype(np.float32))
    return tp.as_tensor(turns[:, None])


@same_kind
def phase_vocoder(complex_specgrams: Tensor, rate: float, phase_advance: Tensor) -> Tensor:
    """Make a spectrogram longer or shorter without a change of pitch.

    Args:
        complex_specgrams: (..., f, frames) complex.
        rate: speed; above 1 is faster.
        phase_advance: (f, 1) radians that the phase of each bin is expected to turn in a hop.

    Returns:
        (..., f, ceil(frames / rate)) complex.

    Raises:
        ShapeError: rate is not positive.
        DTypeError: the spectrogram is not complex.

    Example:
        >>> spectra = tp.zeros(2, 201, 300, dtype=tp.complex64)
        >>> phase_vocoder(spectra, 1.3, tp.linspace(0, 3.14159 * 200, 201)[:, None]).shape
        Size([2, 201, 231])

    Source: Flanagan and Golden 1966; Laroche and Dolson 1999.
    """
    if rate <= 0:
        raise ShapeError(f"phase_vocoder: wanted a positive rate, got {rate}")
    if not complex_specgrams.is_complex():
        raise DTypeError(
            f"phase_vocoder: wanted complex spectra, got {complex_specgrams.dtype}; use "
            "Spectrogram(power=None)"
        )
    if rate == 1.0:
        return complex_specgrams
    frames, device = complex_specgrams.shape[-1], complex_specgrams.device
    magnitude = complex_specgrams.abs()
    # Rounded only once: what is off by a bit here adds up from frame to frame
    angle = complex_specgrams.to(tp.complex128).angle().to(magnitude.dtype)
    silence = tp.zeros((*angle.shape[:-1], 2), dtype=angle.dtype, device=device)
    padded_angle, padded_magnitude = tp.cat([angle, silence], -1), tp.cat([magnitude, silence], -1)
    steps = tp.arange(0, frames, rate, dtype=angle.dtype, device=device)
    before = steps.to(tp.int64)
    share = steps - before
    first, second = (padded_magnitude.index_select(-1, before + i) for i in (0, 1))
    turned = padded_angle.index_select(-1, before + 1) - padded_angle.index_select(-1, before)
    excess = turned - phase_advance
    advance = excess - TURN * (excess / TURN).round() + phase_advance
    turns = tp.cat([angle[..., :1], advance[..., :-1]], -1)
    phases = turns.double().cumsum(-1)
    # Up to here single precision is torch's; beyond, it would round the phase to noise
    phases = tp.where(phases.abs() < LARGEST_PHASE, phases, phases % TURN).to(angle.dtype)
    return tp.polar(share * second + (1 - share) * first, phases)


def _window_of(waveform: Tensor, window: Tensor | None, win_length: int) -> Tensor:
    if window is not None:
        return window
    return tp.hann_window(win_length, dtype=waveform.dtype, device=waveform.device)


@same_kind
def time_stretch(
    waveform: Tensor,
    rate: float,
    n_fft: int = 2048,
    win_length: int | None = None,
    hop_length: int | None = None,
    window: Tensor | None = None,
) -> Tensor:
    """Play faster or slower at the same pitch.

    Args:
        waveform: (..., t) samples, floating.
        rate: speed; above 1 is faster and shorter.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default n_fft // 4.
        window: (win_length,) weights of a frame; default a Hann window.

    Returns:
        (..., round(t / rate)) samples.

    Raises:
        DTypeError: samples are integers.
        ShapeError: rate is not positive, or the waveform is shorter than half a frame.

    Example:
        >>> time_stretch(tp.zeros(2, 16000), 2.0).shape
        Size([2, 8000])
    """
    if rate <= 0:
        raise ShapeError(f"time_stretch: wanted a positive rate, got {rate}")
    floating_samples("time_stretch", waveform, 1)
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    window = _window_of(waveform, window, win_length)
    frame = (n_fft, hop_length, win_length, window)
    spectra = tp.stft(waveform, *frame, return_complex=True)
    advance = phase_advance(spectra.shape[-2], hop_length).to(spectra.device)
    stretched = phase_vocoder(spectra, rate, advance)
    return tp.istft(stretched, *frame, length=round(waveform.shape[-1] / rate))


def shift_plan(
    name: str, sample_rate: int, n_steps: float, bins_per_octave: int
) -> tuple[float, int]:
    """How `pitch_shift` goes about a shift.

    Args:
        name: of the caller, for errors.
        sample_rate: in Hz.
        n_steps: steps up, fractions allowed.
        bins_per_octave: steps in an octave.

    Returns:
        The speed to stretch with, and the rate in Hz that the result is resampled from.

    Raises:
        ShapeError: bins_per_octave is zero.
    """
    if bins_per_octave == 0:
        raise ShapeError(f"{name}: an octave has at least one step, got bins_per_octave=0")
    rate = 2.0 ** (-float(n_steps) / bins_per_octave)
    return rate, int(sample_rate / rate)


@same_kind
def pitch_shift(
    waveform: Tensor,
    sample_rate: int,
    n_steps: float,
    bins_per_octave: int = 12,
    n_fft: int = 512,
    win_length: int | None = None,
    hop_length: int | None = None,
    window: Tensor | None = None,
) -> Tensor:
    """Raise or lower the pitch at the same speed.

    The time is the same for all shifts: where two rates have hardly a common divisor, each output
    sample has its own short filter instead of one kernel over a whole period.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        n_steps: steps up; negative is down, fractions are allowed.
        bins_per_octave: steps in an octave; 12 are semitones.
        n_fft: frame length in samples.
        win_length: length of the window in samples; default n_fft.
        hop_length: step between frames in samples; default n_fft // 4.
        window: (win_length,) weights of a frame; default a Hann window.

    Returns:
        The same shape.

    Raises:
        DTypeError: samples are integers.
        ShapeError: the waveform is shorter than half a frame.
    """
    floating_samples("pitch_shift", waveform, 1)
    rate, orig_freq = shift_plan("pitch_shift", sample_rate, n_steps, bins_per_octave)
    longer = time_stretch(waveform, rate, n_fft, win_length, hop_length, window)
    shifted = resample(longer, orig_freq, sample_rate)
    t = waveform.shape[-1]
    missing = t - shifted.shape[-1]
    if missing <= 0:
        return shifted[..., :t]
    silence = tp.zeros((*shifted.shape[:-1], missing), dtype=shifted.dtype, device=shifted.device)
    return tp.cat([shifted, silence], -1)
