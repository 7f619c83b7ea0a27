"""Gradient clipping, padded and packed sequences, computed parameters, parameters as a vector.

`parametrize`, `parametrizations` and what is made of them load when first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import rnn
from .clip_grad import (
    clip_grad_norm_,
    clip_grad_value_,
    clip_grads_with_norm_,
    get_total_norm,
)
from .skip import skip_init
from .vector import parameters_to_vector, vector_to_parameters

if TYPE_CHECKING:
    from . import fusion as fusion
    from . import parametrizations as parametrizations
    from . import parametrize as parametrize
    from . import stateless as stateless
    from .fusion import (
        fuse_conv_bn_eval,
        fuse_conv_bn_weights,
        fuse_linear_bn_eval,
        fuse_linear_bn_weights,
    )
    from .reparametrized import (
        remove_spectral_norm,
        remove_weight_norm,
        spectral_norm,
        weight_norm,
    )

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
    "fusion",
    "get_total_norm",
    "parameters_to_vector",
    "parametrizations",
    "parametrize",
    "remove_spectral_norm",
    "remove_weight_norm",
    "rnn",
    "skip_init",
    "spectral_norm",
    "stateless",
    "vector_to_parameters",
    "weight_norm",
]

_SUBMODULES = ("fusion", "parametrizations", "parametrize", "stateless")
_HOME = {
    "fuse_conv_bn_eval": "fusion",
    "fuse_conv_bn_weights": "fusion",
    "fuse_linear_bn_eval": "fusion",
    "fuse_linear_bn_weights": "fusion",
    "remove_spectral_norm": "reparametrized",
    "remove_weight_norm": "reparametrized",
    "spectral_norm": "reparametrized",
    "weight_norm": "reparametrized",
}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOME:
        return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
