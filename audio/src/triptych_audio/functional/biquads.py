"""Second-order filters, designed as SoX designs them.

Designs are computed in float64 from plain numbers, and with gradients from tensors.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError
from triptych_audio.functional.recursive import filtered
from triptych_audio.interop import same_kind

__all__ = [
    "allpass_biquad",
    "band_biquad",
    "bandpass_biquad",
    "bandreject_biquad",
    "bass_biquad",
    "biquad",
    "deemph_biquad",
    "equalizer_biquad",
    "highpass_biquad",
    "lowpass_biquad",
    "riaa_biquad",
    "treble_biquad",
]

Number = float | Tensor


def _of(name: str, x: Number) -> Any:
    """A function by its name, of a number or a tensor."""
    return getattr(x, name)() if isinstance(x, Tensor) else getattr(math, name)(x)


def _angles(sample_rate: float, freq: Number, q: Number) -> tuple[Any, Any, Any]:
    """Cosine and sine of the frequency, and the bandwidth term alpha of the cookbook."""
    w0 = 2 * math.pi * _exact(freq) / sample_rate
    sine = _of("sin", w0)
    return _of("cos", w0), sine, sine / 2 / _exact(q)


def _exact(x: Number) -> Any:
    return x.to(tp.float64).reshape(()) if isinstance(x, Tensor) else x


def _coefficients(waveform: Tensor, values: tuple[Number, ...]) -> Tensor:
    """(1, 3) in float64."""
    options: dict[str, Any] = {"dtype": tp.float64, "device": waveform.device}
    if not any(isinstance(v, Tensor) for v in values):
        return tp.tensor([values], **options)
    parts = [
        v.to(**options).reshape(()) if isinstance(v, Tensor) else tp.tensor(v, **options)
        for v in values
    ]
    return tp.stack(parts)[None]


@same_kind
def biquad(
    waveform: Tensor,
    b0: Number,
    b1: Number,
    b2: Number,
    a0: Number,
    a1: Number,
    a2: Number,
    *,
    clamp: bool = True,
) -> Tensor:
    """A second-order filter: a0 y[t] = b0 x[t] + b1 x[t-1] + b2 x[t-2] - a1 y[t-1] - a2 y[t-2].

    Args:
        waveform: (..., t) samples, floating.
        b0: of the sample; a number or a tensor, as the others.
        b1: of the sample before.
        b2: of the one before that.
        a0: of the result, usually 1.
        a1: of the result before.
        a2: of the one before that.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Raises:
        DTypeError: samples are integers.
    """
    if not waveform.is_floating_point():
        raise DTypeError(
            f"biquad: wanted floating samples, got {waveform.dtype}; divide by their full scale"
        )
    a, b = _coefficients(waveform, (a0, a1, a2)), _coefficients(waveform, (b0, b1, b2))
    result = filtered(waveform, a, b)
    return result.clamp(-1.0, 1.0) if clamp else result


def _shelf(cos: Any, sin: Any, alpha: Any, gain: Number, low: bool) -> tuple[Any, Any]:
    """Coefficients of a shelf; that of high frequencies is the mirror of that of low ones."""
    amplitude = _of("exp", _exact(gain) * (math.log(10) / 40))
    slope = 2 * _of("sqrt", amplitude) * alpha
    up, down = amplitude + 1, amplitude - 1
    mirror = 1 if low else -1
    b0 = amplitude * (up - mirror * down * cos + slope)
    b1 = mirror * 2 * amplitude * (down - mirror * up * cos)
    b2 = amplitude * (up - mirror * down * cos - slope)
    a0 = up + mirror * down * cos + slope
    a1 = -mirror * 2 * (down + mirror * up * cos)
    a2 = up + mirror * down * cos - slope
    return (b0, b1, b2), (a0, a1, a2)


@same_kind
def allpass_biquad(
    waveform: Tensor,
    sample_rate: float,
    central_freq: Number,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Turn the phase around a frequency; magnitudes stay.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        central_freq: where the phase is turned by half, in Hz; a number or a tensor.
        Q: the higher, the narrower.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, _, alpha = _angles(sample_rate, central_freq, Q)
    b = (1 - alpha, -2 * cos, 1 + alpha)
    return biquad(waveform, *b, 1 + alpha, -2 * cos, 1 - alpha, clamp=clamp)


@same_kind
def band_biquad(
    waveform: Tensor,
    sample_rate: float,
    central_freq: Number,
    Q: Number = 0.707,
    noise: bool = False,
    *,
    clamp: bool = True,
) -> Tensor:
    """Keep the frequencies around one, with gentle slopes.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        central_freq: middle of the band in Hz; a number or a tensor.
        Q: the higher, the narrower: the middle over the width.
        noise: scale for sounds without a pitch, such as percussion; if not, for voice and music.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: SoX, effect band.
    """
    cos, _, _ = _angles(sample_rate, central_freq, Q)
    a2 = _of("exp", -2 * math.pi * _exact(central_freq) / _exact(Q) / sample_rate)
    a1 = -4 * a2 / (1 + a2) * cos
    b0 = _of("sqrt", 1 - a1 * a1 / (4 * a2)) * (1 - a2)
    if noise:
        b0 = _of("sqrt", ((1 + a2) * (1 + a2) - a1 * a1) * (1 - a2) / (1 + a2))
    return biquad(waveform, b0, 0.0, 0.0, 1.0, a1, a2, clamp=clamp)


@same_kind
def bandpass_biquad(
    waveform: Tensor,
    sample_rate: float,
    central_freq: Number,
    Q: Number = 0.707,
    const_skirt_gain: bool = False,
    *,
    clamp: bool = True,
) -> Tensor:
    """Keep the frequencies around one.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        central_freq: middle of the band in Hz; a number or a tensor.
        Q: the higher, the narrower: the middle over the width.
        const_skirt_gain: the middle is amplified by Q; if not, it stays as it is.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, sin, alpha = _angles(sample_rate, central_freq, Q)
    peak = sin / 2 if const_skirt_gain else alpha
    return biquad(waveform, peak, 0.0, -peak, 1 + alpha, -2 * cos, 1 - alpha, clamp=clamp)


@same_kind
def bandreject_biquad(
    waveform: Tensor,
    sample_rate: float,
    central_freq: Number,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Take the frequencies around one away.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        central_freq: middle of the notch in Hz; a number or a tensor.
        Q: the higher, the narrower.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, _, alpha = _angles(sample_rate, central_freq, Q)
    b = (1.0, -2 * cos, 1.0)
    return biquad(waveform, *b, 1 + alpha, -2 * cos, 1 - alpha, clamp=clamp)


@same_kind
def bass_biquad(
    waveform: Tensor,
    sample_rate: float,
    gain: Number,
    central_freq: Number = 100,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Lift or lower the low frequencies: a shelf.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        gain: of the low frequencies in dB; a number or a tensor.
        central_freq: middle of the slope in Hz.
        Q: the higher, the steeper.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    b, a = _shelf(*_angles(sample_rate, central_freq, Q), gain, low=True)
    return biquad(waveform, *b, *a, clamp=clamp)


@same_kind
def equalizer_biquad(
    waveform: Tensor,
    sample_rate: float,
    center_freq: Number,
    gain: Number,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Lift or lower the frequencies around one.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        center_freq: middle of the band in Hz; a number or a tensor.
        gain: at the middle in dB; a number or a tensor.
        Q: the higher, the narrower.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, _, alpha = _angles(sample_rate, center_freq, Q)
    amplitude = _of("exp", _exact(gain) * (math.log(10) / 40))
    b = (1 + alpha * amplitude, -2 * cos, 1 - alpha * amplitude)
    a = (1 + alpha / amplitude, -2 * cos, 1 - alpha / amplitude)
    return biquad(waveform, *b, *a, clamp=clamp)


@same_kind
def highpass_biquad(
    waveform: Tensor,
    sample_rate: float,
    cutoff_freq: Number,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Keep the frequencies above one.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        cutoff_freq: in Hz; a number or a tensor.
        Q: resonance at the cutoff; 0.707 has none.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, _, alpha = _angles(sample_rate, cutoff_freq, Q)
    b = ((1 + cos) / 2, -1 - cos, (1 + cos) / 2)
    return biquad(waveform, *b, 1 + alpha, -2 * cos, 1 - alpha, clamp=clamp)


@same_kind
def lowpass_biquad(
    waveform: Tensor,
    sample_rate: float,
    cutoff_freq: Number,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Keep the frequencies below one.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        cutoff_freq: in Hz; a number or a tensor.
        Q: resonance at the cutoff; 0.707 has none.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    cos, _, alpha = _angles(sample_rate, cutoff_freq, Q)
    b = ((1 - cos) / 2, 1 - cos, (1 - cos) / 2)
    return biquad(waveform, *b, 1 + alpha, -2 * cos, 1 - alpha, clamp=clamp)


@same_kind
def treble_biquad(
    waveform: Tensor,
    sample_rate: float,
    gain: Number,
    central_freq: Number = 3000,
    Q: Number = 0.707,
    *,
    clamp: bool = True,
) -> Tensor:
    """Lift or lower the high frequencies: a shelf.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        gain: of the high frequencies in dB; a number or a tensor.
        central_freq: middle of the slope in Hz.
        Q: the higher, the steeper.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Source: Bristow-Johnson, Audio EQ Cookbook.
    """
    b, a = _shelf(*_angles(sample_rate, central_freq, Q), gain, low=False)
    return biquad(waveform, *b, *a, clamp=clamp)


# sample rate: turnover in Hz, slope, gain in dB; SoX, fitted to ISO 908
DEEMPHASIS: dict[float, tuple[float, float, float]] = {
    44100: (5283, 0.4845, -9.477),
    48000: (5356, 0.479, -9.62),
}


@same_kind
def deemph_biquad(waveform: Tensor, sample_rate: float, *, clamp: bool = True) -> Tensor:
    """Undo the emphasis of early compact discs (ISO 908).

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: 44100 or 48000 Hz.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape.

    Raises:
        DomainError: another sample rate.
    """
    if sample_rate not in DEEMPHASIS:
        raise DomainError(
            f"deemph_biquad: sample_rate is one of {sorted(DEEMPHASIS)} Hz, got {sample_rate}"
        )
    freq, slope, gain = DEEMPHASIS[sample_rate]
    w0, amplitude = 2 * math.pi * freq / sample_rate, 10 ** (gain / 40)
    root = math.sqrt((amplitude + 1 / amplitude) * (1 / slope - 1) + 2)
    alpha = math.sin(w0) / 2 * root
    b, a = _shelf(math.cos(w0), math.sin(w0), alpha, gain, low=False)
    return biquad(waveform, *b, *a, clamp=clamp)


# sample rate: two zeros and two poles; SoX, fitted to the curve of the RIAA
RIAA: dict[float, tuple[tuple[float, float], tuple[float, float]]] = {
    44100: ((-0.2014898, 0.9233820), (0.7083149, 0.9924091)),
    48000: ((-0.1766069, 0.9321590), (0.7396325, 0.9931330)),
    88200: ((-0.1168735, 0.9648312), (0.8590646, 0.9964002)),
    96000: ((-0.1141486, 0.9676817), (0.8699137, 0.9966946)),
}


@same_kind
def riaa_biquad(waveform: Tensor, sample_rate: float, *, clamp: bool = True) -> Tensor:
    """Play a gramophone record back: undo the curve it was cut with (RIAA).

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: 44100, 48000, 88200 or 96000 Hz.
        clamp: limit the result to [-1, 1].

    Returns:
        The same shape; 1 kHz is as loud as before.

    Raises:
        DomainError: another sample rate.
    """
    if sample_rate not in RIAA:
        raise DomainError(f"riaa_biquad: sample_rate is one of {sorted(RIAA)}, got {sample_rate}")
    (z0, z1), (p0, p1) = RIAA[sample_rate]
    b, a = (1.0, -(z0 + z1), z0 * z1), (1.0, -(p0 + p1), p0 * p1)
    turn = cmath.exp(-2j * math.pi * 1000 / sample_rate)
    at_1khz = [c[0] + c[1] * turn + c[2] * turn * turn for c in (b, a)]
    level = abs(at_1khz[1]) / abs(at_1khz[0])
    scaled = (level * b[0], level * b[1], level * b[2])
    return biquad(waveform, *scaled, *a, clamp=clamp)
