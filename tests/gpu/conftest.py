"""A CuPy for the tests of its backend: a strict double unless TRIPTYCH_GPU says otherwise."""

from gpu.fixtures import cupy

__all__ = ["cupy"]
