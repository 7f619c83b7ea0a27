"""torch's zip format: data.pkl, one record per storage under data/, all stored uncompressed."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

import numpy as np

from .source import Source
from .torch_records import Storage
from .torch_tensors import TreeBuilder, Wrap
from .unpickler import unpickle

__all__ = ["ZipRecords", "read_torch_zip"]

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")  # signature ... name length, extra length
_END = b"PK\x05\x06"  # starts the record that ends the directory: 22 bytes and a comment
_END_REACH = 22 + 0xFFFF
_ENCRYPTED = 1
_FREE_INFLATION = 256 << 20  # bytes that compressed records may always unpack to
_MAX_INFLATION = 16  # and how often the file's own size beyond that


class ZipRecords:
    """The records of a zip archive, found without unpacking any.

    Raises:
        FileFormatError: damaged, encrypted, records that share a name or bytes.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        if _END not in source.read(max(0, source.size - _END_REACH), _END_REACH):
            raise source.error(
                "a zip archive that is cut short: the directory at its end is missing; is the "
                "download complete?"
            )
        with source.damage("the zip directory"):
            self._zip = zipfile.ZipFile(source.stream())
            infos = self._zip.infolist()
        self._infos = {info.filename: info for info in infos}
        self._budget = max(_FREE_INFLATION, _MAX_INFLATION * source.size)
        if len(self._infos) != len(infos):
            raise source.error("has two zip records of one name")
        stored = sum(i.file_size for i in infos if i.compress_type == zipfile.ZIP_STORED)
        if stored > source.size:
            raise source.error(
                f"its zip records claim {stored} bytes, the file has {source.size}; is the "
                "download complete?"
            )

    @property
    def names(self) -> list[str]:
        """All record names, in the order of the directory."""
        return list(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def size(self, name: str) -> int:
        """Bytes in a record, unpacked."""
        return self._infos[name].file_size

    def array(self, name: str, what: str) -> np.ndarray:
        """A record's bytes: (size,) uint8, writable; mapped where the source is.

        Raises:
            FileFormatError: the record leaves the file, or does not unpack to its size.
        """
        info = self._infos[name]
        if info.flag_bits & _ENCRYPTED:
            raise self._source.error(f"the zip record {name!r} is encrypted")
        if info.compress_type == zipfile.ZIP_STORED:
            return self._source.array(self._data_offset(info), info.file_size, what)
        if info.compress_type != zipfile.ZIP_DEFLATED:
            raise self._source.error(f"the zip record {name!r} is packed in an unusual way")
        return self._inflate(info)

    def _data_offset(self, info: zipfile.ZipInfo) -> int:
        header = self._source.read(info.header_offset, _LOCAL_HEADER.size)
        if len(header) < _LOCAL_HEADER.size or not header.startswith(b"PK\x03\x04"):
            raise self._source.error(f"the zip record {info.filename!r} is not where it should be")
        *_, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        return info.header_offset + _LOCAL_HEADER.size + int(name_length) + int(extra_length)

    def _inflate(self, info: zipfile.ZipInfo) -> np.ndarray:
        self._budget -= info.file_size
        if self._budget < 0:
            raise self._source.error("its zip records unpack to far more than the file's size")
        part = f"the zip record {info.filename!r}"
        with self._source.damage(part), self._zip.open(info) as member:
            data = bytearray(member.read(info.file_size + 1))
        if len(data) != info.file_size:
            raise self._source.error(
                f"the zip record {info.filename!r} unpacks to {len(data)} bytes, not to the "
                f"{info.file_size} it claims"
            )
        return np.frombuffer(data, np.uint8)


def read_torch_zip(source: Source, records: ZipRecords, wrap: Wrap) -> Any:
    """What a zip-format torch file holds, with arrays wrapped by wrap.

    Raises:
        FileFormatError: damaged, a TorchScript archive, or tensors that leave their storage.
        UnsafeFileError: the pickle asks for anything but data.
    """
    prefix = _prefix(source, records)
    pickled = records.array(f"{prefix}data.pkl", "data.pkl").tobytes()
    tree, _ = unpickle(io.BytesIO(pickled), source, "data.pkl", len(pickled))
    swap = _is_big_endian(source, records, prefix)
    blocks: dict[str, np.ndarray] = {}

    def fetch(storage: Storage, what: str) -> np.ndarray:
        if storage.key not in blocks:
            block = _block(source, records, prefix, storage, what)
            blocks[storage.key] = _swapped(block, storage.dtype) if swap else block
        _check_size(source, storage, blocks[storage.key].nbytes, what)
        return blocks[storage.key]

    return TreeBuilder(source, fetch, wrap).build(tree)


def _prefix(source: Source, records: ZipRecords) -> str:
    """The folder all records lie in, such as "archive/"."""
    found = [n for n in records.names if n == "data.pkl" or n.endswith("/data.pkl")]
    if len(found) != 1:
        count = "no" if not found else "more than one"
        raise source.error(f"a zip archive with {count} data.pkl; not a torch file")
    prefix = found[0].removesuffix("data.pkl")
    if f"{prefix}constants.pkl" in records or any(
        n.startswith(f"{prefix}code/") for n in records.names
    ):
        raise source.error(
            "a TorchScript archive, which holds a program; in torch, save its weights: "
            "torch.save(torch.jit.load(path).state_dict(), new_path)"
        )
    return prefix


def _is_big_endian(source: Source, records: ZipRecords, prefix: str) -> bool:
    name = f"{prefix}byteorder"
    order = records.array(name, "byteorder").tobytes() if name in records else b"little"
    if order not in (b"little", b"big"):
        raise source.error(f"byteorder record {order[:20]!r}; wanted b'little' or b'big'")
    return order == b"big"


def _block(
    source: Source, records: ZipRecords, prefix: str, storage: Storage, what: str
) -> np.ndarray:
    name = f"{prefix}data/{storage.key}"
    if name not in records:
        raise source.error(f"{what} needs the record {name!r}, which is not in the file")
    _check_size(source, storage, records.size(name), what)
    return records.array(name, what)


def _check_size(source: Source, storage: Storage, nbytes: int, what: str) -> None:
    claimed = storage.numel * storage.dtype.itemsize
    if claimed > nbytes:
        raise source.error(f"{what} claims a storage of {claimed} bytes, the file has {nbytes}")


def _swapped(block: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """A block written big-endian, as little-endian; complex numbers swap each part."""
    unit = dtype.itemsize // (2 if dtype.kind == "c" else 1)
    whole = block[: block.nbytes // unit * unit]
    return whole.view(f"u{unit}").byteswap().view(np.uint8)
