"""torch's format before 1.6: five pickles in a row, then every storage's raw bytes."""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

import numpy as np

from .source import Source
from .torch_records import Storage
from .torch_tensors import TreeBuilder, Wrap
from .unpickler import unpickle

__all__ = ["LEGACY_MAGIC", "read_torch_legacy"]

_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_COUNT = struct.Struct("<q")
LEGACY_MAGIC = _MAGIC_NUMBER.to_bytes(10, "little")  # near the start, as pickled


class _Blocks:
    """Where each storage's bytes lie, read from the keys and counts behind the pickles."""

    def __init__(
        self, source: Source, storages: dict[str, Storage], keys: list[str], start: int
    ) -> None:
        self._source = source
        self._places: dict[str, tuple[int, int]] = {}
        self._cache: dict[str, np.ndarray] = {}
        at = start
        for key in keys:
            count = source.read(at, _COUNT.size)
            if len(count) < _COUNT.size:
                break  # a cut-off file: whichever tensor needs the rest will say so
            nbytes = _COUNT.unpack(count)[0] * storages[key].dtype.itemsize
            if nbytes < 0:
                raise source.error(f"storage {key!r} has a negative size")
            self._places[key] = (at + _COUNT.size, nbytes)
            at += _COUNT.size + nbytes

    def fetch(self, storage: Storage, what: str) -> np.ndarray:
        """All bytes of the storage's block; the same array for the same key."""
        claimed = storage.numel * storage.dtype.itemsize
        if storage.key not in self._places:
            raise self._source.error(
                f"{what} needs {claimed} bytes, but the file ends at {self._source.size} before "
                "they come; is the download complete?"
            )
        offset, nbytes = self._places[storage.key]
        if claimed != nbytes:
            raise self._source.error(
                f"{what} claims a storage of {claimed} bytes, the file gives it {nbytes}"
            )
        if storage.key not in self._cache:
            self._cache[storage.key] = self._source.array(offset, nbytes, what)
        return self._cache[storage.key]


def read_torch_legacy(source: Source, wrap: Wrap) -> Any:
    """What a legacy torch file holds, with arrays wrapped by wrap.

    Storages lie at odd offsets in this format, so a mapped file is copied where they do.

    Raises:
        FileFormatError: damaged, cut off, or tensors that leave their storage.
        UnsafeFileError: a pickle asks for anything but data.
    """
    stream = source.stream()
    if _plain(stream, source, "the magic number") != _MAGIC_NUMBER:
        raise source.error("a pickle, but not one of torch's files")
    protocol = _plain(stream, source, "the protocol number")
    if protocol != _PROTOCOL:
        raise source.error(f"another protocol of torch's files than {_PROTOCOL}")
    _plain(stream, source, "the system information")  # always little-endian, whatever it says
    tree, storages = unpickle(stream, source, "the object's pickle", source.size)
    keys = _plain(stream, source, "the list of storages")
    if type(keys) is not list or any(type(key) is not str for key in keys):
        raise source.error("its list of storages is damaged")
    unknown = [key for key in keys if key not in storages]
    if unknown or len(set(keys)) != len(keys):
        raise source.error("its list of storages is not that of its tensors")
    blocks = _Blocks(source, storages, keys, stream.tell())
    return TreeBuilder(source, blocks.fetch, wrap).build(tree)


def _plain(stream: BinaryIO, source: Source, part: str) -> Any:
    """One of the small pickles around the object's."""
    value, _ = unpickle(stream, source, part, source.size)
    return value
