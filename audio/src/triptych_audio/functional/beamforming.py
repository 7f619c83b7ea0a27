"""Beamforming: several microphones, weighted so that they listen in one direction."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych_audio.interop import same_kind

__all__ = [
    "apply_beamforming",
    "mvdr_weights_rtf",
    "mvdr_weights_souden",
    "psd",
    "rtf_evd",
    "rtf_power",
]


@same_kind
def psd(
    specgram: Tensor, mask: Tensor | None = None, normalize: bool = True, eps: float = 1e-10
) -> Tensor:
    """Power spectral densities across microphones, summed over time.

    Args:
        specgram: (..., c, f, t) complex spectra.
        mask: (..., f, t), how much each bin belongs to what is measured; default 1 for all.
        normalize: let the mask's weights sum to one over time.
        eps: added to that sum.

    Returns:
        (..., f, c, c) complex, Hermitian.

    Raises:
        ShapeError: the mask does not fit.

    Source: Souden, Benesty and Affes 2010, eq. 4; normalisation of torchaudio.
    """
    spectra = specgram.transpose(-3, -2)  # (..., f, c, t)
    if mask is None:
        return tp.matmul(spectra, spectra.mH)
    if tuple(mask.shape) != (*spectra.shape[:-2], spectra.shape[-1]):
        raise ShapeError(
            "psd: the mask has the shape of specgram without its channels, got "
            f"{tuple(mask.shape)} for a specgram {tuple(specgram.shape)}"
        )
    if normalize:
        mask = mask / (mask.sum(-1, keepdim=True) + eps)
    weighted = spectra * mask.unsqueeze(-2)
    return tp.matmul(weighted, spectra.mH.to(weighted.dtype))


@same_kind
def mvdr_weights_souden(
    psd_s: Tensor,
    psd_n: Tensor,
    reference_channel: int | Tensor,
    diagonal_loading: bool = True,
    diag_eps: float = 1e-7,
    eps: float = 1e-8,
) -> Tensor:
    """Weights that pass the target as one microphone hears it, with the least noise.

    Args:
        psd_s: (..., f, c, c) complex power spectral density of the target, from `psd`.
        psd_n: (..., f, c, c) that of the noise.
        reference_channel: the microphone, or (..., c) ones and zeros that choose it.
        diagonal_loading: add a little to the diagonal of psd_n, so that it can be inverted.
        diag_eps: how much, in parts of its trace.
        eps: added to the denominator.

    Returns:
        (..., f, c) complex weights for `apply_beamforming`.

    Raises:
        ShapeError, DTypeError: matrices that do not fit or are not complex.

    Source: Souden, Benesty and Affes 2010, eq. 18.
    """
    _check_densities("mvdr_weights_souden", psd_s, psd_n)
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    gains = tp.linalg.solve(noise, psd_s)
    gains = gains / (_trace(gains) + eps)
    return _column("mvdr_weights_souden", gains, reference_channel)


@same_kind
def mvdr_weights_rtf(
    rtf: Tensor,
    psd_n: Tensor,
    reference_channel: int | Tensor | None = None,
    diagonal_loading: bool = True,
    diag_eps: float = 1e-7,
    eps: float = 1e-8,
) -> Tensor:
    """Weights that pass a target from a known direction, with the least noise.

    Args:
        rtf: (..., f, c) complex transfer functions from the target to the microphones.
        psd_n: (..., f, c, c) complex power spectral density of the noise.
        reference_channel: microphone whose view of the target is kept, or (..., c) ones and zeros
            that choose it; default none.
        diagonal_loading: add a little to the diagonal of psd_n, so that it can be inverted.
        diag_eps: how much, in parts of its trace.
        eps: added to the denominator.

    Returns:
        (..., f, c) complex weights for `apply_beamforming`.

    Raises:
        ShapeError, DTypeError: arguments that do not fit or are not complex.

    Source: Capon 1969; Higuchi et al. 2016, eq. 9.
    """
    if rtf.ndim < 2 or tuple(psd_n.shape) != (*rtf.shape, rtf.shape[-1]):
        raise ShapeError(
            "mvdr_weights_rtf: wanted rtf (..., f, c) and psd_n (..., f, c, c), got "
            f"{tuple(rtf.shape)} and {tuple(psd_n.shape)}"
        )
    _check_complex("mvdr_weights_rtf", rtf=rtf, psd_n=psd_n)
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    numerator = tp.linalg.solve(noise, rtf.unsqueeze(-1)).squeeze(-1)
    denominator = (rtf.conj() * numerator).sum(-1, keepdim=True).real
    weights = numerator / (denominator + eps)
    if reference_channel is None:
        return weights
    row = rtf.conj().unsqueeze(-2)  # (..., f, 1, c)
    return weights * _column("mvdr_weights_rtf", row, reference_channel)


@same_kind
def rtf_evd(psd_s: Tensor) -> Tensor:
    """Transfer functions from a target to the microphones: the strongest eigenvector.

    Args:
        psd_s: (..., f, c, c) complex power spectral density of the target, Hermitian.

    Returns:
        (..., f, c) complex, of length 1; its phase is arbitrary.

    Raises:
        ShapeError, DTypeError: a matrix that is not square or not complex.

    Source: Higuchi et al. 2016, section 3.
    """
    _check_square("rtf_evd", psd_s)
    _check_complex("rtf_evd", psd_s=psd_s)
    vectors: Tensor = tp.linalg.eigh(psd_s)[1]
    return vectors[..., -1]


@same_kind
def rtf_power(
    psd_s: Tensor,
    psd_n: Tensor,
    reference_channel: int | Tensor,
    n_iter: int = 3,
    diagonal_loading: bool = True,
    diag_eps: float = 1e-7,
) -> Tensor:
    """Transfer functions from a target to the microphones by power iteration.

    Args:
        psd_s: (..., f, c, c) complex power spectral density of the target.
        psd_n: (..., f, c, c) that of the noise.
        reference_channel: the microphone to begin with, or (..., c) ones and zeros that choose it.
        n_iter: number of iterations, at least 1.
        diagonal_loading: add a little to the diagonal of psd_n, so that it can be inverted.
        diag_eps: how much, in parts of its trace.

    Returns:
        (..., f, c) complex, not normalised.

    Raises:
        ShapeError, DTypeError: matrices that do not fit or are not complex.
        DomainError: no iterations.

    Source: von Mises and Pollaczek-Geiringer 1929; first and last step as in torchaudio.
    """
    _check_densities("rtf_power", psd_s, psd_n)
    if n_iter <= 0:
        raise DomainError(f"rtf_power: n_iter is at least 1, got {n_iter}")
    noise = _loaded(psd_n, diag_eps) if diagonal_loading else psd_n
    step = tp.linalg.solve(noise, psd_s)
    rtf = _column("rtf_power", step, reference_channel).unsqueeze(-1)  # (..., f, c, 1)
    for _ in range(n_iter - 2):
        rtf = tp.matmul(step, rtf)
    return tp.matmul(psd_s if n_iter > 1 else noise, rtf).squeeze(-1)


@same_kind
def apply_beamforming(beamform_weights: Tensor, specgram: Tensor) -> Tensor:
    """One channel out of several: the conjugate weights times the spectra.

    Args:
        beamform_weights: (..., f, c) complex.
        specgram: (..., c, f, t) complex.

    Returns:
        (..., f, t) complex.

    Raises:
        ShapeError, DTypeError: arguments that do not fit or are not complex.
    """
    f, c = beamform_weights.shape[-2:]
    wanted = (*beamform_weights.shape[:-2], c, f)
    if tuple(specgram.shape[:-1]) != wanted:
        raise ShapeError(
            "apply_beamforming: wanted weights (..., f, c) and specgram (..., c, f, t), got "
            f"{tuple(beamform_weights.shape)} and {tuple(specgram.shape)}"
        )
    _check_complex("apply_beamforming", beamform_weights=beamform_weights, specgram=specgram)
    dtype = tp.promote_types(beamform_weights.dtype, specgram.dtype)
    spectra = specgram.transpose(-3, -2).to(dtype)  # (..., f, c, t)
    return tp.matmul(beamform_weights.conj().unsqueeze(-2).to(dtype), spectra).squeeze(-2)


def _column(name: str, matrix: Tensor, reference_channel: int | Tensor) -> Tensor:
    """(..., f, c, c) to (..., f, c): the column of the reference microphone."""
    if isinstance(reference_channel, int):
        return matrix[..., reference_channel]
    if isinstance(reference_channel, Tensor):
        choice = reference_channel.to(matrix.dtype)[..., None, None, :]
        return (matrix * choice).sum(-1)
    raise DTypeError(
        f"{name}: reference_channel is an int or an array (..., c), got {reference_channel!r}"
    )


def _trace(matrix: Tensor) -> Tensor:
    """(..., c, c) to (..., 1, 1)."""
    return matrix.diagonal(dim1=-2, dim2=-1).sum(-1)[..., None, None]


def _loaded(matrix: Tensor, share: float, least: float = 1e-8) -> Tensor:
    """The matrix with a share of its trace, and a little more, added to its diagonal."""
    amount = _trace(matrix).real * share + least
    return matrix + amount * tp.eye(matrix.shape[-1], dtype=matrix.dtype, device=matrix.device)


def _check_densities(name: str, psd_s: Tensor, psd_n: Tensor) -> None:
    if psd_s.ndim < 3 or psd_s.shape != psd_n.shape:
        raise ShapeError(
            f"{name}: wanted psd_s and psd_n (..., f, c, c), got {tuple(psd_s.shape)} and "
            f"{tuple(psd_n.shape)}"
        )
    _check_square(name, psd_s)
    _check_complex(name, psd_s=psd_s, psd_n=psd_n)


def _check_square(name: str, matrix: Tensor) -> None:
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ShapeError(f"{name}: wanted a matrix (..., c, c), got {tuple(matrix.shape)}")


def _check_complex(name: str, **arrays: Tensor) -> None:
    for label, value in arrays.items():
        if not value.is_complex():
            raise DTypeError(
                f"{name}: {label} must be complex, got {value.dtype}; spectra come from "
                "spectrogram(..., power=None)"
            )
