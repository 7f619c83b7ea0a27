"""Rules of primitives that pick or place by index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .dims import Dims, Names, unify

Rule = Callable[..., Any]


def indexed(x: Dims, *indices: Dims, key: tuple[Any, ...]) -> Names:
    """Dims that index tensors pick from become the dims of the index tensors: in the place of the
    first, or in front if the tensors are apart. A single vector picks along a dim, which keeps its
    name unless the vector brings one; a mask over several dims makes one without a name.
    """
    taken = [_taken(part, indices) for part in key]
    spare = len(x.names) - sum(taken)
    picks: Names = unify("indexing", *(_as_places(i) for i in indices))
    rest, out = list(x.names), list[str | None]()
    fancy: list[tuple[int, int]] = []  # places of index tensors in the key, and of their dims
    for i, (part, count) in enumerate(zip(key, taken, strict=True)):
        names = [rest.pop(0) for _ in range(spare if part is Ellipsis else count)]
        if part is None or part is Ellipsis or isinstance(part, slice):
            out += [None] if part is None else names
            continue
        fancy.append((i, len(out)))
        if len(indices) == len(picks) == count == 1 and picks[0] is None:
            picks = tuple(names)
    together = fancy[-1][0] - fancy[0][0] == len(fancy) - 1
    at = fancy[0][1] if together else 0
    return (*out[:at], *picks, *out[at:], *rest)


def _taken(part: Any, indices: Sequence[Dims]) -> int:
    """How many dims a part of a key takes up, the ellipsis apart."""
    if part is None or part is Ellipsis:
        return 0
    place = getattr(part, "index", None)  # of a Slot; slices and ints count one
    if isinstance(place, int) and indices[place].masks:
        return len(indices[place].shape)
    return 1


def _as_places(index: Dims) -> Dims:
    """An index as it broadcasts with others: a mask stands for a vector of places."""
    if not index.masks:
        return index
    return Dims(index.names if len(index.shape) == 1 else (None,), (1,))


def along(call: str) -> Rule:
    """Input and index have the same dims; along the axis the index may have a name of its own."""

    def rule(x: Dims, index: Dims, *others: Dims, axis: int, **params: Any) -> Names:
        aligned = [_without(d, axis) for d in (x, index, *others)]
        names = list(unify(call, *aligned))
        names[axis] = index.names[axis] or x.names[axis]
        return tuple(names)

    return rule


def along_first(call: str) -> Rule:
    """As `along`, but the result has the places of the first input and keeps its name there."""

    def rule(x: Dims, index: Dims, *others: Dims, axis: int, **params: Any) -> Names:
        names = list(unify(call, *(_without(d, axis) for d in (x, index, *others))))
        names[axis] = x.names[axis]
        return tuple(names)

    return rule


def _without(d: Dims, axis: int) -> Dims:
    """The dims with the name of one forgotten."""
    return Dims(tuple(None if i == axis else n for i, n in enumerate(d.names)), d.shape)
