"""A small tensor and autograd core: NumPy on CPU, CuPy on GPU, PyTorch's familiar API.

The names of torch are here under the same spelling: ``import triptych as torch`` runs most code.
Submodules such as ``triptych.nn`` load when first used.
"""

from __future__ import annotations

import importlib as _importlib
import math as _math
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

# Type checkers see what a starred module lists in __all__, and names imported as themselves.
from . import methods as _methods
from .autograd.modes import *
from .backends import device as device
from .dtypes import *
from .errors import *
from .ops.compare import *
from .ops.creation import *
from .ops.index import *
from .ops.linalg import *
from .ops.pieces import *
from .ops.pointwise import *
from .ops.random import *
from .ops.reduce import *
from .ops.search import *
from .ops.shape import *
from .ops.special import *
from .ops.spectral import *
from .ops.statistics import *
from .ops.windows import *
from .random import *
from .registry import Registry as Registry
from .tensor import Size as Size
from .tensor import Tensor as Tensor

if _TYPE_CHECKING:
    from . import autograd as autograd
    from . import backends as backends
    from . import cuda as cuda
    from . import fft as fft
    from . import graph as graph
    from . import linalg as linalg
    from . import nn as nn
    from . import optim as optim
    from . import prims as prims
    from . import random as random
    from . import serialization as serialization
    from . import testing as testing
    from . import utils as utils
    from .graph import compile as compile
    from .serialization import load as load
    from .serialization import save as save

_methods.bind()

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None

_SUBMODULES = (
    "autograd",
    "backends",
    "cuda",
    "fft",
    "graph",
    "linalg",
    "nn",
    "optim",
    "prims",
    "random",
    "serialization",
    "testing",
    "utils",
)
_LAZY = {"compile": "graph", "load": "serialization", "save": "serialization"}


def is_floating_point(input: Tensor) -> _Any:
    """Whether the elements are real floating numbers."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> _Any:
    """Whether the elements are complex numbers."""
    return input.is_complex()


def numel(input: Tensor) -> _Any:
    """The number of elements."""
    return input.numel()


def __getattr__(name: str) -> _Any:
    if name in _SUBMODULES:
        return _importlib.import_module(f".{name}", __name__)
    if name in _LAZY:
        return getattr(_importlib.import_module(f".{_LAZY[name]}", __name__), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LAZY, "__version__"})


# Modules that the imports above happen to load are not public, nor is __future__'s annotations.
__all__ = sorted(
    {n for n, v in globals().items() if n[0] != "_" and not isinstance(v, type(_math))}
    - {"annotations"}
    | {*_SUBMODULES, *_LAZY}
)
