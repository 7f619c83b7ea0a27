"""A nested Python structure as named arrays plus a JSON text, and back; nothing is executed.

JSON's own values stand for themselves (None, bool, str, int of 64 bits, finite float, list).
Everything else is an object with one tag: {"tuple": [...]}, {"tensor": "name"}, {"bytes": "..."}.
"""

from __future__ import annotations

import base64
import json
import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..dtypes import dtype as TriptychDType
from ..errors import DTypeError, FileFormatError
from .limits import MAX_DEPTH, check_key
from .torch_records import TORCH_DTYPES

__all__ = ["decode", "encode"]

_VERSION = 1
_COMPLEX128 = np.dtype(np.complex128)
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}
_SUPPORTED = (
    "tensors, NumPy arrays and numbers, dict, OrderedDict, list, tuple, set, str, bytes, int, "
    "float, complex, bool, None and dtypes"
)
Json = Any
Path = tuple[object, ...]
Unwrap = Callable[[object], np.ndarray | None]


def encode(tree: object, unwrap: Unwrap) -> tuple[str, dict[str, np.ndarray]]:
    """A structure as JSON text and arrays named by their path, such as "model.fc.weight".

    A tensor met twice, or two tensors over exactly the same memory, are one array. Python objects
    other than tensors are written once per mention. complex128, which safetensors lacks, becomes
    float64 (..., 2).

    Args:
        tree: dicts, lists, tuples, scalars and tensors, nested.
        unwrap: tensor -> its array; None for anything that is no tensor.

    Raises:
        DTypeError: an object that cannot be stored; the text names its place and type.
        ValueError: nested deeper than 100 levels, or inside itself.
    """
    encoder = _Encoder(unwrap)
    root = encoder.encode(tree, ())
    text = json.dumps({"version": _VERSION, "root": root}, separators=(",", ":"), allow_nan=False)
    return text, encoder.arrays


class _Encoder:
    def __init__(self, unwrap: Unwrap) -> None:
        self._unwrap = unwrap
        # (address, shape, strides, dtype) -> name, and the array, which keeps the address taken
        self._names: dict[tuple[object, ...], tuple[str, np.ndarray]] = {}
        self.arrays: dict[str, np.ndarray] = {}

    def encode(self, value: Any, path: Path) -> Json:
        if len(path) > MAX_DEPTH:
            raise ValueError(
                f"save: {_dotted(path)[:100]}... is nested deeper than {MAX_DEPTH} levels; does it "
                "contain itself?"
            )
        if type(value) in _ENCODERS:
            return _ENCODERS[type(value)](self, value, path)
        if isinstance(value, np.generic) and isinstance(value.item(), int | float | complex):
            return self.encode(value.item(), path)
        if isinstance(value, np.dtype | TriptychDType):
            return {"dtype": _dtype_name(value, path)}
        if isinstance(value, np.ndarray):
            return {"ndarray": self._store(value, path)}
        array = self._unwrap(value)
        if array is None:
            hint = "; save its state_dict()" if hasattr(value, "state_dict") else ""
            raise DTypeError(
                f"save: {_dotted(path)} is a {type(value).__module__}.{type(value).__qualname__}, "
                f"which no file can hold; wanted {_SUPPORTED}{hint}"
            )
        return {"tensor": self._store(array, path)}

    def _store(self, array: np.ndarray, path: Path) -> Json:
        """Keep the array under a free name; [name, "complex128"] when it is stored as pairs."""
        memory = array.ctypes.data if array.size else id(array)
        view = (memory, array.shape, array.strides, array.dtype)
        paired = array.dtype.newbyteorder("=") == _COMPLEX128
        if view not in self._names:
            name = self._free_name(_dotted(path))
            self._names[view] = (name, array)
            self.arrays[name] = _as_pairs(array) if paired else array
        name = self._names[view][0]
        return [name, "complex128"] if paired else name

    def _free_name(self, wanted: str) -> str:
        name, n = wanted, 2
        while name in self.arrays or name == "__metadata__":
            name, n = f"{wanted}#{n}", n + 1
        return name

    def _itself(self, value: Any, path: Path) -> Json:
        return value

    def _int(self, value: int, path: Path) -> Json:
        return value if value.bit_length() <= 64 else {"int": hex(value)}

    def _float(self, value: float, path: Path) -> Json:
        return value if math.isfinite(value) else {"float": str(value)}

    def _complex(self, value: complex, path: Path) -> Json:
        return {"complex": [self.encode(value.real, path), self.encode(value.imag, path)]}

    def _bytes(self, value: bytes, path: Path) -> Json:
        return {"bytes": base64.b64encode(value).decode("ascii")}

    def _list(self, value: Any, path: Path) -> Json:
        return [self.encode(item, (*path, i)) for i, item in enumerate(value)]

    def _tagged(self, value: Any, path: Path) -> Json:
        if isinstance(value, set | frozenset):
            value, tag = list(value), type(value).__name__
            self._check_keys(value, path)
        else:
            tag = type(value).__name__
        return {tag: self._list(value, path)}

    def _dict(self, value: Any, path: Path) -> Json:
        self._check_keys(value, path)
        tag = "OrderedDict" if type(value) is OrderedDict else "dict"
        pairs = [[self.encode(k, path), self.encode(v, (*path, k))] for k, v in value.items()]
        return {tag: pairs}

    def _check_keys(self, keys: Any, path: Path) -> None:
        for key in keys:
            try:
                check_key(key)
            except ValueError as error:
                raise DTypeError(
                    f"save: {_dotted(path)} holds {error}; wanted text, bytes, numbers or None"
                ) from None


_ENCODERS: dict[type, Callable[[_Encoder, Any, Path], Json]] = {
    type(None): _Encoder._itself,
    bool: _Encoder._itself,
    str: _Encoder._itself,
    int: _Encoder._int,
    float: _Encoder._float,
    complex: _Encoder._complex,
    bytes: _Encoder._bytes,
    list: _Encoder._list,
    tuple: _Encoder._tagged,
    set: _Encoder._tagged,
    frozenset: _Encoder._tagged,
    dict: _Encoder._dict,
    OrderedDict: _Encoder._dict,
}


def _dotted(path: Path) -> str:
    return ".".join(map(str, path)) or "tensor"


def _as_pairs(array: np.ndarray) -> np.ndarray:
    """complex128 (...) -> float64 (..., 2): real and imaginary parts."""
    return np.stack([array.real, array.imag], axis=-1)


def _dtype_name(value: Any, path: Path) -> str:
    names = [name for name, dtype in TORCH_DTYPES.items() if dtype == np.dtype(value)]
    if not names:
        raise DTypeError(f"save: {_dotted(path)} is {value!r}, which is no tensor type")
    return names[0]


def decode(text: str, arrays: Mapping[str, np.ndarray], wrap: Callable[[Any], Any]) -> Any:
    """The structure that `encode` described.

    Args:
        text: the JSON text.
        arrays: by name; a name used twice gives one object.
        wrap: makes of each array and dtype what the caller wants.

    Raises:
        FileFormatError: not a structure this version knows, or one that names a missing array.
    """
    try:
        document = json.loads(text)
        if type(document) is not dict or document.get("version") != _VERSION:
            raise ValueError(f"wanted structure version {_VERSION}; a newer Triptych may read it")
        return _Decoder(arrays, wrap).decode(document["root"], 0)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FileFormatError(f"its structure cannot be read ({error})") from error


class _Decoder:
    def __init__(self, arrays: Mapping[str, np.ndarray], wrap: Callable[[Any], Any]) -> None:
        self._arrays, self._wrap = arrays, wrap
        self._wrapped: dict[str | tuple[str, ...], Any] = {}

    def decode(self, node: Json, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
        if type(node) is list:
            return [self.decode(item, depth + 1) for item in node]
        if type(node) is not dict:
            return node
        ((tag, body),) = node.items()
        if tag not in _DECODERS:
            raise ValueError(f"unknown tag {tag[:40]!r}")
        return _DECODERS[tag](self, body, depth)

    def _tensor(self, body: Json, depth: int) -> Any:
        key = body if type(body) is str else tuple(body)
        if key not in self._wrapped:
            self._wrapped[key] = self._wrap(self._ndarray(body, depth))
        return self._wrapped[key]

    def _ndarray(self, body: Json, depth: int) -> np.ndarray:
        if type(body) is str:
            return self._arrays[body]
        name, kind = body
        if kind != "complex128":
            raise ValueError(f"an array stored as {kind!r:.40}")
        return _from_pairs(self._arrays[name])

    def _dict(self, body: Json, depth: int) -> dict[Any, Any]:
        out = {}
        for key, value in body:
            decoded = self.decode(key, depth)
            check_key(decoded)
            out[decoded] = self.decode(value, depth + 1)
        return out

    def _members(self, body: Json, depth: int) -> list[Any]:
        members = [self.decode(item, depth) for item in body]
        for member in members:
            check_key(member)
        return members


_DECODERS: dict[str, Callable[[_Decoder, Json, int], Any]] = {
    "tensor": _Decoder._tensor,
    "ndarray": _Decoder._ndarray,
    "dict": _Decoder._dict,
    "OrderedDict": lambda d, body, depth: OrderedDict(d._dict(body, depth)),
    "tuple": lambda d, body, depth: tuple(d.decode(item, depth + 1) for item in body),
    "set": lambda d, body, depth: set(d._members(body, depth)),
    "frozenset": lambda d, body, depth: frozenset(d._members(body, depth)),
    "int": lambda d, body, depth: int(body, 16),
    "float": lambda d, body, depth: _FLOATS[body],
    "complex": lambda d, body, depth: complex(*(d.decode(part, depth) for part in body)),
    "bytes": lambda d, body, depth: base64.b64decode(body, validate=True),
    "dtype": lambda d, body, depth: d._wrap(TORCH_DTYPES[body]),
}


def _from_pairs(array: np.ndarray) -> np.ndarray:
    """float64 (..., 2) -> complex128 (...)."""
    if array.dtype != np.float64 or array.shape[-1:] != (2,):
        raise ValueError(f"complex128 stored as {array.dtype} of shape {array.shape}")
    return np.ascontiguousarray(array).view(_COMPLEX128).reshape(array.shape[:-1])
