"""Mixtures of examples and of their labels."""

from __future__ import annotations

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych.nn import Module
from triptych_audio.interop import same_kind

__all__ = ["Mixup"]


class Mixup(Module):
    """Mix each waveform of a batch with another one, and their labels with the same shares.

    Args:
        num_classes: how many labels there are; not needed for labels that are shares already.
        alpha: both parameters of the beta distribution of the shares, above 0; small ones leave
            most waveforms nearly as they are.
        p: probability that a batch is mixed.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.

    Raises:
        DomainError: alpha is not positive, or p no probability.

    Example:
        >>> mixed, labels = Mixup(num_classes=3)(tp.zeros(2, 1, 100), tp.tensor([0, 2]))
        >>> mixed.shape, labels.sum(1).round(decimals=3).tolist()
        (Size([2, 1, 100]), [1.0, 1.0])

    Source: Zhang, Cisse, Dauphin and Lopez-Paz 2018, "mixup: beyond empirical risk minimization".
    """

    def __init__(
        self,
        num_classes: int | None = None,
        alpha: float = 0.2,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
    ) -> None:
        super().__init__()
        if alpha <= 0 or not 0 <= p <= 1:
            raise DomainError(f"Mixup: wanted alpha above 0 and p from 0 to 1, got {alpha} and {p}")
        self.num_classes, self.alpha, self.p, self.generator = num_classes, alpha, p, generator

    @same_kind
    def forward(self, samples: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """The mixed batch and its labels.

        Args:
            samples: (n, ..., t), floating.
            labels: (n,) integers, or (n, classes) shares.

        Returns:
            Waveforms in the same shape, and labels (n, classes), floating.

        Raises:
            ShapeError: not one label per waveform, or integers and num_classes is not known.
        """
        n = samples.shape[0] if samples.ndim else 0
        if labels.ndim not in (1, 2) or labels.shape[0] != n:
            raise ShapeError(
                f"Mixup: wanted {n} labels, ({n},) or ({n}, classes), got {tuple(labels.shape)}"
            )
        shares = self._as_shares(labels, samples)
        if float(tp.rand(1, generator=self.generator).item()) >= self.p or not n:
            return samples, shares
        kept = self._draw(n).to(samples.device, samples.dtype)
        partner = tp.randperm(n, generator=self.generator).to(samples.device)
        own = kept.reshape(n, *[1] * (samples.ndim - 1))
        mixed = samples * own + samples.index_select(0, partner) * (1 - own)
        other = shares.index_select(0, partner)
        return mixed, shares * kept[:, None] + other * (1 - kept[:, None])

    def _as_shares(self, labels: Tensor, samples: Tensor) -> Tensor:
        if labels.ndim == 2:
            return labels.to(samples.dtype)
        if self.num_classes is None:
            raise ShapeError("Mixup: integer labels need num_classes, in the constructor")
        return tp.nn.functional.one_hot(labels.long(), self.num_classes).to(samples.dtype)

    def _draw(self, n: int) -> Tensor:
        """(n,) float64 from the beta distribution, by the inverse of its cumulative function."""
        from scipy.special import betaincinv

        uniform = tp.rand(n, generator=self.generator, dtype=tp.float64).numpy()
        return tp.from_numpy(betaincinv(self.alpha, self.alpha, uniform))
