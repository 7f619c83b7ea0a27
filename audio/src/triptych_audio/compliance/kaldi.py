"""Kaldi's features: its spectrogram, filter bank and cepstra, number for number.

Names, arguments and defaults are those of `torchaudio.compliance.kaldi`.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.compliance.frames import (
    FrameSettings,
    floor_of,
    subtract_column_mean,
    weighted_frames,
)
from triptych_audio.compliance.mel_banks import (
    cached_weights,
    get_mel_banks,
    inverse_mel_scale,
    inverse_mel_scale_scalar,
    mel_scale,
    mel_scale_scalar,
    vtln_warp_freq,
    vtln_warp_mel_freq,
)
from triptych_audio.functional.filterbanks import create_dct
from triptych_audio.interop import same_kind

__all__ = [
    "fbank",
    "get_mel_banks",
    "inverse_mel_scale",
    "inverse_mel_scale_scalar",
    "mel_scale",
    "mel_scale_scalar",
    "mfcc",
    "spectrogram",
    "vtln_warp_freq",
    "vtln_warp_mel_freq",
]


@same_kind
def spectrogram(
    waveform: Tensor,
    blackman_coeff: float = 0.42,
    channel: int = -1,
    dither: float = 0.0,
    energy_floor: float = 1.0,
    frame_length: float = 25.0,
    frame_shift: float = 10.0,
    min_duration: float = 0.0,
    preemphasis_coefficient: float = 0.97,
    raw_energy: bool = True,
    remove_dc_offset: bool = True,
    round_to_power_of_two: bool = True,
    sample_frequency: float = 16000.0,
    snip_edges: bool = True,
    subtract_mean: bool = False,
    window_type: str = "povey",
    *,
    generator: Any = None,
) -> Tensor:
    """Logarithms of power spectra, as compute-spectrogram-feats gives them.

    Args:
        waveform: (c, t) floating samples; Kaldi's own are in the range of 16-bit integers.
        blackman_coeff: constant of the generalised Blackman window.
        channel: which channel; -1 for the first.
        dither: standard deviation of Gaussian noise that is added to each frame.
        energy_floor: lower limit of the energy, in squared units of the samples; 0 for none.
        frame_length: in milliseconds.
        frame_shift: step between frames in milliseconds.
        min_duration: waveforms shorter than this many seconds give nothing.
        preemphasis_coefficient: from 0 to 1; weight of the sample before, which is subtracted.
        raw_energy: measure energy before preemphasis and window.
        remove_dc_offset: subtract each frame's mean.
        round_to_power_of_two: fill frames up with zeros to a power of two.
        sample_frequency: in Hz.
        snip_edges: only frames that lie within the signal; else one frame per frame_shift, the
            signal mirrored at its ends.
        subtract_mean: subtract each coefficient's mean over time.
        window_type: "povey", "hamming", "hanning", "blackman" or "rectangular".
        generator: source of the dither.

    Returns:
        (frames, f), f = padded frame // 2 + 1; the first column is the log energy of the frame.
        Nothing, (0,), for waveforms shorter than min_duration.

    Raises:
        ShapeError: frames do not fit the waveform, or have an odd length.
        DomainError: an unknown window, or numbers out of range.

    Source: Kaldi, feat/feature-spectrogram.cc.
    """
    settings = FrameSettings(
        "spectrogram",
        blackman_coeff,
        channel,
        dither,
        energy_floor,
        frame_length,
        frame_shift,
        min_duration,
        preemphasis_coefficient,
        raw_energy,
        remove_dc_offset,
        round_to_power_of_two,
        sample_frequency,
        snip_edges,
        window_type,
    )
    framed = weighted_frames(waveform, settings, generator)
    if framed is None:
        return waveform.new_zeros(0)
    frames, energy = framed
    levels = floor_of(_power(tp.fft.rfft(frames))).log()
    levels = tp.cat([energy.unsqueeze(1), levels[:, 1:]], 1)
    return subtract_column_mean(levels, subtract_mean)


@same_kind
def fbank(
    waveform: Tensor,
    blackman_coeff: float = 0.42,
    channel: int = -1,
    dither: float = 0.0,
    energy_floor: float = 1.0,
    frame_length: float = 25.0,
    frame_shift: float = 10.0,
    high_freq: float = 0.0,
    htk_compat: bool = False,
    low_freq: float = 20.0,
    min_duration: float = 0.0,
    num_mel_bins: int = 23,
    preemphasis_coefficient: float = 0.97,
    raw_energy: bool = True,
    remove_dc_offset: bool = True,
    round_to_power_of_two: bool = True,
    sample_frequency: float = 16000.0,
    snip_edges: bool = True,
    subtract_mean: bool = False,
    use_energy: bool = False,
    use_log_fbank: bool = True,
    use_power: bool = True,
    vtln_high: float = -500.0,
    vtln_low: float = 100.0,
    vtln_warp: float = 1.0,
    window_type: str = "povey",
    *,
    generator: Any = None,
) -> Tensor:
    """Bands evenly spaced in mel, as compute-fbank-feats gives them.

    Args:
        waveform: (c, t) floating samples; Kaldi's own are in the range of 16-bit integers.
        blackman_coeff: constant of the generalised Blackman window.
        channel: which channel; -1 for the first.
        dither: standard deviation of Gaussian noise that is added to each frame.
        energy_floor: lower limit of the energy, in squared units of the samples; 0 for none.
        frame_length: in milliseconds.
        frame_shift: step between frames in milliseconds.
        high_freq: upper edge of the last band in Hz; 0 or less counts from half the sample rate.
        htk_compat: put the energy last instead of first.
        low_freq: lower edge of the first band in Hz.
        min_duration: waveforms shorter than this many seconds give nothing.
        num_mel_bins: number of bands, more than 3.
        preemphasis_coefficient: from 0 to 1; weight of the sample before, which is subtracted.
        raw_energy: measure energy before preemphasis and window.
        remove_dc_offset: subtract each frame's mean.
        round_to_power_of_two: fill frames up with zeros to a power of two.
        sample_frequency: in Hz.
        snip_edges: only frames that lie within the signal; else one frame per frame_shift, the
            signal mirrored at its ends.
        subtract_mean: subtract each coefficient's mean over time.
        use_energy: add the log energy of the frame as a column.
        use_log_fbank: natural logarithms of the bands.
        use_power: bands of the power; else of the magnitude.
        vtln_high: upper knee of the warping in Hz; negative counts from half the sample rate.
        vtln_low: lower knee of the warping in Hz.
        vtln_warp: warping for the length of the vocal tract; 1 for none.
        window_type: "povey", "hamming", "hanning", "blackman" or "rectangular".
        generator: source of the dither.

    Returns:
        (frames, num_mel_bins), one column more with use_energy. Nothing, (0,), for waveforms
        shorter than min_duration.

    Raises:
        ShapeError: frames do not fit the waveform, or have an odd length; too few bands.
        DomainError: an unknown window, or numbers out of range.

    Example:
        >>> fbank(tp.ones(1, 16000), num_mel_bins=80).shape
        Size([98, 80])

    Source: Kaldi, feat/feature-fbank.cc.
    """
    settings = FrameSettings(
        "fbank",
        blackman_coeff,
        channel,
        dither,
        energy_floor,
        frame_length,
        frame_shift,
        min_duration,
        preemphasis_coefficient,
        raw_energy,
        remove_dc_offset,
        round_to_power_of_two,
        sample_frequency,
        snip_edges,
        window_type,
    )
    framed = weighted_frames(waveform, settings, generator)
    if framed is None:
        return waveform.new_zeros(0)
    frames, energy = framed
    spectrum = tp.fft.rfft(frames)
    spectrum = _power(spectrum) if use_power else spectrum.abs()
    band = (low_freq, high_freq, vtln_low, vtln_high, vtln_warp)
    bank = cached_weights(num_mel_bins, settings.padded_size, sample_frequency, *band)
    bands = tp.matmul(spectrum, bank.to(device=spectrum.device, dtype=spectrum.dtype).mT)
    bands = floor_of(bands).log() if use_log_fbank else bands
    if use_energy:
        column = energy.unsqueeze(1)
        bands = tp.cat([bands, column] if htk_compat else [column, bands], 1)
    return subtract_column_mean(bands, subtract_mean)


@same_kind
def mfcc(
    waveform: Tensor,
    blackman_coeff: float = 0.42,
    cepstral_lifter: float = 22.0,
    channel: int = -1,
    dither: float = 0.0,
    energy_floor: float = 1.0,
    frame_length: float = 25.0,
    frame_shift: float = 10.0,
    high_freq: float = 0.0,
    htk_compat: bool = False,
    low_freq: float = 20.0,
    num_ceps: int = 13,
    min_duration: float = 0.0,
    num_mel_bins: int = 23,
    preemphasis_coefficient: float = 0.97,
    raw_energy: bool = True,
    remove_dc_offset: bool = True,
    round_to_power_of_two: bool = True,
    sample_frequency: float = 16000.0,
    snip_edges: bool = True,
    subtract_mean: bool = False,
    use_energy: bool = False,
    vtln_high: float = -500.0,
    vtln_low: float = 100.0,
    vtln_warp: float = 1.0,
    window_type: str = "povey",
    *,
    generator: Any = None,
) -> Tensor:
    """Mel-frequency cepstral coefficients, as compute-mfcc-feats gives them.

    Args:
        waveform: (c, t) floating samples; Kaldi's own are in the range of 16-bit integers.
        blackman_coeff: constant of the generalised Blackman window.
        cepstral_lifter: how much higher coefficients are scaled up; 0 for not at all.
        channel: which channel; -1 for the first.
        dither: standard deviation of Gaussian noise that is added to each frame.
        energy_floor: lower limit of the energy, in squared units of the samples; 0 for none.
        frame_length: in milliseconds.
        frame_shift: step between frames in milliseconds.
        high_freq: upper edge of the last band in Hz; 0 or less counts from half the sample rate.
        htk_compat: put the energy last instead of first.
        low_freq: lower edge of the first band in Hz.
        num_ceps: number of coefficients, at most num_mel_bins.
        min_duration: waveforms shorter than this many seconds give nothing.
        num_mel_bins: number of bands, more than 3.
        preemphasis_coefficient: from 0 to 1; weight of the sample before, which is subtracted.
        raw_energy: measure energy before preemphasis and window.
        remove_dc_offset: subtract each frame's mean.
        round_to_power_of_two: fill frames up with zeros to a power of two.
        sample_frequency: in Hz.
        snip_edges: only frames that lie within the signal; else one frame per frame_shift, the
            signal mirrored at its ends.
        subtract_mean: subtract each coefficient's mean over time.
        use_energy: the log energy of the frame instead of the first coefficient.
        vtln_high: upper knee of the warping in Hz; negative counts from half the sample rate.
        vtln_low: lower knee of the warping in Hz.
        vtln_warp: warping for the length of the vocal tract; 1 for none.
        window_type: "povey", "hamming", "hanning", "blackman" or "rectangular".
        generator: source of the dither.

    Returns:
        (frames, num_ceps). Nothing, (0,), for waveforms shorter than min_duration.

    Raises:
        ShapeError: more coefficients than bands; frames do not fit the waveform, or have an odd
            length; too few bands.
        DomainError: an unknown window, or numbers out of range.

    Example:
        >>> mfcc(tp.ones(1, 16000)).shape
        Size([98, 13])

    Source: Kaldi, feat/feature-mfcc.cc.
    """
    if num_ceps > num_mel_bins:
        raise ShapeError(
            f"mfcc: num_ceps is at most num_mel_bins, got {num_ceps} and {num_mel_bins}"
        )
    bands = fbank(
        waveform,
        blackman_coeff=blackman_coeff,
        channel=channel,
        dither=dither,
        energy_floor=energy_floor,
        frame_length=frame_length,
        frame_shift=frame_shift,
        high_freq=high_freq,
        htk_compat=htk_compat,
        low_freq=low_freq,
        min_duration=min_duration,
        num_mel_bins=num_mel_bins,
        preemphasis_coefficient=preemphasis_coefficient,
        raw_energy=raw_energy,
        remove_dc_offset=remove_dc_offset,
        round_to_power_of_two=round_to_power_of_two,
        sample_frequency=sample_frequency,
        snip_edges=snip_edges,
        use_energy=use_energy,
        vtln_high=vtln_high,
        vtln_low=vtln_low,
        vtln_warp=vtln_warp,
        window_type=window_type,
        generator=generator,
    )
    if bands.ndim == 1:  # shorter than min_duration
        return bands
    energy = bands[:, -1:] if htk_compat else bands[:, :1]
    if use_energy:
        bands = bands[:, :-1] if htk_compat else bands[:, 1:]
    dct = _dct(num_ceps, num_mel_bins).to(device=bands.device, dtype=bands.dtype)
    cepstra = tp.matmul(bands, dct)
    if cepstral_lifter != 0.0:
        lifter = 1.0 + 0.5 * cepstral_lifter * _ripple(num_ceps, cepstral_lifter)
        cepstra = cepstra * lifter.to(device=bands.device, dtype=bands.dtype)
    first = energy if use_energy else cepstra[:, :1]
    if htk_compat:
        # HTK's first coefficient lacks the factor that makes the transform orthonormal
        first = first if use_energy else first * math.sqrt(2)
        parts = [cepstra[:, 1:], first]
    else:
        parts = [first, cepstra[:, 1:]]
    return subtract_column_mean(tp.cat(parts, 1), subtract_mean)


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()


@functools.lru_cache(maxsize=32)
def _dct(num_ceps: int, num_mel_bins: int) -> Tensor:
    """(num_mel_bins, num_ceps), orthonormal."""
    return create_dct(num_mel_bins, num_mel_bins, "ortho")[:, :num_ceps]


def _ripple(num_ceps: int, cepstral_lifter: float) -> Tensor:
    return (math.pi * tp.arange(num_ceps) / cepstral_lifter).sin()
