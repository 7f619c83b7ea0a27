"""Matrix products of float32."""

from __future__ import annotations

from types import ModuleType
from typing import Any

# The order of gemm_activation in gemm.h.
_ACTIVATIONS = {"none": 0, "relu": 1, "gelu": 2}


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""

    def fused_linear(
        x: Any, w: Any, *rest: Any, shifted: bool, added: bool, activation: str
    ) -> Any:
        if added and activation != "none":  # the kernel adds first
            return NotImplemented
        bias, residual = rest[0] if shifted else None, rest[-1] if added else None
        return native.fused_linear(x, w, bias, residual, _ACTIVATIONS[activation])

    return {
        "fused_linear": (fused_linear, 0),
        "linear": (native.linear, 0),
        "matmul": (native.matmul, 0),
    }
