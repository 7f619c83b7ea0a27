"""NumPy on the CPU: always there, and the reference for every other backend."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError
from .base import Backend, Device
from .native import native, overridden, overridden_into
from .numpy_kernels import add_at, matmul, power

if TYPE_CHECKING:
    from ..prims.table import Prim

CPU = Device("cpu")

_BITS = {np.dtype(np.float32): np.int32, np.dtype(np.float64): np.int64}


def select(condition: np.ndarray, a: Any, b: Any) -> np.ndarray:
    """`numpy.where`, without its branch per element: a mask of bits chooses, three times as fast
    where the condition is as hard to foresee as the signs of activations.
    """
    like = a if isinstance(a, np.ndarray) else b
    bits = _BITS.get(getattr(like, "dtype", None))
    if bits is None or condition.size < 1024 or condition.dtype != bool:
        return np.where(condition, a, b)
    a, b = (np.asarray(v, like.dtype) for v in (a, b))
    if np.broadcast_shapes(condition.shape, a.shape, b.shape) != condition.shape:
        return np.where(condition, a, b)
    mask = condition.view(np.int8).astype(bits)
    np.negative(mask, out=mask)  # all bits set where True
    x, y = a.view(bits), b.view(bits)
    if y.ndim or y:
        x = x ^ y
    mask &= x
    if y.ndim or y:
        mask ^= y
    return mask.view(like.dtype)


BLOCK = 1 << 14  # elements: a few such arrays of float32 fit the second-level cache


def in_blocks(kernel: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """An elementwise kernel fed one block at a time, so that its passes run in the cache."""

    def blocked(x: np.ndarray) -> np.ndarray:
        if x.size <= 2 * BLOCK or not x.flags.c_contiguous:
            return kernel(x)
        flat = x.reshape(-1)
        head = kernel(flat[:BLOCK])
        out = np.empty(x.size, head.dtype)
        out[:BLOCK] = head
        for start in range(BLOCK, x.size, BLOCK):
            out[start : start + BLOCK] = kernel(flat[start : start + BLOCK])
        return out.reshape(x.shape)

    return blocked


class NumpyBackend(Backend):
    """Arrays are numpy.ndarray."""

    steps = native

    def __init__(self) -> None:
        self.name, self.xp, self.array_type = "numpy", np, np.ndarray
        self.overrides = {"matmul": matmul, "pow": power, "where": select}

    def bind(self, prim: Prim) -> Callable[..., Any]:
        kernel = super().bind(prim)
        if getattr(prim.impl, "several_passes", False):
            kernel = in_blocks(kernel)
        return overridden(prim.name, kernel)

    def bind_into(self, prim: Prim) -> Callable[..., Any] | None:
        plain = super().bind_into(prim)
        return None if plain is None else overridden_into(prim.name, plain)

    def check(self, where: Device) -> None:
        if where.index not in (None, 0):
            raise DeviceError(f"device {where}: there is one CPU device; use 'cpu'")

    def add_at(self, memory: np.ndarray, key: tuple[Any, ...], values: Any) -> None:
        add_at(memory, key, values)

    def asarray(self, data: Any, dtype: np.dtype | None = None, where: Device | None = None) -> Any:
        return np.asarray(data, dtype=dtype)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array

    def device_of(self, array: Any) -> Device:
        return CPU

    def span(self, array: Any) -> tuple[int, int]:
        return np.lib.array_utils.byte_bounds(array)

    def random(self, seed: int, offset: int, where: Device) -> np.random.Generator:
        """The source of one draw; the next call in the same thread takes it back."""
        try:
            return _LOCAL.source.at(seed, offset)
        except AttributeError:  # the first draw in this thread
            _LOCAL.source = _Source()
            return _LOCAL.source.at(seed, offset)


class _Source:
    """A counter-based source that is set to its place: making a new one takes longer."""

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self._numbers = np.random.Generator(self._bits)
        self._start: Any = self._bits.state  # with nothing left over from draws before

    def at(self, seed: int, offset: int) -> np.random.Generator:
        """The numbers of Philox(key=seed, counter=[0, offset, 0, 0])."""
        place = self._start["state"]
        place["key"][0] = seed
        place["counter"][1] = offset
        self._bits.state = self._start
        return self._numbers


_LOCAL = threading.local()
NUMPY = NumpyBackend()
