"""One row of a dataset: an attribute for each field."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

from triptych.errors import FileFormatError, ShapeError, UnknownNameError

__all__ = ["Example"]

Named = Sequence[tuple[Any, Any] | None]


class Example:
    """One row of a dataset; its attributes are named by the fields."""

    @classmethod
    def fromJSON(cls, data: str, fields: Mapping[str, Any]) -> Example:
        """Row of a JSON object.

        Args:
            data: a JSON object in text.
            fields: key -> (name of the attribute, field), or a list of such pairs.

        Raises:
            FileFormatError: it is no JSON object.
        """
        try:
            found = json.loads(data)
        except json.JSONDecodeError as error:
            raise FileFormatError(f"Example.fromJSON: {error}: {data:.80}") from error
        if not isinstance(found, dict):
            raise FileFormatError(f"Example.fromJSON: wanted an object, got {data:.80}")
        return cls.fromdict(found, fields)

    @classmethod
    def fromdict(cls, data: Mapping[str, Any], fields: Mapping[str, Any]) -> Example:
        """Row of a dict.

        Args:
            data: key -> value; a key such as "foo.bar" looks into dicts.
            fields: key -> (name, field), or a list of such pairs.

        Raises:
            UnknownNameError: a key is not there.
        """
        example = cls()
        for key, pairs in fields.items():
            try:
                value = data[key] if key in data else reduce(_inside, key.split("."), data)
            except (KeyError, TypeError) as error:
                raise _NoKeyError(
                    f"Example.fromdict: no key {key!r}; there are {list(data)}"
                ) from error
            for name, field in pairs if isinstance(pairs, list) else [pairs]:
                setattr(example, name, field.preprocess(value))
        return example

    @classmethod
    def fromCSV(
        cls, data: str | Sequence[str], fields: Any, field_to_index: Mapping[str, int] | None = None
    ) -> Example:
        """Row of a line of CSV, or of its values.

        Args:
            data: the line, or the values.
            fields: as in `fromlist`; with field_to_index as in `fromdict`.
            field_to_index: column -> place.
        """
        values = next(csv.reader([data])) if isinstance(data, str) else data
        if field_to_index is None:
            return cls.fromlist(values, fields)
        return cls.fromdict({k: values[i] for k, i in field_to_index.items()}, fields)

    @classmethod
    def fromlist(cls, data: Sequence[Any], fields: Named) -> Example:
        """Row of values.

        Args:
            data: the values.
            fields: for each, (name, field), or (names, fields) for several, or None to skip it.

        Raises:
            ShapeError: there are fewer values than fields.
        """
        if len(data) < len(fields):
            raise ShapeError(f"Example: {len(data)} values for {len(fields)} fields: {data!r:.80}")
        example = cls()
        for pair, value in zip(fields, data, strict=False):
            if pair is None or pair[1] is None:
                continue
            value = value.rstrip("\n") if isinstance(value, str) else value
            names, made = pair if isinstance(pair[0], tuple) else ((pair[0],), (pair[1],))
            for name, field in zip(names, made, strict=True):
                setattr(example, name, field.preprocess(value))
        return example


class _NoKeyError(UnknownNameError, ValueError):
    """Also a ValueError, as users of torchtext expect."""


def _inside(found: Any, key: str) -> Any:
    return found[key] if isinstance(found, Mapping) else [item[key] for item in found]
