"""Which rows are for training and which for testing, and slices such as "train[:10%]"."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DomainError

__all__ = ["bounds", "divided", "parse_split"]

SLICE = re.compile(r"(?P<name>[\w.-]+)(\[(?P<first>-?\d+%?)?:(?P<last>-?\d+%?)?\])?")


def parse_split(split: str) -> list[tuple[str, str | None, str | None]]:
    """The parts of a split: its name, and where a slice begins and ends.

    Args:
        split: such as "train", "train[:10%]", "train[100:-5]" or "train+test[50%:]".

    Raises:
        DomainError: it is not written so.

    Example:
        >>> parse_split("train+test[50%:]")
        [('train', None, None), ('test', '50%', None)]
    """
    parts = [SLICE.fullmatch(part.strip()) for part in split.split("+")]
    if not all(parts):
        raise DomainError(
            f"split: wanted a name such as 'train', 'train[:10%]' or 'train+test', got {split!r}"
        )
    return [(part["name"], part["first"], part["last"]) for part in parts if part]


def bounds(first: str | None, last: str | None, n: int) -> tuple[int, int]:
    """Where a slice of n rows begins and ends; percentages are rounded to the nearest row.

    Example:
        >>> bounds(None, "10%", 25), bounds("-5", None, 25)
        ((0, 2), (20, 25))
    """
    return _bound(first, 0, n), max(_bound(first, 0, n), _bound(last, n, n))


def _bound(text: str | None, default: int, n: int) -> int:
    if text is None:
        return default
    number = int(text.rstrip("%"))
    if text.endswith("%"):
        if not -100 <= number <= 100:
            raise DomainError(f"split: a percentage is between -100 and 100, got {text}")
        number = round(number * n / 100)
    return min(n, number) if number >= 0 else max(0, n + number)


def _count(size: float | int, n: int, what: str, up: bool) -> int:
    fraction = isinstance(size, float)
    if not (0 < size < 1 if fraction else 0 < size < n):
        raise DomainError(
            f"train_test_split: {what} should be a fraction between 0 and 1, or a number of rows "
            f"between 1 and {n - 1}, got {size}"
        )
    return (math.ceil if up else math.floor)(size * n) if fraction else int(size)


def divided(
    n: int,
    test_size: float | int,
    train_size: float | int | None,
    groups: Sequence[Hashable] | None,
    shuffle: bool,
    generator: tp.Generator,
) -> tuple[list[int], list[int]]:
    """Numbers of the rows for training, and of those for testing.

    Args:
        n: rows there are.
        test_size: a number of rows, or a fraction, rounded up.
        train_size: the same for training, rounded down; None takes the rest.
        groups: values whose proportions both parts keep.
        shuffle: draw the rows; else the last ones are for testing.
        generator: draws.

    Raises:
        DomainError: there are not so many rows, or a group has too few.
    """
    test = _count(test_size, n, "test_size", up=True)
    train = n - test if train_size is None else _count(train_size, n, "train_size", up=False)
    if train < 1 or train + test > n:
        raise DomainError(f"train_test_split: {train} and {test} rows wanted, of {n}")
    if not shuffle:
        if groups is not None:
            raise DomainError("train_test_split: stratify_by_column draws rows; not shuffle=False")
        return list(range(train)), list(range(train, train + test))
    order = tp.randperm(n, generator=generator).tolist()
    if groups is None:
        return order[test : test + train], order[:test]
    return _stratified(order, groups, train, test)


def _stratified(
    order: list[int], groups: Sequence[Hashable], train: int, test: int
) -> tuple[list[int], list[int]]:
    members: dict[Any, list[int]] = {}
    for row in order:
        members.setdefault(groups[row], []).append(row)
    sizes = np.asarray([len(rows) for rows in members.values()])
    if min(train, test) < len(sizes) or sizes.min() < 2:
        raise DomainError(
            f"train_test_split: {len(sizes)} values to keep in proportion need two rows each, and "
            f"as many in both parts, which have {train} and {test}"
        )
    tests = _shares(sizes, test, sizes)
    trains = _shares(sizes, train, sizes - tests)
    chosen_test = [r for rows, k in zip(members.values(), tests, strict=True) for r in rows[:k]]
    chosen_train = [
        r
        for rows, k, m in zip(members.values(), tests, trains, strict=True)
        for r in rows[k : k + m]
    ]
    place = {row: at for at, row in enumerate(order)}  # else values would come group by group
    return sorted(chosen_train, key=place.__getitem__), sorted(chosen_test, key=place.__getitem__)


def _shares(sizes: Any, total: int, most: Any) -> Any:
    """Whole numbers in proportion to sizes that add up to total: largest remainders first."""
    exact = sizes * (total / sizes.sum())
    shares = np.minimum(np.floor(exact).astype(np.int64), most)
    order = np.argsort(shares - exact, kind="stable").tolist()
    while (left := total - int(shares.sum())) > 0:  # most adds up to no less than total
        for at in [at for at in order if shares[at] < most[at]][:left]:
            shares[at] += 1
    return shares
