"""How much of an estimated signal is the signal, in dB."""

from __future__ import annotations

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["sdr", "si_sdr", "snr"]


def _check(name: str, preds: Tensor, target: Tensor) -> None:
    if preds.shape != target.shape or not preds.ndim:
        raise ShapeError(
            f"{name}: wanted two signals of the same shape (..., t), got {tuple(preds.shape)} and "
            f"{tuple(target.shape)}"
        )


def _ratio(signal: Tensor, noise: Tensor) -> Tensor:
    eps = tp.finfo(signal.dtype).eps
    energy, rest = (v.square().sum(-1) + eps for v in (signal, noise))
    decibels: Tensor = 10 * (energy / rest).log10()
    return decibels


@same_kind
def snr(preds: Tensor, target: Tensor, zero_mean: bool = False) -> Tensor:
    """Signal-to-noise ratio: everything that is not the target is noise.

    Args:
        preds: (..., t) estimates.
        target: (..., t) what is right.
        zero_mean: subtract means first.

    Returns:
        (...,) dB; with gradients.

    Raises:
        ShapeError: shapes differ.

    Example:
        >>> round(snr(tp.tensor([1.1, -1.1]), tp.tensor([1.0, -1.0])).item(), 3)
        20.0
    """
    _check("snr", preds, target)
    if zero_mean:
        preds, target = (v - v.mean(-1, keepdim=True) for v in (preds, target))
    return _ratio(target, target - preds)


@same_kind
def si_sdr(preds: Tensor, target: Tensor, zero_mean: bool = True) -> Tensor:
    """Scale-invariant signal-to-distortion ratio: louder or softer is no error.

    Args:
        preds: (..., t) estimates.
        target: (..., t) what is right.
        zero_mean: subtract means first.

    Returns:
        (...,) dB; with gradients.

    Raises:
        ShapeError: shapes differ.

    Source: Le Roux et al. 2019, SDR - half-baked or well done?, eq. 4.
    """
    _check("si_sdr", preds, target)
    if zero_mean:
        preds, target = (v - v.mean(-1, keepdim=True) for v in (preds, target))
    eps = tp.finfo(preds.dtype).eps
    energy = target.square().sum(-1, keepdim=True) + eps
    scaled = ((preds * target).sum(-1, keepdim=True) + eps) / energy * target
    return _ratio(scaled, scaled - preds)


def _explained(estimate: np.ndarray, target: np.ndarray, taps: int) -> float:
    """The share of the estimate's energy that a filter of the target can make."""
    from scipy.linalg import solve_toeplitz

    n_fft = 1 << (len(target) + taps - 1).bit_length()
    spectrum = np.fft.rfft(target, n_fft)
    own = np.fft.irfft(np.abs(spectrum) ** 2, n_fft)[:taps]
    cross = np.fft.irfft(spectrum.conj() * np.fft.rfft(estimate, n_fft), n_fft)[:taps]
    own[0] *= 1 + 1e-10  # keeps silence and pure tones solvable
    if own[0] == 0:
        return 0.0
    return float(cross @ solve_toeplitz(own, cross) / (estimate @ estimate))


@same_kind
def sdr(preds: Tensor, target: Tensor, filter_length: int = 512, zero_mean: bool = False) -> Tensor:
    """Signal-to-distortion ratio of BSS Eval: what a short filter does to the target is no error.

    Args:
        preds: (..., t) estimates.
        target: (..., t) what is right.
        filter_length: of the filter, in samples.
        zero_mean: subtract means first.

    Returns:
        (...,) dB, float64, without gradients.

    Raises:
        ShapeError: shapes differ.

    Source: Vincent, Gribonval and Fevotte 2006; Scheibler 2022, eq. 9.
    """
    _check("sdr", preds, target)
    if zero_mean:
        preds, target = (v - v.mean(-1, keepdim=True) for v in (preds, target))
    estimates, targets = (
        v.detach().cpu().numpy().astype(np.float64).reshape(-1, v.shape[-1])
        for v in (preds, target)
    )
    shares = [_explained(e, t, filter_length) for e, t in zip(estimates, targets, strict=True)]
    share = np.clip(np.array(shares).reshape(preds.shape[:-1]), 0.0, 1.0)
    with np.errstate(divide="ignore"):
        decibels = 10 * np.log10(share / (1 - share))
    return tp.as_tensor(np.asarray(decibels), device=preds.device)
