"""What the columns of a table hold: `Features` of `Value`, `ClassLabel` and `Sequence`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from triptych.errors import DomainError, UnknownNameError

__all__ = ["ClassLabel", "Feature", "Features", "Sequence", "Value", "guess"]

WHOLE_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})")  # "007" and telephone numbers stay texts
REAL_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]*)?([eE][-+]?[0-9]+)?|nan|-?inf")
TRUTHS = {"true": True, "True": True, "false": False, "False": False}


def _truth(cell: Any) -> bool:
    return TRUTHS[cell] if isinstance(cell, str) else bool(cell)


CASTS: dict[str, Callable[[Any], Any]] = {
    "string": str,
    "bool": _truth,
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8"), int),
    **dict.fromkeys(("float16", "float32", "float64"), float),
}


@dataclass(frozen=True)
class Value:
    """One text, number or truth value.

    Args:
        dtype: "string", "bool", "int64", "float32" and so on.

    Raises:
        DomainError: no such dtype.

    Example:
        >>> Value("int64").encode("7")
        7
    """

    dtype: str

    def __post_init__(self) -> None:
        if self.dtype not in CASTS:
            raise DomainError(f"Value: wanted one of {', '.join(CASTS)}, got {self.dtype!r}")

    def encode(self, cell: Any) -> Any:
        """A cell as this type; None stays, and an empty text is None unless texts are wanted.

        Args:
            cell: what came from a file or a user.
        """
        if cell is None or (cell == "" and self.dtype != "string"):
            return None
        return CASTS[self.dtype](cell)


@dataclass(frozen=True)
class Sequence:
    """A list of things alike.

    Args:
        feature: what each item is.
    """

    feature: Feature

    def encode(self, cell: Any) -> Any:
        """A list, each item encoded.

        Args:
            cell: a list or another sequence, or None.
        """
        return None if cell is None else [self.feature.encode(item) for item in cell]


@dataclass(frozen=True)
class ClassLabel:
    """One of some classes, kept as its number from 0.

    Args:
        names: of the classes.
        num_classes: how many there are, when they have no names but their numbers.

    Raises:
        DomainError: neither is given, or a name comes twice.

    Example:
        >>> mood = ClassLabel(names=["neg", "pos"])
        >>> mood.str2int("pos"), mood.int2str([0, 1])
        (1, ['neg', 'pos'])
    """

    names: tuple[str, ...] = ()
    num_classes: int = field(default=0)

    def __init__(self, names: Iterable[str] = (), num_classes: int = 0) -> None:
        given = tuple(names) or tuple(str(n) for n in range(num_classes))
        if not given or len(set(given)) < len(given) or num_classes not in (0, len(given)):
            raise DomainError(
                f"ClassLabel: wanted names that differ, or num_classes, got {given} and "
                f"num_classes={num_classes}"
            )
        object.__setattr__(self, "names", given)
        object.__setattr__(self, "num_classes", len(given))

    def str2int(self, values: str | Iterable[str]) -> int | list[int]:
        """Numbers of classes.

        Args:
            values: a name, or several; a number written out is good as well.

        Raises:
            UnknownNameError: no such class.
        """
        if isinstance(values, str):
            return self._number(values)
        return [self._number(value) for value in values]

    def _number(self, name: str) -> int:
        if name in self.names:
            return self.names.index(name)
        if name.strip().isdecimal() and int(name) < self.num_classes:
            return int(name)
        raise UnknownNameError(f"ClassLabel: no class {name!r}; there are {', '.join(self.names)}")

    def int2str(self, values: int | Iterable[int]) -> str | list[str]:
        """Names of classes.

        Args:
            values: a number, or several.

        Raises:
            DomainError: no such class.
        """
        if not isinstance(values, Iterable):
            return self._name(int(values))
        return [self._name(int(value)) for value in values]

    def _name(self, number: int) -> str:
        if not 0 <= number < self.num_classes:
            raise DomainError(f"ClassLabel: wanted 0 to {self.num_classes - 1}, got {number}")
        return self.names[number]

    def encode(self, cell: Any) -> Any:
        """A name or number as a number; -1 and None, for no label, stay.

        Args:
            cell: a name among the names, a number, or None.
        """
        if isinstance(cell, str):
            return self._number(cell)
        if cell is not None and not -1 <= cell < self.num_classes:
            raise DomainError(f"ClassLabel: wanted 0 to {self.num_classes - 1}, got {cell}")
        return cell


Feature = Value | ClassLabel | Sequence


class Features(dict[str, Feature]):
    """What each column holds, by name.

    Example:
        >>> table = Features(text=Value("string"), label=ClassLabel(names=["neg", "pos"]))
        >>> table.encode({"text": "Good.", "label": "pos"})
        {'text': 'Good.', 'label': 1}
    """

    def encode(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A row with its cells of the right types.

        Args:
            row: column -> cell; further columns are left as they are.

        Raises:
            ValueError: a cell is not of its column's type; KeyError: a column is missing.
        """
        return {name: self[name].encode(row[name]) for name in self}


GUESSES: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("int64", WHOLE_NUMBER.fullmatch),
    ("float64", REAL_NUMBER.fullmatch),
    ("bool", TRUTHS.__contains__),
)


def guess(cells: Iterable[str]) -> Value:
    """The narrowest type for cells of a text file; empty ones fit any.

    Example:
        >>> guess(["1", "", "2"]).dtype, guess(["007"]).dtype, guess(["1.5", "2"]).dtype
        ('int64', 'string', 'float64')
    """
    filled = [cell for cell in cells if cell != ""]
    for dtype, fits in GUESSES:
        if filled and all(fits(cell) for cell in filled):
            return Value(dtype)
    return Value("string")
