"""Attention and its gradients; dropout, and gradients of a mask that is added, stay with NumPy."""

from __future__ import annotations

from types import ModuleType
from typing import Any


def overrides(native: ModuleType) -> dict[str, tuple[Any, int]]:
    """By primitive: the function, and the size of the first input from which on it is taken."""

    def attention(
        q: Any,
        k: Any,
        v: Any,
        *rest: Any,
        scale: float,
        causal: int | None,
        masked: bool,
        drop: float,
    ) -> Any:
        if drop:
            return NotImplemented
        return native.attention(q, k, v, rest[0] if masked else None, scale, causal)

    def attention_grad(
        g: Any, h: Any, q: Any, k: Any, v: Any, out: Any, level: Any, *rest: Any, **params: Any
    ) -> Any:
        if params["drop"]:
            return NotImplemented
        mask = rest[0] if params["masked"] else None
        scale, causal = params["scale"], params["causal"]
        return native.attention_grad(g, h, q, k, v, out, level, mask, scale, causal)

    return {"attention": (attention, 1), "attention_grad": (attention_grad, 1)}
