"""Tensors to other dtypes, devices and array libraries."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes
from ..backends import Device, backend_for, backend_of, is_device
from ..errors import DeviceError, DTypeError, GradError, ShapeError
from ..prims.movement import transfer
from ..prims.promotion import SCALARS
from ..tensor import Symbol, Tensor
from .creation import as_tensor, cast_to
from .shape import clone, in_format


def _targets(args: tuple[Any, ...], dtype: Any, device: Any) -> tuple[Any, Any]:
    """The dtype and device that the arguments of ``to`` ask for."""
    for arg in args:
        if isinstance(arg, Tensor):
            dtype, device = arg.dtype, arg.device
        elif arg is None or isinstance(arg, bool):
            continue
        elif isinstance(arg, (Device, int)) or (isinstance(arg, str) and is_device(arg)):
            device = arg
        else:
            dtype = _named(arg) if isinstance(arg, str) else arg
    return dtype, device


def _named(word: str) -> np.dtype:
    """The dtype of a name; other words may have been meant as one, or as a device."""
    try:
        return dtypes.to_numpy_dtype(word)
    except DTypeError:
        raise DTypeError(
            f"to: {word!r} names neither a dtype nor a device; devices are 'cpu', 'cuda' and "
            "'cuda:0' (or another number), dtypes triptych.float32 and the like"
        ) from None


def to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    non_blocking: bool = False,
    copy: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """This tensor in another dtype, on another device or in another order of axes in memory;
    itself if all fit already.

    ``x.to(triptych.float16)``, ``x.to("cuda:0")``, ``x.to(other_tensor)``,
    ``x.to(memory_format=triptych.channels_last)``.

    Args:
        non_blocking: do not wait for a copy between main memory and a GPU. A copy to the GPU comes
            straight from pinned memory, which has to stay as it is until the GPU has read it; a
            copy to main memory goes into pinned memory and is there after `cuda.synchronize()`.

    Raises:
        DTypeError: a word names neither a dtype nor a device.
        ShapeError: the memory format is for another number of axes.
    """
    dtype, device = _targets(args, dtype, device)
    out = self if dtype is None else cast_to(self, dtypes.to_numpy_dtype(dtype))
    if device is not None and (where := Device(device)) != out.device:
        backend_for(where)
        if where != Device("cpu", 0) or out.device.type != "cpu":
            out = transfer(out, device=where, non_blocking=non_blocking)
    if copy and out is self:
        return clone(out, memory_format=memory_format)
    return out if memory_format is None else in_format("to", out, memory_format)


def cpu(self: Tensor) -> Tensor:
    """This tensor in main memory."""
    return to(self, "cpu")


def cuda(self: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """This tensor on a CUDA device, the current one by default; non_blocking as in `to`."""
    where = Device("cuda") if device is None else Device(device)
    return to(self, device=where, non_blocking=non_blocking)


def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """This tensor on a device, as the array API spells it; itself if it is there.

    Raises:
        DeviceError: there is no such device, or stream is given: work is ordered by the devices'
            current streams.
    """
    if stream is not None:
        raise DeviceError("to_device: stream should be None; the current stream is used")
    return to(self, device=Device(device))


def type(self: Tensor, dtype: Any = None) -> Any:
    """The dtype's name, such as ``triptych.float32``; with a dtype, the tensor converted."""
    return repr(self.dtype) if dtype is None else to(self, dtype=dtype)


def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in the dtype and on the device of another."""
    return to(self, other)


def _converter(name: str, target: dtypes.dtype) -> Any:
    def method(self: Tensor, memory_format: Any = None) -> Tensor:
        out = cast_to(self, target.dtype)
        return out if memory_format is None else in_format(name, out, memory_format)

    method.__name__ = name
    method.__doc__ = f"This tensor as {target.name}; in a memory format, if one is given."
    return method


CONVERTERS = {
    name: _converter(name, getattr(dtypes, name))
    for name in (
        "float",
        "double",
        "half",
        "bfloat16",
        "int",
        "long",
        "short",
        "bool",
        "cfloat",
        "cdouble",
    )
} | {"byte": _converter("byte", dtypes.uint8), "char": _converter("char", dtypes.int8)}


def host_array(self: Tensor, call: str) -> np.ndarray:
    """The numbers as a NumPy array.

    Raises:
        CaptureError: under capture there are no numbers yet.
        TransformError: under vmap, they differ from sample to sample.
    """
    data = self._data
    if isinstance(data, Symbol):
        data = data.numbers(call)
    return backend_of(data).to_numpy(data)


def numpy(self: Tensor, *, force: bool = False) -> np.ndarray:
    """The elements as a NumPy array; shares memory on the CPU.

    Args:
        force: detach and copy to the CPU as needed, instead of refusing.

    Raises:
        GradError: the tensor requires grad.
        DeviceError: the tensor is on another device.
    """
    if not force:
        if self.requires_grad:
            raise GradError("numpy(): the tensor requires grad; use .detach().numpy()")
        if self.device.type != "cpu":
            raise DeviceError(f"numpy(): the tensor is on {self.device}; use .cpu().numpy()")
    return host_array(self, "numpy()")


def item(self: Tensor) -> Any:
    """The one element as a Python number.

    Raises:
        ShapeError: there are more or fewer elements.
    """
    if self._data.size != 1:
        raise ShapeError(f"item(): wanted one element, got shape {tuple(self.shape)}; use tolist()")
    value = host_array(self, "item()").reshape(-1)[0]
    return float(value) if self._data.dtype == dtypes.bfloat16.dtype else value.item()


def tolist(self: Tensor) -> Any:
    """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
    array = host_array(self, "tolist()")
    if array.dtype == dtypes.bfloat16.dtype:
        array = array.astype(np.float32)
    return array.tolist()


def to_array(self: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    """``numpy.asarray(tensor)``."""
    array = numpy(self)
    if dtype is not None and array.dtype != np.dtype(dtype):
        if copy is False:
            raise ValueError(
                f"__array__: converting {array.dtype} to {np.dtype(dtype)} needs a copy"
            )
        return array.astype(dtype)
    return array.copy() if copy else array


def to_bool(self: Tensor) -> bool:
    """The truth of the one element."""
    if self._data.size != 1:
        raise ShapeError(
            f"bool(): the truth of {self._data.size} elements (shape {tuple(self.shape)}) is "
            "ambiguous; use .any() or .all()"
        )
    return bool(host_array(self, "bool()").reshape(-1)[0])


def to_int(self: Tensor) -> int:
    """The one element as an int."""
    return int(item(self))


def to_float(self: Tensor) -> float:
    """The one element as a float."""
    return float(item(self))


def to_complex(self: Tensor) -> complex:
    """The one element as a complex number."""
    return complex(item(self))


def to_index(self: Tensor) -> int:
    """The one integer element, as an index.

    Raises:
        DTypeError: the element is no integer.
    """
    if self._data.dtype.kind not in "biu":
        raise DTypeError(f"index: wanted an integer tensor, got {self.dtype}")
    return int(item(self))


def dlpack(
    self: Tensor,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """Export through DLPack; the memory is shared unless a copy is asked for.

    Args:
        stream: where the consumer will work, in DLPack's numbering; only for GPUs.
        max_version: the newest version of the protocol that the consumer knows.
        dl_device: where the consumer wants the data, as (kind, index).
        copy: True always copies, False never does.

    Raises:
        GradError: the tensor requires grad.
        BufferError: the array library cannot export the dtype, or not to that device.
    """
    if self.requires_grad:
        raise GradError("__dlpack__: the tensor requires grad; export .detach()")
    if isinstance(self._data, Symbol):
        host_array(self, "__dlpack__")
    wanted = {"max_version": max_version, "dl_device": dl_device, "copy": copy}
    options = {name: value for name, value in wanted.items() if value is not None}
    return self._data.__dlpack__(stream=stream, **options)


def dlpack_device(self: Tensor) -> tuple[int, int]:
    """(device kind, device index) in DLPack's numbering: 1 is the CPU, 2 CUDA."""
    return self._data.__dlpack_device__()


def cuda_array_interface(self: Tensor) -> Any:
    """The CUDA array interface of a tensor on a GPU."""
    if self.device.type != "cuda":
        raise AttributeError(f"__cuda_array_interface__: the tensor is on {self.device}")
    return self._data.__cuda_array_interface__


def array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    """``numpy.exp(tensor)`` and the like: Triptych's operation of that name, with gradients. Any
    other function of NumPy's computes on the numbers; a call gives tensors, ``out=`` and methods
    such as ``numpy.add.reduce`` give arrays.

    Raises:
        GradError: there is no such operation, and a tensor requires grad.
    """
    call = _ufunc_calls().get(ufunc)
    if call is not None and method == "__call__" and not kwargs:
        return call(
            *(x if isinstance(x, (Tensor, *SCALARS, np.generic)) else as_tensor(x) for x in inputs)
        )
    if "out" in kwargs:
        kwargs["out"] = tuple(_numbers(x) for x in kwargs["out"])
    found = getattr(ufunc, method)(*(_numbers(x) for x in inputs), **kwargs)
    if method != "__call__" or "out" in kwargs:
        return found
    return tuple(map(as_tensor, found)) if isinstance(found, tuple) else as_tensor(found)


def _numbers(x: Any) -> Any:
    return numpy(x) if isinstance(x, Tensor) else x


@functools.cache
def _ufunc_calls() -> dict[Any, Any]:
    """NumPy's functions that have a counterpart here."""
    from ..prims import TABLE
    from .linalg import matmul

    simple = [p for p in TABLE.values() if p.kind in ("unary", "binary")]
    named = [(n, p) for p in simple if isinstance(n := getattr(p.impl, "ufunc", p.impl), str)]
    others = {"conjugate": "conj", "rint": "round", "sign": "sign"}
    return (
        {np.matmul: matmul}
        | {getattr(np, theirs): TABLE[ours].call for theirs, ours in others.items()}
        | {getattr(np, name): p.call for name, p in named}
    )
