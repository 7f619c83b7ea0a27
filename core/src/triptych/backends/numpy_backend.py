"""NumPy on the CPU: always there, and the reference for every other backend."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import DeviceError
from .base import Backend, Device

CPU = Device("cpu")


class NumpyBackend(Backend):
    """Arrays are numpy.ndarray."""

    def __init__(self) -> None:
        self.name, self.xp, self.array_type, self.overrides = "numpy", np, np.ndarray, {}

    def check(self, where: Device) -> None:
        if where.index not in (None, 0):
            raise DeviceError(f"device {where}: there is one CPU device; use 'cpu'")

    def asarray(self, data: Any, dtype: np.dtype | None = None, where: Device | None = None) -> Any:
        return np.asarray(data, dtype=dtype)

    def to_numpy(self, array: Any) -> np.ndarray:
        return array

    def device_of(self, array: Any) -> Device:
        return CPU

    def random(self, seed: int, offset: int, where: Device) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=seed, counter=[0, offset, 0, 0]))


NUMPY = NumpyBackend()
