"""The pitch of a voice or an instrument, frame by frame."""

from __future__ import annotations

import functools
import math

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.functional.frames import frame
from triptych_audio.functional.sequence import viterbi
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["detect_pitch_frequency", "pyin", "yin"]

CLOSE = 0.99  # torchaudio: a short lag wins if it is nearly as good as the best
EPSILON = 1e-9


def _correlations(
    samples: np.ndarray, sample_rate: int, frame_time: float, freq_low: int
) -> np.ndarray:
    """(..., frames, lags) normalised cross-correlation of each frame with what follows."""
    lags = math.ceil(sample_rate / freq_low)
    size = math.ceil(sample_rate * frame_time)
    count = math.ceil(samples.shape[-1] / size)
    missing = lags + count * size - samples.shape[-1]
    longer = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, missing)])
    later = np.lib.stride_tricks.sliding_window_view(longer, size, -1)
    starts = np.arange(count) * size
    here = later[..., starts, :]
    norms = (EPSILON + np.sqrt(np.einsum("...lf,...lf->...l", later, later))) ** 2
    out = np.empty((*samples.shape[:-1], count, lags), samples.dtype)
    for i, start in enumerate(starts):
        following = later[..., start + 1 : start + 1 + lags, :]
        out[..., i, :] = np.einsum("...lf,...f->...l", following, here[..., i, :])
        out[..., i, :] /= norms[..., start + 1 : start + 1 + lags]
        out[..., i, :] /= norms[..., start, None]
    return out


def _best_lags(correlations: np.ndarray, sample_rate: int, freq_high: int) -> np.ndarray:
    """(..., frames) lags in samples."""
    least, half = math.ceil(sample_rate / freq_high), correlations.shape[-1] // 2
    if least >= half:
        raise ShapeError(
            f"detect_pitch_frequency: at {sample_rate} Hz, there are no lags between those of "
            "freq_high and freq_low; lower freq_low or raise freq_high"
        )
    whole, short = correlations[..., least:], correlations[..., least:half]
    lag = np.where(short.max(-1) > CLOSE * whole.max(-1), short.argmax(-1), whole.argmax(-1))
    return np.asarray(lag + least + 1)


@same_kind
def detect_pitch_frequency(
    waveform: Tensor,
    sample_rate: int,
    frame_time: float = 10 ** (-2),
    win_length: int = 30,
    freq_low: int = 85,
    freq_high: int = 3400,
) -> Tensor:
    """Pitch by cross-correlation, smoothed with a median over time.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        frame_time: length of a frame in seconds.
        win_length: frames in the window of the median.
        freq_low: lowest pitch in Hz.
        freq_high: highest pitch in Hz.

    Returns:
        (..., frames - win_length // 2) Hz, float32; also where there is no pitch at all.

    Raises:
        DTypeError: samples are integers.
        ShapeError: the waveform has fewer frames than half the window, or no lag is left.

    Source: torchaudio.functional.detect_pitch_frequency; Talkin 1995 for the correlation.
    """
    floating_samples("detect_pitch_frequency", waveform)
    samples = waveform.detach().cpu().numpy()
    correlations = _correlations(samples, sample_rate, frame_time, freq_low)
    lags = _best_lags(correlations, sample_rate, freq_high)
    before = (win_length - 1) // 2
    if lags.shape[-1] + before < win_length:
        raise ShapeError(
            f"detect_pitch_frequency: a median over {win_length} frames needs "
            f"{win_length - before} of them, got {lags.shape[-1]}"
        )
    first = np.repeat(lags[..., :1], before, -1)
    extended = np.concatenate([first, lags], -1)
    around = np.lib.stride_tricks.sliding_window_view(extended, win_length, -1)
    middle = np.partition(around, before, -1)[..., before]
    pitch = (sample_rate / (EPSILON + middle)).astype(np.float32)
    return tp.as_tensor(pitch, device=waveform.device)


def _check(
    name: str, sample_rate: int, f_min: float, f_max: float, frame_length: int
) -> tuple[int, int]:
    """The shortest and the longest period in samples."""
    if not 0 < f_min < f_max <= sample_rate / 2 or sample_rate / f_min >= frame_length - 1:
        raise ShapeError(
            f"{name}: wanted 0 < f_min < f_max <= half the sample rate, and frames longer than a "
            f"period of f_min; got f_min={f_min}, f_max={f_max}, sample_rate={sample_rate}, "
            f"frame_length={frame_length}"
        )
    longest = min(math.ceil(sample_rate / f_min), frame_length - 1)
    return math.floor(sample_rate / f_max), longest


def _differences(
    waveform: Tensor, frame_length: int, hop_length: int, shortest: int, longest: int, pad: str
) -> np.ndarray:
    """(..., frames, periods) cumulative mean normalised difference, equation 8 of the paper."""
    pieces = frame(waveform.detach(), frame_length, hop_length, bool(pad), pad).cpu().numpy()
    n_fft = 1 << (2 * frame_length - 1).bit_length()
    spectra = np.fft.rfft(pieces, n_fft)
    power = spectra.real**2 + spectra.imag**2
    correlation = np.fft.irfft(power, n_fft)[..., : longest + 1]
    energy = np.cumsum(np.square(pieces[..., :longest]), -1, dtype=np.float64)
    difference = 2 * (correlation[..., :1] - correlation[..., 1:]) - energy
    mean = np.cumsum(difference, -1) / np.arange(1, longest + 1)
    tiny = np.finfo(pieces.dtype).tiny
    return np.asarray(difference[..., shortest - 1 :] / (mean[..., shortest - 1 :] + tiny))


def _shifts(curve: np.ndarray) -> np.ndarray:
    """How far the bottom of a parabola through three neighbours is from the middle one."""
    left, middle, right = curve[..., :-2], curve[..., 1:-1], curve[..., 2:]
    bend, slope = left + right - 2 * middle, (right - left) / 2
    inside = np.abs(slope) < np.abs(bend)
    shift = np.zeros_like(curve)
    shift[..., 1:-1] = np.where(inside, -slope / np.where(inside, bend, 1), 0)
    return shift


def _troughs(curve: np.ndarray) -> np.ndarray:
    """Where a value is below both neighbours."""
    trough = np.zeros(curve.shape, bool)
    trough[..., 1:-1] = (curve[..., 1:-1] < curve[..., :-2]) & (curve[..., 1:-1] <= curve[..., 2:])
    trough[..., 0] = curve[..., 0] < curve[..., 1]
    trough[..., -1] = curve[..., -1] < curve[..., -2]
    return trough


@same_kind
def yin(
    waveform: Tensor,
    sample_rate: int,
    f_min: float,
    f_max: float,
    frame_length: int = 2048,
    hop_length: int | None = None,
    trough_threshold: float = 0.1,
    center: bool = True,
    pad_mode: str = "constant",
) -> Tensor:
    """Pitch by the first deep trough of the difference between a frame and its shifts.

    Args:
        waveform: (..., t) samples, floating, of one voice.
        sample_rate: in Hz.
        f_min: lowest pitch in Hz; 65 for voices.
        f_max: highest pitch in Hz.
        frame_length: in samples; two periods of f_min or more.
        hop_length: step between frames in samples; default frame_length // 4.
        trough_threshold: how deep a trough is deep; else the deepest one counts.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.

    Returns:
        (..., frames) Hz, in the dtype of the waveform; also where there is no pitch at all: use
        `pyin` to know.

    Raises:
        ShapeError: the range of pitches does not fit the sample rate or the frames.

    Source: De Cheveigne and Kawahara 2002.
    """
    shortest, longest = _check("yin", sample_rate, f_min, f_max, frame_length)
    hop_length = frame_length // 4 if hop_length is None else hop_length
    pad = pad_mode if center else ""
    curve = _differences(waveform, frame_length, hop_length, shortest, longest, pad)
    deep = _troughs(curve) & (curve < trough_threshold)
    best = np.where(deep.any(-1), deep.argmax(-1), curve.argmin(-1))[..., None]
    period = shortest + best + np.take_along_axis(_shifts(curve), best, -1)
    pitch = sample_rate / period[..., 0]
    return tp.as_tensor(pitch, dtype=waveform.dtype, device=waveform.device)


@functools.lru_cache(maxsize=8)
def _beta_weights(n_thresholds: int, a: float, b: float) -> np.ndarray:
    """(n_thresholds,) how likely each threshold is."""
    from scipy.special import betainc

    return np.diff(betainc(a, b, np.linspace(0, 1, n_thresholds + 1)))


def _chances(
    curve: np.ndarray, weights: np.ndarray, boltzmann: float, no_trough: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of all troughs: their frame, their period, and how likely it is the pitch."""
    at_frame, at_period = np.nonzero(_troughs(curve))
    heights = curve[at_frame, at_period]
    thresholds = np.linspace(0, 1, len(weights) + 1)[1:]
    below = heights[:, None] < thresholds  # (troughs, thresholds)
    first = np.searchsorted(at_frame, at_frame)  # the first trough of the same frame
    sums = np.concatenate([np.zeros((1, len(weights)), int), np.cumsum(below, 0)])
    end = np.searchsorted(at_frame, at_frame, "right")
    place, count = sums[1:] - sums[first] - 1, sums[end] - sums[first]
    share = 1 - np.exp(-boltzmann)
    prior = share * np.exp(-boltzmann * place) / (1 - np.exp(-boltzmann * np.maximum(count, 1)))
    chance = np.where(below, prior, 0) @ weights
    starts = np.flatnonzero(np.diff(at_frame, prepend=-1))
    if len(starts):
        lowest = np.minimum.reduceat(heights, starts)[
            np.cumsum(np.diff(at_frame, prepend=-1) > 0) - 1
        ]
        deepest = np.flatnonzero(heights == lowest)
        deepest = deepest[np.diff(at_frame[deepest], prepend=-1) > 0]
        chance[deepest] += no_trough * ((~below[deepest]) @ weights)
    return at_frame, at_period, chance


@functools.lru_cache(maxsize=8)
def _transitions(n_bins: int, width: int, switch: float) -> np.ndarray:
    """(2 n, 2 n) between voiced bins, then unvoiced ones: near bins, and rarely the other half."""
    distance = np.abs(np.arange(n_bins)[:, None] - np.arange(n_bins))
    local = np.maximum((width + 1) / 2 - distance, 0)
    local /= local.sum(1, keepdims=True)
    return np.asarray(np.kron([[1 - switch, switch], [switch, 1 - switch]], local))


def _observations(
    curve: np.ndarray,
    chances: tuple[np.ndarray, np.ndarray, np.ndarray],
    first_period: int,
    sample_rate: int,
    f_min: float,
    per_octave: int,
    n_bins: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(2 n, frames) how likely each bin is, and (frames,) how likely there is a pitch."""
    at_frame, at_period, chance = chances
    period = first_period + at_period + _shifts(curve)[at_frame, at_period]
    bins = np.round(per_octave * np.log2(sample_rate / period / f_min))
    bins = np.clip(bins, 0, n_bins).astype(int)
    out = np.zeros((2 * n_bins, len(curve)))
    likely = chance > 0
    # A later trough of the same bin replaces an earlier one, as in the authors' table
    order = np.lexsort((at_frame[likely], at_period[likely]))
    out[bins[likely][order], at_frame[likely][order]] = chance[likely][order]
    voiced = np.clip(out[:n_bins].sum(0), 0, 1)
    out[n_bins:] = (1 - voiced) / n_bins
    return out, voiced


@same_kind
def pyin(
    waveform: Tensor,
    sample_rate: int,
    f_min: float,
    f_max: float,
    frame_length: int = 2048,
    hop_length: int | None = None,
    n_thresholds: int = 100,
    beta_parameters: tuple[float, float] = (2.0, 18.0),
    boltzmann_parameter: float = 2.0,
    resolution: float = 0.1,
    max_transition_rate: float = 35.92,
    switch_prob: float = 0.01,
    no_trough_prob: float = 0.01,
    fill_na: float | None = math.nan,
    center: bool = True,
    pad_mode: str = "constant",
) -> tuple[Tensor, Tensor, Tensor]:
    """Pitch and whether there is one: YIN with many thresholds, and the likeliest path over time.

    Args:
        waveform: (..., t) samples, floating, of one voice.
        sample_rate: in Hz.
        f_min: lowest pitch in Hz; 65 for voices.
        f_max: highest pitch in Hz.
        frame_length: in samples; two periods of f_min or more.
        hop_length: step between frames in samples; default frame_length // 4.
        n_thresholds: how many thresholds are tried.
        beta_parameters: of the distribution of thresholds.
        boltzmann_parameter: how much earlier troughs are preferred.
        resolution: of the pitch, in semitones.
        max_transition_rate: how fast the pitch may move, in octaves per second.
        switch_prob: how likely a voice starts or stops from frame to frame.
        no_trough_prob: how much the deepest trough counts if it is above the threshold.
        fill_na: what is put where there is no pitch; None for the best guess.
        center: frame k is centred at sample k * hop_length.
        pad_mode: how the signal is extended then.

    Returns:
        Pitch in Hz, whether there is one (bool), and how likely that is; each (..., frames).

    Raises:
        ShapeError: the range of pitches does not fit the sample rate or the frames.

    Source: Mauch and Dixon 2014; constants as in librosa.pyin.
    """
    shortest, longest = _check("pyin", sample_rate, f_min, f_max, frame_length)
    hop_length = frame_length // 4 if hop_length is None else hop_length
    pad = pad_mode if center else ""
    curves = _differences(waveform, frame_length, hop_length, shortest, longest, pad)
    weights = _beta_weights(n_thresholds, *beta_parameters)
    per_semitone = math.ceil(1 / resolution)
    n_bins = math.floor(12 * per_semitone * math.log2(f_max / f_min)) + 1
    tables, likely = [], []
    for curve in curves.reshape(-1, *curves.shape[-2:]):
        chances = _chances(curve, weights, boltzmann_parameter, no_trough_prob)
        plan = (shortest, sample_rate, f_min, 12 * per_semitone, n_bins)
        table, voiced = _observations(curve, chances, *plan)
        tables.append(table)
        likely.append(voiced)
    width = round(max_transition_rate * 12 * hop_length / sample_rate) * per_semitone + 1
    change = tp.as_tensor(_transitions(n_bins, width, switch_prob))
    states = viterbi(tp.as_tensor(np.stack(tables)), change).numpy()
    hz = f_min * 2 ** (np.arange(n_bins) / (12 * per_semitone))
    flags = states < n_bins
    pitch = hz[states % n_bins]
    if fill_na is not None:
        pitch[~flags] = fill_na
    shape = curves.shape[:-1]
    return (
        tp.as_tensor(pitch.reshape(shape), device=waveform.device),
        tp.as_tensor(flags.reshape(shape), device=waveform.device),
        tp.as_tensor(np.stack(likely).reshape(shape), device=waveform.device),
    )
