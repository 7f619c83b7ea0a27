"""Take noise out of a recording."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych.nn.functional import conv2d, pad
from triptych_audio.functional.recursive import filter_sections
from triptych_audio.interop import same_kind

__all__ = ["noise_reduce"]

FLOOR = 1e-10  # -200 dB, where magnitudes end
SLOPE = 10.0  # of the gate that adapts: how sharply it opens above its threshold


@same_kind
def noise_reduce(
    waveform: Tensor,
    sample_rate: int,
    noise: Tensor | None = None,
    stationary: bool = False,
    prop_decrease: float = 1.0,
    n_std_thresh: float = 1.5,
    thresh_n_mult: float = 2.0,
    time_constant_s: float = 2.0,
    freq_mask_smooth_hz: float = 500.0,
    time_mask_smooth_ms: float = 50.0,
    n_fft: int = 1024,
    hop_length: int | None = None,
) -> Tensor:
    """Close each band of the spectrum while it holds nothing but noise: spectral gating.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        noise: (..., s) a recording of the noise alone, with leading axes of the waveform or 1 in
            their place; for stationary. Default: the waveform itself.
        stationary: the noise stays as it is, and has one threshold per band; if not, each band is
            compared with its own mean over a few seconds.
        prop_decrease: how far a gate closes, from 0 to 1.
        n_std_thresh: stationary: threshold in standard deviations above the mean, in dB.
        thresh_n_mult: not stationary: how far above its mean a band opens, a factor minus one.
        time_constant_s: not stationary: of the mean, in seconds.
        freq_mask_smooth_hz: how far gates are smoothed along frequency.
        time_mask_smooth_ms: how far gates are smoothed along time.
        n_fft: frame length in samples.
        hop_length: step between frames in samples; default n_fft // 4.

    Returns:
        The same shape; has gradients.

    Raises:
        DomainError: prop_decrease is outside of [0, 1].
        ShapeError: the waveform is shorter than half a frame.

    Source: Sainburg, Thielk and Gentner 2020; parameters of the package noisereduce.
    """
    if not 0 <= prop_decrease <= 1:
        raise DomainError(f"noise_reduce: prop_decrease is from 0 to 1, got {prop_decrease}")
    if waveform.shape[-1] <= n_fft // 2:
        raise ShapeError(
            f"noise_reduce: wanted more than n_fft // 2 = {n_fft // 2} samples, got "
            f"{waveform.shape[-1]}"
        )
    hop_length = n_fft // 4 if hop_length is None else hop_length
    window = tp.hann_window(n_fft, dtype=waveform.dtype, device=waveform.device)
    frame = (n_fft, hop_length, n_fft, window)
    spectra = tp.stft(waveform, *frame, return_complex=True)
    if stationary:
        quiet = spectra if noise is None else tp.stft(noise, *frame, return_complex=True)
        gate = _stationary_gate(spectra, quiet, n_std_thresh)
    else:
        frames = time_constant_s * sample_rate / hop_length
        gate = _adaptive_gate(spectra.abs(), frames, thresh_n_mult)
    bins = int(freq_mask_smooth_hz * n_fft / sample_rate / 2)
    steps = int(time_mask_smooth_ms / 1000 * sample_rate / hop_length)
    gate = _smoothed(gate * prop_decrease + (1 - prop_decrease), bins, steps)
    return tp.istft(spectra * gate, *frame, length=waveform.shape[-1])


def _decibels(spectra: Tensor) -> Tensor:
    decibels: Tensor = 20 * spectra.abs().clamp(min=FLOOR).log10()
    return decibels


def _stationary_gate(spectra: Tensor, noise: Tensor, deviations: float) -> Tensor:
    quiet = _decibels(noise)
    threshold = quiet.mean(-1, keepdim=True) + deviations * quiet.std(-1, keepdim=True)
    return (_decibels(spectra) > threshold).to(spectra.real.dtype)


def _adaptive_gate(magnitude: Tensor, frames: float, multiple: float) -> Tensor:
    """Between 0 and 1, by the magnitude over its mean of some frames before and after."""
    pole = frames / (1 + frames)
    section = np.array([[1 - pole, 0.0, 0.0, 1.0, -pole, 0.0]])
    mean = filter_sections(magnitude, section, zero_phase=True).clamp(min=FLOOR)
    return tp.sigmoid(((magnitude - mean) / mean - multiple) * SLOPE)


def _triangle(n: int, like: Tensor) -> Tensor:
    rise = tp.arange(1, n + 2, dtype=like.dtype, device=like.device)
    both = tp.cat([rise, rise[:-1].flip(0)])
    return both / both.sum()


def _smoothed(gate: Tensor, bins: int, steps: int) -> Tensor:
    """Mean with weights that fall off along both axes."""
    images = gate.reshape(-1, 1, *gate.shape[-2:])
    framed = pad(images, (steps, steps, bins, bins), mode="replicate")
    along_frequency = conv2d(framed, _triangle(bins, gate)[None, None, :, None])
    return conv2d(along_frequency, _triangle(steps, gate)[None, None, None]).reshape(gate.shape)
