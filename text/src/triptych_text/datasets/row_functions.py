"""What steps do to a row, or to many; rows are dicts of columns, tuples or anything else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from triptych.errors import DomainError, DTypeError, ShapeError, UnknownNameError

__all__ = ["changed", "changed_batch", "column_names_of", "columns_of", "counted", "only",
           "rows_of", "without"]  # fmt: skip


def counted(what: str, n: int) -> int:
    """A number of rows.

    Args:
        what: the method, for the error.
        n: the number.

    Raises:
        DomainError: it is negative.
    """
    if n < 0:
        raise DomainError(f"{what}: wanted a number of rows, got {n}")
    return n


def column_names_of(names: str | Sequence[str]) -> tuple[str, ...]:
    """One name, or several, as a tuple."""
    return (names,) if isinstance(names, str) else tuple(names)


def changed(function: Callable[[Any], Any], remove: Collection[str], row: Any) -> Any:
    """A row changed by a function; the columns of two dicts are put together."""
    result = function(row)
    if not (isinstance(row, dict) and isinstance(result, dict)):
        return result
    return {**without(remove, row), **result}


def changed_batch(
    function: Callable[[Any], Any] | None, remove: Collection[str], rows: list[Any]
) -> Any:
    """Many rows changed at once.

    Args:
        function: of the batch; None gives the batch itself.
        remove: columns to leave out of what goes in.
        rows: what the batch is made of; dicts become one dict of lists.

    Returns:
        Rows; without a function, the batch.
    """
    batch: Any = columns_of(rows) if all(isinstance(row, dict) for row in rows) else rows
    if function is None:
        return batch
    result = function(batch)
    if not isinstance(result, dict):
        return list(result)
    kept = without(remove, batch) if isinstance(batch, dict) else {}
    lengths = {len(column) for column in result.values()}
    if kept and lengths - {len(rows)}:
        raise ShapeError(
            f"map: the function made {sorted(lengths)} rows of {len(rows)}, but the columns "
            f"{', '.join(kept)} stay as they are; give remove_columns={sorted(kept)}"
        )
    return rows_of({**kept, **result})


def columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns.

    Raises:
        UnknownNameError: rows have different columns.
    """
    names = list(rows[0]) if rows else []
    for row in rows:
        if row.keys() != rows[0].keys():
            raise UnknownNameError(
                f"rows have different columns: {names} and then {list(row)}; add what lacks as None"
            )
    return {name: [row[name] for row in rows] for name in names}


def rows_of(columns: dict[str, Any]) -> list[dict[str, Any]]:
    """Columns as rows.

    Raises:
        ShapeError: they have different lengths.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ShapeError(f"columns have different lengths: {lengths}")
    cells = zip(*columns.values(), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in cells]


def only(names: Collection[str], row: dict[str, Any]) -> dict[str, Any]:
    """A row with these columns."""
    _check(names, row)
    return {name: row[name] for name in names}


def without(names: Collection[str], row: dict[str, Any]) -> dict[str, Any]:
    """A row, or columns, without these."""
    if not names:
        return row
    _check(names, row)
    return {name: cell for name, cell in row.items() if name not in names}


def _check(names: Collection[str], row: Any) -> None:
    if not isinstance(row, dict):
        raise DTypeError(
            f"columns {', '.join(names)}: wanted rows that are dicts, got {type(row).__name__}"
        )
    unknown = [name for name in names if name not in row]
    if unknown:
        raise UnknownNameError(
            f"column {', '.join(unknown)} is not there; there are {', '.join(map(str, row))}"
        )
