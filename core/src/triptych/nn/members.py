"""Names inside a module: which are taken, which may be given, and errors that say so."""

from __future__ import annotations

import difflib
from typing import Any

from ..errors import DTypeError, TriptychError
from ..tensor import Tensor

KINDS = ("_parameters", "_buffers", "_modules")


class ModuleError(TriptychError, AttributeError):
    """A member of a module that cannot be set, or is not there."""


class NoAttribute(ModuleError):
    """Looks for close names only when the text is asked for, since `hasattr` throws it away."""

    def __str__(self) -> str:
        module, name = self.args
        text = f"{type(module).__name__!r} object has no attribute {name!r}"
        if "_parameters" not in module.__dict__:
            return (
                f"{text}; was super().__init__() called first in {type(module).__name__}.__init__?"
            )
        names = [n for n in dir(module) if not n.startswith("_")]
        near = difflib.get_close_matches(name, names, n=3)
        return f"{text}; did you mean {', '.join(near)}?" if near else text

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return ModuleError, (str(self),)  # pickled without the module


class UnknownMemberError(TriptychError, KeyError):
    """A name that cannot be given to a member of a module; it is taken, empty or has a dot."""

    def __str__(self) -> str:
        return str(self.args[0])


def replaced(module: Any, name: str, value: Any) -> bool:
    """Whether name is a registered member, which now holds value."""
    wanted = {"_parameters": "a Parameter", "_modules": "a Module", "_buffers": "a Tensor"}
    for kind, want in wanted.items():
        table = module.__dict__.get(kind)
        if table is None or name not in table:
            continue
        if value is not None and not (kind == "_buffers" and isinstance(value, Tensor)):
            raise DTypeError(
                f"{type(module).__name__}.{name}: wanted {want} or None, got "
                f"{type(value).__name__}; del module.{name} first to put something else there"
            )
        table[name] = value
        return True
    return False


def check_ready(module: Any, name: str, kind: str) -> None:
    """Raise ModuleError unless ``Module.__init__`` has run."""
    if "_parameters" not in module.__dict__:
        raise ModuleError(
            f"{type(module).__name__}: cannot set {kind} {name!r} before super().__init__() has "
            f"been called; call it first in {type(module).__name__}.__init__"
        )


def forget(module: Any, name: str, keep: str) -> None:
    """Free a name for a new member, which takes the place of an old one of its kind."""
    for kind in KINDS:
        if kind != keep:
            module.__dict__[kind].pop(name, None)
    module.__dict__.pop(name, None)
    module._non_persistent_buffers_set.discard(name)


def check_name(module: Any, name: str, kind: str) -> None:
    """Raise unless the module is ready and the name can be part of a dotted one."""
    check_ready(module, name, kind)
    if not isinstance(name, str):
        raise DTypeError(f"{kind} name: wanted a str, got {type(name).__name__}")
    if not name or "." in name:
        raise UnknownMemberError(f"{kind} name {name!r}: must not be empty nor contain a dot")


def check_free(module: Any, name: str, kind: str) -> None:
    """Raise UnknownMemberError if an attribute has the name already."""
    held = name in module.__dict__ or any(name in module.__dict__[k] for k in KINDS)
    if held or hasattr(type(module), name):
        raise UnknownMemberError(
            f"{type(module).__name__}: attribute {name!r} exists already; pick another {kind} name"
        )


def member(module: Any, target: str, call: str, table: str) -> Any:
    """The parameter or buffer of a full name; ModuleError if it is something else."""
    path, _, name = target.rpartition(".")
    owner = module.get_submodule(path)
    held = owner.__dict__[table]
    if name not in held:
        value = getattr(owner, name)
        raise ModuleError(f"{call}({target!r}): {name!r} is a {type(value).__name__}")
    return held[name]
