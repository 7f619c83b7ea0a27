"""Modules as trees: parameters and buffers are the leaves, everything else stays as it is."""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from ..tree import register_pytree_node
from .module import Module

TABLES = ("_parameters", "_buffers")


class Structure:
    """A module without its tensors; equal for modules of one make with tensors of the same names.

    Attributes:
        module: what copies are made from.
        names: full names of the distinct tensors, in the order of the leaves.
    """

    def __init__(self, module: Module) -> None:
        self.module = module
        self.names: list[str] = []
        self.tensors: list[Tensor] = []
        for name, tensor in tensors_of(module):
            if all(tensor is not t for t in self.tensors):
                self.names.append(name)
                self.tensors.append(tensor)

    def _key(self) -> Any:
        parts = tuple((name, type(m), m.training) for name, m in self.module.named_modules())
        return parts, tuple(self.names)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Structure) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"[{type(self.module).__name__}]"


def tensors_of(module: Module) -> list[tuple[str, Tensor]]:
    """(full name, tensor) of all parameters, then all buffers; tied ones under every name."""
    return [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]


def _flatten(module: Module) -> tuple[list[Any], Structure]:
    made = Structure(module)
    children, made.tensors = list(made.tensors), []
    return children, made


def _unflatten(children: list[Any], structure: Structure) -> Module:
    source = structure.module
    named = dict(tensors_of(source))
    new = {id(named[n]): value for n, value in zip(structure.names, children, strict=True)}
    return _copied(source, new, {})


def _copied(module: Module, new: dict[int, Any], made: dict[int, Module]) -> Module:
    """A module of its own around new tensors; nothing else is copied."""
    if id(module) in made:
        return made[id(module)]
    out: Module = object.__new__(type(module))
    made[id(module)] = out
    members = dict(module.__dict__)
    for table in TABLES:
        members[table] = {n: new.get(id(t), t) for n, t in members[table].items()}
    members["_modules"] = {
        n: None if m is None else _copied(m, new, made) for n, m in members["_modules"].items()
    }
    out.__dict__.update(members)
    return out


register_pytree_node(Module, _flatten, _unflatten)
