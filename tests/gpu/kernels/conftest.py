"""The CuPy that kernels are tested on."""

from gpu.fixtures import cupy

__all__ = ["cupy"]
