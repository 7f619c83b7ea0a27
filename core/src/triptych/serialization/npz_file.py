"""Read and write NumPy's npz archives and npy files; numbers only, never pickles."""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Mapping

import numpy as np

from ..errors import DTypeError
from .atomic import atomic_write
from .limits import are_counts
from .source import File, Source
from .torch_records import TORCH_DTYPES
from .torch_zip import ZipRecords

__all__ = ["NPY_MAGIC", "npy_array", "npz_arrays", "read_npz", "write_npz"]

NPY_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 1 << 16
_HEADER_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_NUMERIC = {dtype for dtype in TORCH_DTYPES.values() if dtype.isbuiltin == 1}


def read_npz(file: File, *, mmap: bool = False) -> dict[str, np.ndarray]:
    """All arrays of an npz archive by name.

    Args:
        file: a path or a seekable binary file.
        mmap: map arrays that are not compressed in place of reading them.

    Raises:
        FileFormatError: damaged, or an array of something else than numbers.
    """
    with Source(file, mmap=mmap, caller="read_npz") as source:
        return npz_arrays(source, ZipRecords(source))


def npz_arrays(source: Source, records: ZipRecords) -> dict[str, np.ndarray]:
    """The arrays of an open archive; raises as `read_npz`."""
    odd = [name for name in records.names if not name.endswith(".npy")]
    if odd:
        raise source.error(f"a zip archive with {odd[0]!r}; neither a torch file nor an npz file")
    out = {}
    for record in records.names:
        name = record.removesuffix(".npy")
        out[name] = npy_array(source, records.array(record, f"array {name!r}"), f"array {name!r}")
    return out


def npy_array(source: Source, block: np.ndarray, what: str) -> np.ndarray:
    """The array in the bytes of one npy file.

    Args:
        source: the file, for errors.
        block: (size,) uint8.
        what: the array's name, for errors.

    Raises:
        FileFormatError: damaged, a size that is not the header's, or not numbers.
    """
    with source.damage(what):
        head = io.BytesIO(block[:_MAX_HEADER].tobytes())
        version = np.lib.format.read_magic(head)
        shape, fortran, dtype = _HEADER_READERS[version](head)
    if dtype.newbyteorder("=") not in _NUMERIC:
        raise source.error(f"{what} has dtype {dtype!r:.80}; wanted numbers or bool")
    if not are_counts(shape):
        raise source.error(f"{what} has a shape that no array can have")
    data = block[head.tell() :]
    wanted = math.prod(shape) * dtype.itemsize
    if wanted != data.nbytes:
        raise source.error(f"{what} of shape {shape} claims {wanted} bytes, it has {data.nbytes}")
    if head.tell() % dtype.alignment:
        data = data.copy()
    with source.damage(what):
        array = data.view(dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def write_npz(arrays: Mapping[str, np.ndarray], file: File, *, caller: str = "write_npz") -> None:
    """Write arrays as an npz archive, uncompressed, which appears whole or not at all.

    Args:
        arrays: name -> array of NumPy's own numeric types or bool.
        file: a path in an existing folder, or a binary file object.

    Raises:
        DTypeError: a type npz loses, such as bfloat16.
        FileNotFoundError: the folder does not exist.
    """
    for name, array in arrays.items():
        if array.dtype.newbyteorder("=") not in _NUMERIC:
            raise DTypeError(
                f"{caller}: {name!r} has dtype {array.dtype}, which npz cannot hold; use a "
                ".safetensors file, or convert it to float32 first"
            )
    with atomic_write(file, caller) as stream, zipfile.ZipFile(stream, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)
