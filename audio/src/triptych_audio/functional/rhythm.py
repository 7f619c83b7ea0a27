"""Onsets, tempo and beats."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.functional.amplitude import amplitude_to_DB
from triptych_audio.functional.filterbanks import melscale_fbanks
from triptych_audio.functional.filters import deemphasis
from triptych_audio.functional.spectra import spectrogram
from triptych_audio.functional.units import frames_to_samples, frames_to_time
from triptych_audio.interop import floating_samples, same_kind

__all__ = ["beat_track", "onset_detect", "onset_strength", "tempo", "tempogram"]

N_MELS = 128
AGGREGATES: dict[str, Callable[[Tensor], Tensor]] = {
    "max": lambda x: x.amax(-2),
    "mean": lambda x: x.mean(-2),
    "median": lambda x: x.quantile(0.5, -2),
}


@functools.lru_cache(maxsize=8)
def _mel_bank(sample_rate: int, n_freqs: int) -> Tensor:
    design = (n_freqs, 0.0, sample_rate / 2, N_MELS, sample_rate)
    return melscale_fbanks(*design, "slaney", "slaney").mT.contiguous()


@same_kind
def onset_strength(
    waveform: Tensor,
    sample_rate: int,
    n_fft: int = 2048,
    hop_length: int = 512,
    lag: int = 1,
    detrend: bool = False,
    center: bool = True,
    aggregate: str = "mean",
) -> Tensor:
    """How much louder the bands of each frame are than before: high where a note starts.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        n_fft: frame length in samples.
        hop_length: step between frames in samples.
        lag: how many frames before.
        detrend: remove slow changes.
        center: shift the result to the middles of frames.
        aggregate: how bands are put together: "mean", "median" or "max".

    Returns:
        (..., frames), in dB.

    Raises:
        DTypeError: aggregate is unknown, or samples are integers.
        ShapeError: lag is not positive, or the waveform is shorter than half a frame.

    Source: Boeck and Widmer 2013, eq. 1, without the maximum filter; librosa.onset.
    """
    if aggregate not in AGGREGATES or lag < 1:
        raise (ShapeError if lag < 1 else DTypeError)(
            f"onset_strength: wanted lag > 0 and aggregate one of {sorted(AGGREGATES)}, got "
            f"{lag} and {aggregate!r}"
        )
    floating_samples("onset_strength", waveform, 1)
    window = tp.hann_window(n_fft, dtype=waveform.dtype, device=waveform.device)
    frame = (n_fft, hop_length, n_fft)
    power = spectrogram(waveform, 0, window, *frame, 2.0, False, pad_mode="constant")
    bands = tp.signal.band_sums(power, _mel_bank(sample_rate, power.shape[-2]).to(power))
    levels = amplitude_to_DB(bands, 10.0, 1e-10, 0.0, 80.0)
    frames = levels.shape[-1]
    rise = AGGREGATES[aggregate]((levels[..., lag:] - levels[..., :-lag]).relu())
    late = lag + (n_fft // (2 * hop_length) if center else 0)
    strength = tp.nn.functional.pad(rise, (late, 0))
    if detrend:
        slope = tp.cat([strength[..., :1], strength[..., 1:] - strength[..., :-1]], -1)
        strength = deemphasis(slope, 0.99, clamp=False)
    return strength[..., :frames] if center else strength


def _envelope(
    name: str,
    waveform: Tensor | None,
    sample_rate: int,
    envelope: Tensor | None,
    hop_length: int,
    aggregate: str = "mean",
) -> np.ndarray:
    if envelope is None:
        if waveform is None:
            raise ShapeError(f"{name}: wanted a waveform or an onset_envelope, got neither")
        x = waveform.detach()
        envelope = onset_strength(x, sample_rate, hop_length=hop_length, aggregate=aggregate)
    return np.asarray(envelope.detach().cpu().numpy())


def _one_channel(name: str, envelope: np.ndarray) -> None:
    if envelope.ndim != 1:
        raise ShapeError(
            f"{name}: wanted one channel, as each has other times; got {envelope.shape} frames: "
            "use to_mono first, or call it for each channel"
        )


def _around(x: np.ndarray, before: int, after: int, function: Any, fill: float) -> np.ndarray:
    """`function` over the frames from `before` before to below `after` after each frame."""
    padded = np.pad(x, (before, max(after - 1, 0)), constant_values=fill)
    views = np.lib.stride_tricks.sliding_window_view(padded, before + max(after, 1))
    return np.asarray(function(views, -1))


def _picked(
    x: np.ndarray, maxima: tuple[int, int], means: tuple[int, int], delta: float, wait: int
) -> np.ndarray:
    """Frames that are the largest around and well above the mean, some frames apart."""
    largest = _around(x, *maxima, np.max, -np.inf)
    mean = _around(x, *means, np.nanmean, np.nan)
    found: list[int] = []
    for i in np.flatnonzero((x == largest) & (x >= mean + delta)).tolist():
        if not found or i > found[-1] + wait:
            found.append(i)
    return np.array(found, np.int64)


def _in_units(
    name: str, frames: np.ndarray, units: str, sample_rate: int, hop_length: int
) -> np.ndarray:
    conversions: dict[str, Callable[[np.ndarray], Any]] = {
        "frames": lambda f: f,
        "samples": lambda f: frames_to_samples(f, hop_length),
        "time": lambda f: frames_to_time(f, sample_rate, hop_length),
    }
    if units not in conversions:
        raise DTypeError(f"{name}: units is one of {sorted(conversions)}, got {units!r}")
    return np.asarray(conversions[units](frames))


def _backtracked(onsets: np.ndarray, energy: np.ndarray) -> np.ndarray:
    """The last low point before each onset."""
    middle = energy[1:-1]
    low = np.flatnonzero((middle <= energy[:-2]) & (middle < energy[2:])) + 1
    low = np.unique(np.append(0, low))
    return np.asarray(low[np.searchsorted(low, onsets, "right") - 1])


@same_kind
def onset_detect(
    waveform: Tensor | None,
    sample_rate: int,
    hop_length: int = 512,
    *,
    onset_envelope: Tensor | None = None,
    backtrack: bool = False,
    energy: Tensor | None = None,
    normalize: bool = True,
    delta: float = 0.07,
    wait_s: float = 0.03,
    units: str = "frames",
) -> Tensor:
    """When notes start.

    Args:
        waveform: (t,) samples; None if onset_envelope is given.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        onset_envelope: (frames,) strengths; default `onset_strength` of the waveform.
        backtrack: move each onset back to where the energy starts to rise.
        energy: (frames,) for backtrack; default the strengths.
        normalize: scale strengths to between 0 and 1 first.
        delta: how far an onset stands above the mean around it.
        wait_s: shortest time between onsets, in seconds.
        units: "frames", "samples" or "time", in seconds.

    Returns:
        (n,) rising.

    Raises:
        ShapeError: more than one channel, or neither waveform nor onset_envelope.
        DTypeError: units is unknown.

    Source: Boeck, Krebs and Schedl 2012; constants as librosa.onset.onset_detect.
    """
    x = _envelope("onset_detect", waveform, sample_rate, onset_envelope, hop_length)
    _one_channel("onset_detect", x)
    if normalize and len(x):
        x = x - x.min()
        x = x / (x.max() + np.finfo(x.dtype).tiny)
    found = np.zeros(0, np.int64)
    if x.any() and np.isfinite(x).all():
        apart, near, far = (int(s * sample_rate // hop_length) for s in (wait_s, 0.03, 0.1))
        found = _picked(x, (near, 1), (far, far + 1), delta, apart)
    if backtrack and len(found):
        found = _backtracked(found, x if energy is None else energy.detach().cpu().numpy())
    return tp.as_tensor(_in_units("onset_detect", found, units, sample_rate, hop_length))


def _linear_ramp(x: np.ndarray, n: int) -> np.ndarray:
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(n, n)], mode="linear_ramp")


def _tempogram(envelope: np.ndarray, win_length: int, center: bool) -> np.ndarray:
    """(..., win_length, frames) autocorrelation of Hann-windowed pieces."""
    if win_length < 1:
        raise ShapeError(f"tempogram: wanted win_length > 0, got {win_length}")
    n = envelope.shape[-1]
    x = _linear_ramp(envelope, win_length // 2) if center else envelope
    if x.shape[-1] < win_length:
        raise ShapeError(f"tempogram: wanted at least {win_length} frames, got {x.shape[-1]}")
    pieces = np.lib.stride_tricks.sliding_window_view(x, win_length, -1)
    pieces = pieces[..., :n, :] if center else pieces
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(win_length) / win_length)
    n_fft = 1 << (2 * win_length - 1).bit_length()
    spectra = np.fft.rfft(pieces * window, n_fft)
    power = spectra.real**2 + spectra.imag**2
    return np.asarray(np.fft.irfft(power, n_fft)[..., :win_length].swapaxes(-1, -2))


@same_kind
def tempogram(onset_envelope: Tensor, win_length: int = 384, center: bool = True) -> Tensor:
    """How regular onsets are, by the time between them and over time.

    Args:
        onset_envelope: (..., frames) strengths, as `onset_strength` gives them.
        win_length: length of the pieces in frames.
        center: pieces lie around each frame.

    Returns:
        (..., win_length, frames): row k compares with k frames later; each column's largest is 1.

    Raises:
        ShapeError: fewer frames than a piece, or win_length is not positive.

    Source: Grosche, Mueller and Kurth 2010.
    """
    x = onset_envelope.detach().cpu().numpy()
    table = _tempogram(x, win_length, center)
    return tp.as_tensor(_unit_peaks(table).astype(x.dtype), device=onset_envelope.device)


def _unit_peaks(table: np.ndarray) -> np.ndarray:
    peak = np.abs(table).max(-2, keepdims=True)
    return np.asarray(table / np.where(peak < np.finfo(np.float64).tiny, 1, peak))


def _tempo(
    envelope: np.ndarray,
    sample_rate: int,
    hop_length: int,
    start_bpm: float,
    std_bpm: float = 1.0,
    ac_size: float = 8.0,
    max_tempo: float | None = 320.0,
) -> np.ndarray:
    if start_bpm <= 0:
        raise DomainError(f"tempo: wanted start_bpm > 0, got {start_bpm}")
    win_length = int(ac_size * sample_rate) // hop_length
    strengths = _unit_peaks(_tempogram(envelope, win_length, True)).mean(-1)
    bpm = np.full(win_length, np.inf)
    bpm[1:] = 60.0 * sample_rate / (hop_length * np.arange(1, win_length))
    with np.errstate(invalid="ignore"):
        prior = -0.5 * ((np.log2(bpm) - math.log2(start_bpm)) / std_bpm) ** 2
    if max_tempo is not None:
        prior[: int(np.argmax(bpm < max_tempo))] = -np.inf
    return np.asarray(bpm[(np.log1p(1e6 * strengths) + prior).argmax(-1)])


@same_kind
def tempo(
    waveform: Tensor | None,
    sample_rate: int,
    hop_length: int = 512,
    *,
    onset_envelope: Tensor | None = None,
    start_bpm: float = 120.0,
    std_bpm: float = 1.0,
    ac_size: float = 8.0,
    max_tempo: float | None = 320.0,
) -> Tensor:
    """Beats per minute of a whole piece.

    Args:
        waveform: (..., t) samples; None if onset_envelope is given.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        onset_envelope: (..., frames) strengths; default `onset_strength` of the waveform.
        start_bpm: the tempo that is expected.
        std_bpm: how far from it, in octaves.
        ac_size: length of the pieces that are compared, in seconds.
        max_tempo: nothing is faster.

    Returns:
        (...,) beats per minute.

    Raises:
        ShapeError: neither waveform nor onset_envelope.
        DomainError: start_bpm is not positive.

    Source: Ellis 2007, Beat tracking by dynamic programming; librosa.feature.tempo.
    """
    x = _envelope("tempo", waveform, sample_rate, onset_envelope, hop_length)
    found = _tempo(x, sample_rate, hop_length, start_bpm, std_bpm, ac_size, max_tempo)
    return tp.as_tensor(found)


def _chained(score: np.ndarray, period: int, tightness: float) -> tuple[np.ndarray, np.ndarray]:
    """The best sum of scores up to each frame, and the beat before it, -1 for none."""
    distance = np.arange(round(period / 2), 2 * period + 1)
    distance = distance[distance > 0]
    penalty = tightness * (np.log(distance) - math.log(period)) ** 2
    total, back = score.copy(), np.full(len(score), -1)
    least, started = 0.01 * score.max(), False
    for i in range(len(score)):
        n = int(np.searchsorted(distance, i, "right"))
        if n:
            chain = total[i - distance[:n]] - penalty[:n]
            best = int(chain.argmax())
            total[i] = score[i] + chain[best]
        started = started or score[i] >= least
        if n and started:
            back[i] = i - distance[best]
    return total, back


def _last_beat(total: np.ndarray) -> int:
    peak = np.zeros(len(total), bool)
    peak[1:-1] = (total[1:-1] > total[:-2]) & (total[1:-1] >= total[2:])
    peak[-1] = len(total) > 1 and total[-1] > total[-2]
    if not peak.any():
        return len(total) - 1
    good = np.flatnonzero(peak & (total >= 0.5 * np.median(total[peak])))
    return int(good[-1]) if len(good) else len(total) - 1


def _beats(envelope: np.ndarray, period: int, tightness: float, trim: bool) -> np.ndarray:
    """(n,) frames."""
    deviation = envelope.std(ddof=1)
    x = envelope / (deviation + np.finfo(envelope.dtype).tiny)
    offsets = np.arange(-period, period + 1)
    score = np.convolve(x, np.exp(-0.5 * (offsets * 32.0 / period) ** 2))[period:][: len(x)]
    total, back = _chained(score, period, tightness)
    beats, at = [], _last_beat(total)
    while at >= 0:
        beats.append(at)
        at = int(back[at])
    frames = np.array(beats[::-1])
    smooth = np.convolve(score[frames], np.hanning(5))[2 : len(score) + 2]
    least = 0.5 * math.sqrt(np.mean(smooth**2)) if trim else 0.0
    strong = score > least
    first, last = int(strong.argmax()), len(score) - 1 - int(strong[::-1].argmax())
    return np.asarray(frames[(frames >= first) & (frames <= last)])


@same_kind
def beat_track(
    waveform: Tensor | None,
    sample_rate: int,
    hop_length: int = 512,
    *,
    onset_envelope: Tensor | None = None,
    start_bpm: float = 120.0,
    tightness: float = 100.0,
    trim: bool = True,
    bpm: float | None = None,
    units: str = "frames",
) -> tuple[float, Tensor]:
    """The tempo, and when each beat falls.

    Args:
        waveform: (t,) samples; None if onset_envelope is given.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        onset_envelope: (frames,) strengths; default `onset_strength` of the waveform, with the
            median over bands.
        start_bpm: the tempo that is expected.
        tightness: how steady the beat is.
        trim: leave weak beats at both ends out.
        bpm: the tempo, if it is known.
        units: "frames", "samples" or "time", in seconds.

    Returns:
        Beats per minute, and (n,) times of the beats; 0 and none for silence.

    Raises:
        ShapeError: more than one channel, or neither waveform nor onset_envelope.
        DomainError: bpm or tightness is not positive.
        DTypeError: units is unknown.

    Source: Ellis 2007, Beat tracking by dynamic programming; constants as librosa.beat.
    """
    x = _envelope("beat_track", waveform, sample_rate, onset_envelope, hop_length, "median")
    _one_channel("beat_track", x)
    if tightness <= 0 or (bpm is not None and bpm <= 0):
        raise DomainError(f"beat_track: wanted tightness and bpm > 0, got {tightness} and {bpm}")
    found, speed = np.zeros(0, np.int64), 0.0
    if x.any():
        speed = float(_tempo(x, sample_rate, hop_length, start_bpm)) if bpm is None else bpm
        period = max(1, round(60.0 * sample_rate / hop_length / speed))
        found = _beats(x, period, tightness, trim)
    return speed, tp.as_tensor(_in_units("beat_track", found, units, sample_rate, hop_length))
