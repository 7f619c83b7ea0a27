"""Rules of elementwise primitives, reductions and movements."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..table import NA
from .dims import Dims, Names, unify

Rule = Callable[..., Any]
NO_INPUTS = NA("there are no inputs to have names")


def keep(x: Dims, *others: Dims, **params: Any) -> Names:
    """Every dim of the first input stays where it is."""
    return x.names


def keep_twice(x: Dims, *others: Dims, **params: Any) -> tuple[Names, Names]:
    """`keep` for each of two outputs."""
    return x.names, x.names


def broadcast(call: str) -> Rule:
    """Inputs broadcast, and so do their names."""

    def rule(*inputs: Dims, **params: Any) -> Names:
        return unify(call, *inputs)

    return rule


def reduced(x: Dims, *others: Dims, keepdim: bool = False, **params: Any) -> Names:
    """Dims that are reduced go away, or stay with length one under their name."""
    axes = params["axes"] if "axes" in params else (params["axis"],)
    return x.names if keepdim else tuple(n for i, n in enumerate(x.names) if i not in axes)


def unknown(*inputs: Dims, shape: Sequence[int], **params: Any) -> Names:
    """Nothing is known about an output of the given shape."""
    return (None,) * len(shape)


BY_KIND: dict[str, Rule | NA] = {
    "unary": keep,
    "scan": keep,
    "cast": keep,
    "transfer": keep,
    "reduction": reduced,
    "spectral": keep,
    "special": keep,
    "create": NO_INPUTS,
}
"""The rule of a record that states none."""

# Movements


def reshaped(x: Dims, *, shape: Sequence[int]) -> Names:
    """Leading and trailing dims of the same lengths keep their names; where lengths of one leave it
    open which dim is which, nobody does.
    """
    if tuple(shape) == x.shape:
        return x.names
    most = min(len(shape), len(x.shape))
    head = _common(x.shape, shape, most)
    tail = _common(x.shape[::-1], tuple(shape)[::-1], most)
    vague = max(head + tail - most, 0)
    head, tail = head - vague, tail - vague
    middle = (None,) * (len(shape) - head - tail)
    return (*x.names[:head], *middle, *x.names[len(x.names) - tail :])


def _common(one: Sequence[int], two: Sequence[int], most: int) -> int:
    """How many leading lengths two shapes share."""
    return next((i for i in range(most) if one[i] != two[i]), most)


def permuted(x: Dims, *, axes: Sequence[int]) -> Names:
    """Names move with their dims."""
    return tuple(x.names[a] for a in axes)


def expanded(x: Dims, *, shape: Sequence[int]) -> Names:
    """New leading dims have no name."""
    return (*(None,) * (len(shape) - len(x.shape)), *x.names)


def sliced(x: Dims, *, key: tuple[Any, ...]) -> Names:
    """An int takes its dim away, a slice keeps it, None puts one in."""
    rest = list(x.names)
    out: list[str | None] = []
    consuming = sum(part is not None and part is not Ellipsis for part in key)
    for part in key:
        if part is None:
            out.append(None)
        elif part is Ellipsis:
            out += [rest.pop(0) for _ in range(len(x.names) - consuming)]
        elif isinstance(part, slice):
            out.append(rest.pop(0))
        else:
            rest.pop(0)
    return (*out, *rest)


def concatenated(*xs: Dims, axis: int) -> Names:
    """Inputs have the same dims, so names must agree."""
    return unify("cat", *xs)


def stacked(*xs: Dims, axis: int) -> Names:
    """Names must agree; the new dim has none."""
    names = unify("stack", *xs)
    return (*names[:axis], None, *names[axis:])


def diagonal(x: Dims, *, offset: int, axis1: int, axis2: int) -> Names:
    """Two dims become one without a name, at the end."""
    return (*(n for i, n in enumerate(x.names) if i not in (axis1, axis2)), None)


def undiagonal(g: Dims, *, shape: Any, offset: int, axis1: int, axis2: int) -> Names:
    """The last dim becomes two without names."""
    rest = iter(g.names)
    return tuple(None if i in (axis1, axis2) else next(rest) for i in range(len(shape)))


def windowed(x: Dims, *, size: Sequence[int], **params: Any) -> Names:
    """Places along a dim keep its name; what is inside the windows has none."""
    return (*x.names, *(None,) * len(size))


def unwindowed(g: Dims, *, size: Sequence[int], **params: Any) -> Names:
    """The dims inside the windows go away."""
    return g.names[: len(g.names) - len(size)]
