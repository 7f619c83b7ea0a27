"""What all distributions share: shapes, checks of parameters and values, and defaults."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..autograd.api import grad
from ..autograd.modes import enable_grad, no_grad
from ..avals import broadcast_shapes
from ..errors import DomainError, DTypeError, ShapeError
from ..state import state
from ..tensor import Size, Tensor
from . import constraints
from .arguments import broadcast_all

__all__ = ["Distribution", "ExponentialFamily"]


class Distribution:
    """A batch of probability distributions over events.

    `batch_shape` is the shape of the parameters: that many distributions, independent and possibly
    different. `event_shape` is the shape of one draw of one of them. A sample has the shape
    sample_shape + batch_shape + event_shape, a log_prob that without the event_shape.

    Subclasses name their parameters in `arg_constraints`; `state_names` lists further attributes
    that `expand` must carry along.
    """

    has_rsample = False
    has_enumerate_support = False
    state_names: ClassVar[tuple[str, ...]] = ()
    arg_constraints: ClassVar[dict[str, Any]] = {}
    support: Any = constraints.dependent
    _validate_args = True

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check parameters and values unless told otherwise.

        Raises:
            DTypeError: the value is no boolean.
        """
        if value not in (True, False):
            raise DTypeError(f"set_default_validate_args: wanted True or False, got {value!r}")
        Distribution._validate_args = bool(value)

    def __init__(
        self,
        batch_shape: Sequence[int] = (),
        event_shape: Sequence[int] = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        self._shown = tuple(n for n in self.arg_constraints if self._given(n) is not None)
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args and state.trace is None:
            self._check_parameters()

    def _start(self, validate_args: bool | None, **parameters: Any) -> None:
        """Set elementwise parameters, broadcast against each other, and the shapes."""
        values = broadcast_all(*parameters.values())
        for name, value in zip(parameters, values, strict=True):
            self.__dict__[name] = value
        Distribution.__init__(self, values[0].shape, (), validate_args)

    def _given(self, name: str) -> Any:
        """A parameter, unless it is one that follows from another and was not given."""
        if name in self.__dict__:
            return self.__dict__[name]
        kind = getattr(type(self), name, None)
        return getattr(self, name, None) if isinstance(kind, property) else None

    def _check_parameters(self) -> None:
        for name, constraint in self.arg_constraints.items():
            value = self._given(name)
            if value is None or constraints.is_dependent(constraint):
                continue
            if not bool(constraint.check(value).all()):
                raise DomainError(
                    f"{type(self).__name__}: the parameter {name}, of shape {tuple(value.shape)}, "
                    f"must satisfy {constraint!r}, but has other values:\n{value}"
                )

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters of a single event each."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw from one distribution."""
        return self._event_shape

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distributions, repeated to a larger batch shape without copying."""
        batch = Size(batch_shape)
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new._validate_args = False
        old = len(self._batch_shape)
        for name in (*self.arg_constraints, *self.state_names):
            value = self.__dict__.get(name)
            if isinstance(value, Tensor):
                new.__dict__[name] = value.expand(*batch, *value.shape[old:])
            elif isinstance(value, Distribution):
                kept = value.batch_shape[old:]
                new.__dict__[name] = value.expand((*batch, *kept))
            elif name in self.__dict__:
                new.__dict__[name] = value
        Distribution.__init__(new, batch, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError(f"{type(self).__name__} has no mean")

    @property
    def mode(self) -> Tensor:
        """The value of the highest density or probability."""
        raise NotImplementedError(f"{type(self).__name__} has no mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError(f"{type(self).__name__} has no variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        """Draws of the shape sample_shape + batch_shape + event_shape, without gradient."""
        with no_grad():
            return self.rsample(sample_shape, generator).detach()

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        """Draws as a differentiable function of the parameters, if `has_rsample`."""
        raise NotImplementedError(
            f"{type(self).__name__} has no reparameterised draws; use sample() and log_prob()"
        )

    def sample_n(self, n: int) -> Tensor:
        """``sample((n,))``, under its older name."""
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density or probability at value."""
        raise NotImplementedError(f"{type(self).__name__} has no log_prob")

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw that is not above value."""
        raise NotImplementedError(f"{type(self).__name__} has no cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`: the quantile of a probability."""
        raise NotImplementedError(f"{type(self).__name__} has no icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values a discrete distribution can take, along a new first dim; with expand=False
        the batch dims stay of length one.
        """
        raise NotImplementedError(f"{type(self).__name__} cannot enumerate its support")

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        values = values.reshape(-1, *(1 for _ in self._batch_shape))
        return values.expand(-1, *self._batch_shape) if expand else values

    def entropy(self) -> Tensor:
        """The expected value of -log_prob, in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy")

    def perplexity(self) -> Tensor:
        """exp(entropy)."""
        return self.entropy().exp()

    def _extended_shape(self, sample_shape: Sequence[int] = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        """Check a value that a probability is asked of.

        Raises:
            DTypeError: it is no tensor.
            ShapeError: its event dims or batch dims do not fit.
            DomainError: it lies outside the support.
        """
        if not self._validate_args:
            return
        who = type(self).__name__
        if not isinstance(value, Tensor):
            raise DTypeError(f"{who}: wanted a tensor as value, got {type(value).__name__}")
        start = value.ndim - len(self._event_shape)
        if tuple(value.shape[max(start, 0) :]) != tuple(self._event_shape):
            raise ShapeError(
                f"{who}: the last dims of a value are the event shape {tuple(self._event_shape)}, "
                f"got a value of shape {tuple(value.shape)}"
            )
        broadcast_shapes(f"{who} value", tuple(value.shape), self._extended_shape())
        if state.trace is None:
            self._check_support(value)

    def _check_support(self, value: Tensor) -> None:
        try:
            support = self.support
        except NotImplementedError:
            return
        if support is not None and not constraints.is_dependent(support):
            held = support.check(value)
            if not bool(held.all()):
                raise DomainError(
                    f"{type(self).__name__}: a value, of shape {tuple(value.shape)}, must satisfy "
                    f"{support!r}, but has others:\n{value}"
                )

    def __repr__(self) -> str:
        shown = [
            f"{name}: {value if value.numel() == 1 else tuple(value.shape)}"
            for name in self._shown
            if isinstance(value := self._given(name), Tensor)
        ]
        return f"{type(self).__name__}({', '.join(shown)})"


class ExponentialFamily(Distribution):
    """Distributions of density exp(<natural parameters, statistics> - log normalizer + carrier).

    The entropy and the divergence between two members follow from the log normalizer and its
    gradient (F. Nielsen and R. Nock 2010, "Entropies and cross-entropies of exponential families").
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError(f"{type(self).__name__} does not say its natural parameters")

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not say its log normalizer")

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not say its carrier measure")

    def entropy(self) -> Tensor:
        """The entropy, as a Bregman divergence of the log normalizer."""
        with enable_grad():
            natural = [
                p if p.requires_grad else p.detach().requires_grad_() for p in self._natural_params
            ]
            normalizer = self._log_normalizer(*natural)
            slopes = grad(normalizer.sum(), natural, create_graph=True)
        result = normalizer - self._mean_carrier_measure
        for p, slope in zip(natural, slopes, strict=True):
            result = result - (p * slope).reshape(*self._batch_shape, -1).sum(-1)
        return result
