"""How memory holds elements: the names torch has for it."""

from __future__ import annotations

from .errors import ShapeError
from .tensor import Symbol, Tensor

__all__ = [
    "channels_last",
    "channels_last_3d",
    "contiguous_format",
    "layout",
    "memory_format",
    "preserve_format",
    "strided",
]


class layout:  # noqa: N801 -- torch's spelling
    """What kind of memory a tensor has; here always ``strided``."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"triptych.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class memory_format:  # noqa: N801 -- torch's spelling
    """An order of axes in memory, from the slowest to the fastest; None means any or row-major."""

    __slots__ = ("name", "order")

    def __init__(self, name: str, order: tuple[int, ...] | None = None) -> None:
        self.name, self.order = name, order

    def __repr__(self) -> str:
        return f"triptych.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided = layout("strided")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last", (0, 2, 3, 1))
channels_last_3d = memory_format("channels_last_3d", (0, 2, 3, 4, 1))


def check_dims(name: str, x: Tensor, wanted: memory_format) -> None:
    """Refuse a format for another number of axes.

    Raises:
        ShapeError: it is one.
    """
    order = wanted.order
    if order is not None and x.ndim != len(order):
        raise ShapeError(f"{name}: {wanted} is for {len(order)} dims, got shape {tuple(x.shape)}")


def ordered(name: str, x: Tensor, wanted: memory_format) -> bool:
    """Whether memory holds the elements without gaps in the order of a format.

    Raises:
        ShapeError: the format is for another number of axes.
    """
    order = wanted.order
    if order is None:
        data = x._data
        return data.layout == "packed" if isinstance(data, Symbol) else data.flags.c_contiguous
    check_dims(name, x, wanted)
    data = x._data
    return not isinstance(data, Symbol) and bool(data.transpose(order).flags.c_contiguous)
