"""CuPy on NVIDIA GPUs; imported only when a cuda device is asked for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import DeviceError, MissingDependencyError, OutOfMemoryError
from ..runtime import check_deterministic, get_float32_matmul_precision
from . import cuda
from .base import Backend, Device
from .cuda import faults, picking
from .cuda.optimizer import Steps
from .cupy_copies import Copies
from .cupy_kernels import overrides

if TYPE_CHECKING:
    from ..prims.table import Prim


# These sum numbers into indexed places by atomic additions, in no particular order.
UNORDERED = frozenset({"index_put", "scatter", "ungather", "unindex"})


# What `add.at` of CuPy takes.
ADDED = frozenset({"float16", "float32", "float64", "int32", "int64", "uint32", "uint64"})


class Placed:
    """A context in which work goes to one GPU, and a lack of memory there says who holds it.

    Args:
        cupy: the library.
        index: of the GPU; None is the current one.
        call: what is done, for the message.
    """

    __slots__ = ("call", "cupy", "device")

    def __init__(self, cupy: Any, index: int | None, call: str) -> None:
        self.cupy, self.device, self.call = cupy, cupy.cuda.Device(index), call

    def __enter__(self) -> None:
        self.device.__enter__()

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        try:
            if kind is not None and issubclass(kind, self.cupy.cuda.memory.OutOfMemoryError):
                raise OutOfMemoryError(self._explained(error)) from error
        finally:
            self.device.__exit__(kind, error, trace)

    def _explained(self, error: BaseException | None) -> str:
        pool = self.cupy.get_default_memory_pool()
        free, total = self.cupy.cuda.runtime.memGetInfo()
        used, held = pool.used_bytes(), pool.total_bytes()
        return (
            f"{self.call}: cuda:{self.device.id} is full. {str(error).rstrip('.')}. Tensors and "
            f"arrays hold {_size(used)}, the pool keeps {_size(held - used)} for later, "
            f"{_size(free)} of {_size(total)} are free. Take smaller batches, delete tensors that "
            "are not needed, run without gradients under no_grad(), or end other programs there"
        )


def _unordered(name: str, kernel: Callable[..., Any], *args: Any, **params: Any) -> Any:
    """A kernel that is not deterministic, where that may be or where no order matters."""
    exact = args[0].dtype.kind in "biu" and params.get("accumulate", True)
    masks = name == "unindex" and all(a.dtype.kind == "b" for a in args[1:])
    if not exact and not masks:
        check_deterministic(name)
    return kernel(*args, **params)


def _place(name: str, args: tuple[Any, ...], array_type: Any) -> int | None:
    """The index of the GPU that all arrays are on; None where there is no array.

    Raises:
        DeviceError: there are several.
    """
    places = {a.device.id for a in args if isinstance(a, array_type)}
    if len(places) > 1:
        one, two = sorted(places)[:2]
        raise DeviceError(
            f"{name}: inputs are on cuda:{one} and cuda:{two}; move one with .to('cuda:{one}')"
        )
    return places.pop() if places else None


def _size(count: int) -> str:
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} bytes"


class CupyBackend(Backend):
    """Arrays are cupy.ndarray; each lives on the device it was made on."""

    def __init__(self, cupy: Any) -> None:
        self.name, self.xp, self.array_type = "cupy", cupy, cupy.ndarray
        self.overrides, self.fast = overrides(cupy), cuda.overrides(cupy)
        self.copies, self.steps = Copies(cupy), Steps(cupy) if cuda.wanted() else None
        if get_float32_matmul_precision() != "highest":
            self.use_precision(get_float32_matmul_precision())

    def use_precision(self, precision: str) -> None:
        """Let products of float32 matrices round their inputs to TF32 (10 bits) unless "highest" is
        asked for; GPUs before compute capability 8.0 have no such units.
        """
        # CuPy's documented switch, CUPY_TF32, is read once, when the first product is computed.
        able = int(self.xp.cuda.Device().compute_capability) >= 80
        if able and precision != "highest":
            kind = self.xp._core._routines_linalg.COMPUTE_TYPE_TF32
        else:
            kind = self.xp._core._routines_linalg.COMPUTE_TYPE_DEFAULT
        self.xp._core.set_compute_type(np.float32, kind)

    def add_at(self, memory: Any, key: tuple[Any, ...], values: Any) -> None:
        """The same; what CuPy does not add by atomics is summed in a dtype that it does."""
        if memory.dtype.name in ADDED:
            self.xp.add.at(memory, key, values)
        elif memory.dtype.kind == "c":
            real, imaginary = (
                self._sums(memory, key, part.astype(part.dtype))  # in C order
                for part in (values.real, values.imag)
            )
            memory += real + 1j * imaginary
        else:
            wide = np.dtype(np.int32 if memory.dtype.kind in "biu" else np.float32)
            sums = self._sums(memory, key, values.astype(wide))
            memory[...] = (memory.astype(wide) + sums).astype(memory.dtype)

    def _sums(self, like: Any, key: tuple[Any, ...], values: Any) -> Any:
        """Zeros in the shape of an array, with values added at the places of a key."""
        sums = self.xp.zeros(like.shape, values.dtype)
        self.xp.add.at(sums, key, values)
        return sums

    def check(self, where: Device) -> None:
        count = self.xp.cuda.runtime.getDeviceCount()
        if where.index is not None and where.index >= count:
            raise DeviceError(f"device {where}: this machine has {count} CUDA device(s)")

    def on(self, where: Device) -> Any:
        return self._on(where, "creating a tensor")

    def _on(self, where: Device | None, call: str) -> Placed:
        return Placed(self.xp, where.index if where else None, call)

    def bind(self, prim: Prim) -> Callable[..., Any]:
        """The kernel, run on the device of its inputs."""
        kernel, array_type, cupy = super().bind(prim), self.xp.ndarray, self.xp
        if prim.name in UNORDERED:
            kernel = partial(_unordered, prim.name, kernel)
        if prim.name in self.fast:
            kernel = cuda.Override(prim.name, self.fast[prim.name], kernel)

        def placed(*args: Any, **params: Any) -> Any:
            place = _place(prim.name, args, array_type)
            if place is None:
                return kernel(*args, **params)
            with Placed(cupy, place, prim.name):
                return kernel(*args, **params)

        return placed

    def own_kernel(self, name: str) -> Callable[..., Any] | None:
        """The kernel, run on the device of its inputs."""
        fast, array_type, cupy = self.fast.get(name), self.xp.ndarray, self.xp
        if fast is None:
            return None

        def placed(*args: Any) -> Any:
            with Placed(cupy, _place(name, args, array_type), name):
                found = fast(*args)
            if found is not NotImplemented:
                cuda.taken(name)
            return found

        return placed

    def bind_into(self, prim: Prim) -> Callable[..., Any] | None:
        """The kernel, run on the device of the memory."""
        kernel, array_type, cupy = super().bind_into(prim), self.xp.ndarray, self.xp
        if kernel is None:
            return None

        def placed(*args: Any) -> Any:
            with Placed(cupy, _place(prim.name, args, array_type), prim.name):
                return kernel(*args)

        return placed

    def scalar(self, value: Any, dtype: np.dtype, where: Device) -> Any:
        """The same without a copy from main memory."""
        with self._on(where, "making a number"):
            return self.xp.full((), value, dtype)

    def copied(self, array: Any) -> Any:
        with Placed(self.xp, array.device.id, "copying"):  # CuPy copies to the current device
            return array.copy()

    def write(self, memory: Any, key: Any, numbers: Any) -> None:
        with Placed(self.xp, memory.device.id, "writing"):
            if isinstance(key, tuple) and cuda.wanted():
                picking.check(self.xp, memory.shape, key)
            memory[key] = numbers

    def asarray(self, data: Any, dtype: np.dtype | None = None, where: Device | None = None) -> Any:
        with self._on(where, "copying to the GPU"):
            return self.xp.asarray(data, dtype=dtype)

    def upload(self, data: np.ndarray, where: Device) -> Any:
        with self._on(where, "copying to the GPU"):
            return self.copies.upload(data)

    def to_numpy(self, array: Any) -> np.ndarray:
        found: np.ndarray = self.xp.asnumpy(array)
        faults.check(self.xp)
        return found

    def download(self, array: Any) -> np.ndarray:
        with array.device:
            return self.copies.download(array)

    def pin(self, data: np.ndarray) -> np.ndarray:
        out = self.copies.pinned(data.shape, data.dtype)
        out[...] = data
        return out

    def device_of(self, array: Any) -> Device:
        return Device("cuda", array.device.id)

    def span(self, array: Any) -> tuple[int, int]:
        return self.xp.byte_bounds(array)

    def random(self, seed: int, offset: int, where: Device) -> Any:
        mixed = np.random.SeedSequence([seed, offset]).generate_state(1, np.uint64)[0]
        with self._on(where, "drawing random numbers"):
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
