"""Composites: operations made of primitives, with a fused forward and derivative for speed.

`decomp` is the definition; `impl` and `vjp` must agree with it, and the tests hold them to it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..avals import Aval
from ..dtypes import is_inexact
from ..errors import ShapeError
from ..state import state
from ..tensor import Tensor, box, current_edge
from . import batching_native, naming
from .batching import along, batched, leading
from .contract import check_dtypes, matmul, transposed
from .elementwise import (
    add,
    conj_if_complex,
    div,
    erf,
    exp,
    log,
    mul,
    neg,
    sigmoid,
    square,
    sub,
    tanh,
)
from .forward import affine
from .kinds import binary, half_as_single, primitive, several_passes, slope
from .movement import permute, reshape
from .promotion import FLOATING, INEXACT
from .rational import erf_impl
from .reduce import amax, sum


def _like(x: Any, *others: Any, **params: Any) -> Aval:
    return Aval(x.shape, x.dtype)


def composite(
    name: str, decomp: Callable[..., Any], impl: Any, vjp: Any, aval: Any = _like, **columns: Any
) -> Any:
    """A record whose meaning is `decomp`."""
    columns.setdefault("names", naming.keep if aval is _like else None)
    return primitive(name, "composite", impl, aval, vjp, decomp=decomp, **columns)


def pulled_back(fn: Callable[..., Any], xs: Any, g: Any) -> list[Any]:
    """The gradients of the inputs of `fn`, made of primitives, for those of its outputs: a
    derivative rule for a composite that has none of its own. Raw in, raw out.
    """
    from ..autograd.api import grad

    again, state.grad = state.grad, True
    boxed = any(isinstance(x, Tensor) for x in (*xs, *g))
    try:
        aliases = [_alias(x) for x in xs]
        wanted = [a for a in aliases if isinstance(a, Tensor) and a.requires_grad]
        pairs = [
            (y, d if isinstance(d, Tensor) else box(d))
            for y, d in zip(fn(*aliases), g, strict=True)
            if y.requires_grad
        ]
        outs, seeds = ([pair[i] for pair in pairs] for i in (0, 1))
        found = iter(grad(outs, wanted, seeds, create_graph=again, allow_unused=True))
    finally:
        state.grad = again
    grads = [next(found) if any(a is w for w in wanted) else None for a in aliases]
    return grads if boxed else [None if v is None else v._data for v in grads]


def _alias(x: Any) -> Any:
    """The same numbers behind an edge of their own, so that gradients stop there."""
    t = x if isinstance(x, Tensor) else box(x)
    if not is_inexact(t._data.dtype):
        return t
    trace, edge = state.trace, current_edge(t)
    if trace is not None:
        (edge,) = trace.own_edges((t,), (edge,))
    if edge is None:
        return box(t._data if trace is None else trace.enter(t)).requires_grad_()
    return reshape(t, shape=tuple(t.shape))


# Softmax


def _along(prim: Any, size: int, xs: Any, on: Any, params: Any) -> Any:
    """Two inputs of one shape, walked along an axis that counts from the front."""
    full = [batched(x, size, flag) for x, flag in zip(xs, on, strict=True)]
    return along(prim, size, full, on, params)


def _softmax_decomp(x: Any, *, axis: int) -> Any:
    e = exp(sub(x, amax(x, axes=(axis,), keepdim=True)))
    return div(e, sum(e, axes=(axis,), keepdim=True))


@half_as_single
def _softmax(xp: Any, x: Any, *, axis: int) -> Any:
    y = x - x.max(axis=axis, keepdims=True) if x.shape[axis] else x.copy()
    xp.exp(y, out=y)
    y /= y.sum(axis=axis, keepdims=True)
    return y


def _softmax_dx_decomp(g: Any, y: Any, *, axis: int) -> Any:
    return mul(y, sub(g, sum(mul(g, y), axes=(axis,), keepdim=True)))


@half_as_single
def _softmax_dx(xp: Any, g: Any, y: Any, *, axis: int) -> Any:
    dx = g * y
    level = dx.sum(axis=axis, keepdims=True)
    return xp.multiply(xp.subtract(g, level, out=dx), y, out=dx)


def _softmax_dx_vjp_y(h: Any, g: Any, y: Any, axis: int) -> Any:
    level, tilt = (sum(mul(v, y), axes=(axis,), keepdim=True) for v in (g, h))
    return sub(mul(h, sub(g, level)), mul(g, tilt))


softmax_dx = composite(
    "softmax_dx",
    _softmax_dx_decomp,
    _softmax_dx,
    (
        lambda g, b, *, axis: softmax_dx(g, b, axis=axis),
        lambda g, a, b, *, axis: _softmax_dx_vjp_y(g, a, b, axis),
    ),
    vmap=_along,
    amp="single",
)
"""The gradient of x, from those of y = softmax(x) and y."""


softmax = composite(
    "softmax",
    _softmax_decomp,
    _softmax,
    (lambda g, y, *, axis: softmax_dx(g, y, axis=axis),),
    promote=INEXACT,
    vmap=along,
    amp="single",
)


def _log_softmax_decomp(x: Any, *, axis: int) -> Any:
    shifted = sub(x, amax(x, axes=(axis,), keepdim=True))
    return sub(shifted, log(sum(exp(shifted), axes=(axis,), keepdim=True)))


@half_as_single
def _log_softmax(xp: Any, x: Any, *, axis: int) -> Any:
    y = x - x.max(axis=axis, keepdims=True) if x.shape[axis] else x.copy()
    y -= xp.log(xp.exp(y).sum(axis=axis, keepdims=True))
    return y


def _log_softmax_dx_decomp(g: Any, y: Any, *, axis: int) -> Any:
    return sub(g, mul(exp(y), sum(g, axes=(axis,), keepdim=True)))


@half_as_single
def _log_softmax_dx(xp: Any, g: Any, y: Any, *, axis: int) -> Any:
    dx = xp.exp(y)
    dx *= g.sum(axis=axis, keepdims=True)
    return xp.subtract(g, dx, out=dx)


def _log_softmax_dx_vjp_g(h: Any, y: Any, axis: int) -> Any:
    return sub(h, sum(mul(h, exp(y)), axes=(axis,), keepdim=True))


log_softmax_dx = composite(
    "log_softmax_dx",
    _log_softmax_dx_decomp,
    _log_softmax_dx,
    (
        lambda g, b, *, axis: _log_softmax_dx_vjp_g(g, b, axis),
        lambda g, a, b, *, axis: neg(mul(mul(g, exp(b)), sum(a, axes=(axis,), keepdim=True))),
    ),
    vmap=_along,
    amp="single",
)
"""The gradient of x, from those of y = log_softmax(x) and y."""


log_softmax = composite(
    "log_softmax",
    _log_softmax_decomp,
    _log_softmax,
    (lambda g, y, *, axis: log_softmax_dx(g, y, axis=axis),),
    promote=INEXACT,
    vmap=along,
    amp="single",
)

# Activations

_SQRT_HALF = math.sqrt(0.5)
_INV_SQRT_2PI = 1 / math.sqrt(2 * math.pi)
# Hendrycks and Gimpel 2016, section 2: the tanh approximation of gelu.
_TANH_SCALE, _TANH_CUBIC = math.sqrt(2 / math.pi), 0.044715


def _gelu_decomp(x: Any) -> Any:
    return mul(mul(x, 0.5), add(erf(mul(x, _SQRT_HALF)), 1))


@several_passes
@half_as_single
def _gelu(xp: Any, x: Any) -> Any:
    y = erf_impl(xp, x * x.dtype.type(_SQRT_HALF))
    y += x.dtype.type(1)
    y *= x.dtype.type(0.5)  # first: twice the largest numbers overflow
    y *= x
    return y


@slope
def _gelu_dx(xp: Any, g: Any, x: Any) -> Any:
    one = x.dtype.type
    below = erf_impl(xp, x * one(_SQRT_HALF))
    below += one(1)
    below *= one(0.5)
    bell = xp.exp(x * x * one(-0.5))
    bell *= x
    bell *= one(_INV_SQRT_2PI)
    return (below + bell) * g


def _gelu_bend(g: Any, a: Any, b: Any) -> Any:
    """g a times the second derivative at b."""
    squared = square(b)
    density = mul(exp(mul(squared, -0.5)), _INV_SQRT_2PI)
    return mul(g, mul(a, mul(density, sub(2, squared))))


gelu_dx = binary(
    "gelu_dx",
    _gelu_dx,
    cuda="a * (normal_cdf(b) + b * normal_density(b))",
    promote=FLOATING,
    d=(lambda g, b: gelu_dx(g, b), _gelu_bend),
)
"""The gradient of gelu at x for that of its result, in one pass."""
gelu = composite(
    "gelu",
    _gelu_decomp,
    _gelu,
    (lambda g, a: gelu_dx(g, a),),
    cuda="a * normal_cdf(a)",
    partials=True,
    promote=FLOATING,
    vmap=leading,
    amp="as is",
)


def _gelu_tanh_decomp(x: Any) -> Any:
    inner = mul(add(x, mul(mul(square(x), x), _TANH_CUBIC)), _TANH_SCALE)
    return mul(mul(x, 0.5), add(tanh(inner), 1))


@several_passes
@half_as_single
def _gelu_tanh(xp: Any, x: Any) -> Any:
    one = x.dtype.type
    y = x * x
    y *= x
    y *= one(_TANH_CUBIC)
    y += x
    y *= one(_TANH_SCALE)
    xp.tanh(y, out=y)
    y += one(1)
    y *= one(0.5)
    y *= x
    return y


def _tanh_and_slope(a: Any) -> tuple[Any, Any, Any]:
    """t = tanh(u(a)), 1 - t^2 and u'(a)."""
    squared = square(a)
    t = tanh(mul(mul(a, add(mul(squared, _TANH_CUBIC), 1)), _TANH_SCALE))
    return t, sub(1, square(t)), mul(add(mul(squared, 3 * _TANH_CUBIC), 1), _TANH_SCALE)


@slope
def _gelu_tanh_dx(xp: Any, g: Any, x: Any) -> Any:
    squared = x * x
    t = xp.tanh((squared * _TANH_CUBIC + 1) * x * _TANH_SCALE)
    y = (squared * (3 * _TANH_CUBIC) + 1) * _TANH_SCALE
    y *= x
    y *= 1 - t * t
    y += t
    y += 1
    y *= 0.5
    return y * g


def _gelu_tanh_bend(g: Any, a: Any, b: Any) -> Any:
    """g a times the second derivative at b."""
    t, rest, inner_slope = _tanh_and_slope(b)
    bend = mul(square(b), 3 * _TANH_CUBIC * _TANH_SCALE)
    inner = sub(add(inner_slope, bend), mul(mul(b, t), square(inner_slope)))
    return mul(g, mul(a, mul(rest, inner)))


gelu_tanh_dx = binary(
    "gelu_tanh_dx",
    _gelu_tanh_dx,
    cuda="a * gelu_tanh_slope(b)",
    promote=INEXACT,
    d=(lambda g, b: gelu_tanh_dx(g, b), _gelu_tanh_bend),
)
"""The gradient of gelu_tanh at x for that of its result, in one pass."""
gelu_tanh = composite(
    "gelu_tanh",
    _gelu_tanh_decomp,
    _gelu_tanh,
    (lambda g, a: gelu_tanh_dx(g, a),),
    cuda="a * C(0.5) * (C(1) + tanh(gelu_tanh_inner(a)))",
    partials=True,
    promote=INEXACT,
    vmap=leading,
    amp="as is",
)


@several_passes
@half_as_single
def _silu(xp: Any, x: Any) -> Any:
    y = xp.exp(-x)
    y += x.dtype.type(1)
    return x / y


@slope
def _silu_dx(xp: Any, g: Any, x: Any) -> Any:
    s = xp.reciprocal(xp.exp(-x) + 1)
    y = 1 - s
    y *= x
    y += 1
    y *= s
    return y * g


def _silu_bend(g: Any, a: Any, b: Any) -> Any:
    """g a times the second derivative at b."""
    s = sigmoid(b)
    inner = add(mul(b, sub(1, mul(s, 2))), 2)
    return mul(g, mul(a, mul(mul(s, sub(1, s)), inner)))


silu_dx = binary(
    "silu_dx",
    _silu_dx,
    cuda="a * (logistic(b) * (C(1) + b * (C(1) - logistic(b))))",
    promote=INEXACT,
    d=(lambda g, b: silu_dx(g, b), _silu_bend),
)
"""The gradient of silu at x for that of its result, in one pass."""
silu = composite(
    "silu",
    lambda x: mul(x, sigmoid(x)),
    _silu,
    (lambda g, a: silu_dx(g, a),),
    cuda="a / (C(1) + exp(-a))",
    partials=True,
    promote=INEXACT,
    vmap=leading,
    amp="as is",
)

# Affine maps and normalisation


def _linear_aval(x: Any, w: Any, *bias: Any) -> Aval:
    check_dtypes("linear", input=x, weight=w)
    if w.ndim != 2 or x.ndim < 1 or x.shape[-1] != w.shape[1]:
        raise ShapeError(
            f"linear: weight {tuple(w.shape)} takes {w.shape[-1]} features, input is "
            f"{tuple(x.shape)}; the last dim of the input must be the second of the weight"
        )
    if bias and bias[0].shape != (w.shape[0],):
        raise ShapeError(
            f"linear: wanted a bias of shape ({w.shape[0]},), got {tuple(bias[0].shape)}"
        )
    return Aval((*x.shape[:-1], w.shape[0]), x.dtype)


def _rows(x: Any) -> Any:
    """(..., d) to (rows, d)."""
    return reshape(x, shape=(math.prod(x.shape[:-1]), x.shape[-1]))


def _linear_decomp(x: Any, w: Any, *bias: Any) -> Any:
    y = reshape(matmul(_rows(x), permute(w, axes=(1, 0))), shape=(*x.shape[:-1], w.shape[0]))
    return add(y, bias[0]) if bias else y


@half_as_single
def _linear(xp: Any, x: Any, w: Any, *bias: Any) -> Any:
    rows = x if x.ndim == 2 else x.reshape(math.prod(x.shape[:-1]), x.shape[-1])
    y = xp.matmul(rows, w.T)
    if bias:
        y += bias[0]
    return y.reshape(*x.shape[:-1], w.shape[0])


linear = composite(
    "linear",
    _linear_decomp,
    _linear,
    (
        lambda g, b, shape: reshape(matmul(_rows(g), conj_if_complex(b)), shape=shape),
        lambda g, a: conj_if_complex(matmul(transposed(_rows(g)), _rows(a))),
        lambda g: sum(_rows(g), axes=(0,), keepdim=False),
    ),
    aval=_linear_aval,
    jvp=affine,
    vmap=batching_native.linear,
    names=naming.axes("linear", "i,oj,o->o"),
    amp="low",
)
"""x (..., d), weight (o, d), optional bias (o,) to (..., o)."""
