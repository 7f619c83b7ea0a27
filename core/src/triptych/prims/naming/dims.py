"""Names of dims: where they are, how several become one, and what contradictions say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...dtypes import BOOL
from ...errors import NamesError, TriptychError

if TYPE_CHECKING:
    from ..table import Prim

Names = tuple[str | None, ...]


class Dims:
    """The dims of one input as rules see them: a name or None, and a length, for each; `masks` says
    that its elements are booleans.
    """

    __slots__ = ("masks", "names", "shape")

    def __init__(self, names: Names, shape: tuple[int, ...], masks: bool = False) -> None:
        self.names, self.shape, self.masks = names, shape, masks

    def __str__(self) -> str:
        return described(self.names, self.shape)


def described(names: Sequence[str | None], shape: Sequence[int]) -> str:
    """``(N: 2, C: 3, 5)``: names where there are any, and lengths."""
    parts = [
        str(n) if name is None else f"{name}: {n}" for name, n in zip(names, shape, strict=True)
    ]
    return f"({', '.join(parts)})"


def dims_of(x: Any) -> Dims:
    """The dims of a tensor, an array or a Python number."""
    raw = getattr(x, "_data", x)
    shape = tuple(getattr(raw, "shape", ()))
    names = getattr(x, "_names", None) or (None,) * len(shape)
    return Dims(names, shape, getattr(raw, "dtype", None) == BOOL)


def infer(prim: Prim, xs: tuple[Any, ...], params: dict[str, Any]) -> tuple[Names | None, ...]:
    """The names of each output of a call, None for an output without any.

    Raises:
        NamesError: names of the inputs contradict each other, or an output would have one twice.
    """
    if not callable(prim.names):
        return (None,) * prim.outputs
    found = prim.names(*map(dims_of, xs), **params)
    listed = found if prim.outputs > 1 else (found,)
    return tuple(_distinct(prim.name, names) for names in listed)


def _distinct(name: str, names: Names) -> Names | None:
    known = [n for n in names if n is not None]
    if len(set(known)) != len(known):
        raise NamesError(
            f"{name}: the result would have dims named {tuple(names)}, one name twice; rename() "
            "a dim of an input first"
        )
    return tuple(names) if known else None


def explained(prim: Prim, xs: tuple[Any, ...], params: Any, error: TriptychError) -> TriptychError:
    """The error of a failed call with what the names of its inputs say about it."""
    try:
        infer(prim, xs, params)
    except NamesError as clearer:
        return clearer
    except (IndexError, ValueError):  # a rule may trip over shapes that do not fit
        pass
    dims = [dims_of(x) for x in xs if hasattr(x, "_data")]
    lengths = _against(dims) if prim.kind in ("binary", "select") else None
    inputs = " and ".join(map(str, dims))
    hint = "" if lengths is None else f"{lengths}; "
    return type(error)(f"{error} [{hint}dims by name: {inputs}]")


def _against(dims: Sequence[Dims]) -> str | None:
    """``C: 3 against 64`` for the last dim whose lengths do not broadcast."""
    depth = max((len(d.shape) for d in dims), default=0)
    for place in range(-1, -depth - 1, -1):
        there = [d for d in dims if len(d.shape) >= -place]
        lengths = list(dict.fromkeys(d.shape[place] for d in there if d.shape[place] != 1))
        name = next((d.names[place] for d in there if d.names[place] is not None), None)
        if len(lengths) > 1 and name is not None:
            return f"{name}: {' against '.join(map(str, lengths))}"
    return None


def unify(call: str, *inputs: Dims) -> Names:
    """The names of dims that broadcast, lined up at the last one; None matches any name.

    Raises:
        NamesError: two names differ in one place, or one name stands in two places.
    """
    out: list[str | None] = [None] * max(len(d.shape) for d in inputs)
    for dims in inputs:
        for place in range(-1, -len(dims.shape) - 1, -1):
            name, held = dims.names[place], out[place]
            if name is not None and held is not None and name != held:
                raise _mismatch(
                    call, inputs, f"dim {place} is {held!r} in one and {name!r} in another input"
                )
            out[place] = held if name is None else name
    for name in out:
        if name is not None and out.count(name) > 1:
            raise _mismatch(
                call, inputs, f"{name!r} would be dims {_places(name, out)} of the result"
            )
    return tuple(out)


def _places(name: str, out: list[str | None]) -> str:
    return " and ".join(str(i - len(out)) for i, n in enumerate(out) if n == name)


def _mismatch(call: str, inputs: Sequence[Dims], what: str) -> NamesError:
    came = " and ".join(str(d) for d in inputs if d.shape)
    return NamesError(
        f"{call}: names do not match: {what}: {came}; line the dims up with align_to() or "
        "align_as(), or rename() one"
    )


def one_name(call: str, *names: str | None) -> str | None:
    """The name that several mentions of one dim agree on.

    Raises:
        NamesError: they do not.
    """
    known = list(dict.fromkeys(n for n in names if n is not None))
    if len(known) > 1:
        raise NamesError(
            f"{call}: one dim is {known[0]!r} in one input and {known[1]!r} in another; rename() "
            "one of them"
        )
    return known[0] if known else None
