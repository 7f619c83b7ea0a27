"""cupy.ndarray, as far as NumPy can stand in for it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..snapshot import read
from .capture import about_to_write, done
from .counts import COUNTS
from .device import Device

NAMES = read()
UFUNC_KEYWORDS = {"out", "dtype", "casting"}
IMPLICIT = (
    "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a "
    "NumPy array explicitly."
)
# What gives a view or metadata and launches nothing.
VIEWS = frozenset(
    (
        *("broadcast_to", "expand_dims", "moveaxis", "squeeze", "swapaxes", "transpose", "view"),
        *("as_strided", "byte_bounds", "diagonal", "real", "imag", "ravel", "reshape"),
        *("broadcast_arrays", "atleast_1d", "result_type", "can_cast", "shape", "ndim", "size"),
    )
)
# Of these, what reads shapes and strides only, so that any device may be the current one.
ANYWHERE = frozenset(
    (
        *("as_strided", "broadcast_to", "byte_bounds", "expand_dims", "moveaxis", "squeeze"),
        *("swapaxes", "transpose", "view"),
    )
)
# What needs a result on the host before it can go on.
WAITING = frozenset(("argwhere", "flatnonzero", "nonzero", "unique"))
NEW = frozenset(("empty", "empty_like"))  # no kernel fills them


class Undefined(AssertionError):
    """CuPy's result would depend on the order in which threads run."""


class Flags:
    """cupy.ndarray.flags: it knows of no writeable flag."""

    def __init__(self, flags: Any) -> None:
        self.c_contiguous, self.f_contiguous = flags.c_contiguous, flags.f_contiguous
        self.owndata, self.fnc = flags.owndata, flags.fnc
        self.forc = flags.forc


class ndarray:  # noqa: N801 -- CuPy's spelling
    """An array on a device: a NumPy array that only this module looks at."""

    __array_priority__ = 100
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, host: np.ndarray, device: Device | None = None, base: Any = None) -> None:
        object.__setattr__(self, "_host", host)
        object.__setattr__(self, "device", Device() if device is None else device)
        object.__setattr__(self, "_base", base)

    # ---- to the host: each waits for the device
    def get(
        self, stream: Any = None, order: str = "C", out: Any = None, blocking: bool = True
    ) -> np.ndarray:
        """The numbers as a NumPy array."""
        COUNTS.waited()
        if out is None:
            return np.array(self._host, order=order)  # type: ignore[call-overload]
        out[...] = self._host
        return out

    def set(self, array: np.ndarray, stream: Any = None) -> None:
        """Copy numbers from the host over these."""
        if type(array) is not np.ndarray or array.dtype != self.dtype or array.shape != self.shape:
            raise TypeError("set takes a numpy.ndarray of the same dtype and shape")
        COUNTS.to_device += 1
        self._host[...] = array

    def item(self, *where: Any) -> Any:
        """One number."""
        COUNTS.waited()
        return self._host.item(*where)

    def tolist(self) -> Any:
        """The numbers as lists."""
        COUNTS.waited()
        return self._host.tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __bool__(self) -> bool:
        COUNTS.waited()
        return bool(self._host)

    def __index__(self) -> int:
        COUNTS.waited()
        return operator.index(self._host)

    def __repr__(self) -> str:
        COUNTS.waited()
        return repr(self._host)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(IMPLICIT)

    # ---- attributes
    def __len__(self) -> int:
        return len(self._host)

    def __iter__(self) -> Any:
        if not self.ndim:
            raise TypeError("iteration over a 0-d array")
        return (self[i] for i in range(len(self._host)))

    shape = property(lambda self: self._host.shape)
    ndim = property(lambda self: self._host.ndim)
    size = property(lambda self: self._host.size)
    dtype = property(lambda self: self._host.dtype)
    strides = property(lambda self: self._host.strides)
    itemsize = property(lambda self: self._host.itemsize)
    nbytes = property(lambda self: self._host.nbytes)
    flags = property(lambda self: Flags(self._host.flags))
    base = property(lambda self: self._base)
    T = property(lambda self: self.transpose())

    @property
    def data(self) -> Any:
        return type("MemoryPointer", (), {"ptr": self._host.ctypes.data})()

    @property
    def real(self) -> Any:
        return _result("real", self._host.real, self)

    @property
    def imag(self) -> Any:
        return _result("imag", self._host.imag, self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "shape":
            object.__setattr__(self, "_host", self._host.reshape(value))
            return
        raise AttributeError(f"attribute {name!r} of 'cupy.ndarray' objects is not writable")

    def __getattr__(self, name: str) -> Any:
        entry = NAMES.get(f"ndarray.{name}")
        if entry is None or name.startswith("__"):
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")

        def method(*args: Any, **params: Any) -> Any:
            found = getattr(np.ndarray, name)
            return call(name, f"ndarray.{name}", found, (self, *args), params)

        return method

    def astype(self, dtype: Any, order: str = "K", casting: str = "unsafe", **params: Any) -> Any:
        """A converted copy. On a GPU, floats outside the range of an integer dtype saturate."""
        params = {k: v for k, v in params.items() if k in ("copy", "subok")}
        dtype = _allowed(np.dtype(dtype))
        if params.get("copy", True) is False and dtype == self.dtype:
            return self
        if self.dtype.kind == "c" and dtype.kind not in "cb":
            raise AssertionError("CuPy drops the imaginary part with a warning; take .real first")
        COUNTS.launches += 1

        def again() -> np.ndarray:
            return _converted(self._host, dtype, order, casting)

        host = again()
        done(again, host)
        return ndarray(host, self.device)

    def copy(self, order: str = "C") -> Any:
        """A copy on the current device."""
        COUNTS.launches += 1
        host = self._host.copy(order)
        done(lambda: self._host, host)
        return ndarray(host, Device())

    # ---- NumPy's own functions, called with arrays of this kind
    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **params: Any) -> Any:
        if method != "__call__":
            return NotImplemented
        return call(ufunc.__name__, ufunc.__name__, ufunc, args, params)

    def __array_function__(self, function: Any, types: Any, args: Any, params: Any) -> Any:
        return call(function.__name__, function.__name__, function, args, params)

    def __dlpack__(self, **params: Any) -> Any:
        return self._host.__dlpack__()

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, self.device.id  # kDLCUDA

    # ---- indexing
    def __getitem__(self, key: Any) -> Any:
        host = host_key(key, self.shape)
        if _is_basic(host):
            return _result("view", self._host[host], self)
        COUNTS.launches += 1
        if _has_mask(host):
            COUNTS.waited()
        found = np.asarray(self._host[host])
        done(lambda: np.asarray(self._host[host]), found)
        return ndarray(found, self.device)

    def __setitem__(self, key: Any, value: Any) -> None:
        host, new = host_key(key, self.shape), value
        if isinstance(value, np.ndarray) and value.ndim:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        if isinstance(value, ndarray):
            new = host_of(value)
            _check_distinct(self.shape, host, new)
        COUNTS.launches += 1

        def again() -> None:
            with np.errstate(all="ignore"):
                self._host[host] = new

        about_to_write([self._host])
        again()
        done(again)


def _converted(host: np.ndarray, dtype: np.dtype, order: Any, casting: Any) -> np.ndarray:
    if host.dtype.kind == "f" and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        inside = np.nan_to_num(host, nan=0, posinf=limits.max, neginf=limits.min)
        high, low = inside >= limits.max, inside <= limits.min
        cast = np.where(high | low, 0, inside).astype(dtype)
        return np.where(high, limits.max, np.where(low, limits.min, cast))
    with np.errstate(all="ignore"):
        return host.astype(dtype, order=order, casting=casting)


def _allowed(dtype: np.dtype) -> np.dtype:
    if dtype.kind in "OSUMm":
        raise ValueError(f"Unsupported dtype {dtype}")
    return dtype


def _is_basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return not any(isinstance(p, (np.ndarray, list)) for p in parts)


def _has_mask(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return any(isinstance(p, np.ndarray) and p.dtype == bool for p in parts)


def host_key(key: Any, shape: tuple[int, ...]) -> Any:
    """The key for NumPy. On a GPU, whole numbers in an array that are out of range wrap around."""
    parts = key if isinstance(key, tuple) else (key,)
    hosts = [host_of(p) if isinstance(p, ndarray) else p for p in parts]
    if any(
        isinstance(p, np.ndarray) and not isinstance(q, ndarray) and p.ndim
        for p, q in zip(hosts, parts, strict=True)
    ):
        raise TypeError("a cupy.ndarray is indexed by a numpy.ndarray; move it with asarray")
    if not _is_basic(tuple(hosts)):
        hosts = _wrapped(hosts, shape)
    return tuple(hosts) if isinstance(key, tuple) else hosts[0]


def _wrapped(parts: list[Any], shape: tuple[int, ...]) -> list[Any]:
    masks = [isinstance(p, np.ndarray) and p.dtype == bool for p in parts]
    axes = [
        p.ndim if mask else int(p is not None and p is not Ellipsis)
        for p, mask in zip(parts, masks, strict=True)
    ]
    axis, out = 0, []
    for p, mask, count in zip(parts, masks, axes, strict=True):
        whole = isinstance(p, np.ndarray) and not mask
        out.append(p % max(shape[axis], 1) if whole else p)
        axis += len(shape) - sum(axes) if p is Ellipsis else count
    return out


def _check_distinct(shape: tuple[int, ...], key: Any, value: np.ndarray) -> None:
    """Raise where one place is assigned two numbers: which of them stays is undefined."""
    if _is_basic(key) or _has_mask(key) or not value.ndim:
        return
    places = np.arange(int(np.prod(shape))).reshape(shape)[key]
    values = np.broadcast_to(value, places.shape).ravel()
    order = np.argsort(places.ravel(), kind="stable")
    same = np.diff(places.ravel()[order]) == 0
    differs = values[order][1:] != values[order][:-1]
    if (same & differs).any():
        raise Undefined("an index is assigned several values; use add.at or scatter by atomics")


def host_of(value: Any) -> Any:
    """What NumPy computes with: arrays of the current device; NumPy's own arrays are refused."""
    if isinstance(value, ndarray):
        if value.device.id != Device().id:
            raise ValueError(
                "Array device must be same as the current device: array device = "
                f"{value.device.id} while current = {Device().id}"
            )
        return value._host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        return type(value)(map(host_of, value))
    return value


def _memory_of(value: Any) -> Any:
    """The same on any device."""
    return value._host if isinstance(value, ndarray) else host_of(value)


def _result(name: str, found: Any, source: Any) -> Any:
    """NumPy's result as CuPy gives it: arrays also where NumPy gives scalars."""
    if isinstance(found, tuple):
        return tuple(_result(name, f, source) for f in found)
    if not isinstance(found, (np.ndarray, np.generic)):
        return found
    array = np.asarray(found)
    if isinstance(source, ndarray) and np.shares_memory(array, source._host):
        if name == "diagonal" and source._host.flags.writeable:
            array.flags.writeable = True  # which it is only in NumPy's view
        return ndarray(array, source.device, source if source._base is None else source._base)
    return ndarray(array)


def call(
    name: str,
    path: str,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    params: dict[str, Any],
) -> Any:
    """Run NumPy's function as CuPy's of that name: checked, on the current device, and counted."""
    entry = NAMES.get(path)
    if entry is None:
        raise AttributeError(f"module 'cupy' has no attribute {path!r}")
    for keyword in params:
        known = keyword in UFUNC_KEYWORDS if entry.kind == "ufunc" else entry.takes(keyword)
        if not known:
            raise TypeError(f"cupy.{path}() got an unexpected keyword argument {keyword!r}")
    if entry.kind == "ufunc" and any(isinstance(a, (list, tuple)) for a in args):
        raise TypeError(f"Unsupported type {list}")
    if name in ("argsort", "sort"):
        params = {"kind": "stable", **params}  # CuPy's are
    out = params.get("out")
    out = out[0] if isinstance(out, tuple) else out

    host = _memory_of if name in ANYWHERE else host_of

    def again() -> Any:
        with np.errstate(all="ignore"):
            return function(*map(host, args), **{k: host(v) for k, v in params.items()})

    if out is not None:
        about_to_write([out._host])
    found = again()
    if name in WAITING:
        COUNTS.waited()
    if name not in VIEWS and name not in NEW:
        COUNTS.launches += 1
    if out is not None:
        done(again)
        return out
    if entry.kind == "ufunc" and isinstance(found, np.ndarray):
        found = np.asarray(found, order="C")  # CuPy's results are in C order
    if isinstance(found, np.ndarray):
        _allowed(found.dtype)
        if name == "where" and found.dtype.name == "bfloat16":
            found = found.astype(np.float32)  # it has no loop for bfloat16
    result = _result(name, found, args[0] if args else None)
    results = result if isinstance(result, tuple) else (result,)
    done(again, *(r._host for r in results if isinstance(r, ndarray)))
    return result


def _operator(name: str, reflected: bool = False) -> Callable[[Any, Any], Any]:
    ufunc = getattr(np, name)

    def apply(self: Any, other: Any) -> Any:
        args = (other, self) if reflected else (self, other)
        return call(name, name, ufunc, args, {})

    return apply


def _in_place(name: str) -> Callable[[Any, Any], Any]:
    ufunc = getattr(np, name)
    return lambda self, other: call(name, name, ufunc, (self, other), {"out": self})


BINARY = {
    "add": "add",
    "and": "bitwise_and",
    "floordiv": "floor_divide",
    "lshift": "left_shift",
    "matmul": "matmul",
    "mod": "remainder",
    "mul": "multiply",
    "or": "bitwise_or",
    "pow": "power",
    "rshift": "right_shift",
    "sub": "subtract",
    "truediv": "true_divide",
    "xor": "bitwise_xor",
}
COMPARISONS = {
    "eq": "equal",
    "ge": "greater_equal",
    "gt": "greater",
    "le": "less_equal",
    "lt": "less",
    "ne": "not_equal",
}
for short, long in BINARY.items():
    setattr(ndarray, f"__{short}__", _operator(long))
    setattr(ndarray, f"__r{short}__", _operator(long, reflected=True))
    setattr(ndarray, f"__i{short}__", _in_place(long))
for short, long in COMPARISONS.items():
    setattr(ndarray, f"__{short}__", _operator(long))
for short, long in {"abs": "absolute", "invert": "invert", "neg": "negative"}.items():
    ufunc = getattr(np, long)
    setattr(ndarray, f"__{short}__", lambda self, n=long, f=ufunc: call(n, n, f, (self,), {}))
