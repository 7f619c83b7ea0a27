"""Lists of examples, and readers of tables."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import IO, Any

from triptych import Tensor
from triptych.errors import DomainError, UnknownNameError
from triptych.utils import data as core_data

from ...data.utils import RandomShuffler
from .example import Example

__all__ = ["Dataset", "TabularDataset"]


class Dataset(core_data.Dataset[Example]):
    """Examples, and the fields that made them.

    Args:
        examples: the rows.
        fields: name -> field, or a list of such pairs.
        filter_pred: function of an example; those for which it is false are left out.

    Attributes:
        examples: the rows.
        fields: name -> field.
        sort_key: function of an example, for iterators to sort by.
    """

    sort_key: Callable[[Example], Any] | None = None

    def __init__(
        self,
        examples: Iterable[Example],
        fields: Any,
        filter_pred: Callable[[Example], bool] | None = None,
    ) -> None:
        rows = list(examples)
        self.examples = rows if filter_pred is None else [row for row in rows if filter_pred(row)]
        pairs = fields.items() if isinstance(fields, Mapping) else filter(None, fields)
        self.fields: dict[str, Any] = {}
        for names, field in pairs:
            many = isinstance(names, tuple)
            self.fields.update(zip(names, field, strict=True) if many else [(names, field)])

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Example:
        return self.examples[index]

    def __iter__(self) -> Iterator[Example]:
        yield from self.examples

    def __getattr__(self, name: str) -> Iterator[Any]:
        """The values of a field, example by example."""
        if name not in self.__dict__.get("fields", {}):
            raise AttributeError(f"{type(self).__name__} has no attribute and no field {name!r}")
        return (getattr(example, name) for example in self.examples)

    def split(
        self,
        split_ratio: float | Sequence[float] = 0.7,
        stratified: bool = False,
        strata_field: str = "label",
        random_state: Tensor | None = None,
    ) -> tuple[Dataset, ...]:
        """Random parts.

        Args:
            split_ratio: share of the first part; or shares of train and test, or of train,
                validation and test, in that order, scaled to add up to 1.
            stratified: give each part the same shares of what strata_field holds.
            strata_field: name of a field.
            random_state: as `RandomShuffler.random_state` gives it.

        Returns:
            Two or three datasets: train, (validation,) test; empty ones are left out.

        Raises:
            DomainError: ratios make no sense.
            UnknownNameError: there is no such field.
        """
        ratios = _ratios(split_ratio)
        if stratified and strata_field not in self.fields:
            raise UnknownNameError(f"Dataset.split: no field {strata_field!r}")
        shuffle = RandomShuffler(random_state)
        groups: dict[Any, list[Example]] = defaultdict(list)
        for example in self.examples:
            groups[getattr(example, strata_field) if stratified else None].append(example)
        parts: list[list[Example]] = [[] for _ in ratios]
        for rows in groups.values():
            for part, rows_of_it in zip(parts, _cut(shuffle(rows), ratios), strict=True):
                part += rows_of_it
        made = tuple(Dataset(part, self.fields) for part in parts if part)
        for one in made:
            one.sort_key = self.sort_key
        return made

    @classmethod
    def splits(
        cls,
        path: str | os.PathLike[str],
        root: str = ".data",
        train: str | None = None,
        validation: str | None = None,
        test: str | None = None,
        **kwargs: Any,
    ) -> tuple[Any, ...]:
        """Datasets of files in one folder.

        Args:
            path: the folder.
            root: not used; kept for torchtext's order of arguments.
            train: file name, or None for no such part.
            validation: likewise.
            test: likewise.
            **kwargs: as in the class.
        """
        names = [name for name in (train, validation, test) if name is not None]
        return tuple(cls(os.path.join(path, name), **kwargs) for name in names)  # type: ignore[arg-type]

    def filter_examples(self, field_names: Iterable[str]) -> None:
        """Leave out tokens that are not in the vocabularies of fields.

        Args:
            field_names: which ones.
        """
        for name in field_names:
            vocab = self.fields[name].vocab
            for example in self.examples:
                setattr(example, name, [t for t in getattr(example, name) if t in vocab])


def _ratios(given: float | Sequence[float]) -> list[float]:
    """Shares of train, (validation,) test that add up to 1."""
    if isinstance(given, int | float):
        if not 0 < given < 1:
            raise DomainError(f"Dataset.split: split_ratio should be between 0 and 1, got {given}")
        return [given, 1 - given]
    shares = list(given)
    if len(shares) not in (2, 3) or min(shares) < 0 or sum(shares) <= 0:
        raise DomainError(f"Dataset.split: wanted two or three shares, got {shares}")
    return [share / sum(shares) for share in shares]


def _cut(rows: list[Example], ratios: list[float]) -> list[list[Example]]:
    first = round(ratios[0] * len(rows))
    if len(ratios) == 2:
        return [rows[:first], rows[first:]]
    last = len(rows) - round(ratios[2] * len(rows))
    return [rows[:first], rows[first:last], rows[last:]]


class TabularDataset(Dataset):
    """Examples of a CSV, TSV or JSON-lines file.

    Args:
        path: of the file, in UTF-8.
        format: "csv", "tsv" or "json", in any case.
        fields: (name, field) for each column in order, None to skip one; or column ->
            (name, field), for JSON, and for tables with a header.
        skip_header: leave out the first line; not with fields by column.
        csv_reader_params: for `csv.reader`.
        filter_pred: as in `Dataset`.

    Raises:
        UnknownNameError: there is no such format, or the header lacks a column.
        ValueError: skip_header with fields by column.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        format: str,
        fields: Any,
        skip_header: bool = False,
        csv_reader_params: Mapping[str, Any] | None = None,
        filter_pred: Callable[[Example], bool] | None = None,
    ) -> None:
        kind = format.lower()
        if kind not in ("csv", "tsv", "json"):
            raise UnknownNameError(
                f'TabularDataset: no format {format!r}; there are "csv", "tsv", "json"'
            )
        if skip_header and isinstance(fields, Mapping):
            raise ValueError("TabularDataset: fields by column need the header; do not skip it")
        with open(path, encoding="utf-8", newline=None if kind == "json" else "") as file:
            rows = list(
                _json(file, fields, skip_header)
                if kind == "json"
                else _table(file, kind, fields, skip_header, dict(csv_reader_params or {}))
            )
        if isinstance(fields, Mapping):
            fields = [
                p for pair in fields.values() for p in (pair if isinstance(pair, list) else [pair])
            ]
        super().__init__(rows, fields, filter_pred)


def _json(file: IO[str], fields: Any, skip_header: bool) -> Iterator[Example]:
    for number, line in enumerate(file):
        if line.strip() and not (skip_header and number == 0):
            yield Example.fromJSON(line, fields)


def _table(
    file: IO[str], kind: str, fields: Any, skip_header: bool, params: dict[str, Any]
) -> Iterator[Example]:
    delimiter = {"delimiter": "\t"} if kind == "tsv" else {}
    reader = csv.reader(file, **{**delimiter, **params})
    places = None
    if isinstance(fields, Mapping):
        header = next(reader)
        lacking = [column for column in fields if column not in header]
        if lacking:
            raise UnknownNameError(f"TabularDataset: no column {lacking[0]!r}; there are {header}")
        places = {column: header.index(column) for column in fields}
    elif skip_header:
        next(reader)
    for row in reader:
        if row:
            yield Example.fromCSV(row, fields, places)
