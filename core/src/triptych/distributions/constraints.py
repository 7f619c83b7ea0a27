"""Sets of values: what the parameters of a distribution may be, and where its samples lie.

A constraint answers `check(value)` with a boolean tensor, one element per event.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import linalg
from ..dtypes import finfo
from ..ops.shape import cat as joined
from ..ops.shape import narrow
from ..ops.shape import stack as stacked
from ..tensor import Tensor

__all__ = [
    "Constraint",
    "MixtureSameFamilyConstraint",
    "boolean",
    "cat",
    "corr_cholesky",
    "dependent",
    "dependent_property",
    "greater_than",
    "greater_than_eq",
    "half_open_interval",
    "independent",
    "integer_interval",
    "interval",
    "is_dependent",
    "less_than",
    "lower_cholesky",
    "lower_triangular",
    "multinomial",
    "nonnegative",
    "nonnegative_integer",
    "one_hot",
    "positive",
    "positive_definite",
    "positive_integer",
    "positive_semidefinite",
    "real",
    "real_vector",
    "simplex",
    "square",
    "stack",
    "symmetric",
    "unit_interval",
]


class Constraint:
    """A set of values. `is_discrete` says whether it is made of isolated points, `event_dim` how
    many dims on the right make one value.
    """

    is_discrete: Any = False
    event_dim: Any = 0

    def check(self, value: Tensor) -> Tensor:
        """Whether each event lies in the set; shape: that of value without its event dims."""
        raise NotImplementedError(f"{self!r} has no check")

    def __repr__(self) -> str:
        return type(self).__name__.strip("_")


class _Dependent(Constraint):
    """A set that depends on parameters or on other values; cannot be checked alone."""

    def __init__(self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented):
        self._is_discrete, self._event_dim = is_discrete, event_dim

    @property
    def is_discrete(self) -> Any:
        if self._is_discrete is NotImplemented:
            raise NotImplementedError("is_discrete is not known before the distribution exists")
        return self._is_discrete

    @property
    def event_dim(self) -> Any:
        if self._event_dim is NotImplemented:
            raise NotImplementedError("event_dim is not known before the distribution exists")
        return self._event_dim

    def __call__(
        self, *, is_discrete: Any = NotImplemented, event_dim: Any = NotImplemented
    ) -> Any:
        """The same set, with what is known of it."""
        return _Dependent(
            is_discrete=self._is_discrete if is_discrete is NotImplemented else is_discrete,
            event_dim=self._event_dim if event_dim is NotImplemented else event_dim,
        )

    def check(self, value: Tensor) -> Tensor:
        raise ValueError("the constraint depends on parameters; ask the distribution's support")


class dependent_property(property, _Dependent):  # noqa: N801 -- torch's spelling
    """A property that gives a constraint from the parameters: ``@dependent_property``, or
    ``@dependent_property(is_discrete=False, event_dim=1)`` where that much is known beforehand.
    """

    def __init__(
        self,
        fn: Callable[..., Any] | None = None,
        *,
        is_discrete: Any = NotImplemented,
        event_dim: Any = NotImplemented,
    ):
        property.__init__(self, fn)
        self._is_discrete, self._event_dim = is_discrete, event_dim

    def __call__(self, fn: Any) -> Any:  # type: ignore[override]
        return dependent_property(fn, is_discrete=self._is_discrete, event_dim=self._event_dim)


class _Independent(Constraint):
    """Another constraint, with some of its batch dims made part of the event."""

    def __init__(self, base_constraint: Constraint, reinterpreted_batch_ndims: int):
        self.base_constraint = base_constraint
        self.reinterpreted_batch_ndims = reinterpreted_batch_ndims

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim + self.reinterpreted_batch_ndims

    def check(self, value: Tensor) -> Tensor:
        result = self.base_constraint.check(value)
        if result.ndim < self.reinterpreted_batch_ndims:
            raise ValueError(
                f"{self!r}: wanted values of at least {self.event_dim} dims, got {value.ndim}"
            )
        kept = result.ndim - self.reinterpreted_batch_ndims
        return result.reshape(*result.shape[:kept], -1).all(-1)

    def __repr__(self) -> str:
        return f"Independent({self.base_constraint!r}, {self.reinterpreted_batch_ndims})"


class MixtureSameFamilyConstraint(Constraint):
    """The support of a mixture: that of its components, for values without the component dim."""

    def __init__(self, base_constraint: Constraint):
        self.base_constraint = base_constraint

    @property
    def is_discrete(self) -> Any:
        return self.base_constraint.is_discrete

    @property
    def event_dim(self) -> Any:
        return self.base_constraint.event_dim

    def check(self, value: Tensor) -> Tensor:
        place = value.ndim - self.event_dim
        held = self.base_constraint.check(value.unsqueeze(place))
        return held.all(-1)


class _Boolean(Constraint):
    """0 or 1."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value == 0) | (value == 1)


class _OneHot(Constraint):
    """Vectors of zeros with a single one."""

    is_discrete, event_dim = True, 1

    def check(self, value: Tensor) -> Tensor:
        return ((value == 0) | (value == 1)).all(-1) & (value.sum(-1) == 1)


class _Bounded(Constraint):
    """Between bounds, numbers or tensors; which of them belong is for subclasses to say."""

    def __init__(self, lower_bound: Any = None, upper_bound: Any = None):
        self.lower_bound, self.upper_bound = lower_bound, upper_bound

    def __repr__(self) -> str:
        bounds = {"lower_bound": self.lower_bound, "upper_bound": self.upper_bound}
        said = ", ".join(f"{k}={v}" for k, v in bounds.items() if v is not None)
        return f"{type(self).__name__.strip('_')}({said})"


class _IntegerInterval(_Bounded):
    """Whole numbers from lower_bound to upper_bound, both included."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        whole = value % 1 == 0
        return whole & (value >= self.lower_bound) & (value <= self.upper_bound)


class _IntegerGreaterThan(_Bounded):
    """Whole numbers from lower_bound upwards."""

    is_discrete = True

    def check(self, value: Tensor) -> Tensor:
        return (value % 1 == 0) & (value >= self.lower_bound)


class _GreaterThan(_Bounded):
    """Above lower_bound."""

    def check(self, value: Tensor) -> Tensor:
        return value > self.lower_bound


class _GreaterThanEq(_Bounded):
    """From lower_bound upwards."""

    def check(self, value: Tensor) -> Tensor:
        return value >= self.lower_bound


class _LessThan(_Bounded):
    """Below upper_bound."""

    def __init__(self, upper_bound: Any):
        super().__init__(None, upper_bound)

    def check(self, value: Tensor) -> Tensor:
        return value < self.upper_bound


class _Interval(_Bounded):
    """From lower_bound to upper_bound, both included."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value <= self.upper_bound)


class _HalfOpenInterval(_Bounded):
    """From lower_bound up to but not including upper_bound."""

    def check(self, value: Tensor) -> Tensor:
        return (value >= self.lower_bound) & (value < self.upper_bound)


class _Real(Constraint):
    """Any number but NaN."""

    def check(self, value: Tensor) -> Tensor:
        return value == value


class _Simplex(Constraint):
    """Numbers that are not negative and add up to one along the last dim."""

    event_dim = 1

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & ((value.sum(-1) - 1).abs() < 1e-6)


class _Multinomial(Constraint):
    """Counts that add up to at most upper_bound along the last dim."""

    is_discrete, event_dim = True, 1

    def __init__(self, upper_bound: Any):
        self.upper_bound = upper_bound

    def check(self, value: Tensor) -> Tensor:
        return (value >= 0).all(-1) & (value.sum(-1) <= self.upper_bound)


class _Matrix(Constraint):
    event_dim = 2


class _LowerTriangular(_Matrix):
    """Square matrices that are zero above the diagonal."""

    def check(self, value: Tensor) -> Tensor:
        return _over_matrix(value.tril() == value)


class _LowerCholesky(_Matrix):
    """Lower triangular matrices with a positive diagonal."""

    def check(self, value: Tensor) -> Tensor:
        positive_ = (value.diagonal(dim1=-2, dim2=-1) > 0).all(-1)
        return _over_matrix(value.tril() == value) & positive_


class _CorrCholesky(_Matrix):
    """Cholesky factors of correlation matrices: rows of unit length."""

    def check(self, value: Tensor) -> Tensor:
        slack = 10 * value.shape[-1] * _eps(value)
        unit = ((value * value).sum(-1).sqrt() - 1).abs() <= slack
        return _LowerCholesky().check(value) & unit.all(-1)


class _Square(_Matrix):
    """Square matrices."""

    def check(self, value: Tensor) -> Tensor:
        square_ = value.shape[-1] == value.shape[-2]
        return _over_matrix((value == value) | True) & square_


class _Symmetric(_Square):
    """Symmetric matrices."""

    def check(self, value: Tensor) -> Tensor:
        if value.shape[-1] != value.shape[-2]:
            return super().check(value)
        return _over_matrix((value - value.mT).abs() <= 1e-6 + 1e-5 * value.abs())


class _PositiveSemidefinite(_Symmetric):
    """Symmetric matrices without negative eigenvalues."""

    def check(self, value: Tensor) -> Tensor:
        held = super().check(value)
        if not bool(held.all()):
            return held
        smallest = linalg.eigvalsh(value.detach()).amin(-1)
        return smallest >= -_eps(value) * value.shape[-1]


class _PositiveDefinite(_Symmetric):
    """Symmetric matrices with positive eigenvalues only."""

    def check(self, value: Tensor) -> Tensor:
        held = super().check(value)
        if not bool(held.all()):
            return held
        return linalg.cholesky_ex(value.detach()).info == 0


def _over_matrix(held: Tensor) -> Tensor:
    return held.all(-1).all(-1)


def _eps(value: Tensor) -> float:
    return float(finfo(value.dtype).eps)


class _Pieces(Constraint):
    """Several constraints side by side along a dim."""

    def __init__(self, parts: Sequence[Constraint], dim: int):
        self.cseq, self.dim = list(parts), dim

    @property
    def is_discrete(self) -> Any:
        return any(c.is_discrete for c in self.cseq)

    @property
    def event_dim(self) -> Any:
        return max(c.event_dim for c in self.cseq)


class _Cat(_Pieces):
    """Pieces of given lengths along a dim, each with a constraint of its own."""

    def __init__(
        self, cseq: Sequence[Constraint], dim: int = 0, lengths: Sequence[int] | None = None
    ):
        super().__init__(cseq, dim)
        self.lengths = [1] * len(self.cseq) if lengths is None else list(lengths)
        if len(self.lengths) != len(self.cseq):
            raise ValueError(
                f"cat: wanted a length per constraint, got {len(self.lengths)} for {len(self.cseq)}"
            )

    @property
    def event_dim(self) -> Any:
        return max(c.event_dim for c in self.cseq)

    def check(self, value: Tensor) -> Tensor:
        start, checks = 0, []
        for constraint, length in zip(self.cseq, self.lengths, strict=True):
            checks.append(constraint.check(narrow(value, self.dim, start, length)))
            start += length
        return joined(checks, self.dim)


class _Stack(_Pieces):
    """Slices along a dim, each with a constraint of its own."""

    def __init__(self, cseq: Sequence[Constraint], dim: int = 0):
        super().__init__(cseq, dim)

    @property
    def event_dim(self) -> Any:
        dim = max(c.event_dim for c in self.cseq)
        return dim + 1 if self.dim + dim < 0 else dim

    def check(self, value: Tensor) -> Tensor:
        slices = [value.select(self.dim, i) for i in range(value.shape[self.dim])]
        checks = [c.check(v) for c, v in zip(self.cseq, slices, strict=True)]
        return stacked(checks, self.dim)


def is_dependent(constraint: Any) -> bool:
    """Whether a constraint depends on parameters, and cannot be checked without them."""
    return isinstance(constraint, _Dependent)


dependent = _Dependent()
independent = _Independent
boolean, one_hot = _Boolean(), _OneHot()
integer_interval, nonnegative_integer = _IntegerInterval, _IntegerGreaterThan(0)
positive_integer = _IntegerGreaterThan(1)
real = _Real()
real_vector = independent(real, 1)
positive, nonnegative = _GreaterThan(0.0), _GreaterThanEq(0.0)
greater_than, greater_than_eq, less_than = _GreaterThan, _GreaterThanEq, _LessThan
interval, half_open_interval, unit_interval = _Interval, _HalfOpenInterval, _Interval(0.0, 1.0)
simplex, multinomial = _Simplex(), _Multinomial
lower_triangular, lower_cholesky = _LowerTriangular(), _LowerCholesky()
corr_cholesky = _CorrCholesky()
square, symmetric = _Square(), _Symmetric()
positive_semidefinite, positive_definite = _PositiveSemidefinite(), _PositiveDefinite()
cat, stack = _Cat, _Stack
