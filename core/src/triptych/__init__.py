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
from .layouts import *
from .ops.compare import *
from .ops.coordinates import *
from .ops.copies import *
from .ops.creation import *
from .ops.decompose import *
from .ops.differences import *
from .ops.factorizations import *
from .ops.histograms import *
from .ops.index import *
from .ops.linalg import *
from .ops.low_rank import *
from .ops.made import *
from .ops.named import *
from .ops.norms import *
from .ops.pieces import *
from .ops.pointwise import *
from .ops.products import *
from .ops.random import *
from .ops.reduce import *
from .ops.rules import *
from .ops.sampling import *
from .ops.scattering import *
from .ops.search import *
from .ops.shape import *
from .ops.special import *
from .ops.spectral import *
from .ops.statistics import *
from .ops.strided import *
from .ops.windows import *
from .printing import *
from .random import *
from .registry import Registry as Registry
from .registry import no_attribute as _no_attribute
from .runtime import *
from .spelling import spelled as _spelled
from .tensor import Size as Size
from .tensor import Tensor as Tensor

if _TYPE_CHECKING:
    from . import accelerator as accelerator
    from . import amp as amp
    from . import array_api as array_api
    from . import autograd as autograd
    from . import backends as backends
    from . import cpu as cpu
    from . import cuda as cuda
    from . import distributions as distributions
    from . import fft as fft
    from . import func as func
    from . import graph as graph
    from . import hub as hub
    from . import interop as interop
    from . import library as library
    from . import linalg as linalg
    from . import masked as masked
    from . import nn as nn
    from . import optim as optim
    from . import prims as prims
    from . import profiler as profiler
    from . import quantization as quantization
    from . import quasirandom as quasirandom
    from . import random as random
    from . import safetensors as safetensors
    from . import serialization as serialization
    from . import signal as signal
    from . import special as special
    from . import testing as testing
    from . import utils as utils
    from . import version as version
    from .amp import autocast as autocast
    from .amp import clear_autocast_cache as clear_autocast_cache
    from .amp import get_autocast_cpu_dtype as get_autocast_cpu_dtype
    from .amp import get_autocast_dtype as get_autocast_dtype
    from .amp import get_autocast_gpu_dtype as get_autocast_gpu_dtype
    from .amp import is_autocast_cache_enabled as is_autocast_cache_enabled
    from .amp import is_autocast_cpu_enabled as is_autocast_cpu_enabled
    from .amp import is_autocast_enabled as is_autocast_enabled
    from .amp import set_autocast_cache_enabled as set_autocast_cache_enabled
    from .amp import set_autocast_cpu_enabled as set_autocast_cpu_enabled
    from .amp import set_autocast_dtype as set_autocast_dtype
    from .amp import set_autocast_enabled as set_autocast_enabled
    from .func import vmap as vmap
    from .graph import compile as compile
    from .serialization import load as load
    from .serialization import load_pytorch_checkpoint as load_pytorch_checkpoint
    from .serialization import save as save

_methods.bind()
globals().update({n: _spelled(f) for n, f in globals().items() if n[0] != "_" and callable(f)})
globals().update({f"{n}_": getattr(Tensor, f"{n}_") for n in _methods.IN_PLACE_FUNCTIONS.split()})

inf, nan, pi, e, newaxis = _math.inf, _math.nan, _math.pi, _math.e, None

_SUBMODULES = (
    "accelerator",
    "amp",
    "array_api",
    "autograd",
    "backends",
    "cpu",
    "cuda",
    "distributions",
    "fft",
    "func",
    "graph",
    "hub",
    "interop",
    "library",
    "linalg",
    "masked",
    "nn",
    "optim",
    "prims",
    "quantization",
    "quasirandom",
    "random",
    "safetensors",
    "serialization",
    "signal",
    "special",
    "testing",
    "utils",
    "version",
)
_LAZY = {"compile": "graph", "detach": "ops.inplace", "vmap": "func"}
_LAZY |= dict.fromkeys(("load", "load_pytorch_checkpoint", "save"), "serialization")
_LAZY |= dict.fromkeys(
    (
        "autocast",
        "clear_autocast_cache",
        "get_autocast_cpu_dtype",
        "get_autocast_dtype",
        "get_autocast_gpu_dtype",
        "is_autocast_cache_enabled",
        "is_autocast_cpu_enabled",
        "is_autocast_enabled",
        "set_autocast_cache_enabled",
        "set_autocast_cpu_enabled",
        "set_autocast_dtype",
        "set_autocast_enabled",
    ),
    "amp",
)
_LAZY |= dict.fromkeys(
    (
        "adaptive_avg_pool1d",
        "adaptive_max_pool1d",
        "alpha_dropout",
        "avg_pool1d",
        "bilinear",
        "celu",
        "celu_",
        "channel_shuffle",
        "conv1d",
        "conv2d",
        "conv3d",
        "conv_transpose1d",
        "conv_transpose2d",
        "conv_transpose3d",
        "dropout",
        "feature_alpha_dropout",
        "group_norm",
        "hardshrink",
        "layer_norm",
        "max_pool1d",
        "max_pool2d",
        "max_pool3d",
        "native_channel_shuffle",
        "pairwise_distance",
        "pdist",
        "pixel_shuffle",
        "pixel_unshuffle",
        "prelu",
        "rms_norm",
        "rrelu",
        "rrelu_",
        "selu",
        "selu_",
        "threshold",
        "threshold_",
    ),
    "nn.functional",
)
_LAZY |= dict.fromkeys(
    (
        "batch_norm",
        "constant_pad_nd",
        "dropout_",
        "embedding",
        "grid_sampler",
        "grid_sampler_2d",
        "grid_sampler_3d",
        "instance_norm",
        "native_batch_norm",
        "native_dropout",
        "native_group_norm",
        "native_layer_norm",
    ),
    "ops.native",
)


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
    if name.startswith("_foreach_"):
        return getattr(_importlib.import_module(".ops.foreach", __name__), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("triptych")
    raise _no_attribute(__name__, name, __dir__())


def __dir__() -> list[str]:
    return sorted({*globals(), *_SUBMODULES, *_LAZY, "__version__"})


# Modules that the imports above happen to load are not public, nor is __future__'s annotations.
__all__ = sorted(
    {n for n, v in globals().items() if n[0] != "_" and not isinstance(v, type(_math))}
    - {"annotations"}
    | {*_SUBMODULES, *_LAZY}
)
