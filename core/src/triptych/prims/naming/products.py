"""Rules of products, convolutions and matrix functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .dims import Dims, Names, one_name, unify

Rule = Callable[..., Any]


def axes(call: str, spec: str) -> Rule:
    """The rule of a primitive over the last axes, in letters: ``axes("solve", "rc,rk->ck")``.

    A letter is the name of an axis; where it comes twice, names must agree. ``_`` is an axis of the
    result that no input has. Axes in front broadcast. There may be several results, and more inputs
    than the spec describes.
    """
    before, _, after = spec.partition("->")
    terms, results = before.split(","), after.split(",")

    def rule(*xs: Dims, **params: Any) -> Any:
        found: dict[str, str | None] = {}
        leads = []
        for x, letters in zip(xs, terms, strict=False):
            split = len(x.names) - len(letters)
            leads.append(Dims(x.names[:split], x.shape[:split]))
            for letter, name in zip(letters, x.names[split:], strict=True):
                found[letter] = one_name(call, found.get(letter), name)
        lead = unify(call, *leads)
        named = tuple((*lead, *(found.get(letter) for letter in letters)) for letters in results)
        return named if len(named) > 1 else named[0]

    return rule


def conv(x: Dims, w: Dims, **params: Any) -> Names:
    """(n, c, *s) keep their names; the first dim of the weight, if named, names the channels."""
    return (x.names[0], w.names[0] or x.names[1], *x.names[2:])


def conv_dx(g: Dims, w: Dims, **params: Any) -> Names:
    """As `conv`, from the other side: the second dim of the weight names the channels."""
    return (g.names[0], w.names[1] or g.names[1], *g.names[2:])
