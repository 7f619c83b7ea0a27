"""Random zeros during training."""

from __future__ import annotations

from ...errors import ShapeError
from ...tensor import Tensor
from .. import functional as F
from .configured import Configured

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Configured):
    p: float = 0.5
    inplace: bool = False

    def _settle(self) -> None:
        if not 0 <= self.p <= 1:
            raise ShapeError(f"{type(self).__name__}: p is a probability from 0 to 1, got {self.p}")

    def forward(self, input: Tensor) -> Tensor:
        return getattr(F, self._function)(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
    """In training, zero each element with probability p and divide the rest by 1 - p.

    Args:
        p: probability of a zero.
        inplace: write into the input.

    Example:
        >>> Dropout(0.5).eval()(triptych.ones(3))
        tensor([1., 1., 1.])

    Source: Srivastava et al. 2014, section 4.
    """

    _function = "dropout"


class Dropout1d(_Dropout):
    """`Dropout` of whole channels of (n, c, t) or (c, t)."""

    _function = "dropout1d"


class Dropout2d(_Dropout):
    """`Dropout` of whole channels of (n, c, h, w) or (c, h, w)."""

    _function = "dropout2d"


class Dropout3d(_Dropout):
    """`Dropout` of whole channels of (n, c, d, h, w) or (c, d, h, w)."""

    _function = "dropout3d"


class AlphaDropout(_Dropout):
    """Dropout that keeps mean and variance, for layers with `SELU`.

    Source: Klambauer et al. 2017, section 2.
    """

    _function = "alpha_dropout"


class FeatureAlphaDropout(_Dropout):
    """`AlphaDropout` of whole channels."""

    _function = "feature_alpha_dropout"
