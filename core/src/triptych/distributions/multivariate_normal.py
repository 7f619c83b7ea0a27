"""Normal distributions of vectors, with a full or a low-rank covariance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..avals import broadcast_shapes
from ..errors import DTypeError, ShapeError
from ..linalg import cholesky, inv, solve_triangular
from ..ops.creation import eye
from ..ops.shape import diag_embed
from ..tensor import Tensor
from . import constraints
from .arguments import normal_draw, parameter
from .distribution import Distribution

__all__ = ["LowRankMultivariateNormal", "MultivariateNormal"]

_LOG_2PI = math.log(2 * math.pi)


def mahalanobis(factor: Tensor, difference: Tensor) -> Tensor:
    """|factor^-1 difference| ** 2 for lower triangular factors; the batch dims broadcast."""
    return solve_triangular(factor, difference.unsqueeze(-1), upper=False).square().sum((-2, -1))


def half_log_det(factor: Tensor) -> Tensor:
    """The logarithm of the determinant of a lower triangular factor."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)


def precision_to_scale_tril(precision: Tensor) -> Tensor:
    """The Cholesky factor of the inverse of a positive definite matrix, without inverting it."""
    # With J the reversal of rows, J P J = C C^T gives P = U U^T for the upper U = J C J, and so the
    # inverse of P has the lower factor U^-T.
    lower = cholesky(precision.flip((-2, -1))).flip((-2, -1)).mT
    one = eye(precision.shape[-1], dtype=precision.dtype, device=precision.device)
    return solve_triangular(lower, one.expand(*precision.shape), upper=False)


class MultivariateNormal(Distribution):
    """The normal distribution of vectors.

    Args:
        loc: (..., n) mean.
        covariance_matrix: (..., n, n) positive definite; or
        precision_matrix: its inverse; or
        scale_tril: its lower Cholesky factor, the cheapest to give.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real_vector,
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
    }
    support: Any = constraints.real_vector
    has_rsample = True
    state_names = ("_unbroadcasted_scale_tril",)

    def __init__(
        self,
        loc: Tensor,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        name, matrix = _single_matrix("MultivariateNormal", loc, given)
        batch = broadcast_shapes("MultivariateNormal", matrix.shape[:-2], loc.shape[:-1])
        self.loc = loc.expand(*batch, loc.shape[-1])
        self.__dict__[name] = matrix.expand(*batch, *matrix.shape[-2:])
        super().__init__(batch, loc.shape[-1:], validate_args)
        makers: Any = {
            "covariance_matrix": cholesky,
            "precision_matrix": precision_to_scale_tril,
            "scale_tril": lambda factor: factor,
        }
        self._unbroadcasted_scale_tril = makers[name](matrix)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        factor = self.__dict__.pop("_unbroadcasted_scale_tril")
        try:
            new = super().expand(batch_shape, _instance)
        finally:
            self._unbroadcasted_scale_tril = factor
        new._unbroadcasted_scale_tril = factor
        return new

    @parameter
    def scale_tril(self) -> Tensor:
        """(..., n, n) lower Cholesky factor of the covariance."""
        n = self._event_shape[0]
        return self._unbroadcasted_scale_tril.expand(*self._batch_shape, n, n)

    @parameter
    def covariance_matrix(self) -> Tensor:
        """(..., n, n) covariance."""
        factor = self._unbroadcasted_scale_tril
        n = self._event_shape[0]
        return (factor @ factor.mT).expand(*self._batch_shape, n, n)

    @parameter
    def precision_matrix(self) -> Tensor:
        """(..., n, n) inverse of the covariance."""
        factor = self._unbroadcasted_scale_tril
        n = self._event_shape[0]
        back = inv(factor)
        return (back.mT @ back).expand(*self._batch_shape, n, n)

    @property
    def mean(self) -> Tensor:
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        found = self._unbroadcasted_scale_tril.square().sum(-1)
        return found.expand(*self._batch_shape, *self._event_shape)

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        noise = normal_draw(self.loc, self._extended_shape(sample_shape), generator)
        return self.loc + (self._unbroadcasted_scale_tril @ noise.unsqueeze(-1)).squeeze(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        factor = self._unbroadcasted_scale_tril
        distance = mahalanobis(factor, value - self.loc)
        return -0.5 * (self._event_shape[0] * _LOG_2PI + distance) - half_log_det(factor)

    def entropy(self) -> Tensor:
        found = half_log_det(self._unbroadcasted_scale_tril)
        found = found + 0.5 * self._event_shape[0] * (1 + _LOG_2PI)
        return found.expand(*self._batch_shape)


def _single_matrix(who: str, loc: Tensor, given: dict[str, Any]) -> tuple[str, Tensor]:
    """The one matrix among several possible parameters, by name and value.

    Raises:
        ShapeError: loc or the matrix has too few dims.
        DTypeError: none or several are given.
    """
    if loc.ndim < 1:
        raise ShapeError(f"{who}: wanted a loc of at least one dim, got a 0-d one")
    chosen = [(name, m) for name, m in given.items() if m is not None]
    if len(chosen) != 1:
        raise DTypeError(f"{who}: give exactly one of {', '.join(given)}, got {len(chosen)}")
    name, matrix = chosen[0]
    if matrix.ndim < 2:
        raise ShapeError(f"{who}: wanted a {name} of at least two dims, got {matrix.ndim}")
    return name, matrix


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors with covariance W W^T + D, D diagonal.

    Args:
        loc: (..., n) mean.
        cov_factor: W, (..., n, r).
        cov_diag: the diagonal of D, (..., n), positive.

    With the capacitance C = I + W^T D^-1 W, an r by r matrix, the covariance needs neither
    inverting (Woodbury's identity) nor a determinant of its own (the matrix determinant lemma).
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support: Any = constraints.real_vector
    has_rsample = True

    def __init__(
        self, loc: Tensor, cov_factor: Tensor, cov_diag: Tensor, validate_args: bool | None = None
    ) -> None:
        if loc.ndim < 1 or cov_factor.ndim < 2 or cov_diag.ndim < 1:
            raise ShapeError(
                "LowRankMultivariateNormal: wanted loc (..., n), cov_factor (..., n, r) and "
                f"cov_diag (..., n), got {tuple(loc.shape)}, {tuple(cov_factor.shape)} and "
                f"{tuple(cov_diag.shape)}"
            )
        n, rank = loc.shape[-1], cov_factor.shape[-1]
        if cov_factor.shape[-2] != n or cov_diag.shape[-1] != n:
            raise ShapeError(
                f"LowRankMultivariateNormal: loc has {n} elements, cov_factor "
                f"{cov_factor.shape[-2]} rows and cov_diag {cov_diag.shape[-1]} elements"
            )
        batch = broadcast_shapes(
            "LowRankMultivariateNormal", loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
        )
        self.loc, self.cov_diag = loc.expand(*batch, n), cov_diag.expand(*batch, n)
        self.cov_factor = cov_factor.expand(*batch, n, rank)
        super().__init__(batch, (n,), validate_args)

    def _scaled_factor(self) -> Tensor:
        """D^-1 W."""
        return self.cov_factor / self.cov_diag.unsqueeze(-1)

    @parameter
    def _capacitance_tril(self) -> Tensor:
        rank = self.cov_factor.shape[-1]
        one = eye(rank, dtype=self.loc.dtype, device=self.loc.device)
        return cholesky(one + self.cov_factor.mT @ self._scaled_factor())

    @parameter
    def covariance_matrix(self) -> Tensor:
        """(..., n, n) covariance."""
        return self.cov_factor @ self.cov_factor.mT + diag_embed(self.cov_diag)

    @parameter
    def scale_tril(self) -> Tensor:
        """(..., n, n) lower Cholesky factor of the covariance."""
        root = self.cov_diag.sqrt().unsqueeze(-1)
        inner = self.cov_factor / root
        n = self._event_shape[0]
        one = eye(n, dtype=self.loc.dtype, device=self.loc.device)
        return root * cholesky(one + inner @ inner.mT)

    @parameter
    def precision_matrix(self) -> Tensor:
        """(..., n, n) inverse of the covariance."""
        scaled = self._scaled_factor()
        half = solve_triangular(self._capacitance_tril, scaled.mT, upper=False)
        return diag_embed(self.cov_diag.reciprocal()) - half.mT @ half

    @property
    def mean(self) -> Tensor:
        return self.loc

    mode = mean

    @property
    def variance(self) -> Tensor:
        return self.cov_factor.square().sum(-1) + self.cov_diag

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        low = normal_draw(self.loc, (*shape[:-1], self.cov_factor.shape[-1], 1), generator)
        each = normal_draw(self.loc, shape, generator)
        return self.loc + (self.cov_factor @ low).squeeze(-1) + self.cov_diag.sqrt() * each

    def _log_det(self) -> Tensor:
        return 2 * half_log_det(self._capacitance_tril) + self.cov_diag.log().sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        difference = value - self.loc
        inner = (self._scaled_factor().mT @ difference.unsqueeze(-1)).squeeze(-1)
        distance = (difference.square() / self.cov_diag).sum(-1)
        distance = distance - mahalanobis(self._capacitance_tril, inner)
        return -0.5 * (self._event_shape[0] * _LOG_2PI + self._log_det() + distance)

    def entropy(self) -> Tensor:
        return 0.5 * (self._event_shape[0] * (1 + _LOG_2PI) + self._log_det())
