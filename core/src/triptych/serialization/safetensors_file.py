"""Read and write safetensors files as NumPy arrays, bfloat16 and float8 included.

The safetensors library's NumPy interface has no float8, loses the order of the names and reads
whole files, so the format, which is a page long, is written out here: 8 bytes of header length,
a JSON header of {name: {dtype, shape, data_offsets}}, then the arrays without gaps.

Source: the format section of the safetensors README; limits and checks as in its reference reader.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DTypeError, FileFormatError
from .atomic import atomic_write
from .limits import are_counts
from .source import File, Source
from .torch_records import TORCH_DTYPES

__all__ = [
    "is_safetensors",
    "read_metadata",
    "read_safetensors",
    "read_source",
    "write_safetensors",
]

_LENGTH = struct.Struct("<Q")
_MAX_HEADER = 100_000_000  # the reference reader's limit
_ALIGNMENT = 8
_METADATA = "__metadata__"

DTYPES: dict[str, np.dtype] = {
    "BOOL": TORCH_DTYPES["bool"],
    "U8": TORCH_DTYPES["uint8"],
    "U16": TORCH_DTYPES["uint16"],
    "U32": TORCH_DTYPES["uint32"],
    "U64": TORCH_DTYPES["uint64"],
    "I8": TORCH_DTYPES["int8"],
    "I16": TORCH_DTYPES["int16"],
    "I32": TORCH_DTYPES["int32"],
    "I64": TORCH_DTYPES["int64"],
    "F16": TORCH_DTYPES["float16"],
    "BF16": TORCH_DTYPES["bfloat16"],
    "F32": TORCH_DTYPES["float32"],
    "F64": TORCH_DTYPES["float64"],
    "C64": TORCH_DTYPES["complex64"],
    "F8_E4M3": TORCH_DTYPES["float8_e4m3fn"],
    "F8_E4M3FNUZ": TORCH_DTYPES["float8_e4m3fnuz"],
    "F8_E5M2": TORCH_DTYPES["float8_e5m2"],
    "F8_E5M2FNUZ": TORCH_DTYPES["float8_e5m2fnuz"],
    "F8_E8M0": TORCH_DTYPES["float8_e8m0fnu"],
}
_CODES = {dtype: code for code, dtype in DTYPES.items()}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One tensor of the header; begin and end count bytes after the header."""

    name: str
    dtype: np.dtype
    shape: tuple[int, ...]
    begin: int
    end: int


def read_safetensors(file: File, *, mmap: bool = False) -> dict[str, np.ndarray]:
    """All arrays of a safetensors file, in the header's order.

    Args:
        file: a path or a seekable binary file.
        mmap: map the file in place of reading it; pages load when touched, writes stay private.

    Raises:
        FileFormatError: the header is damaged, claims bytes the file does not have, or leaves
            bytes unclaimed; the text names the file and the tensor.
    """
    with Source(file, mmap=mmap, caller="read_safetensors") as source:
        return read_source(source)[0]


def read_metadata(file: File) -> dict[str, str]:
    """The free text a safetensors file carries beside its arrays.

    Raises:
        FileFormatError: the header is damaged.
    """
    with Source(file, caller="read_metadata") as source:
        return _read_header(source)[1]


def is_safetensors(head: bytes) -> bool:
    """Whether a file that starts with head can be a safetensors file."""
    return len(head) > 8 and head[8:9] == b"{" and _LENGTH.unpack_from(head)[0] <= _MAX_HEADER


def read_source(source: Source) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Arrays by name, and metadata, of an open source; raises as `read_safetensors`."""
    entries, metadata, start = _read_header(source)
    arrays = {}
    for entry in entries:
        what = f"tensor {entry.name!r}"
        nbytes = entry.end - entry.begin
        align = entry.dtype.alignment
        block = source.array(start + entry.begin, nbytes, what, align=align)
        with source.damage(what):
            arrays[entry.name] = block.view(entry.dtype).reshape(entry.shape)
    return arrays, metadata


def _read_header(source: Source) -> tuple[list[_Entry], dict[str, str], int]:
    """Checked entries, metadata, and where the arrays' bytes start."""
    length = _LENGTH.unpack(source.head()[:8].ljust(8, b"\0"))[0]
    if length > _MAX_HEADER or _LENGTH.size + length > source.size:
        raise source.error(
            f"not a safetensors file, or cut off: it claims a header of {length} bytes and has "
            f"{source.size}"
        )
    with source.damage("the safetensors header"):
        text = source.read(_LENGTH.size, length).decode("utf-8")
        header = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    if type(header) is not dict:
        raise source.error("the safetensors header is not a JSON object")
    metadata = _checked_metadata(source, header.pop(_METADATA, {}))
    with source.damage("the safetensors header"):
        entries = [_entry(source, name, fields) for name, fields in header.items()]
    _check_cover(source, entries, source.size - _LENGTH.size - length)
    return entries, metadata, _LENGTH.size + length


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError("a name appears twice")
    return out


def _no_constant(text: str) -> None:
    raise ValueError(f"{text} is not JSON")


def _checked_metadata(source: Source, metadata: Any) -> dict[str, str]:
    if type(metadata) is not dict or any(type(v) is not str for v in metadata.values()):
        raise source.error(f"{_METADATA} of the safetensors header is not text by name")
    return metadata


def _entry(source: Source, name: str, fields: Any) -> _Entry:
    """One header entry, its types and its size checked."""
    if type(fields) is not dict or set(fields) != {"dtype", "shape", "data_offsets"}:
        raise source.error(f"tensor {name!r}: wanted dtype, shape and data_offsets")
    code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if type(code) is not str or code not in DTYPES:
        raise source.error(f"tensor {name!r}: dtype {code!r:.40}; known are {', '.join(DTYPES)}")
    if not (are_counts(shape) and are_counts(offsets) and len(offsets) == 2):
        raise source.error(f"tensor {name!r}: shape or data_offsets are not lists of counts")
    wanted, (begin, end) = math.prod(shape) * DTYPES[code].itemsize, offsets
    if wanted != end - begin:
        raise source.error(
            f"tensor {name!r}: {code} of shape {tuple(shape)} takes {wanted} bytes, its "
            f"data_offsets give it {end - begin}"
        )
    return _Entry(name, DTYPES[code], tuple(shape), begin, end)


def _check_cover(source: Source, entries: list[_Entry], size: int) -> None:
    """The entries must tile the bytes after the header: no gap, no overlap, no rest."""
    at = 0
    for entry in sorted(entries, key=lambda e: (e.begin, e.end)):
        if entry.begin != at:
            kind = "overlaps the one before" if entry.begin < at else "leaves a gap before it"
            raise source.error(f"tensor {entry.name!r} {kind} ({entry.begin}, wanted {at})")
        if entry.end > size:
            raise source.error(
                f"tensor {entry.name!r} claims bytes up to {entry.end}, the file has {size}; is "
                "the download complete?"
            )
        at = entry.end
    if at != size:
        raise source.error(f"has {size - at} bytes that belong to no tensor")


def write_safetensors(
    arrays: Mapping[str, np.ndarray],
    file: File,
    *,
    metadata: Mapping[str, str] | None = None,
    caller: str = "write_safetensors",
) -> None:
    """Write arrays as one safetensors file, which appears whole or not at all.

    Arrays of any strides and byte order are taken; arrays that share memory are each written. The
    header keeps the order given; the bytes go widest type first, so that all are aligned.

    Args:
        arrays: name -> array of any shape.
        file: a path in an existing folder, or a binary file object.
        metadata: free text to carry along.

    Raises:
        DTypeError: the format has no such type.
        FileNotFoundError: the folder does not exist.
        ValueError: a name or the metadata is not text the format can hold.
    """
    data = {name: _native(name, array, caller) for name, array in arrays.items()}
    by_width = sorted(data, key=lambda name: -data[name].dtype.itemsize)
    header = _header(data, by_width, metadata, caller)
    with atomic_write(file, caller) as stream:
        stream.write(_LENGTH.pack(len(header)))
        stream.write(header)
        for name in by_width:
            flat = np.ascontiguousarray(data[name]).reshape(-1)
            stream.write(flat.view(np.uint8).data)


def _native(name: str, array: np.ndarray, caller: str) -> np.ndarray:
    """The array with a dtype the format knows, in native byte order."""
    if array.dtype.byteorder == ">":
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype not in _CODES:
        known = ", ".join(str(dtype) for dtype in _CODES)
        raise DTypeError(
            f"{caller}: {name!r} has dtype {array.dtype}, which safetensors cannot hold; wanted "
            f"one of {known}; triptych.save can store complex128"
        )
    return array


def _header(
    data: Mapping[str, np.ndarray],
    by_width: list[str],
    metadata: Mapping[str, str] | None,
    caller: str,
) -> bytes:
    """The JSON header, padded so that the arrays start aligned."""
    begins, at = {}, 0
    for name in by_width:
        begins[name], at = at, at + data[name].nbytes
    header: dict[str, Any] = {_METADATA: dict(metadata)} if metadata else {}
    for name, array in data.items():
        if type(name) is not str or name == _METADATA:
            raise ValueError(f"{caller}: {name!r} cannot be a tensor's name; wanted other text")
        header[name] = {
            "dtype": _CODES[array.dtype],
            "shape": list(array.shape),
            "data_offsets": [begins[name], begins[name] + array.nbytes],
        }
    if any(type(text) is not str for item in (metadata or {}).items() for text in item):
        raise ValueError(f"{caller}: metadata must be text by name; use str() on the values")
    raw = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    raw += b" " * (-len(raw) % _ALIGNMENT)
    if len(raw) > _MAX_HEADER:
        raise FileFormatError(
            f"{caller}: the header takes {len(raw)} bytes, readers accept {_MAX_HEADER}; keep long "
            "lists in tensors"
        )
    return raw
