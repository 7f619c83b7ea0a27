"""float16 and bfloat16: conversions, and which kernels of float32 compute them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np

# Arrays of halves reach these as float32, where their kernels do not take halves themselves, and
# their results are rounded once: the rule of `prims.precision.rounds_once`.
THROUGH_SINGLE = frozenset(
    (
        *("add", "div", "maximum", "minimum", "mul", "sub"),
        *("abs", "cos", "erf", "exp", "expm1", "log", "log1p", "neg", "reciprocal", "rsqrt"),
        *("sign", "sin", "sqrt", "square", "tanh"),
        *("gelu", "gelu_tanh", "relu", "sigmoid", "silu"),
        *("gelu_dx", "gelu_tanh_dx", "relu_dx", "sigmoid_dx", "silu_dx", "tanh_dx"),
        *("amax", "amin", "argmax", "argmin", "sum"),
        *("softmax", "softmax_dx", "log_softmax", "log_softmax_dx"),
        *("batch_norm", "batch_norm_eval", "batch_norm_grad", "group_norm", "group_norm_grad"),
        *("layer_norm", "layer_norm_grad", "rms_norm", "rms_norm_grad"),
        *("band_sums", "conv", "conv_dx", "conv_dw", "linear", "matmul"),
    )
)


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""
    native.set_bfloat16(np.dtype(ml_dtypes.bfloat16).num)
    return {"cast": (native.cast, 256)}
