"""Distributions of matrices: Wishart, and Cholesky factors of correlation matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..avals import broadcast_shapes
from ..errors import DomainError, ShapeError
from ..linalg import cholesky, inv, solve_triangular
from ..ops.creation import arange, as_tensor
from ..ops.pointwise import clamp
from ..ops.shape import cat, diag_embed
from ..prims.promotion import SCALARS
from ..tensor import Tensor
from . import constraints
from .arguments import normal_draw, parameter
from .beta import Beta
from .distribution import Distribution, ExponentialFamily
from .gamma import log_gamma_draw
from .multivariate_normal import _single_matrix, half_log_det, precision_to_scale_tril

__all__ = ["LKJCholesky", "Wishart"]


class Wishart(ExponentialFamily):
    """The distribution of X X^T for df columns X, normal with a covariance.

    Args:
        df: degrees of freedom, above n - 1; it need not be whole.
        covariance_matrix: (..., n, n) positive definite; or
        precision_matrix: its inverse; or
        scale_tril: its lower Cholesky factor.

    Source: W. Smith and R. Hocking 1972, "Algorithm AS 53: Wishart variate generator" (Bartlett's
    decomposition).
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
        "df": constraints.greater_than(0),
    }
    support: Any = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    df: Tensor

    def __init__(
        self,
        df: Any,
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
        some = next((m for m in given.values() if m is not None), None)
        like = as_tensor([0.0]) if some is None else some
        name, matrix = _single_matrix("Wishart", like.reshape(-1), given)
        if isinstance(df, SCALARS):
            df = as_tensor(df, dtype=matrix.dtype, device=matrix.device)
        batch = broadcast_shapes("Wishart", df.shape, matrix.shape[:-2])
        self.df = df.expand(*batch)
        self.__dict__[name] = matrix.expand(*batch, *matrix.shape[-2:])
        super().__init__(batch, matrix.shape[-2:], validate_args)
        makers: Any = {
            "covariance_matrix": cholesky,
            "precision_matrix": precision_to_scale_tril,
            "scale_tril": lambda factor: factor,
        }
        self.__dict__.setdefault("scale_tril", makers[name](self.__dict__[name]))

    def _check_parameters(self) -> None:
        super()._check_parameters()
        n = self._event_shape[-1]
        if not bool((self.df > n - 1).all()):
            raise DomainError(f"Wishart: wanted df > {n - 1} for {n} dims, got {self.df}")

    scale_tril: Tensor

    @parameter
    def covariance_matrix(self) -> Tensor:
        """(..., n, n) covariance of the columns."""
        return self.scale_tril @ self.scale_tril.mT

    @parameter
    def precision_matrix(self) -> Tensor:
        """(..., n, n) inverse of the covariance."""
        back = inv(self.scale_tril)
        return back.mT @ back

    @property
    def _df2(self) -> Tensor:
        return self.df.unsqueeze(-1).unsqueeze(-1)

    @property
    def mean(self) -> Tensor:
        return self._df2 * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        factor = self.df - self._event_shape[-1] - 1
        factor = factor.masked_fill(factor <= 0, math.nan)
        return factor.unsqueeze(-1).unsqueeze(-1) * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        spread = v.diagonal(dim1=-2, dim2=-1)
        return self._df2 * (v.square() + spread.unsqueeze(-1) * spread.unsqueeze(-2))

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape, n = self._extended_shape(sample_shape), self._event_shape[-1]
        steps = arange(n, dtype=self.df.dtype, device=self.df.device)
        chi2_half = (self.df.unsqueeze(-1) - steps) / 2
        roots = (0.5 * (log_gamma_draw(chi2_half, shape[:-1], generator) + math.log(2))).exp()
        noise = normal_draw(self.df, shape, generator).tril(-1)
        factor = self.scale_tril @ (noise + diag_embed(roots))
        return factor @ factor.mT

    def _log_norm(self) -> Tensor:
        n = self._event_shape[-1]
        return self.df * (
            half_log_det(self.scale_tril) + n * math.log(2) / 2
        ) + special.multigammaln(self.df / 2, n)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self._event_shape[-1]
        log_det = 2 * half_log_det(cholesky(value))
        inner = solve_triangular(self.scale_tril, value, upper=False)
        inner = solve_triangular(self.scale_tril.mT, inner, upper=True)
        trace = inner.diagonal(dim1=-2, dim2=-1).sum(-1)
        return (self.df - n - 1) / 2 * log_det - trace / 2 - self._log_norm()

    def entropy(self) -> Tensor:
        n = self._event_shape[-1]
        steps = arange(n, dtype=self.df.dtype, device=self.df.device)
        slopes = special.digamma((self.df.unsqueeze(-1) - steps) / 2).sum(-1)
        log_det = 2 * half_log_det(self.scale_tril) + n * math.log(2) + slopes  # expected
        return self._log_norm() - (self.df - n - 1) / 2 * log_det + self.df * n / 2

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.df / 2, -self.precision_matrix / 2

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        half_df, matrix = natural_params
        n = self._event_shape[-1]
        log_det = 2 * half_log_det(cholesky(-2 * matrix))
        return half_df * (n * math.log(2) - log_det) + special.multigammaln(half_df, n)


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices, whose density is the determinant to the power of
    concentration - 1: one is uniform, larger ones prefer weak correlations.

    Args:
        dim: n of the n by n matrices, at least 2.
        concentration: positive.

    Source: D. Lewandowski, D. Kurowicka and H. Joe 2009, "Generating random correlation matrices
    based on vines and extended onion method", section 3.2.
    """

    arg_constraints: ClassVar[dict[str, Any]] = {"concentration": constraints.positive}
    support: Any = constraints.corr_cholesky
    concentration: Tensor

    def __init__(
        self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        if dim < 2:
            raise ShapeError(f"LKJCholesky: wanted a dim of at least 2, got {dim}")
        self.dim = dim
        if isinstance(concentration, SCALARS):
            concentration = as_tensor(concentration, dtype=dtypes.get_default_dtype())
        self.concentration = concentration
        super().__init__(concentration.shape, (dim, dim), validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.dim = self.dim
        return new

    def _squared_lengths(self) -> Beta:
        """Of what lies left of the diagonal in row i + 2: beta with shapes (i + 1) / 2 and
        concentration + (n - 2 - i) / 2.
        """
        steps = arange(
            self.dim - 1, dtype=self.concentration.dtype, device=self.concentration.device
        )
        above = self.concentration.unsqueeze(-1) + (self.dim - 2 - steps) / 2
        return Beta((steps + 1) / 2, above, validate_args=False)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        squared = self._squared_lengths().sample(sample_shape, generator).unsqueeze(-1)
        shape = self._extended_shape(sample_shape)
        noise = normal_draw(self.concentration, shape, generator).tril(-1)
        rows = noise[..., 1:, :]  # (..., n - 1, n); the first row is empty
        directions = rows / rows.square().sum(-1, True).sqrt()
        left = cat([noise[..., :1, :] * 0, squared.sqrt() * directions], -2)
        tiny = dtypes.finfo(left.dtype).tiny
        diagonal = clamp(1 - left.square().sum(-1), min=tiny).sqrt()
        return left + diag_embed(diagonal)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        diagonal = value.diagonal(dim1=-2, dim2=-1)[..., 1:]
        steps = arange(2, self.dim + 1, dtype=value.dtype, device=value.device)
        powers = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - steps
        found = (powers * diagonal.log()).sum(-1)
        below = self.dim - 1
        alpha = self.concentration + 0.5 * below
        norm = special.multigammaln(alpha - 0.5, below) - below * special.gammaln(alpha)
        return found - norm - 0.5 * below * math.log(math.pi)
