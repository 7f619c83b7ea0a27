"""Classes that torch files may hold besides tensors and plain containers, because a user said so.

An allowed class lends its name and its shape, not its code: the reader makes an empty instance with
the built-in type below it and stores the file's values in it. No ``__new__``, ``__init__``,
``__setstate__`` or ``__setattr__`` of the class is called.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from ..errors import DTypeError
from .limits import check_key
from .torch_globals import ALLOWED, REFUSED
from .torch_records import Call

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "remove_safe_globals",
    "safe_globals",
]

Allowed = type | tuple[type, str]

_classes: dict[str, type] = {}  # full dotted name in files -> class
_BASES: tuple[type, ...] = (OrderedDict, dict, list, set, tuple, object)  # special ones first


def add_safe_globals(safe_globals: Iterable[Allowed]) -> None:
    """Let `triptych.load` build instances of classes from torch files.

    Args:
        safe_globals: plain data classes: dataclasses and other classes with attributes, named
            tuples, enums, and subclasses of dict, OrderedDict, list, set and tuple. A pair
            (class, "module.name") says under which name the files hold it.

    Raises:
        DTypeError: something else, such as a function, a subclass of another built-in type, or a
            class with ``__del__``, which would run.
        ValueError: tensors and other names that the reader knows itself.

    Example:
        >>> import dataclasses
        >>> @dataclasses.dataclass
        ... class Settings:
        ...     width: int = 1
        >>> with triptych.serialization.safe_globals([Settings]):
        ...     triptych.serialization.get_safe_globals() == [Settings]
        True
    """
    _classes.update(_named(safe_globals))


def remove_safe_globals(safe_globals: Iterable[Allowed]) -> None:
    """Take back what `add_safe_globals` was given."""
    for name in _named(safe_globals):
        _classes.pop(name, None)


def clear_safe_globals() -> None:
    """Take back all that was allowed."""
    _classes.clear()


def get_safe_globals() -> list[Allowed]:
    """What is allowed, as it was given."""
    return [kind if name == _full_name(kind) else (kind, name) for name, kind in _classes.items()]


class safe_globals:  # noqa: N801 -- torch's spelling
    """A context in which more classes are allowed (see `add_safe_globals`).

    Args:
        safe_globals: classes, or pairs (class, "module.name").
    """

    def __init__(self, safe_globals: Iterable[Allowed]) -> None:
        self._added = _named(safe_globals)

    def __enter__(self) -> Self:
        self._before = dict(_classes)
        _classes.update(self._added)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        _classes.clear()
        _classes.update(self._before)


def _full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def _named(wanted: Iterable[Allowed]) -> dict[str, type]:
    pairs = [item if isinstance(item, tuple) else (item, None) for item in wanted]
    named = {}
    for kind, name in pairs:
        _check(kind)
        full = name or _full_name(kind)
        if full in ALLOWED or full in REFUSED:
            raise ValueError(f"add_safe_globals: the reader decides itself about {full!r}")
        named[full] = kind
    return named


def _check(kind: object) -> None:
    if isinstance(kind, type) and not hasattr(kind, "__del__"):
        if issubclass(kind, enum.Enum):
            return
        native = next(k for k in kind.__mro__ if not k.__flags__ & _HEAP_TYPE)
        if native in _BASES and kind is not native:
            return
    raise DTypeError(
        f"add_safe_globals: {kind!r} is no plain class; wanted a dataclass, a named tuple, an "
        "enum, or a subclass of dict, list, set or tuple, without __del__"
    )


_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, not built in


def base_of(kind: type) -> type:
    """The built-in type that an allowed class is, underneath."""
    return next(base for base in _BASES if issubclass(kind, base))


# What the reader asks


def stand_in(name: str) -> Call | None:
    """What a file may call under a name that a user has allowed."""
    if name in _GETATTR and any(issubclass(kind, enum.Enum) for kind in _classes.values()):
        return Call(name, _member_by_name)
    kind = _classes.get(name)
    return None if kind is None else Call(name, lambda *args: make(kind, *args))


# Early releases of Python 3.11 write an enum's member as a call of getattr with class and name.
_GETATTR = ("builtins.getattr", "__builtin__.getattr")


def _member_by_name(owner: object, name: object) -> Any:
    kind = _classes.get(owner.name) if isinstance(owner, Call) else None
    if kind is None or not issubclass(kind, enum.Enum) or type(name) is not str:
        raise ValueError("an attribute of something other than an enum that was allowed")
    members: Any = kind.__members__
    if name not in members:
        raise ValueError(f"no member of {kind.__name__} is called {name!r:.40}")
    return members[name]


def allowed_base(value: object) -> type | None:
    """The built-in type below the class of a value that the reader made; None for other values."""
    kind = type(value)
    return base_of(kind) if kind in _classes.values() else None


def make(kind: type, *args: Any) -> Any:
    """An instance without running code of its class: an enum's member, a tuple of values, a set of
    members, or empty.

    Raises:
        ValueError: arguments that no such class takes.
    """
    base: Any = base_of(kind)
    if issubclass(kind, enum.Enum):
        return _member(kind, *args)
    if base is tuple:
        return _made_tuple(kind, args)
    made = base.__new__(kind)
    if base is set and len(args) == 1 and type(args[0]) is list:
        for member in args[0]:
            check_key(member)
            set.add(made, member)
    elif args:
        raise ValueError(f"a {kind.__name__} made by a call with arguments")
    return made


def _member(kind: Any, value: object = None) -> Any:
    if not isinstance(value, (str, int, float, bytes)):
        raise ValueError(f"a member of {kind.__name__} whose value is no string or number")
    for member in kind.__members__.values():
        if type(member._value_) is type(value) and member._value_ == value:
            return member
    raise ValueError(f"no member of {kind.__name__} has the value {value!r:.40}")


def _made_tuple(kind: Any, args: tuple[Any, ...]) -> Any:
    fields = getattr(kind, "_fields", None)
    values = args if fields is not None else (args[0] if len(args) == 1 else None)
    if not isinstance(values, (tuple, list)) or (fields is not None and len(values) != len(fields)):
        raise ValueError(f"a {kind.__name__} made from other values than its fields")
    return tuple.__new__(kind, values)


def set_state(target: Any, state: Any) -> int:
    """Store attributes from a file in an instance; returns how many.

    Raises:
        ValueError: the state is not values by name, or the class has no such slot.
    """
    if isinstance(target, enum.Enum):
        raise ValueError(f"a new state for a member of {type(target).__name__}")
    parts = state if type(state) is tuple and len(state) == 2 else (state,)
    held = [part for part in parts if part is not None]
    for part in held:
        if type(part) is not dict or any(type(name) is not str for name in part):
            raise ValueError(f"the state of a {type(target).__name__} is not values by name")
        for name, value in part.items():
            _store(target, name, value)
    return sum(map(len, held))


def _slots(kind: type) -> dict[str, Any]:
    """The descriptors of the slots of a class, by name."""
    found = {}
    for base in kind.__mro__:
        names = base.__dict__.get("__slots__", ())
        for name in (names,) if isinstance(names, str) else names:
            if name in base.__dict__:
                found[name] = base.__dict__[name]
    return found


def _store(target: Any, name: str, value: Any) -> None:
    slot = _slots(type(target)).get(name)
    if slot is not None:
        slot.__set__(target, value)
        return
    try:
        object.__getattribute__(target, "__dict__")[name] = value
    except AttributeError:
        raise ValueError(f"{type(target).__name__} has no slot {name!r:.40}") from None


def _attributes(target: Any) -> dict[str, Any]:
    try:
        held = dict(object.__getattribute__(target, "__dict__"))
    except AttributeError:
        held = {}
    for name, slot in _slots(type(target)).items():
        try:
            held[name] = slot.__get__(target, type(target))
        except AttributeError:  # never filled
            continue
    return held


def rebuild(node: Any, build: Callable[[Any, object], Any]) -> Any:
    """An instance with everything in it built: lists, dicts and attributes in place, tuples anew.

    Args:
        node: what the reader made.
        build: makes of a value and its name or place what the caller wants.
    """
    base: Any = base_of(type(node))
    if isinstance(node, enum.Enum):
        return node
    out = node
    if base is tuple:
        out = tuple.__new__(type(node), [build(v, i) for i, v in enumerate(tuple.__iter__(node))])
    elif base is list:
        for i, value in enumerate(list.__iter__(node)):
            list.__setitem__(node, i, build(value, i))
    elif base in (dict, OrderedDict):
        for key, value in tuple(base.items(node)):
            base.__setitem__(node, key, build(value, key))
    for name, value in _attributes(node).items():
        _store(out, name, build(value, name))
    return out
