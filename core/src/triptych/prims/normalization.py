"""Normalisation: mean 0 and variance 1 over rows, groups of channels or a batch, in one step.

Each has a record for its gradients as well, which takes its statistics again from the input: they
cost less to compute than to keep. Gradients of an absent weight are a number without meaning.

Letters: n batch, c channels.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..avals import Aval
from ..errors import ShapeError
from . import batching_native, naming
from .composite import composite, pulled_back
from .contract import check_dtypes
from .elementwise import add, div, fill_like, mul, rsqrt, square, sub
from .movement import reshape
from .reduce import sum, sum_to
from .table import NA

NO_NAMES = NA("gradients have no names")


def _wide(dtype: Any) -> Any:
    """What halves are computed in."""
    return dtypes.float32.dtype if dtype.itemsize == 2 and dtype.kind not in "iu" else dtype


def _rounded_once(impl: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel with several outputs that computes halves in float32."""

    @functools.wraps(impl)
    def wrapped(xp: Any, *arrays: Any, **params: Any) -> Any:
        dtype = arrays[0].dtype
        if _wide(dtype) == dtype:
            return impl(xp, *arrays, **params)
        found = impl(xp, *(x.astype(xp.float32) for x in arrays), **params)
        if not isinstance(found, tuple):
            return found.astype(dtype)
        return tuple(y.astype(dtype) for y in found)

    return wrapped


def _mean(x: Any, axes: tuple[int, ...]) -> Any:
    return div(sum(x, axes=axes, keepdim=True), math.prod(x.shape[a] for a in axes))


def _nothing(x: Any) -> Any:
    """The gradient of a weight that is not there, made of primitives."""
    return fill_like(sum(x, axes=tuple(range(len(x.shape)))), value=0)


def _affine(y: Any, affine: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """y times weight plus bias, if they are there, brought to a shape that broadcasts."""
    for op, v in zip((mul, add), affine, strict=False):
        y = op(y, v if tuple(v.shape) == shape else reshape(v, shape=shape))
    return y


def _grads_aval(x: Any, weight: tuple[Any, ...], count: int) -> tuple[Aval, ...]:
    """Of the input, and of `count` vectors."""
    last = Aval(weight[0].shape if weight else (), x.dtype)
    return (Aval(x.shape, x.dtype), *(last,) * count)


def _again(decomp: Callable[..., Any], g: Any, xs: Any, **params: Any) -> list[Any]:
    """The derivative of what has no rule of its own: that of its decomposition."""
    return pulled_back(functools.partial(decomp, **params), xs, g)


# Rows: the last `dims` axes together


def _row_aval(name: str) -> Callable[..., Aval]:
    def aval(x: Any, *affine: Any, dims: int, eps: float) -> Aval:
        for label, v in zip(("weight", "bias"), affine, strict=False):
            if v.shape != x.shape[x.ndim - dims :]:
                raise ShapeError(
                    f"{name}: {label} has shape {tuple(v.shape)}, the last {dims} dims of the "
                    f"input {tuple(x.shape)} are normalised"
                )
            check_dtypes(name, input=x, **{label: v})
        return Aval(x.shape, x.dtype)

    return aval


def _last(x: Any, dims: int) -> tuple[int, ...]:
    return tuple(range(len(x.shape) - dims, len(x.shape)))


def _standardized(x: Any, axes: tuple[int, ...], eps: float, centred: bool) -> tuple[Any, Any]:
    """(x - mean) / std over some axes, and 1 / std; without `centred` the mean counts as 0."""
    rest = sub(x, _mean(x, axes)) if centred else x
    scale = rsqrt(add(_mean(square(rest), axes), eps))
    return mul(rest, scale), scale


def _standardized_arrays(
    xp: Any, x: Any, axes: tuple[int, ...], eps: float, centred: bool
) -> tuple[Any, Any]:
    """The same of NumPy's arrays; the first is new memory."""
    y = x - x.mean(axis=axes, keepdims=True) if centred else x.copy()
    scale = xp.reciprocal(xp.sqrt((y * y).mean(axis=axes, keepdims=True) + x.dtype.type(eps)))
    y *= scale
    return y, scale


def _rows_decomp(centred: bool, x: Any, *affine: Any, dims: int, eps: float) -> Any:
    y, _ = _standardized(x, _last(x, dims), eps, centred)
    return _affine(y, affine, tuple(x.shape[len(x.shape) - dims :]))


def _rows(xp: Any, centred: bool, x: Any, *affine: Any, dims: int, eps: float) -> Any:
    y, _ = _standardized_arrays(xp, x, _last(x, dims), eps, centred)
    if affine:
        y *= affine[0]
    if affine[1:]:
        y += affine[1]
    return y


def _rows_grad_decomp(centred: bool, g: Any, x: Any, *weight: Any, dims: int, eps: float) -> Any:
    axes = _last(x, dims)
    y, scale = _standardized(x, axes, eps, centred)
    up = mul(g, weight[0]) if weight else g
    level = sub(up, _mean(up, axes)) if centred else up
    dx = mul(sub(level, mul(y, _mean(mul(up, y), axes))), scale)
    if not weight:
        return (dx, _nothing(x), _nothing(x))[: 2 + centred]
    shape = tuple(weight[0].shape)
    return (dx, sum_to(mul(g, y), shape), sum_to(g, shape))[: 2 + centred]


def _rows_grad(
    xp: Any, centred: bool, g: Any, x: Any, *weight: Any, dims: int, eps: float
) -> tuple[Any, ...]:
    axes = _last(x, dims)
    y, scale = _standardized_arrays(xp, x, axes, eps, centred)
    dx = g * weight[0] if weight else g.copy()
    tilt = (dx * y).mean(axis=axes, keepdims=True)
    if centred:
        dx -= dx.mean(axis=axes, keepdims=True)
    dx -= y * tilt
    dx *= scale
    lead = tuple(range(x.ndim - dims))
    if not weight:
        return (dx, xp.zeros((), g.dtype), xp.zeros((), g.dtype))[: 2 + centred]
    return (dx, (g * y).sum(axis=lead), g.sum(axis=lead))[: 2 + centred]


def _rows_record(name: str, centred: bool) -> tuple[Any, Any]:
    """`name` and `name`_grad."""
    grad_decomp = functools.partial(_rows_grad_decomp, centred)

    def vjp(g: Any, xs: Any, *, dims: int, eps: float) -> list[Any]:
        return list(grad(g, *xs[:2], dims=dims, eps=eps))

    @_rounded_once
    def impl(xp: Any, x: Any, *affine: Any, dims: int, eps: float) -> Any:
        return _rows(xp, centred, x, *affine, dims=dims, eps=eps)

    @_rounded_once
    def grad_impl(xp: Any, g: Any, x: Any, *weight: Any, dims: int, eps: float) -> Any:
        return _rows_grad(xp, centred, g, x, *weight, dims=dims, eps=eps)

    record = composite(
        name,
        functools.partial(_rows_decomp, centred),
        impl,
        vjp,
        aval=_row_aval(name),
        vmap=batching_native.linear,
        names=naming.broadcast(name),
        amp="single",
    )
    grad = composite(
        f"{name}_grad",
        grad_decomp,
        grad_impl,
        lambda g, xs, *, dims, eps: _again(grad_decomp, g, xs, dims=dims, eps=eps),
        aval=lambda g, x, *weight, dims, eps: _grads_aval(x, weight, 1 + centred),
        outputs=2 + centred,
        names=NO_NAMES,
        amp="single",
    )
    return record, grad


layer_norm, layer_norm_grad = _rows_record("layer_norm", True)
"""Zero mean and unit variance over the last `dims` axes, then optional weight and bias. The
gradients are those of input, weight and bias."""
rms_norm, rms_norm_grad = _rows_record("rms_norm", False)
"""Division by the root of the mean square over the last `dims` axes, then an optional weight."""

# Channels: axis 1


_AFFINE = ("weight", "bias")


def _channel_aval(name: str, x: Any, vectors: Any, labels: tuple[str, ...] = _AFFINE) -> Aval:
    wanted, dtype = (x.shape[1],), x.dtype
    for v, label in zip(vectors, labels, strict=False):
        if v.shape != wanted:
            raise ShapeError(
                f"{name}: {label} has shape {tuple(v.shape)}, wanted ({x.shape[1]},) for the "
                f"channels of the input {tuple(x.shape)}"
            )
        if v.dtype is not dtype:
            check_dtypes(name, input=x, **{label: v})
    return Aval(x.shape, dtype)


def _per_channel(x: Any) -> tuple[int, ...]:
    """The shape in which (c,) broadcasts with x."""
    return (x.shape[1], *[1] * (len(x.shape) - 2))


def _grouped(x: Any, groups: int) -> tuple[int, int, int]:
    return x.shape[0], groups, math.prod(x.shape[1:]) // groups


def _but_channels(x: Any) -> tuple[int, ...]:
    return (0, *range(2, len(x.shape)))


def _group_norm_decomp(x: Any, *affine: Any, groups: int, eps: float) -> Any:
    rows = reshape(x, shape=_grouped(x, groups))
    y, _ = _standardized(rows, (2,), eps, True)
    return _affine(reshape(y, shape=tuple(x.shape)), affine, _per_channel(x))


@_rounded_once
def _group_norm(xp: Any, x: Any, *affine: Any, groups: int, eps: float) -> Any:
    y, _ = _standardized_arrays(xp, x.reshape(_grouped(x, groups)), (2,), eps, True)
    y = y.reshape(x.shape)
    if affine:
        y *= affine[0].reshape(_per_channel(x))
    if affine[1:]:
        y += affine[1].reshape(_per_channel(x))
    return y


def _group_norm_grad_decomp(g: Any, x: Any, *weight: Any, groups: int, eps: float) -> Any:
    shape = _grouped(x, groups)
    y, scale = _standardized(reshape(x, shape=shape), (2,), eps, True)
    up = reshape(_affine(g, weight, _per_channel(x)), shape=shape)
    dx = mul(sub(sub(up, _mean(up, (2,))), mul(y, _mean(mul(up, y), (2,)))), scale)
    dx = reshape(dx, shape=tuple(x.shape))
    if not weight:
        return dx, _nothing(x), _nothing(x)
    axes = _but_channels(x)
    return dx, sum(mul(g, reshape(y, shape=tuple(x.shape))), axes=axes), sum(g, axes=axes)


@_rounded_once
def _group_norm_grad(
    xp: Any, g: Any, x: Any, *weight: Any, groups: int, eps: float
) -> tuple[Any, ...]:
    shape = _grouped(x, groups)
    y, scale = _standardized_arrays(xp, x.reshape(shape), (2,), eps, True)
    up = (g * weight[0].reshape(_per_channel(x)) if weight else g.copy()).reshape(shape)
    tilt = (up * y).mean(axis=2, keepdims=True)
    up -= up.mean(axis=2, keepdims=True)
    up -= y * tilt
    up *= scale
    dx = up.reshape(x.shape)
    if not weight:
        return dx, xp.zeros((), g.dtype), xp.zeros((), g.dtype)
    axes = _but_channels(x)
    return dx, (g * y.reshape(x.shape)).sum(axis=axes), g.sum(axis=axes)


group_norm_grad = composite(
    "group_norm_grad",
    _group_norm_grad_decomp,
    _group_norm_grad,
    lambda g, xs, *, groups, eps: _again(_group_norm_grad_decomp, g, xs, groups=groups, eps=eps),
    aval=lambda g, x, *weight, groups, eps: _grads_aval(x, weight, 2),
    outputs=3,
    names=NO_NAMES,
    amp="single",
)
"""The gradients of input, weight and bias."""
group_norm = composite(
    "group_norm",
    _group_norm_decomp,
    _group_norm,
    lambda g, xs, *, groups, eps: list(group_norm_grad(g, *xs[:2], groups=groups, eps=eps)),
    aval=lambda x, *affine, groups, eps: _channel_aval("group_norm", x, affine),
    names=naming.keep,
    amp="single",
)
"""Zero mean and unit variance over `groups` groups of channels of each sample, then optional
weight and bias per channel."""

# The batch


def _batch_norm_aval(x: Any, *affine: Any, eps: float) -> tuple[Aval, Aval, Aval]:
    level = Aval((x.shape[1],), x.dtype)
    return _channel_aval("batch_norm", x, affine), level, level


def _batch_norm_decomp(x: Any, *affine: Any, eps: float) -> tuple[Any, Any, Any]:
    axes = _but_channels(x)
    mean = _mean(x, axes)
    rest = sub(x, mean)
    var = _mean(square(rest), axes)
    y = _affine(mul(rest, rsqrt(add(var, eps))), affine, _per_channel(x))
    return y, *(reshape(v, shape=(x.shape[1],)) for v in (mean, var))


@_rounded_once
def _batch_norm(xp: Any, x: Any, *affine: Any, eps: float) -> tuple[Any, Any, Any]:
    axes = _but_channels(x)
    mean = x.mean(axis=axes, keepdims=True)
    y = x - mean
    var = (y * y).mean(axis=axes, keepdims=True)
    scale = xp.reciprocal(xp.sqrt(var + x.dtype.type(eps)))
    y *= scale * affine[0].reshape(_per_channel(x)) if affine else scale
    if affine[1:]:
        y += affine[1].reshape(_per_channel(x))
    return y, mean.reshape(-1), var.reshape(-1)


def _batch_norm_vjp(g: Any, xs: Any, rest: Any, *, eps: float) -> list[Any]:
    return list(batch_norm_grad(*g, xs[0], *rest, *xs[1:2], eps=eps))


def _batch_norm_grad_decomp(
    g: Any, of_mean: Any, of_var: Any, x: Any, mean: Any, var: Any, *weight: Any, eps: float
) -> tuple[Any, Any, Any]:
    axes, shape = _but_channels(x), _per_channel(x)
    count = math.prod(x.shape) // x.shape[1]
    of_mean, of_var, mean, var = (reshape(v, shape=shape) for v in (of_mean, of_var, mean, var))
    rest, scale = sub(x, mean), rsqrt(add(var, eps))
    y = mul(rest, scale)
    up = _affine(g, weight, shape)
    dx = mul(sub(sub(up, _mean(up, axes)), mul(y, _mean(mul(up, y), axes))), scale)
    dx = add(dx, div(add(of_mean, mul(mul(of_var, rest), 2)), count))
    if not weight:
        return dx, _nothing(x), _nothing(x)
    return dx, sum(mul(g, y), axes=axes), sum(g, axes=axes)


@_rounded_once
def _batch_norm_grad(
    xp: Any,
    g: Any,
    of_mean: Any,
    of_var: Any,
    x: Any,
    mean: Any,
    var: Any,
    *weight: Any,
    eps: float,
) -> tuple[Any, Any, Any]:
    axes, shape, one = _but_channels(x), _per_channel(x), x.dtype.type
    count = one(x.size // x.shape[1])
    scale = xp.reciprocal(xp.sqrt(var + one(eps)))
    rest = x - mean.reshape(shape)
    plain, tilted = g.sum(axis=axes), (g * rest).sum(axis=axes) * scale
    of_g = scale * weight[0] if weight else scale
    rest *= ((one(2) * of_var - of_g * scale * tilted) / count).reshape(shape)
    rest += g * of_g.reshape(shape)
    rest += ((of_mean - of_g * plain) / count).reshape(shape)
    if not weight:
        return rest, xp.zeros((), g.dtype), xp.zeros((), g.dtype)
    return rest, tilted, plain


batch_norm_grad = composite(
    "batch_norm_grad",
    _batch_norm_grad_decomp,
    _batch_norm_grad,
    lambda g, xs, *, eps: _again(_batch_norm_grad_decomp, g, xs, eps=eps),
    aval=lambda g, of_mean, of_var, x, mean, var, *weight, eps: _grads_aval(x, weight, 2),
    outputs=3,
    names=NO_NAMES,
    amp="single",
)
"""The gradients of input, weight and bias, from those of the outputs of `batch_norm`, its input,
mean and variance, and an optional weight."""


def _batch_names(x: Any, *affine: Any, **params: Any) -> Any:
    kept = naming.keep(x)
    return kept, *((None if kept is None else (kept[1],),) * 2)


batch_norm = composite(
    "batch_norm",
    _batch_norm_decomp,
    _batch_norm,
    _batch_norm_vjp,
    aval=_batch_norm_aval,
    outputs=3,
    names=_batch_names,
    amp="single",
)
"""Zero mean and unit variance over all axes but the second, then optional weight and bias per
channel; also the mean and the variance (over the count), both (c,)."""


def _eval_aval(x: Any, *vectors: Any, eps: float) -> Aval:
    return _channel_aval("batch_norm", x, vectors, ("running_mean", "running_var", *_AFFINE))


def _eval_decomp(x: Any, mean: Any, var: Any, *affine: Any, eps: float) -> Any:
    shape = _per_channel(x)
    mean, var = (reshape(v, shape=shape) for v in (mean, var))
    return _affine(mul(sub(x, mean), rsqrt(add(var, eps))), affine, shape)


@_rounded_once
def _eval(xp: Any, x: Any, mean: Any, var: Any, *affine: Any, eps: float) -> Any:
    shape = _per_channel(x)
    scale = xp.reciprocal(xp.sqrt(var + x.dtype.type(eps)))
    if affine:
        scale *= affine[0]
    y = x - mean.reshape(shape)
    y *= scale.reshape(shape)
    if affine[1:]:
        y += affine[1].reshape(shape)
    return y


def _eval_vjp(g: Any, xs: Any, *, eps: float) -> list[Any]:
    return _again(lambda *args: (_eval_decomp(*args, eps=eps),), [g], xs)


batch_norm_eval = composite(
    "batch_norm_eval",
    _eval_decomp,
    _eval,
    _eval_vjp,
    aval=_eval_aval,
    names=naming.keep,
    amp="single",
)
"""Channels less a given mean, over the root of a given variance, then optional weight and bias."""
