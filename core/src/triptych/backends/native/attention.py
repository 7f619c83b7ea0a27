"""Attention and its gradients; dropout, and gradients of a mask that is added, stay with NumPy.

Halves come as float32 and the results are rounded, but for the level of each query: its weights are
exponentials of differences from that, which halves of large scores would not tell apart.
"""

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
        home = q.dtype
        q, k, v, mask = (native.widened(x) for x in (q, k, v, rest[0] if masked else None))
        found = native.attention(q, k, v, mask, scale, causal)
        return found if found is NotImplemented else (native.narrowed(found[0], home), found[1])

    def attention_grad(
        g: Any, h: Any, q: Any, k: Any, v: Any, out: Any, level: Any, *rest: Any, **params: Any
    ) -> Any:
        if params["drop"]:
            return NotImplemented
        mask = rest[0] if params["masked"] else None
        homes = [x.dtype for x in (q, k, v)]
        arrays = (native.widened(x) for x in (g, h, q, k, v, out, level, mask))
        found = native.attention_grad(*arrays, params["scale"], params["causal"])
        if found is NotImplemented:
            return found
        grads = (native.narrowed(x, home) for x, home in zip(found[:3], homes, strict=True))
        return (*grads, found[3])

    return {"attention": (attention, 1), "attention_grad": (attention_grad, 1)}
