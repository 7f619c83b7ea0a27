"""Steps of SGD, Adam and AdamW over one float32 parameter, in one pass and in place.

The rules are those of `triptych.optim`, in the same order of operations. Without decay the
parameter stays out of the gradient, where it would make NaN of an infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import taken
from .source import Source

CODE = r"""
// lr, momentum, 1 - dampening, decay of weights, sign of the gradient
template <class T> __global__ void optimizer_sgd(
    T *p, const T *g, T *buffer, long long n, T lr, T momentum, T undamped, T decay, T sign,
    int kept, int nesterov)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T down = sign * g[i];
    if (decay != T(0)) down += decay * p[i];
    if (kept) {
        T speed = buffer[i] * momentum + down * undamped;
        buffer[i] = speed;
        down = nesterov ? down + momentum * speed : speed;
    }
    p[i] -= down * lr;
}

// As `adam_options` of the native kernels: see adam_step below.
template <class T> __global__ void optimizer_adam(
    T *p, const T *g, T *m, T *v, long long n, T new_mean, T keep_square, T new_square, T shrink,
    T decay, T sign, T rate, T scale, T eps)
{
    long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    T old = p[i] * shrink, down = sign * g[i];
    if (decay != T(0)) down += decay * old;
    T mean = m[i] + (down - m[i]) * new_mean;
    T square = v[i] * keep_square + down * down * new_square;
    m[i] = mean;
    v[i] = square;
    p[i] = old - rate * (mean / (sqrt(square) * scale + eps));
}
"""
SOURCE = Source(
    "optimizer", CODE, ["optimizer_sgd<{T}>", "optimizer_adam<{T}>"], dtypes=("float32",)
)
THREADS = 256


class Steps:
    """What `optim` calls; each answers False, and has done nothing, for arrays that do not suit.

    Args:
        cupy: the library.
    """

    def __init__(self, cupy: Any) -> None:
        self._cupy = cupy

    def sgd_step(
        self,
        p: Any,
        g: Any,
        buffer: Any,
        lr: float,
        momentum: float,
        dampening: float,
        weight_decay: float,
        nesterov: bool,
        maximize: bool,
    ) -> bool:
        """p and the buffer (None without momentum) are changed in place."""
        kept = buffer is not None
        arrays = p, g, buffer if kept else p
        numbers = lr, momentum, 1 - dampening, weight_decay, -1 if maximize else 1
        flags = np.int32(kept), np.int32(nesterov)
        return self._run("sgd", arrays, numbers, *flags)

    def adam_step(
        self,
        p: Any,
        g: Any,
        mean: Any,
        square: Any,
        beta1: float,
        beta2: float,
        shrink: float,
        weight_decay: float,
        rate: float,
        scale: float,
        eps: float,
        maximize: bool,
    ) -> bool:
        """p, mean and square are changed in place.

        Args:
            p, g, mean, square: parameter, gradient, running means of it and of its square.
            beta1, beta2: how much of the old means is kept.
            shrink: p is multiplied by it first: decoupled decay.
            weight_decay: the share of p that is added to the gradient.
            rate: lr / (1 - beta1^step).
            scale: 1 / sqrt(1 - beta2^step).
            eps: added to the root.
            maximize: whether to climb.
        """
        sign = -1 if maximize else 1
        numbers = (1 - beta1, beta2, 1 - beta2, shrink, weight_decay, sign, rate, scale, eps)
        return self._run("adam", (p, g, mean, square), numbers)

    def _run(self, rule: str, arrays: tuple[Any, ...], numbers: Any, *flags: Any) -> bool:
        p = arrays[0]
        if not SOURCE.takes(*arrays) or any(a.shape != p.shape for a in arrays):
            return False
        if any(a.device != p.device for a in arrays):
            return False
        if p.size:
            with p.device:
                SOURCE.kernel(self._cupy, f"optimizer_{rule}<{{T}}>", p.dtype)(
                    (-(-p.size // THREADS),),
                    (THREADS,),
                    (*arrays, np.int64(p.size), *map(np.float32, numbers), *flags),
                )
        taken(f"{rule}_step")
        return True


def sources() -> tuple[Source, ...]:
    """The CUDA C of this family."""
    return (SOURCE,)


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """None: `Steps` is called by `optim` itself."""
    return {}
