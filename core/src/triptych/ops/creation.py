"""Making tensors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import integers
from ..backends import Device, backend_for, default_device
from ..errors import DTypeError, ShapeError
from ..prims import create
from ..prims.elementwise import cast
from ..prims.elementwise import fill_like as _fill_like
from ..prims.movement import copy
from ..state import run_kernel
from ..tensor import Tensor, box
from .named import set_names, with_names

__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "full",
    "full_like",
    "is_tensor",
    "linspace",
    "logspace",
    "ones",
    "ones_like",
    "tensor",
    "zeros",
    "zeros_like",
]

DeviceLike = str | int | Device | None
DTypeLike = Any
DimNames = Sequence[str | None] | None


def _device(device: DeviceLike) -> Device:
    return default_device() if device is None else Device(device)


def _dtype(dtype: DTypeLike) -> np.dtype:
    return dtypes.get_default_dtype().dtype if dtype is None else dtypes.to_numpy_dtype(dtype)


def _sizes(name: str, size: tuple[Any, ...]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (tuple, list)):
        size = tuple(size[0])
    lengths = integers(name, size)
    if any(n < 0 for n in lengths):
        raise ShapeError(f"{name}: lengths must not be negative, got {lengths}")
    return lengths


def _finish(t: Tensor, requires_grad: bool, names: DimNames = None) -> Tensor:
    """What a creation function does last: name the dims, and have operations recorded."""
    if names is not None:
        set_names(t, names)
    return t.requires_grad_() if requires_grad else t


def tensor(
    data: Any,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """A new tensor holding a copy of data.

    Args:
        data: a number, nested sequences of numbers or tensors, or an array.
        dtype: element type; default the array's own, and for Python numbers bool, int64, the
            default floating type, or its complex type.
        device: "cpu" or "cuda:0"; default the device data is on.
        requires_grad: record operations on it.
        names: a name or None per dim; a named tensor keeps its own if left out.

    Raises:
        ShapeError: nested sequences have different lengths.
        DTypeError: elements are no numbers.

    Example:
        >>> tensor([[1, 2], [3, 4]]).shape
        Size([2, 2])
    """
    if isinstance(data, Tensor):
        made = copy(data.detach())
        made = made if dtype is None else cast_to(made, dtypes.to_numpy_dtype(dtype))
        return _finish(made if device is None else made.to(device), requires_grad, names)
    array = _to_array(data, None if dtype is None else dtypes.to_numpy_dtype(dtype))
    if type(array) is np.ndarray:
        where = _device(device)
        raw = backend_for(where).asarray(array.copy(), where=where)
    else:
        raw = array.copy()
    return _finish(box(raw), requires_grad, names)


def _to_array(data: Any, dtype: np.dtype | None) -> Any:
    """An array of a supported dtype; may share memory with data."""
    if isinstance(data, np.ndarray):
        array: Any = data.view(np.ndarray) if type(data) is not np.ndarray else data
    elif hasattr(data, "__cuda_array_interface__"):
        array = backend_for(Device("cuda")).asarray(data)
    elif hasattr(data, "__array__"):
        array = np.asarray(data)
    elif hasattr(data, "__dlpack__"):
        return from_dlpack(data)._data
    else:
        array = _from_sequence(data)
        if dtype is None and array.dtype.kind in "fc" and not isinstance(data, (memoryview, bytes)):
            default = dtypes.get_default_dtype().dtype
            array = array.astype(default if array.dtype.kind == "f" else dtypes.complex_of(default))
    if dtype is not None and array.dtype != dtype:
        return run_kernel(_converted, array, dtype)
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    dtypes.from_numpy_dtype(array.dtype)
    return array


def _converted(array: Any, dtype: np.dtype) -> Any:
    if array.dtype.kind == "c" and dtype.kind not in "cb":
        if array.imag.any():
            raise DTypeError(f"tensor: complex numbers do not fit {dtype}; take .real first")
        array = array.real
    return array.astype(dtype)


def _from_sequence(data: Any) -> np.ndarray:
    if isinstance(data, (list, tuple)) and _holds_tensors(data):
        data = _nested_numpy(data)
    try:
        array = np.asarray(data)
    except (ValueError, TypeError) as error:
        raise ShapeError(
            f"tensor: nested sequences must have equal lengths at each level ({error})"
        ) from None
    except OverflowError as error:
        raise DTypeError(f"tensor: a number does not fit int64 ({error})") from None
    if array.dtype.kind in "OUSMmV" and array.dtype != dtypes.bfloat16.dtype:
        raise DTypeError(
            f"tensor: wanted numbers or nested sequences of them, got {type(data).__name__}"
        )
    return (
        array
        if array.size or array.dtype.kind != "f"
        else array.astype(dtypes.get_default_dtype().dtype)
    )


def _holds_tensors(data: Any) -> bool:
    while isinstance(data, (list, tuple)) and data:
        data = data[0]
    return isinstance(data, Tensor)


def _nested_numpy(data: Any) -> Any:
    if isinstance(data, Tensor):
        return data.detach().cpu().numpy()
    if isinstance(data, (list, tuple)):
        return [_nested_numpy(x) for x in data]
    return data


def legacy_tensor(data: Any, *sizes: int) -> Any:
    """What ``Tensor(...)`` holds: data in the default dtype, or for ints an uninitialised shape."""
    if isinstance(data, int) and not isinstance(data, bool):
        return empty(data, *sizes)._data
    return tensor(data, dtype=dtypes.get_default_dtype())._data


def as_tensor(data: Any, dtype: DTypeLike = None, device: DeviceLike = None) -> Tensor:
    """A tensor of data, sharing its memory when dtype and device allow."""
    if isinstance(data, Tensor):
        moved = data if dtype is None else cast_to(data, dtypes.to_numpy_dtype(dtype))
        return moved if device is None else moved.to(device)
    raw = _to_array(data, None if dtype is None else dtypes.to_numpy_dtype(dtype))
    if device is not None or type(raw) is np.ndarray:
        where = _device(device)
        raw = backend_for(where).asarray(raw, where=where)
    return box(raw)


def asarray(
    obj: Any,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    copy: bool | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of obj: copy=True always copies, False never does, None only when needed.

    Raises:
        ValueError: copy=False, but dtype or device need a copy.
    """
    made = tensor(obj, dtype=dtype, device=device) if copy else as_tensor(obj, dtype, device)
    if copy is False:
        start = obj._data if isinstance(obj, Tensor) else _to_array(obj, None)
        same = made._data is start or (
            type(made._data) is type(start) and np.shares_memory(made._data, start)
        )
        if not same:
            raise ValueError("asarray: copy=False, but the asked dtype or device needs a copy")
    return _finish(made, requires_grad)


def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor over the memory of a NumPy array: writes to one show in the other.

    Raises:
        DTypeError: the array holds no numbers, or in foreign byte order.
    """
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError(
            f"from_numpy: wanted a numpy.ndarray, got {type(ndarray).__name__}; use tensor()"
        )
    dtypes.from_numpy_dtype(ndarray.dtype)
    return box(ndarray if type(ndarray) is np.ndarray else ndarray.view(np.ndarray))


def frombuffer(
    buffer: Any, *, dtype: DTypeLike, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-d tensor over the memory of a buffer such as bytes, bytearray or mmap."""
    flat = np.frombuffer(buffer, dtypes.to_numpy_dtype(dtype), count, offset)
    return _finish(box(flat), requires_grad)


def from_dlpack(
    ext_tensor: Any, /, *, device: DeviceLike = None, copy: bool | None = None
) -> Tensor:
    """A tensor over the memory of any DLPack array: torch, JAX, CuPy, NumPy and others.

    Args:
        ext_tensor: has ``__dlpack__`` and ``__dlpack_device__``; a tensor is returned as it is.
        device: where the tensor should be; default where the data are.
        copy: True always copies, False never does, None only when the device asks for it.

    Raises:
        DTypeError: ext_tensor is no such array.
        BufferError: copy=False, but the data are on another device; or the dtype cannot cross.
    """
    found = ext_tensor if isinstance(ext_tensor, Tensor) else _imported(ext_tensor)
    where = found.device if device is None else _device(device)
    if where.type != found.device.type or where.index not in (None, found.device.index):
        if copy is False:
            raise BufferError(
                f"from_dlpack: copy=False, but the data are on {found.device}, not on {where}"
            )
        return found.to(where)
    return _copied(found) if copy else found


def _copied(t: Tensor) -> Tensor:
    return copy(t)


def _imported(array: Any) -> Tensor:
    if not hasattr(array, "__dlpack_device__"):
        raise DTypeError(
            f"from_dlpack: wanted an array with __dlpack__ and __dlpack_device__, got "
            f"{type(array).__name__}; for capsules there is utils.dlpack.from_dlpack"
        )
    kind, index = array.__dlpack_device__()
    if kind in (2, 13):  # kDLCUDA, kDLCUDAManaged
        raw = backend_for(Device("cuda", index)).xp.from_dlpack(array)
    else:
        raw = np.from_dlpack(array)
    dtypes.from_numpy_dtype(raw.dtype)
    return box(raw)


def check_number(name: str, value: Any, dtype: np.dtype) -> None:
    """Refuse a Python number that a dtype cannot hold; other values pass.

    Raises:
        DTypeError: an integer out of range, a NaN or infinity for integers, or an imaginary part
            for real numbers.
    """
    if isinstance(value, complex) and dtype.kind != "c" and value.imag != 0:
        wrong = True
    elif isinstance(value, (int, float)) and dtype.kind in "iu":
        info = np.iinfo(dtype)
        wrong = not info.min <= value <= info.max
    else:
        wrong = False
    if wrong:
        raise DTypeError(
            f"{name}: {value} does not fit {dtype}; convert the tensor with .to() first"
        )


def cast_to(t: Tensor, dtype: np.dtype) -> Tensor:
    """The tensor itself if it has the dtype, else a recorded conversion."""
    return t if t._data.dtype == dtype else cast(t, dtype=dtype)


def _create(
    name: str,
    size: tuple[Any, ...],
    value: Any,
    dtype: DTypeLike,
    device: DeviceLike,
    requires_grad: bool,
    names: DimNames,
) -> Tensor:
    shape = _sizes(name, size)
    check_number(name, value, _dtype(dtype))
    made = create.full(shape=shape, dtype=_dtype(dtype), device=_device(device), value=value)
    return _finish(made, requires_grad, names)


def zeros(
    *size: Any,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """A tensor of zeros: ``zeros(2, 3)`` or ``zeros((2, 3))``."""
    return _create("zeros", size, 0, dtype, device, requires_grad, names)


def ones(
    *size: Any,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """A tensor of ones."""
    return _create("ones", size, 1, dtype, device, requires_grad, names)


def empty(
    *size: Any,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
    memory_format: Any = None,
) -> Tensor:
    """A tensor whose values will be overwritten; here they are zeros."""
    return _create("empty", size, 0, dtype, device, requires_grad, names)


def full(
    size: Sequence[int],
    fill_value: Any,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """A tensor of one value; its dtype is that of the value unless given."""
    if isinstance(fill_value, (Tensor, np.generic)):
        dtype = fill_value.dtype if dtype is None else dtype
        fill_value = fill_value.item()
    if dtype is None:
        dtype = dtypes.scalar_dtype(fill_value, None)
    return _create("full", tuple(size), fill_value, dtype, device, requires_grad, names)


def _as(
    input: Tensor, value: Any, dtype: DTypeLike, device: DeviceLike, requires_grad: bool
) -> Tensor:
    if isinstance(value, (Tensor, np.generic)):
        value = value.item()
    check_number("full_like", value, input._data.dtype if dtype is None else _dtype(dtype))
    if dtype is None and device is None:
        return _finish(_fill_like(input.detach(), value=value), requires_grad)
    wanted = input._data.dtype if dtype is None else dtypes.to_numpy_dtype(dtype)
    where = input.device if device is None else _device(device)
    made = create.full(shape=tuple(input.shape), dtype=wanted, device=where, value=value)
    return _finish(with_names(made, input._names), requires_grad)


def zeros_like(
    input: Tensor,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Zeros in the shape, dtype and device of another tensor."""
    return _as(input, 0, dtype, device, requires_grad)


def ones_like(
    input: Tensor,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """Ones in the shape, dtype and device of another tensor."""
    return _as(input, 1, dtype, device, requires_grad)


def empty_like(
    input: Tensor,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor to be overwritten, in the shape, dtype and device of another; here zeros."""
    return _as(input, 0, dtype, device, requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """One value in the shape, dtype and device of another tensor."""
    return _as(input, fill_value, dtype, device, requires_grad)


def arange(
    start: float,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """Numbers from start (0 if only one is given) up to but not including end, by step.

    Raises:
        ShapeError: step is zero or leads away from end, or a number is not finite.
        DTypeError: they are no real numbers.
    """
    if end is None:
        start, end = 0, start
    start, end, step = _numbers("arange", start, end, step)
    if not all(map(math.isfinite, (start, end, step))):
        raise ShapeError(f"arange: wanted finite numbers, got {start} to {end} by {step}")
    if step == 0 or (end - start) / step < 0:
        raise ShapeError(f"arange: step {step} does not lead from {start} to {end}")
    if dtype is None:
        floating = any(isinstance(v, float) for v in (start, end, step))
        dtype = dtypes.get_default_dtype() if floating else dtypes.int64
    exact = all(isinstance(v, int) for v in (start, end, step))
    count = -((start - end) // step) if exact else math.ceil((end - start) / step)
    made = create.arange(
        shape=(count,), dtype=_dtype(dtype), device=_device(device), start=start, step=step
    )
    return _finish(made, requires_grad, names)


def _numbers(name: str, *values: Any) -> tuple[Any, ...]:
    """Python numbers, out of tensors and NumPy's where need be."""
    plain = tuple(v.item() if hasattr(v, "item") else v for v in values)
    for v in plain:
        if not isinstance(v, (int, float)):
            raise DTypeError(f"{name}: wanted numbers, got {v!r}")
    return plain


def _steps(name: str, steps: Any) -> int:
    """How many numbers to make."""
    (count,) = _sizes(name, (steps,))
    return count


def linspace(
    start: float,
    end: float,
    steps: int,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """`steps` numbers evenly spaced from start to end, both included."""
    values = np.linspace(start, end, _steps("linspace", steps)).astype(_dtype(dtype))
    return _finish(as_tensor(values, device=device), requires_grad, names)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """`steps` numbers from base ** start to base ** end, evenly spaced in their logarithm."""
    values = np.logspace(start, end, _steps("logspace", steps), base=base)
    values = values.astype(_dtype(dtype))
    return _finish(as_tensor(values, device=device), requires_grad, names)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: DTypeLike = None,
    device: DeviceLike = None,
    requires_grad: bool = False,
    names: DimNames = None,
) -> Tensor:
    """The n x m identity matrix."""
    rows, cols = _sizes("eye", (n, n if m is None else m))
    matrix = np.eye(rows, cols, dtype=_dtype(dtype))
    return _finish(as_tensor(matrix, device=device), requires_grad, names)


def is_tensor(obj: Any) -> bool:
    """Whether obj is a Triptych tensor."""
    return isinstance(obj, Tensor)
