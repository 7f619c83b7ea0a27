"""How large a call makes its result, told before it is made: some turn a little into very much."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["grown", "weight"]

TEXTS = (str, bytes)
CONTAINERS = (list, tuple, dict, set, frozenset)
ENTRY = 8  # bytes of a reference
MOST = 10_000_000  # of a weight that is multiplied


def weight(value: Any, most: int) -> int:
    """Characters of a value and all of its parts; what is shared counts each time.

    Args:
        value: anything; what is neither a text nor a container weighs 0.
        most: where to stop, so that the answer takes no longer than that.

    Returns:
        Characters, and for each container 8 besides 8 for each entry, as so many bytes it takes.

    Example:
        >>> weight(["ab", {"c": [1, 2]}], 100)
        67
    """
    waiting, total = [value], 0
    while waiting and total <= most:
        part = waiting.pop()
        if isinstance(part, TEXTS):
            total += len(part)
        elif isinstance(part, CONTAINERS):
            total += ENTRY * (1 + len(part))
            if total <= most:
                waiting += part
                waiting += part.values() if isinstance(part, dict) else ()
    return total


def _replace(text: str, old: str, new: str, *_: Any) -> int:
    return (text.count(old) if old else len(text) + 1) * len(new)


def _joined(entries: Any, between: Any = "", *_: Any) -> int:
    return len(entries) * len(str(between)) if hasattr(entries, "__len__") else 0


def _formatted(pattern: str, *values: Any) -> int:
    heaviest = max((weight(value, MOST) for value in values), default=0)
    return max(pattern.count("%"), pattern.count("{")) * heaviest


def _indented(text: str, width: Any = 4, *_: Any) -> int:
    return (text.count("\n") + 1) * (width if isinstance(width, int) else len(width))


def _wrapped(text: str, width: int = 79, long: bool = True, between: Any = None, *_: Any) -> int:
    return (len(text) // max(width, 1) + text.count("\n") + 1) * len(between or "\n")


def _expanded(text: str, size: int = 8) -> int:
    return text.count("\t") * size


def _translated(text: str, table: Any) -> int:
    return len(text) * max((weight(v, MOST) for v in dict(table).values()), default=0)


def _json(value: Any, indent: int | None = None, options: Any = None) -> int:
    between = sum(len(text) for text in (options or {}).get("separators") or ())
    return weight(value, MOST) * max(indent or 0, between)


# Methods of texts and filters, by their names, whose results may be far larger than what goes in.
GROWING: dict[str, Callable[..., int]] = {
    "_to_json": _json,
    "do_format": _formatted,
    "do_indent": _indented,
    "do_join": _joined,
    "do_replace": _replace,
    "do_wordwrap": _wrapped,
    "expandtabs": _expanded,
    "format": _formatted,
    "format_map": _formatted,
    "join": lambda between, entries: _joined(entries, between),
    "replace": _replace,
    "translate": _translated,
}
CONTEXTS = ("environment", "eval_ctx")  # what Jinja hands to filters in front


def grown(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int:
    """Characters that a call adds, at most; 0 where it adds few, or will fail anyway.

    Args:
        function: a filter, or a method of a text.
        args: of the call.
        kwargs: of the call.
    """
    count = GROWING.get(getattr(function, "__name__", ""))
    owner = getattr(function, "__self__", None)
    if count is None:
        return 0
    try:
        if isinstance(owner, str):
            return count(owner, *args, *kwargs.values())
        bound = inspect.signature(function).bind(*args, **kwargs)
        return count(*(v for k, v in _flat(bound) if k not in CONTEXTS))
    except (TypeError, ValueError, AttributeError):
        return 0


def _flat(bound: inspect.BoundArguments) -> list[tuple[str, Any]]:
    """Names and values of arguments; each of those behind a star on its own."""
    kinds = bound.signature.parameters
    bound.apply_defaults()
    out: list[tuple[str, Any]] = []
    for name, value in bound.arguments.items():
        starred = kinds[name].kind is inspect.Parameter.VAR_POSITIONAL
        out += [(name, one) for one in value] if starred else [(name, value)]
    return out
