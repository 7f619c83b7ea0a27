"""A named table that refuses surprises: no silent overwriting, no bare KeyError."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from .errors import UnknownNameError

T = TypeVar("T")


def hint(name: str, names: Iterable[str], cutoff: float = 0.6) -> str:
    """``; did you mean ...?`` with the closest names, or nothing."""
    import difflib

    near = difflib.get_close_matches(name, list(names), n=3, cutoff=cutoff)
    return f"; did you mean {', '.join(near)}?" if near else ""


def no_attribute(module: str, name: str, names: Iterable[str]) -> AttributeError:
    """What a module raises for a name that it does not have."""
    near = "" if name.startswith("_") else hint(name, (n for n in names if n[0] != "_"))
    # With its own hint in the text, the interpreter need not look for another.
    return AttributeError(f"module {module!r} has no attribute {name!r}{near}", name=name)


class Registry(Generic[T]):
    """Names to entries: primitives, models, weights, exporters.

    Args:
        kind: what an entry is, in the singular; used in error messages.

    Example:
        >>> shapes = Registry("shape")
        >>> shapes.register("square", 4)
        4
        >>> shapes["square"], shapes.names("sq*")
        (4, ['square'])
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str, entry: T) -> T:
        """Add an entry and return it.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._entries:
            raise ValueError(f"{self.kind} {name!r} is registered already; pick another name")
        self._entries[name] = entry
        return entry

    def remove(self, name: str) -> T:
        """Take an entry out and return it.

        Raises:
            UnknownNameError: there is none of this name.
        """
        entry = self[name]
        del self._entries[name]
        return entry

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownNameError(self._unknown(name)) from None

    def _unknown(self, name: str) -> str:
        return f"no {self.kind} is named {name!r}{hint(str(name), self._entries, 0.4)}"

    def names(self, pattern: str = "*") -> list[str]:
        """Sorted names that match a shell pattern such as ``res*``."""
        import fnmatch

        return sorted(fnmatch.filter(self._entries, pattern))

    def values(self) -> list[T]:
        """Entries in the order of registration."""
        return list(self._entries.values())

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
