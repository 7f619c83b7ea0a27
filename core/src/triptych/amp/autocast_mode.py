"""Autocast: products in half precision, sums and exponentials in float32, chosen per primitive.

A region is a trace that converts the inputs of a call as the `amp` column of the primitive says.
The conversions are recorded casts, so gradients come back in the dtype of each input, and backward
of an operation runs in the dtype its forward ran in.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

import numpy as np

from .. import dtypes
from ..autograd.node import Leaf
from ..errors import DeviceError
from ..prims.elementwise import cast
from ..prims.table import Prim
from ..prims.trace import Trace, chain, dropped, underlay
from ..state import state
from ..tensor import Tensor
from ..tree import flatten, unflatten

__all__ = [
    "autocast",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_available",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
]

F = TypeVar("F", bound=Callable[..., Any])
HALVES = (dtypes.float16.dtype, dtypes.bfloat16.dtype)
SINGLE = dtypes.float32.dtype
Low = dict[str, np.dtype]  # device type to the low dtype, where autocast is on


class _Defaults(threading.local):
    """What a region takes when it is not told; torch's defaults."""

    def __init__(self) -> None:
        self.dtypes: Low = {"cpu": dtypes.bfloat16.dtype, "cuda": dtypes.float16.dtype}
        self.caching = True


_defaults = _Defaults()


class Region(Trace):
    """The trace of an autocast region.

    Args:
        low: the low dtype of each device type for which autocast is on.
        caching: convert a weight once per region, not once per use.
        cache: of an enclosing region, to be shared.
    """

    alters = False

    def __init__(self, low: Low, caching: bool = True, cache: dict[int, Any] | None = None) -> None:
        self.low, self.caching = low, caching
        self.cache: dict[int, Any] = {} if cache is None else cache

    def key(self) -> Any:
        """Compiled graphs of one setting are of no use under another."""
        return tuple(sorted((kind, str(dtype)) for kind, dtype in self.low.items()))

    def adapt(self, prim: Prim, xs: tuple[Any, ...]) -> tuple[Any, ...]:
        """The inputs converted as the primitive's class says."""
        amp = prim.amp
        if type(amp) is not str or amp == "as is" or not self.low:
            return xs
        return tuple(self._converted(amp, list(xs)))

    def run_as(self, amp: str, fn: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Convert the arguments, and leave alone what the function calls."""
        if not self.low:
            return fn(*args, **kwargs)
        leaves, spec = flatten((args, kwargs), lambda x: type(x) not in (tuple, list, dict))
        args, kwargs = unflatten(spec, self._converted(amp, leaves))
        with Region({}):
            return fn(*args, **kwargs)

    def around_backward(self, run: Callable[[], Any]) -> Any:
        """Backward runs in the dtypes of forward, also when it is called inside a region."""
        if not self.low:
            return super().around_backward(run)
        with Region({}):
            return super().around_backward(run)

    def _converted(self, amp: str, xs: list[Any]) -> list[Any]:
        places = {i: low for i, x in enumerate(xs) if (low := self._low(x)) is not None}
        if amp == "single":
            wanted = dict.fromkeys(places, SINGLE)
        elif amp == "widest":
            found = [xs[i]._data.dtype for i in places]
            wanted = dict.fromkeys(places, functools.reduce(dtypes.promote, found)) if found else {}
        else:
            wanted = places if amp == "low" else {}
        for i, dtype in wanted.items():
            if xs[i]._data.dtype != dtype:
                xs[i] = self._cast(xs[i], dtype)
        return xs

    def _low(self, x: Any) -> np.dtype | None:
        """The low dtype for a value that takes part: a float of at most 32 bits on a device where
        autocast is on.
        """
        if not isinstance(x, Tensor):
            return None
        dtype = x._data.dtype
        if not dtypes.is_floating(dtype) or dtype.itemsize > 4:
            return None
        return self.low.get(x.device.type)

    def _cast(self, x: Tensor, dtype: np.dtype) -> Tensor:
        if not (self.caching and dtype in HALVES and type(x._edge) is Leaf and state.grad):
            return cast(x, dtype=dtype)
        if x._view is not None or any(trace.alters for trace in chain()):
            return cast(x, dtype=dtype)
        stamp = x._cell, x._cell[0], x._data, x._edge, dtype
        held = self.cache.get(id(x))
        if held is None or any(a is not b for a, b in zip(held[0], stamp, strict=True)):
            held = self.cache[id(x)] = stamp, cast(x, dtype=dtype), x  # x keeps its id taken
        made: Tensor = held[1]
        return made


def _region() -> Region | None:
    """The innermost region."""
    return next((trace for trace in chain() if isinstance(trace, Region)), None)


def _checked(device_type: Any, name: str) -> str:
    if device_type not in _defaults.dtypes:
        known = " or ".join(map(repr, _defaults.dtypes))
        raise DeviceError(f"{name}: wanted device type {known}, got {device_type!r}")
    return str(device_type)


class autocast:  # noqa: N801 -- torch's spelling
    """A region where products run in half precision and what needs the range in float32.

    Which primitive does what is the `amp` column of the table: "low" for products of matrices,
    convolutions and recurrent layers; "single" for sums, powers, exponentials, norms and losses;
    "widest" where several inputs must agree; all others take what comes. float64 is left alone.
    Use it around forward and loss; backward needs no region.

    Args:
        device_type: "cpu" or "cuda": tensors elsewhere are left alone.
        dtype: float16 or bfloat16; default `get_autocast_dtype(device_type)`: bfloat16 on the CPU,
            float16 on a GPU.
        enabled: False switches an enclosing region off.
        cache_enabled: convert each weight once per region; default True.

    Raises:
        DeviceError: the device type is not known.

    Example:
        >>> layer = triptych.nn.Linear(4, 2)
        >>> with autocast("cpu", dtype=triptych.bfloat16):
        ...     y = layer(triptych.ones(3, 4))
        ...     y.dtype, y.sum().dtype
        (triptych.bfloat16, triptych.float32)
    """

    def __init__(
        self,
        device_type: str,
        dtype: Any = None,
        enabled: bool = True,
        cache_enabled: bool | None = None,
    ) -> None:
        self.device = _checked(device_type, "autocast")
        given = _defaults.dtypes[self.device] if dtype is None else dtypes.to_numpy_dtype(dtype)
        self.fast_dtype = dtypes.from_numpy_dtype(given)
        self._enabled = bool(enabled) and self._possible(given)
        self._caching = cache_enabled
        self._entered: list[Region] = []

    def _possible(self, dtype: np.dtype) -> bool:
        if dtype not in HALVES:
            warnings.warn(
                f"autocast: wanted float16 or bfloat16, got {dtype}; autocast is off", stacklevel=3
            )
        elif not is_autocast_available(self.device):
            warnings.warn(
                f"autocast: no {self.device} device was found; autocast is off", stacklevel=3
            )
        else:
            return True
        return False

    def __enter__(self) -> autocast:
        around = _region()
        low = {} if around is None else dict(around.low)
        low.pop(self.device, None)
        if self._enabled:
            low[self.device] = self.fast_dtype.dtype
        caching = is_autocast_cache_enabled() if self._caching is None else self._caching
        region = Region(low, caching, None if around is None else around.cache)
        region.__enter__()
        self._entered.append(region)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._entered.pop().__exit__(kind, error, traceback)

    def __call__(self, fn: F) -> F:
        @functools.wraps(fn)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            with self:
                return fn(*args, **kwargs)

        return wrapped  # type: ignore[return-value]


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast can run on devices of a type.

    Example:
        >>> is_autocast_available("cpu")
        True
    """
    if device_type == "cuda":
        from ..cuda import is_available

        return is_available()
    return device_type == "cpu"


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether a region is active for devices of a type; without a type, for any.

    Raises:
        DeviceError: the device type is not known.
    """
    region = _region()
    low = {} if region is None else region.low
    return bool(low) if device_type is None else _checked(device_type, "autocast") in low


def is_autocast_cpu_enabled() -> bool:
    """Whether a region is active for the CPU."""
    return is_autocast_enabled("cpu")


def set_autocast_enabled(device_type: str | bool, enabled: bool | None = None) -> None:
    """Switch autocast on or off for a device type, from here to the end of the enclosing region or
    until it is switched again. ``set_autocast_enabled(flag)`` alone is torch's old form for "cuda".

    Raises:
        DeviceError: the device type is not known.
    """
    if enabled is None:
        device_type, enabled = "cuda", bool(device_type)
    kind = _checked(device_type, "set_autocast_enabled")
    region = _region()
    if region is None:
        if enabled:
            underlay(Region({kind: _defaults.dtypes[kind]}, _defaults.caching))
        return
    region.low = {k: v for k, v in region.low.items() if k != kind}
    if enabled:
        region.low[kind] = _defaults.dtypes[kind]
    elif not region.low and not region.scoped:
        dropped(region)


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """`set_autocast_enabled` for the CPU."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The low dtype of the active region for a device type, or the one a region would take.

    Raises:
        DeviceError: the device type is not known.
    """
    kind, region = _checked(device_type, "get_autocast_dtype"), _region()
    low = {} if region is None else region.low
    return dtypes.from_numpy_dtype(low.get(kind, _defaults.dtypes[kind]))


def get_autocast_cpu_dtype() -> dtypes.dtype:
    """The low dtype on the CPU."""
    return get_autocast_dtype("cpu")


def get_autocast_gpu_dtype() -> dtypes.dtype:
    """The low dtype on a GPU."""
    return get_autocast_dtype("cuda")


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Set the low dtype that regions of this thread take when they are not given one.

    Raises:
        DeviceError: the device type is not known.
    """
    kind, region = _checked(device_type, "set_autocast_dtype"), _region()
    _defaults.dtypes[kind] = dtypes.to_numpy_dtype(dtype)
    if region is not None and kind in region.low:
        region.low = {**region.low, kind: _defaults.dtypes[kind]}


def is_autocast_cache_enabled() -> bool:
    """Whether regions of this thread convert a weight once and not at every use."""
    return _defaults.caching


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Whether regions that are not told convert a weight once and not at every use."""
    _defaults.caching = bool(enabled)


def active_settings() -> list[Callable[[], autocast]]:
    """Makers of regions that, entered one after the other, restore the active settings."""
    region = _region()
    low = {} if region is None else region.low
    if region is None or not low:
        kinds = _defaults.dtypes if region is not None else ()
        return [functools.partial(autocast, kind, enabled=False) for kind in kinds]
    caching = region.caching
    return [
        functools.partial(autocast, kind, low.get(kind), kind in low, caching)
        for kind in _defaults.dtypes
    ]


def clear_autocast_cache() -> None:
    """Forget the converted weights of the active region."""
    region = _region()
    if region is not None:
        region.cache.clear()
