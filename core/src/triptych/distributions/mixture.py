"""Mixtures of distributions of one family."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..autograd.modes import no_grad
from ..errors import DTypeError, ShapeError
from ..ops.index import gather
from ..tensor import Tensor
from . import constraints
from .categorical import Categorical
from .distribution import Distribution

__all__ = ["MixtureSameFamily"]


class MixtureSameFamily(Distribution):
    """A mixture: a class is drawn first, and then a value from that class's distribution.

    Args:
        mixture_distribution: `Categorical` over k classes.
        component_distribution: with k as its last batch dim.

    Example:
        >>> two_humps = MixtureSameFamily(
        ...     Categorical(ones(2)), Normal(tensor([-1.0, 1.0]), ones(2))
        ... )
    """

    arg_constraints: ClassVar[dict[str, Any]] = {}
    has_rsample = False

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Distribution,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(mixture_distribution, Categorical):
            raise DTypeError(
                "MixtureSameFamily: wanted a Categorical as mixture_distribution, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise DTypeError(
                "MixtureSameFamily: wanted a distribution as component_distribution, got "
                f"{type(component_distribution).__name__}"
            )
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        self._check_batches()
        if not mixture_distribution.batch_shape:  # the same classes for the whole batch
            batch = component_distribution.batch_shape[:-1]
            self._mixture_distribution = mixture_distribution.expand(batch)
        super().__init__(
            component_distribution.batch_shape[:-1],
            component_distribution.event_shape,
            validate_args,
        )

    def _check_batches(self) -> None:
        mixed = tuple(self._mixture_distribution.batch_shape)
        parts = tuple(self._component_distribution.batch_shape)
        classes = self._mixture_distribution.param_shape[-1]
        if not parts or parts[-1] != classes or (mixed and mixed != parts[:-1]):
            raise ShapeError(
                f"MixtureSameFamily: {classes} classes in a batch of shape {mixed} want components "
                f"of batch shape {(*mixed, classes)}, got {parts}"
            )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = type(self).__new__(type(self)) if _instance is None else _instance
        classes = self._mixture_distribution.param_shape[-1]
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._component_distribution = self._component_distribution.expand((*batch_shape, classes))
        new._validate_args = False
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def mixture_distribution(self) -> Categorical:
        """The distribution of the class."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Distribution:
        """The distributions of the values, a class along the last batch dim."""
        return self._component_distribution

    @property
    def support(self) -> Any:
        """Where all the components lie."""
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape(*probs.shape, *(1 for _ in self._event_shape))

    def _class_dim(self) -> int:
        return -1 - len(self._event_shape)

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(self._class_dim())

    @property
    def variance(self) -> Tensor:
        dim, weights = self._class_dim(), self._weights()
        within = (weights * self._component_distribution.variance).sum(dim)
        apart = self._component_distribution.mean - self.mean.unsqueeze(dim)
        return within + (weights * apart.square()).sum(dim)

    def cdf(self, value: Tensor) -> Tensor:
        value = value.unsqueeze(self._class_dim())
        probs = self._mixture_distribution.probs
        return (self._component_distribution.cdf(value) * probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = value.unsqueeze(self._class_dim())
        each = self._component_distribution.log_prob(value)
        return (each + self._mixture_distribution.logits).logsumexp(-1)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            picked = self._mixture_distribution.sample(sample_shape, generator)
            values = self._component_distribution.sample(sample_shape, generator)
            dim = len(sample_shape) + len(self._batch_shape)
            index = picked.reshape(*picked.shape, 1, *(1 for _ in self._event_shape))
            index = index.expand(*picked.shape, 1, *self._event_shape)
            return gather(values, dim, index).squeeze(dim)

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily({self._mixture_distribution!r}, {self._component_distribution!r})"
        )
