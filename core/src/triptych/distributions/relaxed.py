"""Relaxed forms of discrete distributions, which have gradients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

from ..ops.creation import as_tensor
from ..tensor import Tensor
from . import constraints
from .arguments import clamp_probs, normalized, softplus, uniform_draw
from .categorical import OfClasses
from .elementwise_transforms import ExpTransform, SigmoidTransform
from .odds import Odds
from .transformed_distribution import TransformedDistribution

__all__ = ["RelaxedBernoulli", "RelaxedOneHotCategorical"]


class _LogitRelaxedBernoulli(Odds):
    """The logit of a `RelaxedBernoulli`."""

    support: Any = constraints.real
    has_rsample = True
    state_names = ("temperature",)

    def __init__(
        self, temperature: Any, probs: Any, logits: Any, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._start_odds(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        kept = self.__dict__.pop("temperature")
        try:
            new = super().expand(batch_shape, _instance)
        finally:
            self.temperature = kept
        new.temperature = kept
        return new

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        shape = self._extended_shape(sample_shape)
        u = clamp_probs(uniform_draw(self.logits, shape, generator))
        noise = u.log() - (-u).log1p()
        return (noise + self.logits) / self.temperature

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        t = _tensor_like(self.temperature, self.logits)
        apart = self.logits - value * t
        return t.log() + apart - 2 * softplus(apart)


def _tensor_like(value: Any, like: Tensor) -> Tensor:
    if isinstance(value, Tensor):
        return value
    return as_tensor(value, dtype=like.dtype, device=like.device)


class RelaxedBernoulli(TransformedDistribution):
    """Numbers between zero and one that gather at both as the temperature falls to zero.

    Args:
        temperature: positive.
        probs: the probability of one; or
        logits: log(p / (1 - p)).

    Source: C. Maddison, A. Mnih and Y. Teh 2017, "The concrete distribution".
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }
    support: Any = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = _LogitRelaxedBernoulli(temperature, probs, logits, validate_args)
        super().__init__(base, SigmoidTransform(), validate_args)

    @property
    def temperature(self) -> Any:
        """How far the numbers stay away from zero and one."""
        return self.base_dist.temperature

    @property
    def logits(self) -> Tensor:
        """log(p / (1 - p))."""
        return self.base_dist.logits

    @property
    def probs(self) -> Tensor:
        """The probability of one as the temperature falls to zero."""
        return self.base_dist.probs


class _ExpRelaxedCategorical(OfClasses):
    """The logarithm of a `RelaxedOneHotCategorical`."""

    support: Any = constraints.real_vector
    has_rsample = True

    def __init__(
        self, temperature: Any, probs: Any, logits: Any, validate_args: bool | None = None
    ) -> None:
        self.temperature = temperature
        self._start_classes(probs, logits, validate_args)

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new.temperature = self.temperature
        return new

    def rsample(self, sample_shape: Sequence[int] = (), generator: Any = None) -> Tensor:
        u = uniform_draw(self.logits, self._extended_shape(sample_shape), generator)
        scores = (self.logits - (-u.log()).log()) / self.temperature
        return normalized(scores)

    def log_prob(self, value: Tensor) -> Tensor:
        self._validate_sample(value)
        n = self.event_shape[0]
        t = _tensor_like(self.temperature, self.logits)
        score = normalized(self.logits - value * t).sum(-1)
        return score + math.lgamma(n) + (n - 1) * t.log()


class RelaxedOneHotCategorical(TransformedDistribution):
    """Shares that gather at one class as the temperature falls to zero (Gumbel-softmax).

    Args:
        temperature: positive.
        probs, logits: as in `Categorical`.

    Source: E. Jang, S. Gu and B. Poole 2017, "Categorical reparameterization with Gumbel-softmax".
    """

    arg_constraints: ClassVar[dict[str, Any]] = {
        "probs": constraints.simplex,
        "logits": constraints.real_vector,
    }
    support: Any = constraints.simplex
    has_rsample = True

    def __init__(
        self,
        temperature: Any,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        base = _ExpRelaxedCategorical(temperature, probs, logits, validate_args)
        super().__init__(base, ExpTransform(), validate_args)

    temperature = RelaxedBernoulli.temperature
    logits, probs = RelaxedBernoulli.logits, RelaxedBernoulli.probs
