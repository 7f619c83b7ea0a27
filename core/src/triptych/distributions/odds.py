"""Distributions told by probabilities or by logits: the bookkeeping."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from ..errors import DTypeError
from ..tensor import Tensor
from . import constraints
from .arguments import logits_to_probs, parameter, probs_to_logits
from .distribution import Distribution

__all__ = ["Odds"]


def one_of(who: str, probs: Any, logits: Any) -> tuple[str, Any]:
    """Which of the two was given, by name and value.

    Raises:
        DTypeError: both or neither.
    """
    if (probs is None) == (logits is None):
        raise DTypeError(f"{who}: give either probs or logits, not both and not neither")
    return ("probs", probs) if logits is None else ("logits", logits)


class Odds(Distribution):
    """A yes or no of probability `probs` = sigmoid(`logits`); one is given, the other follows."""

    arg_constraints: ClassVar[dict[str, Any]] = {
        "probs": constraints.unit_interval,
        "logits": constraints.real,
    }

    def _start_odds(
        self,
        probs: Any,
        logits: Any,
        validate_args: bool | None,
        **others: Any,
    ) -> None:
        name, value = one_of(type(self).__name__, probs, logits)
        self._start(validate_args, **others, **{name: value})

    @parameter
    def probs(self) -> Tensor:
        """The probabilities."""
        return logits_to_probs(self.logits, is_binary=True)

    @parameter
    def logits(self) -> Tensor:
        """log(p / (1 - p))."""
        return probs_to_logits(self.probs, is_binary=True)

    @property
    def _param(self) -> Tensor:
        given = self.__dict__.get("probs")
        return self.logits if given is None else given

    @property
    def param_shape(self) -> Sequence[int]:
        """The shape of the parameter that was given."""
        return self._param.shape
