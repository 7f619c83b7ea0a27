"""Tables from a user's files: CSV, TSV, JSON, Parquet and plain text, packed or not."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, Any

from triptych.errors import FileFormatError, MissingDependencyError
from triptych_datasets import MissingDataError

from .features import Features, Value, guess
from .indexed import Dataset
from .iterable import IterableDataset
from .passes import Source
from .questions import whole_json
from .records import Place, Record, decoded, json_lines, lines, list_of, table
from .streams import open_packed, reading

__all__ = ["FORMATS", "from_csv", "from_json", "from_parquet", "from_text", "table_of"]

PathLike = str | os.PathLike[str]
Paths = PathLike | Sequence[PathLike]
GUESS_FROM = 1000  # rows of a stream that say what its columns hold


@dataclass(frozen=True)
class FileRows:
    """Rows of files of one format, one file after the other, as dicts."""

    what: str
    paths: tuple[Path, ...]
    read: Callable[[Path], Iterator[Record]]

    def __call__(self) -> Iterator[Record]:
        for path in self.paths:
            with reading(path):
                yield from self.read(path)


@dataclass(frozen=True)
class Encoded:
    """A record with its cells as the features say."""

    what: str
    features: Features | None

    def __call__(self, record: Record) -> dict[str, Any]:
        encode = dict if self.features is None else self.features.encode
        row: dict[str, Any] = decoded(self.what, encode, record)
        return row


def _csv_rows(path: Path, *, delimiter: str | None, names: tuple[str, ...] | None, quoted: bool
              ) -> Iterator[Record]:  # fmt: skip
    between = delimiter or ("\t" if ".tsv" in path.name else ",")
    with open_packed(path) as stream:
        header = names
        for place, cells in table(stream, str(path), delimiter=between, quoted=quoted):
            if header is None:
                header = _checked_header(place, cells)
            elif len(cells) != len(header):
                raise FileFormatError(
                    f"from_csv: {place}: {len(cells)} cells, where the columns are "
                    f"{', '.join(header)}"
                )
            else:
                yield place, dict(zip(header, cells, strict=True))


def _checked_header(place: Place, cells: list[str]) -> tuple[str, ...]:
    if len(set(cells)) < len(cells):
        raise FileFormatError(f"from_csv: {place}: a column's name comes twice: {cells}")
    return tuple(cells)


def _json_rows(path: Path, *, field: str | None) -> Iterator[Record]:
    with open_packed(path) as stream:
        start = stream.peek(64) if hasattr(stream, "peek") else b""
        whole = field is not None or start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"["
        records = _array_rows(stream, str(path), field) if whole else json_lines(stream, str(path))
        for place, row in records:
            if not isinstance(row, dict):
                raise FileFormatError(f"from_json: {place}: wanted an object, got {str(row)[:60]}")
            yield place, row


def _array_rows(stream: IO[bytes], name: str, field: str | None) -> Iterator[Record]:
    content = whole_json(stream, name)
    if field is not None:
        if not isinstance(content, dict) or field not in content:
            raise FileFormatError(f"from_json: {name}: wanted an object with {field!r}")
        content = content[field]
    if not isinstance(content, list):
        raise FileFormatError(f"from_json: {name}: wanted a list of objects")
    return list_of(content, name)


def _parquet_rows(path: Path, *, columns: tuple[str, ...] | None) -> Iterator[Record]:
    library = _pyarrow("pyarrow")
    number = 0
    try:
        with _pyarrow("pyarrow.parquet").ParquetFile(path) as file:
            for batch in file.iter_batches(columns=None if columns is None else list(columns)):
                for row in batch.to_pylist():
                    number += 1
                    yield Place(str(path), number, "row"), row
    except (library.ArrowException, OSError) as error:
        raise FileFormatError(f"from_parquet: {path}, after row {number}: {error}") from error


def _pyarrow(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependencyError(
            'from_parquet wants pyarrow; pip install "triptych-text[parquet]"'
        ) from error


def _text_rows(path: Path, *, sample_by: str) -> Iterator[Record]:
    with open_packed(path) as stream:
        if sample_by == "document":
            text = "\n".join(line for _, line in lines(stream, str(path)))
            yield Place(str(path), 1), {"text": text}
            return
        block: list[str] = []
        place = Place(str(path), 1)
        for place, line in lines(stream, str(path)):
            if sample_by == "line":
                yield place, {"text": line}
            elif line.strip():
                block.append(line)
            elif block:
                yield place, {"text": "\n".join(block)}
                block = []
        if block:
            yield place, {"text": "\n".join(block)}


def _several(what: str, paths: Paths) -> tuple[Path, ...]:
    given = [paths] if isinstance(paths, str | os.PathLike) else paths
    found = tuple(Path(path).expanduser() for path in given)
    for path in found:
        if not path.is_file():
            raise MissingDataError(f"{what}: {path} not found")
    return found


def table_of(
    what: str,
    paths: Paths,
    read: Callable[[Path], Iterator[Record]],
    features: Features | None,
    streaming: bool,
    guessing: bool = False,
) -> Any:
    """A table of files, in memory or as a stream.

    Args:
        what: the function called, for errors.
        paths: of one file, or several.
        read: makes records of dicts of a file.
        features: what the columns hold; cells are converted.
        streaming: read while rows are used.
        guessing: cells are texts, so tell by them what columns hold, unless features say it; of a
            stream, by the first 1000 rows.
    """
    rows = FileRows(what, _several(what, paths), read)
    records: Iterable[Record] = rows()
    if not streaming:
        records = list(records)
    if guessing and features is None:
        features = _guessed(list(islice(records, GUESS_FROM)) if streaming else list(records))
    encode = Encoded(what, features)
    if streaming:
        return IterableDataset(Source(rows, encode), features)
    return Dataset.from_list([encode(record) for record in records])._with(features=features)


def _guessed(records: list[Record]) -> Features:
    names = list(records[0][1]) if records else []
    return Features({name: guess(row[name] for _, row in records) for name in names})


def from_csv(
    path_or_paths: Paths,
    *,
    delimiter: str | None = None,
    column_names: Sequence[str] | None = None,
    quoted: bool = True,
    features: Features | None = None,
    streaming: bool = False,
) -> Any:
    """A table of CSV or TSV files.

    Columns of whole numbers, numbers or truth values are told by their cells; empty cells are None
    there, and "" among texts.

    Args:
        path_or_paths: of one file or several; packed by gzip, bzip2 or xz, or not.
        delimiter: between cells; default a tab for .tsv, else a comma.
        column_names: default the first row.
        quoted: whether '"' may enclose a cell.
        features: what the columns hold.
        streaming: read while rows are used; columns are told by the first 1000 rows.

    Returns:
        A `Dataset`, or an `IterableDataset` when streaming.

    Raises:
        MissingDataError: no such file.
        FileFormatError: a row has more or fewer cells, or another kind; the text has its line.
    """
    names = None if column_names is None else tuple(column_names)
    read = partial(_csv_rows, delimiter=delimiter, names=names, quoted=quoted)
    return table_of("from_csv", path_or_paths, read, features, streaming, guessing=True)


def from_json(
    path_or_paths: Paths,
    *,
    field: str | None = None,
    features: Features | None = None,
    streaming: bool = False,
) -> Any:
    """A table of JSON files: an object on each line, or a list of objects.

    Args:
        path_or_paths: of one file or several; packed by gzip, bzip2 or xz, or not.
        field: where in an object the list is.
        features: what the columns hold.
        streaming: read while rows are used; a list is read whole all the same.

    Returns:
        A `Dataset`, or an `IterableDataset` when streaming.

    Raises:
        MissingDataError: no such file.
        FileFormatError: something is no JSON, or no object; the text has its line.
    """
    read = partial(_json_rows, field=field)
    return table_of("from_json", path_or_paths, read, features, streaming)


def from_parquet(
    path_or_paths: Paths,
    *,
    columns: Sequence[str] | None = None,
    features: Features | None = None,
    streaming: bool = False,
) -> Any:
    """A table of Parquet files.

    Args:
        path_or_paths: of one file or several.
        columns: read only these.
        features: what the columns hold.
        streaming: read while rows are used.

    Returns:
        A `Dataset`, or an `IterableDataset` when streaming.

    Raises:
        MissingDependencyError: the `pyarrow` library is not installed.
        MissingDataError: no such file.
        FileFormatError: a file is damaged.
    """
    _pyarrow("pyarrow.parquet")
    read = partial(_parquet_rows, columns=None if columns is None else tuple(columns))
    return table_of("from_parquet", path_or_paths, read, features, streaming)


def from_text(path_or_paths: Paths, *, sample_by: str = "line", streaming: bool = False) -> Any:
    """A table with one column, "text".

    Args:
        path_or_paths: of one file or several; packed by gzip, bzip2 or xz, or not.
        sample_by: "line", "paragraph" (up to an empty line) or "document".
        streaming: read while rows are used.

    Returns:
        A `Dataset`, or an `IterableDataset` when streaming.

    Raises:
        MissingDataError: no such file.
        FileFormatError: a file is no text in UTF-8; DomainError: another sample_by.
    """
    from triptych_datasets.choices import verify_str_arg

    verify_str_arg(sample_by, "sample_by", ("line", "paragraph", "document"))
    read = partial(_text_rows, sample_by=sample_by)
    features = Features(text=Value("string"))
    return table_of("from_text", path_or_paths, read, features, streaming)


# Ends of names, without those of packers, and what reads such files.
FORMATS: dict[str, Callable[..., Any]] = {
    ".csv": from_csv,
    ".json": from_json,
    ".jsonl": from_json,
    ".ndjson": from_json,
    ".parquet": from_parquet,
    ".tsv": from_csv,
    ".txt": from_text,
}
