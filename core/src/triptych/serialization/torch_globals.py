"""Every global a torch file may name, and the inert thing it gets: the whole attack surface.

A name outside this table is refused, whatever it is; no name is ever imported.
"""

from __future__ import annotations

import types
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np

from .limits import MAX_NDIM, are_counts, check_key
from .torch_records import (
    TORCH_DTYPES,
    Call,
    Marker,
    NumpyArray,
    NumpyDType,
    Storage,
    StorageType,
    TensorRecord,
    TorchDType,
)

__all__ = ["ALLOWED", "REFUSED"]


def _ints(values: object, what: str) -> tuple[int, ...]:
    if not are_counts(values):
        raise ValueError(f"{what} is not a tuple of at most {MAX_NDIM} counts")
    return tuple(values)  # type: ignore[arg-type]


def _tensor(storage: object, offset: object, size: object, stride: object) -> TensorRecord:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor without a storage")
    return _view(storage, storage.dtype, offset, size, stride)


def _view(
    storage: Storage, dtype: np.dtype, offset: object, size: object, stride: object
) -> TensorRecord:
    (start,) = _ints((offset,), "storage offset")
    shape, strides = _ints(size, "shape"), _ints(stride, "stride")
    if len(shape) != len(strides):
        raise ValueError(f"shape {shape} and stride {strides} differ in length")
    return TensorRecord(storage, dtype, start, shape, strides)


def _check_metadata(metadata: object) -> None:
    if metadata:
        raise ValueError(
            "a lazily conjugated or negated tensor; call resolve_conj() and resolve_neg() in torch "
            "before saving"
        )


def _tensor_v2(
    storage: object,
    offset: object,
    size: object,
    stride: object,
    requires_grad: object,
    hooks: object,
    metadata: object = None,
) -> TensorRecord:
    _check_metadata(metadata)
    return _tensor(storage, offset, size, stride)


def _tensor_v3(
    storage: object,
    offset: object,
    size: object,
    stride: object,
    requires_grad: object,
    hooks: object,
    dtype: object,
    metadata: object = None,
) -> TensorRecord:
    _check_metadata(metadata)
    if not isinstance(storage, Storage) or not isinstance(dtype, TorchDType):
        raise ValueError("a tensor without a storage and a dtype")
    return _view(storage, dtype.dtype, offset, size, stride)


def _parameter(data: object, requires_grad: object, hooks: object, state: object = None) -> object:
    if not isinstance(data, TensorRecord):
        raise ValueError("a parameter without a tensor")
    return data


def _tensor_subclass(function: object, kind: object, args: object, state: object) -> object:
    if not isinstance(function, Call) or function.build not in _REBUILDERS:
        raise ValueError("a tensor rebuilt by something that rebuilds no tensors")
    if not isinstance(kind, Marker) or type(args) is not tuple:
        raise ValueError("a tensor subclass")
    return function.build(*args)


_REBUILDERS = (_tensor, _tensor_v2, _tensor_v3, _parameter)


def _items(values: object) -> list[Any]:
    """The entries of a plain container, which a container is to be made from."""
    if type(values) in (dict, OrderedDict):
        return list(values.items())  # type: ignore[attr-defined]
    if type(values) not in (list, tuple, set, frozenset):
        raise ValueError(f"a container made from a {type(values).__name__}")
    return list(values)  # type: ignore[call-overload]


def _pairs(values: object) -> list[tuple[Any, Any]]:
    pairs = [(key, value) for key, value in _items(values)]
    for key, _ in pairs:
        check_key(key)
    return pairs


def _members(values: object) -> list[Any]:
    members = _items(values)
    for member in members:
        check_key(member)
    return members


def _dict(pairs: object = ()) -> dict[Any, Any]:
    return dict(_pairs(pairs))


def _ordered_dict(pairs: object = ()) -> OrderedDict[Any, Any]:
    return OrderedDict(_pairs(pairs))


def _list(values: object = ()) -> list[Any]:
    return _items(values)


def _tuple(values: object = ()) -> tuple[Any, ...]:
    return tuple(_items(values))


def _set(values: object = ()) -> set[Any]:
    return set(_members(values))


def _frozenset(values: object = ()) -> frozenset[Any]:
    return frozenset(_members(values))


def _namespace() -> types.SimpleNamespace:
    return types.SimpleNamespace()


def _bytes(data: object = b"") -> bytes:
    if not isinstance(data, bytes | bytearray):
        raise ValueError(f"bytes made from a {type(data).__name__}")
    return bytes(data)


def _bytearray(data: object = b"") -> bytearray:
    return bytearray(_bytes(data))


def _complex(real: float, imag: float) -> complex:
    return complex(real, imag)


def _default_dict(factory: object = None, pairs: object = ()) -> dict[Any, Any]:
    if factory is None or not isinstance(factory, Call) or factory.name not in _FACTORIES:
        return _dict(pairs)
    return defaultdict(_FACTORIES[factory.name], _dict(pairs))


_FACTORIES: dict[str, type] = {
    f"builtins.{kind.__name__}": kind for kind in (dict, list, set, int, float, str, bool)
}


def _encode(text: object, encoding: object) -> bytes:
    """How Python 3 writes bytes in the old pickle protocols."""
    if type(text) is not str or encoding not in ("latin1", "latin-1"):
        raise ValueError("text encoded in another way than latin1")
    return text.encode("latin1")


def _device(kind: object, index: object = None) -> str:
    if type(kind) is not str or (index is not None and type(index) is not int):
        raise ValueError("torch.device of something that names no device")
    return kind if index is None else f"{kind}:{index}"


def _numpy_reconstruct(kind: object, shape: object, typecode: object) -> NumpyArray:
    if not isinstance(kind, Marker) or kind.name != "numpy.ndarray":
        raise ValueError("a subclass of numpy.ndarray")
    return NumpyArray()


def _numpy_from_buffer(data: object, kind: object, shape: object, order: object) -> NumpyArray:
    out = NumpyArray()
    out.set_state((1, shape, kind, order == "F", _bytes(data)))
    return out


def _numpy_scalar(kind: object, data: object = None) -> object:
    if not isinstance(kind, NumpyDType) or type(data) is not bytes:
        raise ValueError("a numpy scalar without plain numeric data")
    (value,) = np.frombuffer(data, kind.dtype).tolist()
    return value


_STORAGES = {
    "Bool": "bool",
    "Byte": "uint8",
    "Char": "int8",
    "Short": "int16",
    "Int": "int32",
    "Long": "int64",
    "Half": "float16",
    "Float": "float32",
    "Double": "float64",
    "BFloat16": "bfloat16",
    "ComplexFloat": "complex64",
    "ComplexDouble": "complex128",
}
_DTYPE_ALIASES = {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "cfloat": "complex64",
    "cdouble": "complex128",
    "short": "int16",
    "int": "int32",
    "long": "int64",
}

_CALLS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor_v2,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._tensor._rebuild_from_type_v2": _tensor_subclass,
    "torch.Size": _tuple,
    "torch.device": _device,
    "collections.OrderedDict": _ordered_dict,
    "collections.defaultdict": _default_dict,
    "argparse.Namespace": _namespace,
    "types.SimpleNamespace": _namespace,
    "builtins.dict": _dict,
    "builtins.list": _list,
    "builtins.tuple": _tuple,
    "builtins.set": _set,
    "builtins.frozenset": _frozenset,
    "builtins.complex": _complex,
    "builtins.bytes": _bytes,
    "builtins.bytearray": _bytearray,
    "_codecs.encode": _encode,
    "numpy.dtype": NumpyDType,
    "numpy._core.multiarray.scalar": _numpy_scalar,
    "numpy._core.multiarray._reconstruct": _numpy_reconstruct,
    "numpy._core.numeric._frombuffer": _numpy_from_buffer,
}


def _refuse_call(*args: object) -> None:
    raise ValueError("a plain type used as a function")


def _table() -> dict[str, object]:
    """Full dotted name -> what the unpickler hands out for it."""
    table: dict[str, object] = {name: Call(name, build) for name, build in _CALLS.items()}
    for name in _FACTORIES:
        table.setdefault(name, Call(name, _refuse_call))
    for name in ("torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"):
        table[name] = Marker(name)
    table["numpy.ndarray"] = Marker("numpy.ndarray")
    for name, dtype in TORCH_DTYPES.items():
        table[f"torch.{name}"] = TorchDType(dtype)
    for alias, name in _DTYPE_ALIASES.items():
        table[f"torch.{alias}"] = TorchDType(TORCH_DTYPES[name])
    for prefix, name in _STORAGES.items():
        for module in ("torch", "torch.cuda"):
            table[f"{module}.{prefix}Storage"] = StorageType(TORCH_DTYPES[name])
    for name in ("torch.storage.UntypedStorage", "torch.UntypedStorage", "torch._UntypedStorage"):
        table[name] = StorageType(TORCH_DTYPES["uint8"])
    for name in list(table):  # the spellings of Python 2 and NumPy 1
        table[name.replace("builtins.", "__builtin__.")] = table[name]
        table[name.replace("numpy._core.", "numpy.core.")] = table[name]
    return table


ALLOWED = _table()

REFUSED = {
    "torch._utils._rebuild_qtensor": "a quantized tensor; call dequantize() in torch first",
    "torch._utils._rebuild_sparse_tensor": "a sparse tensor; call to_dense() in torch first",
    "torch._utils._rebuild_nested_tensor": "a nested tensor; save its unbind() instead",
    "torch._utils._rebuild_meta_tensor_no_storage": "a tensor on the meta device, without data",
    "torch._utils._rebuild_wrapper_subclass": "a tensor subclass without data of its own",
    "torch.ComplexHalfStorage": "complex32 numbers; convert them to complex64 in torch first",
    "torch.complex32": "complex32 numbers; convert them to complex64 in torch first",
    **{
        f"torch.{kind}Storage": "a quantized tensor; call dequantize() in torch first"
        for kind in ("QInt8", "QUInt8", "QInt32", "QUInt4x2", "QUInt2x4")
    },
}
