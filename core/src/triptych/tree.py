"""Nested containers as flat lists of leaves, and back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any


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


def _container(value: Any) -> tuple[Any, Any, list[Any]] | None:
    """(type, context, children) of a container; None for a leaf."""
    kind = type(value)
    if kind in (list, tuple):
        return kind, None, list(value)
    if kind in (dict, OrderedDict):
        return kind, tuple(value), list(value.values())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return kind, value._fields, list(value)
    return None


def flatten(value: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of nested lists, tuples, named tuples and dicts, and the structure around them."""
    found = _container(value)
    if found is None:
        return [value], LEAF
    kind, context, children = found
    leaves: list[Any] = []
    specs = []
    for child in children:
        inner, spec = flatten(child)
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
    return spec.kind(*children)


def tree_map(fn: Callable[[Any], Any], value: Any) -> Any:
    """The structure with fn applied to each leaf."""
    leaves, spec = flatten(value)
    return unflatten(spec, [fn(x) for x in leaves])
