"""What a bug report should say of the machine: ``python -m triptych.utils.collect_env``."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from ..errors import TriptychError
from ..runtime import config

__all__ = ["get_env_info", "get_pretty_env_info", "main"]

_PACKAGES = [
    "triptych",
    "triptych-audio",
    "triptych-datasets",
    "triptych-text",
    "triptych-vision",
    "numpy",
    "ml_dtypes",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "scipy",
    "safetensors",
    "torch",
    "jax",
]
_VARIABLES = ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "CUDA_VISIBLE_DEVICES"]
_FEATURES = ["AVX2", "FMA3", "AVX512F", "AVX512VNNI", "AVX512_BF16", "NEON", "ASIMD", "SVE"]


def _versions() -> str:
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


def _processor() -> str:
    """The name of the processor: Linux tells it in a file, other systems through platform."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> str:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{usable} of {os.cpu_count()}"


def _features() -> str:
    known = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return ", ".join(name for name in _FEATURES if known.get(name))


def _gpus() -> str:
    from .. import cuda
    from ..backends import Device, backend_for

    try:
        count = cuda.device_count()
        if not count:
            backend_for(Device("cuda"))
            return "none"
        runtime = backend_for(Device("cuda")).xp.cuda.runtime
        names = [runtime.getDeviceProperties(i)["name"] for i in range(count)]
        return ", ".join(n.decode() if isinstance(n, bytes) else str(n) for n in names)
    except TriptychError as error:
        return f"none ({error})"


def get_env_info() -> dict[str, str]:
    """What there is, by name: versions, backends, processor, abilities, variables."""
    set_here = [f"{name}={os.environ[name]}" for name in _VARIABLES if name in os.environ]
    return {
        "Python": f"{sys.version.split()[0]} ({platform.python_implementation()})",
        "Platform": platform.platform(),
        "Packages": _versions(),
        "Processor": _processor(),
        "Cores to use": _cores(),
        "Instructions": _features(),
        "BLAS": config()["BLAS"],
        "Native kernels": config()["native kernels"],
        "GPUs": _gpus(),
        "Variables": ", ".join(set_here) or "none",
    }


def get_pretty_env_info() -> str:
    """`get_env_info`, one line each."""
    return "\n".join(f"{name}: {value}" for name, value in get_env_info().items())


def main() -> None:
    """Print it."""
    print(get_pretty_env_info())


if __name__ == "__main__":
    main()
