"""Save any nested structure of tensors in one file; load every format by its content."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import DTypeError, FileFormatError, UnsafeFileError
from .arrays import unwrap, wrapper
from .npz_file import NPY_MAGIC, npy_array, npz_arrays, write_npz
from .safetensors_file import is_safetensors, read_source, write_safetensors
from .source import File, Source
from .structure import decode, encode
from .torch_legacy import read_torch_legacy
from .torch_reader import is_torch_legacy, read_torch
from .torch_tensors import Wrap
from .torch_zip import ZipRecords, read_torch_zip

__all__ = ["load", "load_file", "load_pytorch_checkpoint", "save", "save_file"]

_STRUCTURE = "triptych.structure"
_FORMAT = {"format": "pt"}  # other tools ask for it: the weights follow torch's layout
_HINTS = {
    b"\x80": "a Python pickle; Triptych never executes pickles",
    b"\x1f\x8b": "a gzip archive; unpack it first",
    b"\x89HDF": "an HDF5 file",
    b"<!": "a web page, so the download went wrong",
    b"<h": "a web page, so the download went wrong",
    b"version https://git-lfs": "a Git LFS pointer, not the file; run git lfs pull",
}


def save(obj: object, file: File) -> None:
    """Save tensors, or any nested structure of plain values and tensors, in one safetensors file.

    A flat dict of tensors by name becomes an ordinary safetensors file for every tool. Anything
    else (a whole checkpoint, an optimizer's state_dict) is one too: the tensors by their path, the
    structure as JSON in the metadata. Stored are dict, OrderedDict, list, tuple, set, str, bytes,
    numbers, None, dtypes, tensors and NumPy arrays; tensors come back without gradient history,
    parameters as plain tensors. Whatever the extension, the format is safetensors, save for
    a path that ends in .npz, which takes a flat dict.

    Args:
        obj: what to save.
        file: a path in an existing folder, or a binary file object. A path is written whole or
            not at all.

    Raises:
        DTypeError: something in obj that no file can hold; the text names its place and type.
        FileNotFoundError: the folder does not exist.
        ValueError: nested deeper than 100 levels, or inside itself.

    Example:
        >>> import io, triptych
        >>> file = io.BytesIO()
        >>> save({"step": 3, "weights": [triptych.zeros(2)]}, file)
        >>> _ = file.seek(0)
        >>> load(file)["step"]
        3
    """
    flat = _flat_arrays(obj)
    if isinstance(file, str | os.PathLike) and os.fspath(file).endswith(".npz"):
        if flat is None:
            raise FileFormatError(
                f"save: {os.fspath(file)}: an npz file holds a flat dict of tensors by name, got a "
                f"{type(obj).__name__}; use a .safetensors path for anything else"
            )
        write_npz(flat, file, caller="save")
    elif flat is not None and all(array.dtype != np.complex128 for array in flat.values()):
        write_safetensors(flat, file, metadata=_FORMAT, caller="save")
    else:
        text, arrays = encode(obj, unwrap)
        write_safetensors(arrays, file, metadata={_STRUCTURE: text}, caller="save")


def load(
    file: File, *, map_location: Any = None, weights_only: bool = True, mmap: bool = False
) -> Any:
    """Load what `save` wrote, or a torch .pth/.pt, safetensors, npz or npy file.

    The content decides the format, not the extension. Nothing in the file is executed: torch's
    files may hold tensors and plain values only.

    Args:
        file: a path or a seekable binary file.
        map_location: device the tensors go to, such as "cuda"; default the CPU.
        weights_only: only True; it is there for torch's spelling.
        mmap: map the file in place of reading it, so that values load when touched; writes to the
            tensors stay private. Needs a path.

    Returns:
        The saved structure; a dict of tensors by name for safetensors and npz, a tensor for npy.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: an unknown format, or a damaged or cut-off file.
        DTypeError: a tensor of a type that Triptych does not have, such as float8.
        UnsafeFileError: the file asks for anything but data, or weights_only is False.
    """
    if not weights_only:
        raise UnsafeFileError(
            f"load: {file}: weights_only=False asks to execute a pickle, which Triptych never "
            "does; leave it out, and save plain data in torch: torch.save(model.state_dict(), path)"
        )
    with Source(file, mmap=mmap) as source:
        return _load_source(source, wrapper(map_location, f"load: {source.name}"))


def load_pytorch_checkpoint(file: File, *, map_location: Any = None, mmap: bool = False) -> Any:
    """Load a file that torch.save wrote, zip or legacy, without PyTorch; nothing in it is executed.

    `load` takes these files, too; this refuses all others.

    Args:
        file: a path or a seekable binary file.
        map_location: device the tensors go to; default the CPU.
        mmap: map the file in place of reading it. Needs a path.

    Returns:
        What was saved: tensors and plain containers (see `add_safe_globals` for more).

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: not one of torch's files, or damaged.
        UnsafeFileError: the file asks for anything but data.
    """
    return read_torch(file, mmap=mmap, wrap=wrapper(map_location, "load_pytorch_checkpoint"))


def _load_source(source: Source, wrap: Wrap) -> Any:
    head = source.head()
    if head.startswith(b"PK\x03\x04"):
        records = ZipRecords(source)
        if all(name.endswith(".npy") for name in records.names):
            return _wrapped(npz_arrays(source, records), wrap)
        return read_torch_zip(source, records, wrap)
    if is_torch_legacy(head):
        return read_torch_legacy(source, wrap)
    if head.startswith(NPY_MAGIC):
        return wrap(npy_array(source, source.array(0, source.size, "the array"), "the array"))
    if is_safetensors(head):
        return _load_safetensors(source, wrap)
    known = "safetensors, torch zip or legacy, npz, npy"
    found = next((text for magic, text in _HINTS.items() if head.startswith(magic)), None)
    raise source.error(f"not a known format ({known}); it is {found or 'something else'}")


def _load_safetensors(source: Source, wrap: Wrap) -> Any:
    arrays, metadata = read_source(source)
    if _STRUCTURE not in metadata:
        return _wrapped(arrays, wrap)
    try:
        return decode(metadata[_STRUCTURE], arrays, wrap)
    except FileFormatError as error:
        raise source.error(str(error)) from error


def save_file(
    tensors: Mapping[str, Any], file: File, metadata: Mapping[str, str] | None = None
) -> None:
    """Save tensors by name as an ordinary safetensors file.

    Tensors that share memory are each written, so that other tools find all names.

    Args:
        tensors: name -> tensor.
        file: a path in an existing folder, or a binary file object.
        metadata: free text to carry along.

    Raises:
        DTypeError: not a tensor, or a type that safetensors cannot hold, such as complex128.
        FileNotFoundError: the folder does not exist.
    """
    arrays = {}
    for name, tensor in tensors.items():
        array = tensor if isinstance(tensor, np.ndarray) else unwrap(tensor)
        if array is None:
            raise DTypeError(
                f"save_file: {name!r} is a {type(tensor).__name__}, wanted a tensor; use save for "
                "nested structures"
            )
        arrays[name] = array
    write_safetensors(arrays, file, metadata=metadata or _FORMAT, caller="save_file")


def load_file(file: File, device: Any = None, *, mmap: bool = False) -> dict[str, Any]:
    """Load a safetensors file as a flat dict of tensors by name.

    Args:
        file: a path or a seekable binary file.
        device: where the tensors go; default the CPU.
        mmap: map the file in place of reading it. Needs a path.

    Raises:
        FileFormatError: not safetensors, or damaged.
    """
    with Source(file, mmap=mmap, caller="load_file") as source:
        wrap = wrapper(device, f"load_file: {source.name}")
        return _wrapped(read_source(source)[0], wrap)


def _wrapped(arrays: Mapping[str, np.ndarray], wrap: Wrap) -> dict[str, Any]:
    return {name: wrap(array) for name, array in arrays.items()}


def _flat_arrays(obj: object) -> dict[str, np.ndarray] | None:
    """The arrays of a flat dict of tensors; None for anything else."""
    if type(obj) not in (dict, OrderedDict):
        return None
    arrays = {}
    for name, value in obj.items():  # type: ignore[attr-defined]
        array = unwrap(value) if type(name) is str and name != "__metadata__" else None
        if array is None:
            return None
        arrays[name] = array
    return arrays
