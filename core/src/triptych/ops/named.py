"""Names of dims: giving, changing and aligning them. The rules by which operations pass them on are
in `prims.naming`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from ..errors import NamesError
from ..prims import movement as mv
from ..prims.naming import Names, dims_of
from ..tensor import Tensor

__all__ = ["align_tensors", "contract"]

Call = TypeVar("Call", bound=Callable[..., Any])


def checked_names(call: str, names: Iterable[Any], ndim: int) -> Names | None:
    """Names for the dims of a tensor; None if every one is None.

    Raises:
        NamesError: too many or too few, a name twice, or something that is no name: names are
            Python identifiers.
    """
    given = (names,) if isinstance(names, str) else tuple(names)
    for name in given:
        if name is not None and not (isinstance(name, str) and name.isidentifier()):
            raise NamesError(
                f"{call}: a dim is named by a Python identifier such as 'N' or 'height', or None, "
                f"got {name!r}"
            )
    if len(given) != ndim:
        raise NamesError(f"{call}: {len(given)} names {given} for {ndim} dims; None leaves one out")
    known = [n for n in given if n is not None]
    if len(set(known)) != len(known):
        raise NamesError(f"{call}: {given} has one name twice; each dim needs a name of its own")
    return given if known else None


def with_names(t: Tensor, names: Names | None) -> Tensor:
    """The tensor, which nobody else holds yet, with names for its dims."""
    t._names = names if names is not None and any(n is not None for n in names) else None
    return t


def set_names(t: Tensor, names: Iterable[Any] | None, call: str = "names") -> Tensor:
    """Name the dims of a tensor in place; None takes all names away."""
    t._names = None if names is None else checked_names(call, names, t.ndim)
    return t


def _alias(t: Tensor, names: Names | None) -> Tensor:
    """A view of a tensor under other names."""
    return with_names(mv.permute(t, axes=tuple(range(t.ndim))), names)


def unnamed(x: Any) -> Any:
    """A tensor under no names: itself if it has none, else a view. Sequences likewise; other values
    as they are.
    """
    if isinstance(x, Tensor):
        return x if x._names is None else _alias(x, None)
    if type(x) not in (list, tuple):
        return x
    once = {id(item): unnamed(item) for item in x}  # what was one tensor stays one
    return type(x)(once[id(item)] for item in x)


def keeps_names(function: Call) -> Call:
    """For a function whose steps lose track of names, but whose results have the dims of its first
    argument, perhaps with other lengths: results with as many dims get its names.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        names = getattr(args[0] if args else next(iter(kwargs.values()), None), "_names", None)
        if names is None:
            return function(*args, **kwargs)
        return named_like(nameless(*args, **kwargs), names)

    nameless = drops_names(function)
    return call  # type: ignore[return-value]


def named_like(out: Any, names: Names) -> Any:
    """A result or several, in which dims without a name take that of the same dim of an input with
    as many dims, unless it is taken.
    """
    for t in out if isinstance(out, tuple) else (out,):
        if isinstance(t, Tensor) and t.ndim == len(names):
            own = t.names
            t._names = tuple(
                a if a is not None or b in own else b for a, b in zip(own, names, strict=True)
            )
    return out


def drops_names(function: Call) -> Call:
    """For a function whose results have no dim of an input: names end here."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        return function(*unnamed(args), **{k: unnamed(v) for k, v in kwargs.items()})

    return call  # type: ignore[return-value]


def _is_dots(name: Any) -> bool:
    return name is Ellipsis or name == "..."


def _filled(call: str, names: Sequence[Any], dots: Sequence[Any]) -> tuple[Any, ...]:
    """Names with their ellipsis, if any, replaced."""
    places = [i for i, n in enumerate(names) if _is_dots(n)]
    if len(places) > 1:
        raise NamesError(f"{call}: wanted at most one '...', got {tuple(names)}")
    if not places:
        return tuple(names)
    at = places[0]
    return (*names[:at], *dots, *names[at + 1 :])


def _spread(call: str, names: Sequence[Any], own: Names) -> tuple[Any, ...]:
    """Names with the ellipsis standing for the tensor's own names in that place."""
    others = sum(not _is_dots(n) for n in names)
    before = next((i for i, n in enumerate(names) if _is_dots(n)), 0)
    return _filled(call, names, own[before : before + max(len(own) - others, 0)])


def _listed(names: tuple[Any, ...]) -> tuple[Any, ...]:
    """Names that came one by one or as one sequence."""
    if len(names) == 1 and isinstance(names[0], (tuple, list)):
        return tuple(names[0])
    return names


def _renamed(
    call: str, t: Tensor, names: tuple[Any, ...], changes: Mapping[str, Any]
) -> Names | None:
    """The names that the arguments of `rename` ask for."""
    own = dims_of(t).names
    if names and changes:
        raise NamesError(f"{call}: wanted either names in order or old=new pairs, got both")
    if names == (None,):
        return None
    if not changes:
        return checked_names(call, _spread(call, _listed(names), own), t.ndim)
    for old in changes:
        if old not in own:
            raise NamesError(f"{call}: no dim is named {old!r}; the tensor has names {own}")
    return checked_names(call, [changes.get(n, n) if n else None for n in own], t.ndim)


def rename(input: Tensor, *names: Any, **rename_map: str | None) -> Tensor:
    """A view under other names.

    Args:
        names: a name (or None) per dim, where ``"..."`` stands for names that stay; a single None
            takes all names away.
        rename_map: instead, old name to new name.

    Raises:
        NamesError: names do not fit the dims, or a name to change is not there.

    Example:
        >>> triptych.zeros(2, 3, names=("N", "C")).rename(C="channels").names
        ('N', 'channels')
    """
    return _alias(input, _renamed("rename", input, names, rename_map))


def rename_(input: Tensor, *names: Any, **rename_map: str | None) -> Tensor:
    """`rename` in place; returns self."""
    input._names = _renamed("rename_", input, names, rename_map)
    return input


def refine_names(input: Tensor, *names: Any) -> Tensor:
    """A view where dims without a name get one; those with a name must keep it.

    Args:
        names: a name per dim; ``...`` stands for dims that stay as they are.

    Raises:
        NamesError: a dim has another name already.

    Example:
        >>> triptych.zeros(2, 3, 5).refine_names(..., "W").names
        (None, None, 'W')
    """
    own = dims_of(input).names
    wanted = checked_names("refine_names", _spread("refine_names", _listed(names), own), input.ndim)
    for place, (old, new) in enumerate(zip(own, wanted or (None,) * input.ndim, strict=True)):
        if old is not None and old != new:
            raise NamesError(
                f"refine_names: dim {place} is named {old!r} and cannot become {new!r}; use "
                "rename() to change names"
            )
    return _alias(input, wanted)


def align_to(input: Tensor, *names: Any) -> Tensor:
    """A view with dims in the order of the names; names the tensor lacks become dims of length one.

    Args:
        names: each name of the tensor must be there; ``...`` stands for those not mentioned, in
            their order.

    Raises:
        NamesError: a dim of the tensor has no name, or its name is not among those wanted.

    Example:
        >>> triptych.zeros(2, 3, names=("N", "C")).align_to("C", "H", "N").shape
        Size([3, 1, 2])
    """
    own = dims_of(input).names
    if None in own:
        raise NamesError(
            f"align_to: dims without a name cannot be aligned: {dims_of(input)}; name them with "
            "refine_names()"
        )
    names = _listed(names)
    wanted = _filled("align_to", names, [n for n in own if n not in names])
    checked_names("align_to", wanted, len(wanted))
    if None in wanted or not set(own) <= set(wanted):
        raise NamesError(
            f"align_to: {wanted} must name every dim of {dims_of(input)} and nothing by None; "
            "'...' stands for the rest"
        )
    t = mv.permute(input, axes=tuple(own.index(n) for n in wanted if n in own))
    if len(wanted) > len(own):
        t = mv.slice_(t, key=tuple(slice(None) if n in own else None for n in wanted))
    return with_names(t, wanted)


def align_as(input: Tensor, other: Tensor) -> Tensor:
    """`align_to` the names of another tensor."""
    return align_to(input, *dims_of(other).names)


def align_tensors(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Tensors aligned to the names of the one with the most dims, so that they broadcast.

    Raises:
        NamesError: a dim has no name, or one that the largest tensor lacks.
    """
    if len(tensors) == 1 and not isinstance(tensors[0], Tensor):
        tensors = tuple(tensors[0])
    longest = max(tensors, key=lambda t: t.ndim, default=None)
    return tuple(align_as(t, longest) for t in tensors) if longest is not None else ()


def has_names(input: Tensor) -> bool:
    """Whether some dim has a name."""
    return input._names is not None


def contract(*tensors: Tensor, dims: Any = None) -> Tensor:
    """The product of tensors, lined up by the names of their dims, summed over some of them.

    Args:
        tensors: every dim has a name; dims of one name have one length.
        dims: name, or names, to sum over; default all that more than one tensor has.

    Returns:
        The dims left, in the order in which their names first appear.

    Raises:
        NamesError: a dim has no name, or no tensor has a name in dims.

    Example:
        >>> x = triptych.ones(2, 3, names=("N", "C"))
        >>> w = triptych.ones(5, 3, names=("D", "C"))
        >>> contract(x, w).names, contract(x, w, dims=()).shape
        (('N', 'D'), Size([2, 3, 5]))
    """
    from .linalg import einsum

    if not tensors:
        raise NamesError("contract: wanted at least one tensor")
    own = [dims_of(t).names for t in tensors]
    if any(None in names for names in own):
        came = " and ".join(str(dims_of(t)) for t in tensors)
        raise NamesError(f"contract: every dim needs a name, got {came}; use refine_names()")
    every = list(dict.fromkeys(n for names in own for n in names))
    shared = [n for n in every if sum(n in names for names in own) > 1]
    over = shared if dims is None else [dims] if isinstance(dims, str) else list(dims)
    unknown = [n for n in over if n not in every]
    if unknown:
        raise NamesError(f"contract: no tensor has a dim named {unknown[0]!r}; they have {every}")
    letters = {n: chr(97 + i) if i < 26 else chr(39 + i) for i, n in enumerate(every)}
    left = [n for n in every if n not in over]
    terms = ["".join(letters[n] for n in names) for names in own]
    result = "".join(letters[n] for n in left)
    out = einsum(f"{','.join(terms)}->{result}", *map(unnamed, tensors))
    return with_names(out, tuple(left))
