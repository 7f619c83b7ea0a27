"""The Kullback-Leibler divergence, by a table of pairs of families."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import DTypeError
from ..tensor import Tensor
from .distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Rule = Callable[[Any, Any], Tensor]
_RULES: dict[tuple[type, type], Rule] = {}
_FOUND: dict[tuple[type, type], Rule] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Rule], Rule]:
    """A decorator that enters a function of (p, q) for two families and their subclasses.

    Raises:
        DTypeError: a class is no `Distribution`.

    Example:
        >>> class Tight(Normal):
        ...     "A family of one's own."
        >>> @register_kl(Tight, Tight)
        ... def kl_tight(p, q):
        ...     return (p.loc - q.loc).abs()
        >>> kl_divergence(Tight(0.0, 1.0), Tight(3.0, 1.0)).item()
        3.0
    """
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise DTypeError(f"register_kl: wanted distribution classes, got {kind!r}")

    def register(rule: Rule) -> Rule:
        _RULES[type_p, type_q] = rule
        _FOUND.clear()
        return rule

    return register


def _distance(kind: type, ancestor: type) -> int:
    return kind.__mro__.index(ancestor)


def _find(p: type, q: type) -> Rule:
    """The rule of the closest ancestors; p's distance counts before q's."""
    if (p, q) not in _FOUND:
        fitting = [(a, b) for a, b in _RULES if issubclass(p, a) and issubclass(q, b)]
        if not fitting:
            raise NotImplementedError(
                f"kl_divergence: no formula for ({p.__name__}, {q.__name__}); enter one with "
                "register_kl, or average p.log_prob(x) - q.log_prob(x) over samples of p"
            )
        closest = min(fitting, key=lambda pair: (_distance(p, pair[0]), _distance(q, pair[1])))
        _FOUND[p, q] = _RULES[closest]
    return _FOUND[p, q]


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """The expected value under p of p.log_prob(x) - q.log_prob(x), in nats.

    Returns:
        one number per batch element; infinity where p reaches beyond the support of q.

    Raises:
        NotImplementedError: no formula is known for this pair of families.

    Example:
        >>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0)).item()
        0.5
    """
    return _find(type(p), type(q))(p, q)
