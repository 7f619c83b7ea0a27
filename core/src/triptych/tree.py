"""Nested containers as flat lists of leaves, and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from .errors import ShapeError


class TreeSpec:
    """The containers of a flattened structure; leaves are the marker LEAF."""

    __slots__ = ("children", "context", "kind")

    def __init__(self, kind: Any, context: Any, children: tuple[TreeSpec, ...]) -> None:
        self.kind, self.context, self.children = kind, context, children

    def _key(self) -> Any:
        return self.kind, self.context, self.children

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TreeSpec) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        if self is LEAF:
            return "*"
        kind = getattr(self.kind, "__name__", self.kind)
        return f"{kind}{self.context or ''}({', '.join(map(repr, self.children))})"


LEAF = TreeSpec(None, None, ())
Flatten = Callable[[Any], tuple[list[Any], Any]]
Unflatten = Callable[[list[Any], Any], Any]
_NODES: dict[type, tuple[Flatten, Unflatten]] = {}
_FOUND: dict[type, tuple[Flatten, Unflatten] | None] = {}  # looked up before, subclasses included


def register_pytree_node(kind: type, flatten_fn: Flatten, unflatten_fn: Unflatten) -> None:
    """Make a class, and its subclasses, a container.

    Args:
        kind: the class.
        flatten_fn: gives (children, context) of an instance; contexts of equal structures are equal
            and hashable.
        unflatten_fn: makes an instance of (children, context).
    """
    _NODES[kind] = (flatten_fn, unflatten_fn)
    _FOUND.clear()


def _registered(kind: type) -> tuple[Flatten, Unflatten] | None:
    if kind not in _FOUND:
        _FOUND[kind] = next((_NODES[base] for base in kind.__mro__ if base in _NODES), None)
    return _FOUND[kind]


def _container(value: Any) -> tuple[Any, Any, list[Any]] | None:
    """(type, context, children) of a container; None for a leaf."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, None, list(value)
    if kind in (dict, OrderedDict):
        return kind, tuple(value), list(value.values())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind, value._fields, list(value)
    found = _registered(kind)
    if found is None:
        return None
    children, context = found[0](value)
    return kind, context, children


def flatten(value: Any, is_leaf: Callable[[Any], bool] | None = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of nested lists, tuples, named tuples, dicts and registered classes, and the
    structure around them; what `is_leaf` says yes to is not looked into.
    """
    found = None if is_leaf is not None and is_leaf(value) else _container(value)
    if found is None:
        return [value], LEAF
    kind, context, children = found
    leaves: list[Any] = []
    specs = []
    for child in children:
        inner, spec = flatten(child, is_leaf)
        leaves += inner
        specs.append(spec)
    return leaves, TreeSpec(kind, context, tuple(specs))


def unflatten(spec: TreeSpec, leaves: list[Any]) -> Any:
    """The structure with leaves put in, in order."""
    return _build(spec, iter(leaves))


def _build(spec: TreeSpec, leaves: Any) -> Any:
    if spec is LEAF or spec == LEAF:
        return next(leaves)
    children = [_build(child, leaves) for child in spec.children]
    if spec.kind in (list, tuple):
        return spec.kind(children)
    if spec.kind in (dict, OrderedDict):
        return spec.kind(zip(spec.context, children, strict=True))
    found = _registered(spec.kind)
    return spec.kind(*children) if found is None else found[1](children, spec.context)


def tree_map(
    fn: Callable[..., Any],
    value: Any,
    *others: Any,
    is_leaf: Callable[[Any], bool] | None = None,
) -> Any:
    """The structure with fn applied to each leaf, and to those of others in the same place.

    Raises:
        ShapeError: another is nested differently.
    """
    leaves, spec = flatten(value, is_leaf)
    columns = [leaves]
    for other in others:
        found, theirs = flatten(other, is_leaf)
        if theirs != spec:
            raise ShapeError(f"tree_map: the trees are nested differently: {spec} and {theirs}")
        columns.append(found)
    return unflatten(spec, [fn(*row) for row in zip(*columns, strict=True)])


def count_leaves(spec: TreeSpec) -> int:
    """How many leaves the structure has."""
    return 1 if spec == LEAF else sum(map(count_leaves, spec.children))


def spread(prefix: Any, spec: TreeSpec) -> list[Any] | None:
    """A value per leaf of a structure, from a tree that may end earlier: what stands at an inner
    place goes for all leaves below it. None if the trees do not match.
    """
    if spec == LEAF:
        return None if _container(prefix) is not None else [prefix]
    found = _container(prefix)
    if found is None:
        return [prefix] * count_leaves(spec)
    kind, context, children = found
    if {kind, spec.kind} <= {dict, OrderedDict} and set(context) == set(spec.context):
        context, children = spec.context, [prefix[name] for name in spec.context]
    elif kind is not spec.kind or context != spec.context or len(children) != len(spec.children):
        return None
    out: list[Any] = []
    for child, inner in zip(children, spec.children, strict=True):
        below = spread(child, inner)
        if below is None:
            return None
        out += below
    return out
