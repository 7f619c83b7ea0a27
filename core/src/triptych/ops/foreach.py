"""One operation on each tensor of a list, under torch's names, such as ``_foreach_add``.

Each tensor is computed by itself: the names save a loop in the caller's code, not time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError
from ..tensor import Tensor
from .inplace import copy_, zero_
from .linalg import mm
from .reduce import max as _max
from .reduce import norm
from .shape import clone

UNARY = (
    "abs acos asin atan ceil cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 "
    "neg reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
)
BINARY = "add sub mul div clamp_max clamp_min maximum minimum pow"
TERNARY = "addcdiv addcmul lerp"


def _columns(name: str, self: Sequence[Tensor], others: tuple[Any, ...]) -> list[Any]:
    """What goes with each tensor: an entry of a list, or the one value for all."""
    columns: list[Any] = []
    for other in others:
        listed = isinstance(other, (list, tuple))
        if listed and len(other) != len(self):
            raise ShapeError(f"{name}: {len(self)} tensors, but a list of {len(other)} for them")
        columns.append(other if listed else [other] * len(self))
    return columns


def _scaled(name: str, others: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """The last of three lists of addcdiv and addcmul is the value, or a vector of values."""
    if name not in ("addcdiv", "addcmul") or len(others) < 3:
        return others, [options]
    values = others[2].tolist() if isinstance(others[2], Tensor) else others[2]
    return others[:2], values if isinstance(values, (list, tuple)) else [{"value": values}]


def _each(name: str, method: Callable[..., Tensor]) -> Callable[..., tuple[Tensor, ...]]:
    def apply(self: Sequence[Tensor], *others: Any, **options: Any) -> tuple[Tensor, ...]:
        others, scales = _scaled(name.strip("_"), others, options)
        columns = _columns(f"_foreach_{name}", self, tuple(others))
        keywords = [s if isinstance(s, dict) else {"value": s} for s in scales]
        if len(keywords) == 1:
            keywords *= len(self)
        rows = zip(self, keywords, *columns, strict=True)
        return tuple(method(x, *row, **named) for x, named, *row in rows)

    apply.__name__ = apply.__qualname__ = f"_foreach_{name}"
    apply.__doc__ = f"`{name}` of each tensor of a list, with one argument for all or one for each."
    return apply


def _methods() -> dict[str, Callable[..., Any]]:
    """The functions, by name."""
    found = {}
    for name in f"{UNARY} {BINARY} {TERNARY}".split():
        found[name] = getattr(Tensor, name)
        found[f"{name}_"] = getattr(Tensor, f"{name}_", None) or _written_into(name)
    found |= {"clone": clone, "copy_": copy_, "max": _max, "mm": mm, "norm": norm, "zero_": zero_}
    return {f"_foreach_{name}": _each(name, method) for name, method in found.items()}


def _written_into(name: str) -> Callable[..., Tensor]:
    """The in-place form of a method that has none of its own."""
    method = getattr(Tensor, name)
    return lambda x, *others: copy_(x, method(x, *others))


FUNCTIONS = _methods()
globals().update(FUNCTIONS)
__all__ = sorted(FUNCTIONS)
