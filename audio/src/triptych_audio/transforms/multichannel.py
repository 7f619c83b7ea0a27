"""Several microphones to one channel."""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, DTypeError, ShapeError
from triptych.nn import Module
from triptych_audio.functional import beamforming as F
from triptych_audio.interop import same_kind

__all__ = ["MVDR", "PSD", "RTFMVDR", "SoudenMVDR"]

SOLUTIONS = ("ref_channel", "stv_evd", "stv_power")


class PSD(Module):
    """Power spectral densities across microphones.

    Args:
        multi_mask: masks have channels, whose mean is taken.
        normalize: let the mask's weights sum to one over time.
        eps: added to that sum.

    Example:
        >>> PSD()(tp.ones(2, 5, 9, dtype=tp.complex64), tp.ones(5, 9)).shape
        Size([5, 2, 2])
    """

    def __init__(
        self, multi_mask: bool = False, normalize: bool = True, eps: float = 1e-15
    ) -> None:
        super().__init__()
        self.multi_mask, self.normalize, self.eps = multi_mask, normalize, eps

    @same_kind
    def forward(self, specgram: Tensor, mask: Tensor | None = None) -> Tensor:
        """The densities.

        Args:
            specgram: (..., c, f, t) complex spectra.
            mask: (..., f, t), or (..., c, f, t) with multi_mask.

        Returns:
            (..., f, c, c) complex.
        """
        mask = mask.mean(-3) if self.multi_mask and mask is not None else mask
        return F.psd(specgram, mask, self.normalize, self.eps)


class MVDR(Module):
    """Minimum variance distortionless response beamforming with masks.

    The masks say which bins of the spectra are target and noise; from them come the densities, from
    those the weights. Computed in double precision.

    Args:
        ref_channel: microphone whose view of the target is kept.
        solution: "ref_channel" (Souden), or by the target's transfer functions, found by
            eigenvectors, "stv_evd", or power iteration, "stv_power".
        multi_mask: masks have channels, whose mean is taken.
        diag_loading: add a little to the diagonal of the noise's densities.
        diag_eps: how much, in parts of their trace.
        online: go on from the densities of the calls before, which are kept in buffers; no
            gradients flow through those.

    Raises:
        DomainError: an unknown solution.

    Source: Souden, Benesty and Affes 2010; Higuchi et al. 2016 and, for online, 2017.
    """

    psd_s: Tensor
    psd_n: Tensor
    mask_sum_s: Tensor
    mask_sum_n: Tensor

    def __init__(
        self,
        ref_channel: int = 0,
        solution: str = "ref_channel",
        multi_mask: bool = False,
        diag_loading: bool = True,
        diag_eps: float = 1e-7,
        online: bool = False,
    ) -> None:
        super().__init__()
        if solution not in SOLUTIONS:
            raise DomainError(f"MVDR: solution is one of {SOLUTIONS}, got {solution!r}")
        self.ref_channel, self.solution, self.multi_mask = ref_channel, solution, multi_mask
        self.diag_loading, self.diag_eps, self.online = diag_loading, diag_eps, online
        self.psd = PSD(multi_mask)
        for name in ("psd_s", "psd_n", "mask_sum_s", "mask_sum_n"):
            self.register_buffer(name, tp.zeros(1))

    @same_kind
    def forward(self, specgram: Tensor, mask_s: Tensor, mask_n: Tensor | None = None) -> Tensor:
        """The target.

        Args:
            specgram: (..., c, f, t) complex spectra.
            mask_s: (..., f, t), or (..., c, f, t) with multi_mask, from 0 to 1; of the target.
            mask_n: the same of the noise; default 1 - mask_s.

        Returns:
            (..., f, t) complex.

        Raises:
            ShapeError, DTypeError: spectra or masks that do not fit.
        """
        if specgram.ndim < 3:
            raise ShapeError(f"MVDR: wanted (..., c, f, t), got {tuple(specgram.shape)}")
        if not specgram.is_complex():
            raise DTypeError(f"MVDR: wanted complex spectra, got {specgram.dtype}")
        mask_n = 1 - mask_s if mask_n is None else mask_n
        spectra = specgram.to(tp.complex128)
        densities = self.psd(spectra, mask_s), self.psd(spectra, mask_n)
        if self.online:
            densities = self._continued(*densities, mask_s, mask_n)
        return F.apply_beamforming(self._weights(*densities), spectra).to(specgram.dtype)

    def _weights(self, psd_s: Tensor, psd_n: Tensor) -> Tensor:
        options: dict[str, Any] = {"diagonal_loading": self.diag_loading, "diag_eps": self.diag_eps}
        if self.solution == "ref_channel":
            return F.mvdr_weights_souden(psd_s, psd_n, self.ref_channel, **options)
        if self.solution == "stv_evd":
            rtf = F.rtf_evd(psd_s)
        else:
            rtf = F.rtf_power(psd_s, psd_n, self.ref_channel, **options)
        return F.mvdr_weights_rtf(rtf, psd_n, self.ref_channel, **options)

    def _continued(
        self, psd_s: Tensor, psd_n: Tensor, mask_s: Tensor, mask_n: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Densities of all that was heard, and the buffers brought up to date."""
        if self.multi_mask:
            mask_s, mask_n = mask_s.mean(-3), mask_n.mean(-3)
        sums = mask_s.sum(-1), mask_n.sum(-1)
        if self.psd_s.ndim > 1:
            psd_s = _mixed(self.psd_s, self.mask_sum_s, psd_s, sums[0])
            psd_n = _mixed(self.psd_n, self.mask_sum_n, psd_n, sums[1])
            sums = self.mask_sum_s + sums[0], self.mask_sum_n + sums[1]
        self.psd_s, self.psd_n = psd_s.detach(), psd_n.detach()
        self.mask_sum_s, self.mask_sum_n = sums[0].detach(), sums[1].detach()
        return psd_s, psd_n


def _mixed(before: Tensor, weight: Tensor, now: Tensor, added: Tensor) -> Tensor:
    """Mean of the densities before and now, as Higuchi et al. 2017 and torchaudio weigh them."""
    total = weight + added
    return before * (weight / total)[..., None, None] + now * (1 / total)[..., None, None]


class RTFMVDR(Module):
    """Minimum variance distortionless response beamforming with known transfer functions."""

    @same_kind
    def forward(
        self,
        specgram: Tensor,
        rtf: Tensor,
        psd_n: Tensor,
        reference_channel: int | Tensor,
        diagonal_loading: bool = True,
        diag_eps: float = 1e-7,
        eps: float = 1e-8,
    ) -> Tensor:
        """The target.

        Args:
            specgram: (..., c, f, t) complex spectra.
            rtf: (..., f, c) complex transfer functions from the target to the microphones.

        The other arguments are those of `functional.mvdr_weights_rtf`.

        Returns:
            (..., f, t) complex.
        """
        options = (diagonal_loading, diag_eps, eps)
        weights = F.mvdr_weights_rtf(rtf, psd_n, reference_channel, *options)
        return F.apply_beamforming(weights, specgram)


class SoudenMVDR(Module):
    """Minimum variance distortionless response beamforming with known densities."""

    @same_kind
    def forward(
        self,
        specgram: Tensor,
        psd_s: Tensor,
        psd_n: Tensor,
        reference_channel: int | Tensor,
        diagonal_loading: bool = True,
        diag_eps: float = 1e-7,
        eps: float = 1e-8,
    ) -> Tensor:
        """The target.

        Args:
            specgram: (..., c, f, t) complex spectra.
            psd_s: (..., f, c, c) complex power spectral density of the target.
            psd_n: (..., f, c, c) that of the noise.

        The other arguments are those of `functional.mvdr_weights_souden`.

        Returns:
            (..., f, t) complex.
        """
        options = (diagonal_loading, diag_eps, eps)
        weights = F.mvdr_weights_souden(psd_s, psd_n, reference_channel, *options)
        return F.apply_beamforming(weights, specgram)
