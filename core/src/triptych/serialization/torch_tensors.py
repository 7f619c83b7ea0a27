"""From an unpickled torch file's records to arrays: bounds, byte order, shared storages."""

from __future__ import annotations

import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from .allowed_classes import allowed_base, rebuild
from .limits import MAX_DEPTH
from .source import Source
from .torch_records import NumpyArray, Storage, TensorRecord, TorchDType

__all__ = ["Fetch", "TreeBuilder", "Wrap"]

Fetch = Callable[[Storage, str], np.ndarray]
Wrap = Callable[[Any], Any]

_FINISHED = (str, int, float, bool, bytes, bytearray, complex, type(None), set, frozenset)
Path = tuple[object, ...]


class TreeBuilder:
    """Replaces the records in a nested structure by what they stand for.

    Lists and dicts are changed in place, so what was one object in the file is one object after.

    Args:
        source: the file, for errors.
        fetch: (storage, whose) -> all bytes of the storage's block, uint8; the same array for the
            same key, so that tensors over one storage share memory.
        wrap: makes of an array or NumPy dtype what the caller wants.
    """

    def __init__(self, source: Source, fetch: Fetch, wrap: Wrap) -> None:
        self._source, self._fetch, self._wrap = source, fetch, wrap
        self._done: dict[int, tuple[Any, Any]] = {}  # id -> (the node, kept alive; its result)

    def build(self, node: Any, path: Path = ()) -> Any:
        """The structure with arrays in it.

        Raises:
            FileFormatError: naming the tensor, when it does not fit the file's bytes.
        """
        if type(node) in _FINISHED:
            return node
        if id(node) in self._done:
            return self._done[id(node)][1]
        if len(path) > MAX_DEPTH:
            raise self._source.error(f"is nested deeper than {MAX_DEPTH} levels")
        make = _MAKERS.get(type(node))
        if make is None and allowed_base(node) is not None:
            make = TreeBuilder._instance
        if make is None:
            where = _dotted(path)
            name = getattr(node, "name", type(node).__name__)
            raise self._source.error(f"{where} is the class or function {name}, not a value")
        result = make(self, node, path)
        self._done[id(node)] = (node, result)
        return result

    def _dict(self, node: dict[Any, Any], path: Path) -> Any:
        self._done[id(node)] = (node, node)  # before its values: a file may hold cycles
        for key in node:
            node[key] = self.build(node[key], (*path, key))
        if hasattr(node, "_metadata"):
            self.build(node._metadata, (*path, "_metadata"))
        return node

    def _list(self, node: list[Any], path: Path) -> Any:
        self._done[id(node)] = (node, node)
        for i, value in enumerate(node):
            node[i] = self.build(value, (*path, i))
        return node

    def _tuple(self, node: tuple[Any, ...], path: Path) -> Any:
        return tuple(self.build(value, (*path, i)) for i, value in enumerate(node))

    def _namespace(self, node: types.SimpleNamespace, path: Path) -> Any:
        self._done[id(node)] = (node, node)
        self.build(vars(node), path)
        return node

    def _instance(self, node: Any, path: Path) -> Any:
        self._done[id(node)] = (node, node)
        return rebuild(node, lambda value, name: self.build(value, (*path, name)))

    def _numpy_array(self, node: NumpyArray, path: Path) -> Any:
        with self._source.damage(f"the numpy array {_dotted(path)}"):
            return node.array()

    def _torch_dtype(self, node: TorchDType, path: Path) -> Any:
        return self._wrap(node.dtype)

    def _storage(self, node: Storage, path: Path) -> Any:
        return self._tensor(TensorRecord(node, node.dtype, 0, (node.length,), (1,)), path)

    def _tensor(self, node: TensorRecord, path: Path) -> Any:
        what = f"tensor {_dotted(path)}"
        block = self._fetch(node.storage, what)
        try:
            array = _strided(node, block)
        except (ValueError, OverflowError) as error:
            raise self._source.error(f"{what}: {error}") from error
        return self._wrap(array)


_MAKERS: dict[type, Callable[[TreeBuilder, Any, Path], Any]] = {
    dict: TreeBuilder._dict,
    OrderedDict: TreeBuilder._dict,
    defaultdict: TreeBuilder._dict,
    list: TreeBuilder._list,
    tuple: TreeBuilder._tuple,
    types.SimpleNamespace: TreeBuilder._namespace,
    NumpyArray: TreeBuilder._numpy_array,
    TorchDType: TreeBuilder._torch_dtype,
    Storage: TreeBuilder._storage,
    TensorRecord: TreeBuilder._tensor,
}


def _dotted(path: Path) -> str:
    return repr(".".join(map(str, path))[:200]) if path else "at the top"


def _strided(record: TensorRecord, block: np.ndarray) -> np.ndarray:
    """A view of a storage's bytes; checked twice, here for the message and by numpy.

    Raises:
        ValueError: the view leaves the storage.
    """
    storage, unit = record.storage, record.dtype.itemsize
    if 0 in record.shape:
        return np.empty(record.shape, record.dtype)
    first = storage.start * storage.dtype.itemsize + record.offset * unit
    reach = sum((n - 1) * s for n, s in zip(record.shape, record.stride, strict=True))
    end = first + (reach + 1) * unit
    limit = (storage.start + storage.length) * storage.dtype.itemsize
    if end > limit:
        raise ValueError(
            f"shape {record.shape}, stride {record.stride} and offset {record.offset} reach byte "
            f"{end} of a storage of {limit} bytes"
        )
    strides = tuple(s * unit for s in record.stride)
    return np.ndarray(record.shape, record.dtype, block, first, strides)
