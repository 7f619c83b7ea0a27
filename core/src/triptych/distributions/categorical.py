"""Distributions over classes: categorical, one-hot, multinomial."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from .. import dtypes, special
from ..autograd.modes import no_grad
from ..errors import DTypeError, ShapeError
from ..ops.creation import arange, eye, full_like
from ..ops.index import gather
from ..ops.pointwise import clamp
from ..ops.random import multinomial
from ..ops.shape import broadcast_tensors
from ..tensor import Size, Tensor
from . import constraints
from .arguments import (
    logits_to_probs,
    normalized,
    parameter,
    probs_to_logits,
)
from .discrete import Binomial
from .distribution import Distribution
from .odds import one_of

__all__ = [
    "Categorical",
    "Multinomial",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
]


class Categorical(Distribution):
    """The index of a class.

    Args:
        probs: (..., n) weights, not negative; they are divided by their sum; or
        logits: (..., n) logarithms of weights.

    Example:
        >>> Categorical(probs=tensor([0.2, 0.8])).log_prob(tensor(1)).exp().item()
        0.800...
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        name, value = one_of(type(self).__name__, probs, logits)
        if value.ndim < 1:
            raise ShapeError(f"{type(self).__name__}: wanted {name} of at least one dim, got 0-d")
        self._given_name = name
        self.__dict__[name] = value / value.sum(-1, True) if name == "probs" else normalized(value)
        self._num_events = value.shape[-1]
        super().__init__(value.shape[:-1], validate_args=validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new._num_events, new._given_name = self._num_events, self._given_name
        return new

    @parameter
    def probs(self) -> Tensor:
        """(..., n) probabilities."""
        return logits_to_probs(self.logits)

    @parameter
    def logits(self) -> Tensor:
        """(..., n) logarithms of the probabilities."""
        return probs_to_logits(self.probs)

    @property
    def _param(self) -> Tensor:
        return self.__dict__[self._given_name]

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._param.shape

    @constraints.dependent_property(is_discrete=True, event_dim=0)
    def support(self) -> Any:
        """From zero to n - 1."""
        return constraints.integer_interval(0, self._num_events - 1)

    @property
    def mean(self) -> Tensor:
        return full_like(self.probs[..., 0], math.nan)

    @property
    def mode(self) -> Tensor:
        return self.probs.argmax(-1)

    @property
    def variance(self) -> Tensor:
        return full_like(self.probs[..., 0], math.nan)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            count = math.prod(sample_shape)
            shape = self._extended_shape(sample_shape)
            rows = self.probs.detach().reshape(-1, self._num_events)
            if count == 0 or rows.shape[0] == 0:
                return arange(0, device=rows.device).reshape(shape)
            draws = multinomial(rows, count, True, generator=generator)
            return draws.mT.reshape(shape)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        value = value.long().unsqueeze(-1)
        value, logits = broadcast_tensors(value, self.logits)
        return gather(logits, -1, value[..., :1]).squeeze(-1)

    def entropy(self) -> Tensor:
        logits = clamp(self.logits, min=dtypes.finfo(self.logits.dtype).min)
        return -(logits * self.probs).sum(-1)

    def enumerate_support(self, expand: bool = True) -> Tensor:
        return self._enumerated(arange(self._num_events, device=self._param.device), expand)


class OfClasses(Distribution):
    """Vectors with an element per class, from the probabilities of a `Categorical`."""

    arg_constraints: ClassVar[dict[str, Any]] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    _categorical: Categorical

    def _start_classes(self, probs: Any, logits: Any, validate_args: bool | None) -> None:
        self._categorical = Categorical(probs, logits)
        classes = self._categorical.param_shape[-1:]
        Distribution.__init__(self, self._categorical.batch_shape, classes, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = type(self).__new__(type(self)) if _instance is None else _instance
        new._categorical = self._categorical.expand(batch_shape)
        new._validate_args = False
        Distribution.__init__(new, batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @property
    def _param(self) -> Tensor:
        return self._categorical._param

    @property
    def probs(self) -> Tensor:
        """(..., n) probabilities."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """(..., n) logarithms of the probabilities."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """The shape of the parameter that was given."""
        return self._categorical.param_shape

    def _one_hot(self, indices: Tensor) -> Tensor:
        p = self._param
        return eye(p.shape[-1], dtype=p.dtype, device=p.device)[indices]


class OneHotCategorical(OfClasses):
    """A class, as a vector of zeros with a one at its index.

    Args:
        probs, logits: as in `Categorical`.
    """

    support: Any = constraints.one_hot
    has_enumerate_support = True

    def __init__(
        self, probs: Any = None, logits: Any = None, validate_args: bool | None = None
    ) -> None:
        self._start_classes(probs, logits, validate_args)

    @property
    def mean(self) -> Tensor:
        return self.probs

    @property
    def mode(self) -> Tensor:
        return self._one_hot(self._categorical.mode)

    @property
    def variance(self) -> Tensor:
        return self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        return self._one_hot(self._categorical.sample(sample_shape, generator))

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        return self._categorical.log_prob(value.argmax(-1))

    def entropy(self) -> Tensor:
        return self._categorical.entropy()

    def enumerate_support(self, expand: bool = True) -> Tensor:
        n = self.event_shape[0]
        p = self._param
        values = eye(n, dtype=p.dtype, device=p.device)
        values = values.reshape(n, *(1 for _ in self.batch_shape), n)
        return values.expand(n, *self.batch_shape, n) if expand else values


class OneHotCategoricalStraightThrough(OneHotCategorical):
    """`OneHotCategorical` whose rsample passes gradients straight through to the probabilities.

    Source: Y. Bengio, N. Leonard and A. Courville 2013, "Estimating or propagating gradients
    through stochastic neurons".
    """

    has_rsample = True

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        draws = self.sample(sample_shape, generator)
        return draws + (self.probs - self.probs.detach())


class Multinomial(OfClasses):
    """How often each class comes in total_count draws.

    Args:
        total_count: number of draws, one for the whole batch.
        probs, logits: as in `Categorical`.
    """

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise DTypeError(
                "Multinomial: wanted one whole number as total_count, got "
                f"{type(total_count).__name__}"
            )
        self.total_count = total_count
        self._start_classes(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.total_count = self.total_count
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        """Counts that add up to total_count."""
        return constraints.multinomial(self.total_count)

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        with no_grad():
            draws = self._categorical.sample((self.total_count, *sample_shape), generator)
            return self._one_hot(draws).sum(0)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        ways = special.gammaln(value.sum(-1) + 1) - special.gammaln(value + 1).sum(-1)
        logits = self.logits
        used = (value != 0) | (logits != -math.inf)  # nothing drawn of a class that never comes
        return ways + (logits.masked_fill(~used, 0.0) * value).sum(-1)

    def entropy(self) -> Tensor:
        n = self.total_count
        single = Binomial(total_count=n, probs=self.probs)
        values = single.enumerate_support(expand=False)[1:]
        weights = single.log_prob(values).exp()
        repeats = (weights * special.gammaln(values + 1)).sum((0, -1))
        return n * self._categorical.entropy() - math.lgamma(n + 1) + repeats
