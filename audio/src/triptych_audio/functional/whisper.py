"""What Whisper hears: its log-mel spectrogram, to the bit of its filter bank."""

from __future__ import annotations

import functools

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError
from triptych_audio.functional.filterbanks import hz_to_mel, mel_to_hz, melscale_fbanks
from triptych_audio.interop import floating_samples, same_kind

__all__ = [
    "log_mel_spectrogram",
    "mel_levels",
    "normalized_levels",
    "pad_or_trim",
    "whisper_filters",
]

# whisper/audio.py
SAMPLE_RATE, N_FFT, HOP_LENGTH = 16000, 400, 160
N_SAMPLES = 30 * SAMPLE_RATE
SMALLEST, DYNAMIC_RANGE = 1e-10, 8.0  # log10 of power: 80 dB


@functools.lru_cache(maxsize=8)
def whisper_filters(n_mels: int = 80) -> Tensor:
    """The filter bank of Whisper: slaney's scale and norm, 16 kHz, frames of 400 samples.

    Args:
        n_mels: 80, or 128 for large-v3 and turbo.

    Returns:
        (n_mels, 201) float32.

    Raises:
        DTypeError: another number of bands.

    Source: openai/whisper, assets/mel_filters.npz; computed, rounded in the same two steps.
    """
    if n_mels not in (80, 128):
        raise DTypeError(f"whisper_filters: Whisper has 80 or 128 bands, got n_mels={n_mels}")
    top = SAMPLE_RATE / 2
    bank = melscale_fbanks(N_FFT // 2 + 1, 0.0, top, n_mels, SAMPLE_RATE, None, "slaney").numpy().T
    corners = mel_to_hz(np.linspace(0.0, hz_to_mel(top, "slaney"), n_mels + 2), "slaney")
    heights = 2.0 / (corners[2:] - corners[:-2])
    return tp.as_tensor((bank * heights[:, None]).astype(np.float32))


@same_kind
def pad_or_trim(waveform: Tensor, length: int = N_SAMPLES, axis: int = -1) -> Tensor:
    """Zeros at the end, or the end cut off, so that a length comes out.

    Args:
        waveform: any shape.
        length: wanted; default 30 s at 16 kHz.
        axis: which axis.

    Returns:
        The shape of waveform, with `length` on the axis.

    Example:
        >>> pad_or_trim(tp.ones(3), 5).tolist()
        [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    missing = length - waveform.shape[axis]
    if missing <= 0:
        return waveform.narrow(axis, 0, length)
    shape = list(waveform.shape)
    shape[axis] = missing
    silence = tp.zeros(*shape, dtype=waveform.dtype, device=waveform.device)
    return tp.cat([waveform, silence], axis)


@functools.lru_cache(maxsize=4)
def _window(dtype: tp.dtype) -> Tensor:
    return tp.hann_window(N_FFT, dtype=dtype)


@same_kind
def log_mel_spectrogram(waveform: Tensor, n_mels: int = 80, padding: int = 0) -> Tensor:
    """The features that Whisper takes.

    Args:
        waveform: (..., t) samples at 16 kHz, floating, in [-1, 1].
        n_mels: 80, or 128 for large-v3 and turbo.
        padding: zeros put after the signal, in samples.

    Returns:
        (..., n_mels, t // 160), about from -1 to 1: log10 of the power, no lower than 8 below the
        largest of each example, plus 4, divided by 4.

    Raises:
        DTypeError: another number of bands, or samples are integers.
        ShapeError: the waveform is shorter than half a frame.

    Example:
        >>> log_mel_spectrogram(pad_or_trim(tp.zeros(16000))).shape
        Size([80, 3000])

    Source: Radford et al. 2022, section 2.2; openai/whisper, audio.py.
    """
    floating_samples("log_mel_spectrogram", waveform, 1 - min(padding, 1))
    if padding:
        waveform = pad_or_trim(waveform, waveform.shape[-1] + padding)
    levels = mel_levels(waveform, n_mels)[..., :-1]
    return normalized_levels(levels, levels.amax((-2, -1), keepdim=True))


def mel_levels(waveform: Tensor, n_mels: int = 80, center: bool = True) -> Tensor:
    """Whisper's bands before what it hears is set against the loudest moment.

    Args:
        waveform: (..., t) samples at 16 kHz.
        n_mels: 80 or 128.
        center: mirror half a frame at both ends; otherwise the first frame begins at sample 0.

    Returns:
        (..., n_mels, frames) log10 of the power.

    Raises:
        DTypeError: another number of bands.
        ShapeError: the waveform is too short.
    """
    bank, window = whisper_filters(n_mels).to(waveform), _window(waveform.dtype)
    spectra = tp.stft(
        waveform, N_FFT, HOP_LENGTH, N_FFT, window.to(waveform.device), center, return_complex=True
    )
    power = spectra.real.square() + spectra.imag.square()
    return tp.signal.band_sums(power, bank).clamp(min=SMALLEST).log10()


def normalized_levels(levels: Tensor, peak: Tensor | float) -> Tensor:
    """Levels set against the loudest.

    Args:
        levels: of `mel_levels`.
        peak: the largest of the recording.

    Returns:
        The same shape, about from -1 to 1.
    """
    return (levels.clamp(min=peak - DYNAMIC_RANGE) + 4.0) / 4.0
