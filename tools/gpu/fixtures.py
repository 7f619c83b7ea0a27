"""The pytest fixture `cupy`: the module that tests of the GPU backend run on.

TRIPTYCH_GPU says which: "double" (the default) is the strict double; "emulator" is CuPy itself over
the emulated runtime; "device" is CuPy itself on a GPU.
"""

import os
import shutil
import sys
from functools import cache

import pytest

from triptych import backends

CHOICE = os.environ.get("TRIPTYCH_GPU", "double")
compiles = pytest.mark.skipif(
    CHOICE == "double" and shutil.which("g++") is None, reason="g++ compiles CUDA C for the double"
)


@cache
def _module():
    if CHOICE == "double":
        from gpu.double import make_cupy

        return make_cupy()
    if CHOICE == "emulator":
        from gpu.emulator.activate import activate

        return activate()
    import cupy

    return cupy


@pytest.fixture
def cupy(monkeypatch):
    """The module, found by `import cupy` for the length of a test."""
    module = _module()
    monkeypatch.setitem(sys.modules, "cupy", module)
    monkeypatch.setattr(backends, "_BY_TYPE", dict(backends._BY_TYPE))
    monkeypatch.setattr(backends, "_BY_DEVICE", dict(backends._BY_DEVICE))
    return module
