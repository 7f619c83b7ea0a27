"""Waveforms to spectrograms and back."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["griffinlim", "inverse_spectrogram", "spectrogram"]

# Whether stft divides by sqrt(n_fft), and whether the window is scaled to unit energy.
NORMS: dict[bool | str, tuple[bool, bool]] = {
    False: (False, False),
    True: (False, True),
    "window": (False, True),
    "frame_length": (True, False),
}


def _norms(name: str, normalized: bool | str) -> tuple[bool, bool]:
    if normalized not in NORMS:
        raise DTypeError(
            f"{name}: normalized is False, True, 'window' or 'frame_length', got {normalized!r}"
        )
    return NORMS[normalized]


def _energy(window: Tensor) -> Tensor:
    energy: Tensor = (window * window).sum().sqrt()
    return energy


def _zero_padded(x: Tensor, pad: int) -> Tensor:
    if not pad:
        return x
    silence = tp.zeros((*x.shape[:-1], pad), dtype=x.dtype, device=x.device)
    return tp.cat([silence, x, silence], -1)


@same_kind
def spectrogram(
    waveform: Tensor,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    power: float | None,
    normalized: bool | str,
    center: bool = True,
    pad_mode: str = "reflect",
    onesided: bool = True,
    return_complex: bool | None = None,
) -> Tensor:
    """Spectra of overlapping frames: what frequencies sound when.

    Args:
        waveform: (..., t) samples, floating.
        pad: zeros put before and after the signal, in samples.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples; at 16 kHz, 400 is 25 ms.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        power: 1 for magnitude, 2 for power, any other exponent of the magnitude; None for the
            complex spectrum.
        normalized: True or "window" divides by the root of the window's energy; "frame_length" by
            sqrt(n_fft).
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then: "reflect", "constant", "replicate", "circular".
        onesided: only the bins from 0 Hz to half the sample rate.
        return_complex: deprecated; has no effect.

    Returns:
        (..., f, frames), f = n_fft // 2 + 1 if onesided.

    Raises:
        ShapeError: the signal is shorter than a frame.
        DTypeError: samples are integers.

    Source: Griffin and Lim 1984, eq. 1; arguments of torchaudio.
    """
    floating_samples("spectrogram", waveform, 1)
    by_length, by_window = _norms("spectrogram", normalized)
    if by_window:
        window = window / _energy(window)
    padded = _zero_padded(waveform, pad)
    if power == 2.0 and onesided and not padded.is_complex():
        return tp.signal.power_spectrum(
            padded, n_fft, hop_length, win_length, window, center, pad_mode, by_length
        )
    spectrum = tp.stft(
        padded,
        n_fft,
        hop_length,
        win_length,
        window,
        center,
        pad_mode,
        by_length,
        onesided,
        return_complex=True,
    )
    if power is None:
        return spectrum
    if power == 2.0:  # the same as abs() ** 2 without a square root
        squared: Tensor = spectrum.real.square() + spectrum.imag.square()
        return squared
    magnitude: Tensor = spectrum.abs()
    return magnitude if power == 1.0 else magnitude**power


@same_kind
def inverse_spectrogram(
    spectrogram: Tensor,
    length: int | None,
    pad: int,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    normalized: bool | str,
    center: bool = True,
    pad_mode: str = "reflect",
    onesided: bool = True,
) -> Tensor:
    """The waveform of a complex spectrogram.

    Args:
        spectrogram: (..., f, frames) complex, as `spectrogram` with power=None gives it.
        length: samples wanted; default as far as the frames reach.
        pad: the padding that the spectrogram was made with, in samples; taken off again if length
            is given.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        normalized: as for `spectrogram`: False, True or "window", or "frame_length".
        center: frame k is centred at sample k * hop_length.
        pad_mode: has no effect; here to mirror `spectrogram`.
        onesided: the spectrogram has the bins from 0 Hz to half the sample rate only.

    Returns:
        (..., t) samples.

    Raises:
        DTypeError: the spectrogram is not complex.
        ShapeError: it does not fit n_fft, or windows leave gaps.

    Source: Griffin and Lim 1984, eq. 6.
    """
    by_length, by_window = _norms("inverse_spectrogram", normalized)
    if by_window:
        spectrogram = spectrogram * _energy(window)
    waveform = tp.istft(
        spectrogram,
        n_fft,
        hop_length,
        win_length,
        window,
        center,
        by_length,
        onesided,
        None if length is None else length + 2 * pad,
    )
    return waveform if length is None or not pad else waveform[..., pad : pad + length]


@same_kind
def griffinlim(
    specgram: Tensor,
    window: Tensor,
    n_fft: int,
    hop_length: int,
    win_length: int,
    power: float,
    n_iter: int,
    momentum: float,
    length: int | None,
    rand_init: bool,
    *,
    generator: Any = None,
) -> Tensor:
    """A waveform for a spectrogram without phases, found by going back and forth.

    Args:
        specgram: (..., f, frames) magnitude ** power, f = n_fft // 2 + 1.
        window: (win_length,) weights of a frame.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        win_length: length of the window in samples.
        power: exponent of the magnitude in specgram.
        n_iter: number of rounds.
        momentum: from 0 to below 1; how far each round overshoots.
        length: samples wanted; default as far as the frames reach.
        rand_init: start from random phases instead of zero.
        generator: source of the random phases.

    Returns:
        (..., t) samples.

    Raises:
        ShapeError: momentum is out of range.

    Source: Griffin and Lim 1984; momentum after Perraudin, Balazs and Sondergaard 2013.
    """
    if not 0 <= momentum < 1:
        raise ShapeError(f"griffinlim: momentum is from 0 to below 1, got {momentum}")
    momentum /= 1 + momentum
    magnitude = specgram ** (1 / power)
    frame = (n_fft, hop_length, win_length, window)
    spectrum = magnitude + 0j
    if rand_init:
        phases = tp.rand(*magnitude.shape, generator=generator, device=magnitude.device)
        phases = phases.to(magnitude.dtype) * (2 * tp.pi)
        spectrum = magnitude * (phases.cos() + 1j * phases.sin())
    previous = None
    for _ in range(n_iter):
        rebuilt = tp.stft(tp.istft(spectrum, *frame, length=length), *frame)
        ahead = rebuilt
        if momentum and previous is not None:
            ahead = rebuilt - previous * momentum
        previous = rebuilt
        spectrum = ahead * (magnitude / (ahead.abs() + 1e-16))
    return tp.istft(spectrum, *frame, length=length)
