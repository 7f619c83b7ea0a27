"""CuPy on NVIDIA GPUs; imported only when a cuda device is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError, MissingDependencyError
from ..runtime import check_deterministic
from . import cuda
from .base import Backend, Device
from .cupy_kernels import overrides

if TYPE_CHECKING:
    from ..prims.table import Prim


# These sum numbers into indexed places by atomic additions, in no particular order.
UNORDERED = frozenset({"index_put", "scatter", "ungather", "unindex"})


class CupyBackend(Backend):
    """Arrays are cupy.ndarray; each lives on the device it was made on."""

    def __init__(self, cupy: Any) -> None:
        self.name, self.xp, self.array_type = "cupy", cupy, cupy.ndarray
        self.overrides = overrides(cupy)
        self.fast = cuda.overrides(cupy)

    def check(self, where: Device) -> None:
        count = self.xp.cuda.runtime.getDeviceCount()
        if where.index is not None and where.index >= count:
            raise DeviceError(f"device {where}: this machine has {count} CUDA device(s)")

    def on(self, where: Device) -> Any:
        return self.xp.cuda.Device(where.index)

    def bind(self, prim: Prim) -> Callable[..., Any]:
        """The kernel, run on the device of its inputs."""
        unordered = prim.name in UNORDERED
        kernel, array_type, device = super().bind(prim), self.xp.ndarray, self.xp.cuda.Device
        if prim.name in self.fast:
            kernel = cuda.Override(prim.name, self.fast[prim.name], kernel)

        def placed(*args: Any, **params: Any) -> Any:
            if unordered:
                check_deterministic(prim.name)
            places = {a.device.id for a in args if isinstance(a, array_type)}
            if len(places) > 1:
                one, two = sorted(places)[:2]
                raise DeviceError(
                    f"{prim.name}: inputs are on cuda:{one} and cuda:{two}; move one with "
                    f".to('cuda:{one}')"
                )
            if not places:
                return kernel(*args, **params)
            with device(places.pop()):
                return kernel(*args, **params)

        return placed

    def asarray(self, data: Any, dtype: np.dtype | None = None, where: Device | None = None) -> Any:
        with self.xp.cuda.Device(where.index if where else None):
            return self.xp.asarray(data, dtype=dtype)

    def to_numpy(self, array: Any) -> np.ndarray:
        return self.xp.asnumpy(array)

    def device_of(self, array: Any) -> Device:
        return Device("cuda", array.device.id)

    def span(self, array: Any) -> tuple[int, int]:
        return self.xp.byte_bounds(array)

    def random(self, seed: int, offset: int, where: Device) -> Any:
        mixed = np.random.SeedSequence([seed, offset]).generate_state(1, np.uint64)[0]
        with self.xp.cuda.Device(where.index):
            return self.xp.random.Generator(self.xp.random.Philox4x3210(int(mixed)))


def load() -> CupyBackend:
    """Import CuPy and look for a GPU.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: CuPy finds no usable GPU.
    """
    try:
        import cupy
    except ImportError as error:
        raise MissingDependencyError(
            'device "cuda" needs CuPy; pip install "triptych[cuda12]" (or [cuda13])'
        ) from error
    try:
        cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise DeviceError(f"device 'cuda': CuPy finds no usable GPU ({error})") from error
    return CupyBackend(cupy)
