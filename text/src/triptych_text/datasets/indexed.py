"""`Dataset`: rows by number and columns by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, DomainError, ShapeError, UnknownNameError
from triptych.utils import data

from .features import ClassLabel, Features
from .iterable import IterableDataset
from .passes import common_seed
from .row_functions import (
    changed,
    changed_batch,
    column_names_of,
    columns_of,
    counted,
    rows_of,
)
from .splits import divided

__all__ = ["Dataset"]

Names = str | Sequence[str]


def _array(cells: Any) -> Any:
    try:
        return np.asarray(cells)
    except ValueError:  # lists of different lengths
        array = np.empty(len(cells), object)
        array[:] = cells
        return array


def _tensor(cells: Any) -> Any:
    array = _array(cells)
    return tp.tensor(array) if array.dtype.kind in "biuf" else cells


FORMATS: dict[str | None, Callable[[Any], Any]] = {
    None: lambda cells: cells,
    "numpy": _array,
    "triptych": _tensor,
}


class Dataset(data.Dataset[Any]):
    """A table: row i is a dict, a column is a list.

    What changes rows gives a new table. Rows that are chosen, sorted or shuffled share their cells
    with the table they come from.

    Args:
        columns: names and cells; all of one length.
        features: what the columns hold; they are not converted.

    Raises:
        ShapeError: columns have different lengths.

    Example:
        >>> table = Dataset({"text": ["good", "bad", "fine"], "label": [1, 0, 1]})
        >>> table[1]
        {'text': 'bad', 'label': 0}
        >>> table.filter(lambda row: row["label"])["text"]
        ['good', 'fine']
        >>> table[:2]
        {'text': ['good', 'bad'], 'label': [1, 0]}
    """

    def __init__(
        self, columns: Mapping[str, Sequence[Any]], features: Features | None = None
    ) -> None:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ShapeError(f"Dataset: columns have different lengths: {lengths}")
        self._columns = dict(columns)
        self._rows: Any = np.arange(next(iter(lengths.values()), 0))
        self.features = features
        self._format: str | None = None

    @classmethod
    def from_dict(
        cls, mapping: Mapping[str, Sequence[Any]], features: Features | None = None
    ) -> Dataset:
        """A table of columns; with features, cells are converted.

        Args:
            mapping: column -> cells, as many in each.
            features: of the columns; None guesses them.
        """
        table = cls(mapping)
        return table if features is None else cls.from_list(list(table), features)

    @classmethod
    def from_list(
        cls, mapping: Iterable[dict[str, Any]], features: Features | None = None
    ) -> Dataset:
        """A table of rows that are dicts with the same keys; with features, cells are converted.

        Args:
            mapping: rows, in order.
            features: of the columns; None guesses them.
        """
        rows = [row if features is None else features.encode(row) for row in mapping]
        return cls(columns_of(rows), features)

    @property
    def column_names(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._columns)

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for number in range(len(self)):
            yield self[number]

    def __getitem__(self, key: Any) -> Any:
        """A column by name; a row by number; of a slice or list of numbers, a dict of columns."""
        make = FORMATS[self._format]
        if isinstance(key, str):
            return make(self._cells(key, self._rows))
        if isinstance(key, slice | list | range | np.ndarray):
            rows = self._rows[list(key) if isinstance(key, range) else key]
            return {name: make(self._cells(name, rows)) for name in self._columns}
        at = self._rows[self._number(key)]
        row = {name: column[at] for name, column in self._columns.items()}
        if self._format is None:
            return row
        return {name: make([cell])[0] for name, cell in row.items()}

    def __getitems__(self, indices: list[int]) -> list[dict[str, Any]]:
        """Many rows, for loaders."""
        return rows_of(self[list(indices)])

    def _number(self, key: Any) -> int:
        number = int(key)
        if not -len(self) <= number < len(self):
            raise BoundsError(f"Dataset: row {number} is outside a table of {len(self)} rows")
        return number

    def _cells(self, name: str, rows: Any) -> list[Any]:
        if name not in self._columns:
            raise UnknownNameError(
                f"Dataset: no column {name!r}; there are {', '.join(self._columns)}"
            )
        column = self._columns[name]
        return [column[row] for row in rows.tolist()]

    def _with(self, **changes: Any) -> Dataset:
        table = object.__new__(Dataset)
        table.__dict__.update({**self.__dict__, **changes})
        return table

    def set_format(self, type: str | None = None) -> None:
        """What columns and rows come as from now on.

        Args:
            type: "numpy" arrays; "triptych" tensors, of columns of numbers; None for lists.

        Raises:
            DomainError: another type.
        """
        if type not in FORMATS:
            raise DomainError(f"set_format: wanted one of {list(FORMATS)}, got {type!r}")
        self._format = type

    def with_format(self, type: str | None = None) -> Dataset:
        """The same table in another format; see `set_format`.

        Args:
            type: a format of `set_format`; None gives plain Python values.
        """
        table = self._with()
        table.set_format(type)
        return table

    def select(self, indices: Iterable[int]) -> Dataset:
        """The rows with these numbers, in this order.

        Args:
            indices: numbers of rows, from 0, or below 0 from the end; one may come more than once.
        """
        numbers = np.asarray([self._number(i) for i in indices], np.int64)
        return self._with(_rows=self._rows[numbers])

    def take(self, n: int) -> Dataset:
        """The first n rows.

        Args:
            n: how many, 0 or more.

        Raises:
            DomainError: n is negative.
        """
        return self._with(_rows=self._rows[: counted("take", n)])

    def skip(self, n: int) -> Dataset:
        """The rows after the first n.

        Args:
            n: how many to leave out, 0 or more.

        Raises:
            DomainError: n is negative.
        """
        return self._with(_rows=self._rows[counted("skip", n) :])

    def shard(self, num_shards: int, index: int, contiguous: bool = True) -> Dataset:
        """One of several parts of the rows.

        Args:
            num_shards: how many parts.
            index: which one, from 0.
            contiguous: rows that follow each other; else every num_shards-th.
        """
        if not 0 <= index < num_shards:
            raise DomainError(f"shard: wanted an index from 0 to {num_shards - 1}, got {index}")
        parts = np.array_split(self._rows, num_shards) if contiguous else None
        return self._with(_rows=self._rows[index::num_shards] if parts is None else parts[index])

    def filter(self, function: Callable[[dict[str, Any]], Any]) -> Dataset:
        """The rows for which a function is true.

        Args:
            function: of a row, a dict; its result counts as true or false.
        """
        plain = self.with_format()
        kept = np.asarray([bool(function(row)) for row in plain], bool)
        return self._with(_rows=self._rows[kept])

    def sort(self, column_names: Names, reverse: bool = False) -> Dataset:
        """Rows ordered by one column, or by several; rows alike stay in their order.

        Args:
            column_names: one name or several, the weightiest first.
            reverse: largest first.
        """
        plain = self.with_format()
        keys = list(zip(*(plain[name] for name in column_names_of(column_names)), strict=True))
        order = sorted(range(len(self)), key=keys.__getitem__, reverse=reverse)
        return self.select(order)

    def shuffle(self, seed: int | None = None, generator: tp.Generator | None = None) -> Dataset:
        """Rows in random order.

        Args:
            seed: of the order; it goes before a generator.
            generator: draws the order; default the global one.
        """
        return self.select(tp.randperm(len(self), generator=_drawing(seed, generator)).tolist())

    def map(
        self,
        function: Callable[[Any], Any],
        *,
        batched: bool = False,
        batch_size: int = 1000,
        remove_columns: Names = (),
        num_proc: int = 0,
    ) -> Dataset:
        """Rows changed by a function; see `IterableDataset.map`.

        Args:
            function: of a row, or of a dict of lists.
            batched: whether it takes many rows at once.
            batch_size: how many.
            remove_columns: left out of the rows that go in.
            num_proc: processes that share the work; 0 does it here.
        """
        names = column_names_of(remove_columns)
        make = _Maker(function, names, batched)
        size = batch_size if batched or num_proc else max(1, len(self))
        batches: Iterable[list[Any]] = data.DataLoader(
            self.with_format(), batch_size=size, num_workers=num_proc, collate_fn=make
        )
        return Dataset(columns_of([row for rows in batches for row in rows]))._with(
            _format=self._format
        )

    def train_test_split(
        self,
        test_size: float | int = 0.25,
        train_size: float | int | None = None,
        *,
        shuffle: bool = True,
        stratify_by_column: str | None = None,
        seed: int | None = None,
        generator: tp.Generator | None = None,
    ) -> dict[str, Dataset]:
        """Two tables, "train" and "test", without a row in common.

        Args:
            test_size: a number of rows, or a fraction.
            train_size: the same for training; default the rest.
            shuffle: draw the rows; else the last ones are for testing.
            stratify_by_column: keep the proportions of this column's values in both.
            seed: of the draws; it goes before a generator.
            generator: draws; default the global one.

        Raises:
            DomainError: there are not so many rows, or a value is too rare for both tables.
        """
        groups = None if stratify_by_column is None else self.with_format()[stratify_by_column]
        train, test = divided(
            len(self), test_size, train_size, groups, shuffle, _drawing(seed, generator)
        )
        return {"train": self.select(train), "test": self.select(test)}

    def select_columns(self, column_names: Names) -> Dataset:
        """Only these columns.

        Args:
            column_names: one name or several.
        """
        names = column_names_of(column_names)
        for name in names:
            self._cells(name, self._rows[:0])
        return self._picked({name: name for name in names})

    def remove_columns(self, column_names: Names) -> Dataset:
        """The table without these columns.

        Args:
            column_names: one name or several.
        """
        names = column_names_of(column_names)
        self.select_columns(names)  # they are there
        return self._picked({name: name for name in self._columns if name not in names})

    def rename_column(self, original_column_name: str, new_column_name: str) -> Dataset:
        """The table with a column under another name.

        Args:
            original_column_name: as it is called now.
            new_column_name: as it will be called.
        """
        self.select_columns(original_column_name)
        renamed = {original_column_name: new_column_name}
        return self._picked({name: renamed.get(name, name) for name in self._columns})

    def _picked(self, names: Mapping[str, str]) -> Dataset:
        kept = {new: self._columns[old] for old, new in names.items()}
        known = self.features
        features = None if known is None else Features(
            {new: known[old] for old, new in names.items() if old in known}
        )  # fmt: skip
        return self._with(_columns=kept, features=features)

    def add_column(self, name: str, column: Sequence[Any]) -> Dataset:
        """The table with one more column, or another in place of one.

        Args:
            name: of the column.
            column: a cell for each row.
        """
        cells = {known: self._cells(known, self._rows) for known in self._columns}
        return Dataset({**cells, name: list(column)})._with(_format=self._format)

    def unique(self, column: str) -> list[Any]:
        """The values of a column, each once, in the order they come first.

        Args:
            column: its name.
        """
        return list(dict.fromkeys(self._cells(column, self._rows)))

    def class_encode_column(self, column: str) -> Dataset:
        """A column of names as numbers, with a `ClassLabel` of the sorted names in `features`.

        Args:
            column: its name.
        """
        label = ClassLabel(names=sorted(map(str, self.unique(column))))
        numbers = [label.str2int(str(cell)) for cell in self._cells(column, self._rows)]
        table = self.add_column(column, numbers)
        table.features = Features({**(self.features or {}), column: label})
        return table

    def to_iterable_dataset(self) -> IterableDataset:
        """The rows as a stream."""
        return IterableDataset(self.__iter__, self.features, len(self))

    def to_dict(self) -> dict[str, list[Any]]:
        """The columns as lists."""
        return {name: self._cells(name, self._rows) for name in self._columns}

    def __repr__(self) -> str:
        return f"Dataset(columns={self.column_names}, num_rows={len(self)})"


class _Maker:
    """Makes new rows of a batch, in this process or a worker."""

    def __init__(self, function: Callable[[Any], Any], remove: Sequence[str], batched: bool):
        self.function, self.remove, self.batched = function, remove, batched

    def __call__(self, rows: list[Any]) -> list[Any]:
        if self.batched:
            return list(changed_batch(self.function, self.remove, rows))
        return [changed(self.function, self.remove, row) for row in rows]


def _drawing(seed: int | None, generator: tp.Generator | None) -> tp.Generator:
    chosen = common_seed(generator) if seed is None else seed
    return tp.Generator().manual_seed(chosen)
