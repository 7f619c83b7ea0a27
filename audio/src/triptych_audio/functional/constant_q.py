"""Constant-Q and variable-Q transforms: spectra with the same number of bins in each octave."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, ShapeError
from triptych_audio.functional.resampling import resample
from triptych_audio.functional.units import note_to_hz
from triptych_audio.interop import same_kind

__all__ = ["cqt", "icqt", "vqt"]

# Hann window of 1000 samples: bandwidth in bins, n * sum(w ** 2) / sum(w) ** 2
HANN_BANDWIDTH = 1.5001831054687500
# Glasberg and Moore 1990, eq. 3: a critical band is 24.7 Hz + 0.108 f
ERB_OFFSET_HZ, ERB_SLOPE = 24.7, 0.108
# A long filter, flat up to 0.87 of the band: what the octaves below need, without loss
DECIMATION: dict[str, Any] = {
    "lowpass_filter_width": 64,
    "rolloff": 0.94,
    "resampling_method": "sinc_interp_kaiser",
}


class Bins(NamedTuple):
    """Where the bins of a transform lie.

    Attributes:
        hz: (n_bins,) middles.
        alpha: (n_bins,) half the distance of neighbours, as a share of the frequency.
        cutoff: the highest frequency that a filter passes, in Hz.
        octave: bins in an octave.
        filter_scale: length of the filters; below 1 is shorter in time and wider in frequency.
        gamma: what is added to the width of all filters, in Hz; None for critical bands.
    """

    hz: np.ndarray
    alpha: np.ndarray
    cutoff: float
    octave: int
    filter_scale: float
    gamma: float | None

    def offsets(self) -> np.ndarray:
        """(n_bins,) Hz that are added to the widths."""
        if self.gamma is None:
            return np.asarray(self.alpha * (ERB_OFFSET_HZ / ERB_SLOPE))
        return np.full_like(self.alpha, self.gamma)

    def lengths(self, sample_rate: float) -> np.ndarray:
        """(n_bins,) lengths of the filters in samples."""
        q = self.filter_scale / self.alpha
        return np.asarray(q * sample_rate / (self.hz + self.offsets() / self.alpha))


def _relative_width(hz: np.ndarray, octave: int) -> np.ndarray:
    """(n_bins,) half the distance of a bin's neighbours, relative to its frequency."""
    steps = np.diff(np.log2(hz)) if len(hz) > 1 else np.array([1 / octave])
    around = np.concatenate([steps[:1], steps, steps[-1:]])
    step = (around[:-1] + around[1:]) / 2 if len(hz) > 1 else steps
    return np.asarray((4.0**step - 1) / (4.0**step + 1))


@functools.lru_cache(maxsize=32)
def _bins(
    f_min: float,
    n_bins: int,
    ratios: tuple[float, ...],
    filter_scale: float,
    gamma: float | None,
) -> Bins:
    octaves = 2.0 ** np.arange(-(-n_bins // len(ratios)))
    hz = f_min * np.sort(np.outer(octaves, ratios).ravel()[:n_bins])
    alpha = _relative_width(hz, len(ratios))
    bins = Bins(hz, alpha, 0.0, len(ratios), filter_scale, gamma)
    reach = hz * (1 + 0.5 * HANN_BANDWIDTH * alpha / filter_scale) + 0.5 * bins.offsets()
    return bins._replace(cutoff=float(reach.max()))


def _filter(length: float, cycles: float, size: int) -> np.ndarray:
    """A Hann-windowed complex tone of sum one, in the middle of `size` samples."""
    n = np.arange(-length // 2, length // 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(n)) / len(n))
    tone = np.exp(2j * np.pi * cycles * n) * window
    before = (size - len(n)) // 2
    return np.pad(tone / np.abs(tone).sum(), (before, size - len(n) - before))


def _without_small(spectra: np.ndarray, share: float) -> np.ndarray:
    """Rows without their smallest values, which together hold `share` of the magnitude."""
    size = np.abs(spectra)
    ranked = np.sort(size, axis=1)
    sums = np.cumsum(ranked / size.sum(axis=1, keepdims=True), axis=1)
    first = np.argmin(sums < share, axis=1)
    least = np.take_along_axis(ranked, first[:, None], axis=1)
    return np.where(size >= least, spectra, 0)


@functools.lru_cache(maxsize=64)
def _octave_filters(
    sample_rate: float,
    hz: tuple[float, ...],
    lengths: tuple[float, ...],
    sparsity: float,
) -> np.ndarray:
    """(bins, n_fft // 2 + 1) spectra of the filters of an octave, complex128."""
    n_fft = 2 ** math.ceil(math.log2(max(lengths)))
    rows = [
        length / n_fft * _filter(length, f / sample_rate, n_fft)
        for f, length in zip(hz, lengths, strict=True)
    ]
    # Single precision, as in librosa: the cut of small values sits on rounded ones
    spectra = np.fft.fft(np.asarray(rows, np.complex64), axis=1)[:, : n_fft // 2 + 1]
    return _without_small(spectra, sparsity)


def _filters_of(bins: Bins, octave: slice, sample_rate: float, sparsity: float) -> np.ndarray:
    lengths = bins.lengths(sample_rate)[octave]
    return _octave_filters(
        sample_rate, tuple(bins.hz[octave].tolist()), tuple(lengths.tolist()), sparsity
    )


def _as_complex(filters: np.ndarray, like: Tensor) -> Tensor:
    wide = like.dtype in (tp.float64, tp.complex128)
    return tp.as_tensor(filters, dtype=tp.complex128 if wide else tp.complex64, device=like.device)


def _rectangle(n_fft: int, like: Tensor) -> Tensor:
    dtype = tp.float64 if like.dtype in (tp.float64, tp.complex128) else tp.float32
    return tp.ones(n_fft, dtype=dtype, device=like.device)


def _halved(waveform: Tensor, factor: int = 2) -> Tensor:
    """At a lower rate, and louder, so that the energy stays."""
    return resample(waveform, factor, 1, **DECIMATION) * math.sqrt(factor)


def _spare_octaves(sample_rate: int, cutoff: float, hop_length: int, n_octaves: int) -> int:
    """How often the rate can be halved before the first octave."""
    by_band = math.ceil(math.log2(sample_rate / 2 / cutoff)) - 2
    twos = (hop_length & -hop_length).bit_length() - 1
    return max(0, min(by_band, twos - n_octaves + 1))


def _ratios(intervals: str | Sequence[float], bins_per_octave: int) -> tuple[float, ...]:
    if isinstance(intervals, str):
        if intervals != "equal":
            raise DTypeError(
                f"vqt: intervals is 'equal' or the frequency ratios of an octave, got {intervals!r}"
            )
        return tuple((2.0 ** (np.arange(bins_per_octave) / bins_per_octave)).tolist())
    return tuple(float(r) for r in intervals)


def _lowest(f_min: float | None, tuning: float, bins_per_octave: int) -> float:
    lowest = note_to_hz("C1") if f_min is None else f_min
    return float(lowest * 2.0 ** (tuning / bins_per_octave))


def _check(name: str, sample_rate: int, hop_length: int, bins: Bins) -> None:
    if hop_length < 1 or bins.hz[0] <= 0:
        raise ShapeError(
            f"{name}: wanted hop_length > 0 and f_min > 0, got {hop_length} and {bins.hz[0]}"
        )
    if bins.cutoff > sample_rate / 2:
        raise ShapeError(
            f"{name}: the highest of {len(bins.hz)} filters reaches {bins.cutoff:.0f} Hz, beyond "
            f"half the sample rate of {sample_rate}; use fewer bins or a lower f_min"
        )


@same_kind
def vqt(
    waveform: Tensor,
    sample_rate: int,
    hop_length: int = 512,
    f_min: float | None = None,
    n_bins: int = 84,
    bins_per_octave: int = 12,
    tuning: float | None = 0.0,
    *,
    intervals: str | Sequence[float] = "equal",
    gamma: float | None = None,
    filter_scale: float = 1.0,
    sparsity: float = 0.01,
    scale: bool = True,
    pad_mode: str = "constant",
) -> Tensor:
    """The variable-Q transform: low filters are wider, so that they answer sooner.

    Octave by octave the waveform is halved in rate, so that all octaves use short filters.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        hop_length: step between frames in samples; powers of two are fastest.
        f_min: the lowest bin in Hz; default C1, 32.7 Hz.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins; None for an estimate.
        intervals: "equal", or the rising frequency ratios of an octave, which then count the bins.
        gamma: what is added to the width of all filters, in Hz; None for the ear's critical bands.
        filter_scale: length of the filters; below 1 is shorter in time and wider in frequency.
        sparsity: the share of a filter's magnitude that may be dropped.
        scale: divide by the root of the filter length, so that all bins are comparable.
        pad_mode: how the signal is extended at both ends.

    Returns:
        (..., n_bins, frames) complex.

    Raises:
        ShapeError: a filter would leave the spectrum, or the waveform is too short.
        DTypeError: intervals is unknown.

    Source: Schoerkhuber and Klapuri 2010; Schoerkhuber et al. 2014; arguments as librosa.vqt.
    """
    ratios = _ratios(intervals, bins_per_octave)
    if tuning is None:
        tuning = _estimated_tuning(waveform, sample_rate, len(ratios))
    bins = _bins(_lowest(f_min, tuning, len(ratios)), n_bins, ratios, filter_scale, gamma)
    _check("vqt", sample_rate, hop_length, bins)
    x, rate, hop = waveform, float(sample_rate), hop_length
    n_octaves = -(-n_bins // bins.octave)
    if spare := _spare_octaves(sample_rate, bins.cutoff, hop, n_octaves):
        x = _halved(x, 2**spare) * (1.0 if scale else math.sqrt(2**spare))
        rate, hop = rate / 2**spare, hop // 2**spare
    top_rate, octaves = rate, []
    for end in range(n_bins, 0, -bins.octave):
        octave = slice(max(end - bins.octave, 0), end)
        octaves.append(_response(x, bins, octave, rate, hop, sparsity, top_rate, pad_mode))
        if hop % 2 == 0 and end > bins.octave:
            x, rate, hop = _halved(x), rate / 2, hop // 2
    frames = min(o.shape[-1] for o in octaves)
    joined = tp.cat([o[..., :frames] for o in reversed(octaves)], -2)
    if scale:
        lengths = np.sqrt(bins.lengths(top_rate))[:, None]
        joined = joined / tp.as_tensor(lengths, dtype=x.dtype, device=x.device)
    return joined


def _estimated_tuning(waveform: Tensor, sample_rate: int, bins_per_octave: int) -> float:
    from triptych_audio.functional.chroma import estimate_tuning

    x = waveform.detach()
    window = tp.hann_window(2048, dtype=x.dtype, device=x.device)
    spectra = tp.stft(x, 2048, 512, 2048, window, pad_mode="constant", return_complex=True)
    return float(estimate_tuning(spectra.abs(), sample_rate, bins_per_octave))


def _response(
    x: Tensor,
    bins: Bins,
    octave: slice,
    rate: float,
    hop: int,
    sparsity: float,
    top_rate: float,
    pad_mode: str,
) -> Tensor:
    """(..., bins of the octave, frames) complex."""
    filters = _filters_of(bins, octave, rate, sparsity) * math.sqrt(top_rate / rate)
    n_fft = 2 * (filters.shape[1] - 1)
    window = _rectangle(n_fft, x)
    spectra = tp.stft(x, n_fft, hop, n_fft, window, pad_mode=pad_mode, return_complex=True)
    return tp.matmul(_as_complex(filters, x), spectra)


@same_kind
def cqt(
    waveform: Tensor,
    sample_rate: int,
    hop_length: int = 512,
    f_min: float | None = None,
    n_bins: int = 84,
    bins_per_octave: int = 12,
    tuning: float | None = 0.0,
    *,
    filter_scale: float = 1.0,
    sparsity: float = 0.01,
    scale: bool = True,
    pad_mode: str = "constant",
) -> Tensor:
    """The constant-Q transform: bins like the keys of a piano, all with as many cycles.

    Args:
        waveform: (..., t) samples, floating.
        sample_rate: in Hz.
        hop_length: step between frames in samples; powers of two are fastest.
        f_min: the lowest bin in Hz; default C1, 32.7 Hz.
        n_bins: number of bins.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins; None for an estimate.
        filter_scale: length of the filters; below 1 is shorter in time and wider in frequency.
        sparsity: the share of a filter's magnitude that may be dropped.
        scale: divide by the root of the filter length, so that all bins are comparable.
        pad_mode: how the signal is extended at both ends.

    Returns:
        (..., n_bins, frames) complex.

    Raises:
        ShapeError: a filter would leave the spectrum, or the waveform is too short.

    Example:
        >>> cqt(tp.zeros(2, 22050), 22050).shape
        Size([2, 84, 44])

    Source: Brown 1991; Schoerkhuber and Klapuri 2010; arguments as librosa.cqt.
    """
    size = (hop_length, f_min, n_bins, bins_per_octave, tuning)
    return vqt(
        waveform,
        sample_rate,
        *size,
        gamma=0.0,
        filter_scale=filter_scale,
        sparsity=sparsity,
        scale=scale,
        pad_mode=pad_mode,
    )


@same_kind
def icqt(
    spectra: Tensor,
    sample_rate: int,
    hop_length: int = 512,
    f_min: float | None = None,
    bins_per_octave: int = 12,
    tuning: float = 0.0,
    *,
    filter_scale: float = 1.0,
    sparsity: float = 0.01,
    scale: bool = True,
    length: int | None = None,
) -> Tensor:
    """A waveform for a constant-Q transform, close to the one it was made of.

    Args:
        spectra: (..., n_bins, frames) complex, as `cqt` gives it.
        sample_rate: in Hz.
        hop_length: step between frames in samples, as for `cqt`.
        f_min: the lowest bin in Hz; default C1.
        bins_per_octave: bins in an octave.
        tuning: shift of all bins, in bins.
        filter_scale: as for `cqt`.
        sparsity: as for `cqt`.
        scale: as for `cqt`.
        length: samples wanted; default as far as the frames reach.

    Returns:
        (..., t) samples. Frequencies outside the bins are lost.

    Raises:
        DTypeError: the spectra are not complex.
        ShapeError: a filter would leave the spectrum.

    Source: Schoerkhuber and Klapuri 2010; arguments as librosa.icqt.
    """
    if not spectra.is_complex():
        raise DTypeError(f"icqt: wanted complex spectra, got {spectra.dtype}; keep the phases")
    ratios = _ratios("equal", bins_per_octave)
    n_bins = spectra.shape[-2]
    lowest = _lowest(f_min, tuning, bins_per_octave)
    bins = _bins(lowest, n_bins, ratios, filter_scale, 0.0)
    _check("icqt", sample_rate, hop_length, bins)
    lengths = bins.lengths(sample_rate)
    if length is not None:
        spectra = spectra[..., : math.ceil((length + lengths.max()) / hop_length)]
    starts = range(0, n_bins, bins_per_octave)
    parts = []
    for i, start in enumerate(starts):
        octave = slice(start, min(start + bins_per_octave, n_bins))
        halvings = min(len(starts) - 1 - i, (hop_length & -hop_length).bit_length() - 1)
        factor = 2**halvings
        filters = _filters_of(bins, octave, sample_rate / factor, sparsity)
        n_fft = 2 * (filters.shape[1] - 1)
        gains = n_fft / lengths[octave] / (np.abs(filters) ** 2).sum(axis=1)
        if scale:
            gains *= np.sqrt(lengths[octave])
        inverse = _as_complex((filters.conj() * gains[:, None]).T, spectra)
        frames = tp.matmul(inverse, spectra[..., octave, :])
        part = _overlapped(tp.fft.irfft(frames, n_fft, -2).mT, hop_length // factor)
        parts.append(resample(part, 1, factor, **DECIMATION) if factor > 1 else part)
    return _sum(parts, length)


def _overlapped(frames: Tensor, hop: int) -> Tensor:
    """Frames (..., frames, n) at their places, divided by how many cover a sample."""
    n, count = frames.shape[-1], frames.shape[-2]
    pieces = -(-n // hop)
    padded = tp.nn.functional.pad(frames, (0, pieces * hop - n))
    total, covered = None, np.zeros((count + pieces - 1, hop))
    inside = (np.arange(pieces * hop) < n).reshape(pieces, hop)
    for i in range(pieces):
        piece = padded[..., i * hop : (i + 1) * hop]
        late = tp.nn.functional.pad(piece, (0, 0, i, pieces - 1 - i))
        total = late if total is None else total + late
        covered[i : i + count] += inside[i]
    weights = tp.as_tensor(1 / np.maximum(covered, 1), dtype=frames.dtype, device=frames.device)
    signal: Tensor = (total * weights).reshape(*frames.shape[:-2], -1)
    return signal[..., n // 2 : n // 2 + (count - 1) * hop]


def _sum(parts: list[Tensor], length: int | None) -> Tensor:
    """Signals of different lengths, added; as long as the first one, or as `length` says."""
    t = parts[0].shape[-1] if length is None else length
    total = tp.zeros((*parts[0].shape[:-1], t), dtype=parts[0].dtype, device=parts[0].device)
    for part in parts:
        short = t - part.shape[-1]
        total = total + (tp.nn.functional.pad(part, (0, short)) if short > 0 else part[..., :t])
    return total
