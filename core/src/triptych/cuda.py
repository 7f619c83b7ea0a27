"""CUDA devices, through CuPy. Asking never fails on a machine without a GPU."""

from __future__ import annotations

from typing import Any

from .backends import Device, backend_for, loaded
from .backends.cuda import faults
from .cuda_graphs import (
    CUDAGraph,
    graph,
    graph_pool_handle,
    is_current_stream_capturing,
)
from .device_memory import (
    max_memory_allocated,
    max_memory_reserved,
    mem_get_info,
    memory_allocated,
    memory_reserved,
    reset_peak_memory_stats,
    set_per_process_memory_fraction,
)
from .errors import OutOfMemoryError, TriptychError
from .random import default_generator, initial_seed, manual_seed, seed
from .state import state
from .streams import (
    Event,
    Stream,
    StreamContext,
    current_stream,
    default_stream,
    device_index,
    set_stream,
    stream,
)
from .tensor import Tensor

__all__ = [
    "CUDAGraph",
    "DeviceProperties",
    "Event",
    "OutOfMemoryError",
    "Stream",
    "StreamContext",
    "can_device_access_peer",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "device_of",
    "empty_cache",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "graph",
    "graph_pool_handle",
    "init",
    "initial_seed",
    "is_available",
    "is_bf16_supported",
    "is_current_stream_capturing",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_per_process_memory_fraction",
    "set_rng_state",
    "set_rng_state_all",
    "set_stream",
    "stream",
    "synchronize",
]


def _cupy() -> Any:
    return backend_for(Device("cuda")).xp


def is_available() -> bool:
    """Whether CuPy is installed and finds a GPU."""
    return device_count() > 0


def device_count() -> int:
    """The number of GPUs; zero without CuPy or a driver."""
    try:
        return int(_cupy().cuda.runtime.getDeviceCount())
    except TriptychError:
        return 0


def current_device() -> int:
    """The index of the current GPU."""
    return int(_cupy().cuda.Device().id)


def set_device(device: Any) -> None:
    """Make a GPU the one that "cuda" without a number means, for this thread.

    Raises:
        DeviceError: there is no such GPU.
    """
    index = device_index(device)
    backend_for(Device("cuda", index))
    _cupy().cuda.Device(index).use()
    state.gpu = index


class device:  # noqa: N801 -- torch's spelling
    """``with device(1):`` makes a GPU the current one for a block; None or a negative index changes
    nothing.
    """

    def __init__(self, device: Any) -> None:
        negative = isinstance(device, int) and device < 0
        self.idx = -1 if device is None or negative else device_index(device)
        self.prev_idx = -1

    def __enter__(self) -> device:
        if self.idx >= 0:
            self.prev_idx = state.gpu
            set_device(self.idx)
        return self

    def __exit__(self, *error: Any) -> None:
        if self.idx >= 0:
            set_device(self.prev_idx)


class device_of(device):  # noqa: N801 -- torch's spelling
    """``with device_of(x):`` makes the GPU that a tensor is on the current one."""

    def __init__(self, tensor: Tensor) -> None:
        super().__init__(tensor.device if tensor.device.type == "cuda" else None)


class DeviceProperties:
    """What a GPU is: ``name``, ``major`` and ``minor`` (the compute capability), ``total_memory``
    in bytes, ``multi_processor_count``, ``warp_size``.
    """

    def __init__(self, found: dict[str, Any]) -> None:
        name = found["name"]
        self.name = name.decode() if isinstance(name, bytes) else name
        self.major, self.minor = int(found["major"]), int(found["minor"])
        self.total_memory = int(found["totalGlobalMem"])
        self.multi_processor_count = int(found["multiProcessorCount"])
        self.warp_size = int(found["warpSize"])

    def __repr__(self) -> str:
        return f"DeviceProperties({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def get_device_properties(device: Any = None) -> DeviceProperties:
    """What a GPU is; default the current one.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: there is no such GPU.
    """
    index = device_index(device)
    backend_for(Device("cuda", index))
    return DeviceProperties(_cupy().cuda.runtime.getDeviceProperties(index))


def get_device_name(device: Any = None) -> str:
    """The name of a GPU; default the current one."""
    return get_device_properties(device).name


def get_device_capability(device: Any = None) -> tuple[int, int]:
    """The compute capability of a GPU, (major, minor)."""
    found = get_device_properties(device)
    return found.major, found.minor


def can_device_access_peer(device: Any, peer_device: Any) -> bool:
    """Whether a GPU can read the memory of another directly."""
    reach = _cupy().cuda.runtime.deviceCanAccessPeer
    return bool(reach(device_index(device), device_index(peer_device)))


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """Whether there is a GPU; with including_emulation False, one that computes in bfloat16 itself
    (compute capability 8.0 and above).
    """
    return is_available() and (including_emulation or get_device_capability() >= (8, 0))


def init() -> None:
    """Load CuPy and look for a GPU now, and not when first needed.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: there is no GPU.
    """
    _cupy()


def is_initialized() -> bool:
    """Whether CuPy was loaded for a GPU."""
    return loaded("cuda")


def synchronize(device: Any = None) -> None:
    """Wait until all work queued on a GPU is done."""
    _cupy().cuda.Device(None if device is None else Device(device).index).synchronize()
    faults.check(_cupy())


def empty_cache() -> None:
    """Give memory that CuPy's pool holds but nothing uses back to the GPU."""
    if is_available():
        _cupy().get_default_memory_pool().free_all_blocks()


# One generator serves all devices, so the names that torch has per device and for all of them are
# the same functions.
manual_seed_all, seed_all = manual_seed, seed


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the default generator, which serves all devices."""
    return default_generator.get_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Put the default generator, which serves all devices, into a state from `get_rng_state`."""
    default_generator.set_state(new_state)


def get_rng_state_all() -> list[Any]:
    """The state of the default generator, once for each GPU."""
    return [default_generator.get_state() for _ in range(device_count())]


def set_rng_state_all(new_states: Any) -> None:
    """Put the default generator into the first of the states from `get_rng_state_all`."""
    for first in list(new_states)[:1]:
        default_generator.set_state(first)
