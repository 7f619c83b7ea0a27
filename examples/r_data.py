"""Reads the data sets of R packages: an index of names, and compressed values one after the other.

It takes the package rdata from PyPI.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import warnings
import zlib
from collections.abc import Mapping
from typing import Any

from triptych_datasets import Artifact, fetch_all

__all__ = ["read_r_data"]

LIBRARY = "file:///usr/lib/R/site-library/"  # where Debian's packages put them


def read_r_data(package: str, hashes: Mapping[str, str], *names: str) -> list[Any]:
    """Data sets of an installed R package.

    Args:
        package: its name, such as "modeldata".
        hashes: sha256 of its Rdata.rdx and Rdata.rdb.
        *names: of the data sets.

    Returns:
        Each as rdata converts it: a DataFrame for a data frame, an array for a vector.

    Raises:
        triptych_datasets.DatasetsError: the package is not installed, or its files are others.
    """
    artifacts = [
        Artifact(f"{package}/{name}", sources=(f"{LIBRARY}{package}/data/{name}",), sha256=digest)
        for name, digest in hashes.items()
    ]
    index, values = (path.read_bytes() for path in fetch_all(artifacts))
    places = {
        str(name): place for name, place in value(gzip.decompress(index))["variables"].items()
    }
    spans = [tuple(map(int, places[name])) for name in names]
    return [value(unpacked(values[start : start + length])) for start, length in spans]


def value(raw: bytes) -> Any:
    """What a serialised value of R holds, as Python sees it."""
    import rdata

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about R's classes that have no twin in Python
        return rdata.conversion.convert(rdata.parser.parse_data(raw))


def unpacked(entry: bytes) -> bytes:
    """A value: four bytes for its size, then one for how it is compressed, if not by zlib."""
    if entry[4:5] == b"2":
        return bz2.decompress(entry[5:])
    if entry[4:5] == b"Z":
        filters = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 26}]
        return lzma.decompress(entry[5:], format=lzma.FORMAT_RAW, filters=filters)
    return zlib.decompress(entry[4:])
