"""Contractions: matmul and convolution. Bilinear, so each derivative is another of the set."""

from __future__ import annotations

import functools
import math
from typing import Any

from ..avals import Aval, broadcast_shapes
from ..errors import DTypeError, ShapeError
from . import batching_native, naming
from .depthwise import depthwise, taps
from .elementwise import conj_if_complex
from .forward import multilinear
from .kinds import half_as_single, primitive
from .movement import permute, slice_
from .reduce import sum_to

Ints = tuple[int, ...]
Pads = tuple[tuple[int, int], ...]


def check_dtypes(name: str, **inputs: Any) -> None:
    """Raise DTypeError unless all inputs have one dtype."""
    dtypes = [x.dtype for x in inputs.values()]
    if dtypes.count(dtypes[0]) == len(dtypes):
        return
    kinds = {label: x.dtype for label, x in inputs.items()}
    came = ", ".join(f"{label} is {dtype}" for label, dtype in kinds.items())
    raise DTypeError(f"{name}: inputs want one dtype, but {came}; convert one with .to(dtype)")


# Matrix product


def _matmul_aval(a: Any, b: Any) -> Aval:
    if a.dtype != b.dtype:
        check_dtypes("matmul", input=a, other=b)
    one, two = a.shape, b.shape
    if len(one) < 2 or len(two) < 2 or one[-1] != two[-2]:
        raise ShapeError(
            f"matmul: {tuple(one)} @ {tuple(two)}: the last dim of the first must equal the "
            "second to last of the second; transpose one with .mT?"
        )
    lead = one[:-2]
    if lead != two[:-2]:
        lead = broadcast_shapes("matmul", lead, two[:-2])
    return Aval((*lead, one[-2], two[-1]), a.dtype)


@half_as_single  # BLAS has no half types
def _matmul(xp: Any, a: Any, b: Any) -> Any:
    return xp.matmul(a, b)


def transposed(x: Any) -> Any:
    """The last two axes swapped, and conjugated if complex."""
    axes = tuple(range(len(x.shape)))
    return conj_if_complex(permute(x, axes=(*axes[:-2], axes[-1], axes[-2])))


matmul = primitive(
    "matmul",
    "contraction",
    _matmul,
    _matmul_aval,
    (
        lambda g, b, shape: sum_to(matmul(g, transposed(b)), shape),
        lambda g, a, shape: sum_to(matmul(transposed(a), g), shape),
    ),
    check="shapes late",
    jvp=multilinear,
    vmap=batching_native.matmul,
    names=naming.axes("matmul", "mi,jn->mn"),
)

# Convolution over any number of space axes: x (n, c, *s), weight (o, c / groups, *k)


def _conv_aval(x: Any, w: Any, *, stride: Ints, padding: Pads, dilation: Ints, groups: int) -> Aval:
    both = x.shape, x.dtype, w.shape, w.dtype
    return _conv_of_shapes(*both, stride, padding, dilation, groups)


@functools.lru_cache(maxsize=1024)  # each layer of a network asks the same again and again
def _conv_of_shapes(
    x_shape: Ints,
    x_dtype: Any,
    w_shape: Ints,
    w_dtype: Any,
    stride: Ints,
    padding: Pads,
    dilation: Ints,
    groups: int,
) -> Aval:
    name = f"conv{len(stride)}d"
    x, w = Aval(x_shape, x_dtype), Aval(w_shape, w_dtype)
    check_dtypes(name, input=x, weight=w)
    dims = len(stride)
    if x.ndim != dims + 2 or w.ndim != dims + 2:
        raise ShapeError(
            f"{name}: wanted input (n, c, {dims} space axes) and weight (out, c / groups, kernel), "
            f"got {tuple(x.shape)} and {tuple(w.shape)}"
        )
    if x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
        hint = "; did you pass NHWC? use permute(0, 3, 1, 2)" if x.shape[-1] == w.shape[1] else ""
        raise ShapeError(
            f"{name}: weight expects {w.shape[1] * groups} input channels in {groups} group(s), "
            f"input has {x.shape[1]} (input is {tuple(x.shape)}, weight {tuple(w.shape)}){hint}"
        )
    out = conv_lengths(name, x.shape[2:], w.shape[2:], stride, padding, dilation)
    return Aval((x.shape[0], w.shape[0], *out), x.dtype)


def check_bias(name: str, bias: Any, channels: int) -> None:
    """Raise ShapeError unless there is one number for each output channel."""
    if tuple(bias.shape) != (channels,):
        raise ShapeError(f"{name}: wanted a bias of shape ({channels},), got {tuple(bias.shape)}")


def conv_lengths(
    name: str, space: Ints, kernel: Ints, stride: Ints, padding: Pads, dilation: Ints
) -> Ints:
    """Output lengths of a window that slides over padded axes.

    Raises:
        ShapeError: the window is longer than an axis.
    """
    out = []
    for n, k, s, (lo, hi), d in zip(space, kernel, stride, padding, dilation, strict=True):
        room = n + lo + hi - d * (k - 1) - 1
        if room < 0:
            raise ShapeError(
                f"{name}: a window of {d * (k - 1) + 1} does not fit an axis of {n} padded to "
                f"{n + lo + hi}; pad more or use a smaller kernel"
            )
        out.append(room // s + 1)
    return tuple(out)


def _padded(xp: Any, x: Any, padding: Pads) -> Any:
    if not any(lo or hi for lo, hi in padding):
        return x
    shape = (*x.shape[:2], *(n + lo + hi for n, (lo, hi) in zip(x.shape[2:], padding, strict=True)))
    out = xp.zeros(shape, x.dtype)
    out[_interior(x.shape[2:], padding)] = x
    return out


def _interior(space: Ints, padding: Pads) -> tuple[Any, ...]:
    return (Ellipsis, *(slice(lo, lo + n) for n, (lo, _) in zip(space, padding, strict=True)))


def _columns(
    xp: Any, x: Any, kernel: Ints, out: Ints, stride: Ints, dilation: Ints, groups: int
) -> Any:
    """(groups, c / groups * k, n * positions): windows of padded x, unrolled for one product."""
    n, c = x.shape[:2]
    x = xp.swapaxes(x, 0, 1)
    size = math.prod(kernel)
    if size == 1 and x.shape[2:] == out:
        return x.reshape(groups, c // groups, n * math.prod(out))
    cols = xp.empty((c, size, n, *out), x.dtype)
    for i, (_, key) in enumerate(taps(kernel, out, stride, dilation)):
        cols[:, i] = x[key]
    return cols.reshape(groups, c // groups * size, n * math.prod(out))


def _by_channel(xp: Any, y: Any, groups: int) -> Any:
    """(n, o, *s) to (groups, o / groups, n * positions)."""
    n, o, *space = y.shape
    return xp.swapaxes(y, 0, 1).reshape(groups, o // groups, n * math.prod(space))


def _by_sample(xp: Any, y: Any, shape: Ints) -> Any:
    """(groups, o / groups, n * positions) back to (n, o, *s)."""
    n, o, *space = shape
    return xp.ascontiguousarray(xp.swapaxes(y.reshape(o, n, *space), 0, 1))


def _is_depthwise(x_shape: Ints, w_shape: Ints, groups: int) -> bool:
    return groups == x_shape[1] == w_shape[0] and groups > 1


def _per_channel(w: Any, tap: Ints, dims: int) -> Any:
    return w[(slice(None), 0, *tap)].reshape(-1, *[1] * dims)


@half_as_single
def _conv(
    xp: Any, x: Any, w: Any, *, stride: Ints, padding: Pads, dilation: Ints, groups: int
) -> Any:
    kernel = w.shape[2:]
    out = conv_lengths("conv", x.shape[2:], kernel, stride, padding, dilation)
    own_kernels = _is_depthwise(x.shape, w.shape, groups)
    x = _padded(xp, x, padding)
    if own_kernels:
        return depthwise(xp, x, w, out, stride, dilation)
    cols = _columns(xp, x, kernel, out, stride, dilation, groups)
    y = xp.matmul(w.reshape(groups, w.shape[0] // groups, math.prod(w.shape[1:])), cols)
    return _by_sample(xp, y, (x.shape[0], w.shape[0], *out))


def _depthwise_dx(xp: Any, g: Any, w: Any, shape: Ints, stride: Ints, dilation: Ints) -> Any:
    """The gradient of padded x, of the given shape."""
    kernel, out = w.shape[2:], g.shape[2:]
    edges = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    whole = tuple(o + e for o, e in zip(out, edges, strict=True))
    if math.prod(stride) == 1 and whole == shape[2:]:  # again a convolution, with w turned around
        turned = w[(slice(None), slice(None), *(slice(None, None, -1) for _ in kernel))]
        g = _padded(xp, g, tuple((e, e) for e in edges))
        return depthwise(xp, g, turned, whole, stride, dilation)
    dx = xp.zeros(shape, g.dtype)
    for tap, key in taps(kernel, out, stride, dilation):
        dx[key] += g * _per_channel(w, tap, len(out))
    return dx


@half_as_single
def _conv_dx(
    xp: Any,
    g: Any,
    w: Any,
    *,
    shape: Ints,
    stride: Ints,
    padding: Pads,
    dilation: Ints,
    groups: int,
) -> Any:
    kernel, out = w.shape[2:], g.shape[2:]
    padded = tuple(n + lo + hi for n, (lo, hi) in zip(shape[2:], padding, strict=True))
    if _is_depthwise(shape, w.shape, groups):
        dx = _depthwise_dx(xp, g, w, (*shape[:2], *padded), stride, dilation)
        return dx[_interior(shape[2:], padding)]
    n, c = shape[:2]
    size = math.prod(kernel)
    rows = xp.swapaxes(w.reshape(groups, w.shape[0] // groups, c // groups * size), 1, 2)
    cols = xp.matmul(rows, _by_channel(xp, g, groups)).reshape(c, size, n, *out)
    dx = xp.zeros((c, n, *padded), g.dtype)
    for i, (_, key) in enumerate(taps(kernel, out, stride, dilation)):
        dx[key] += cols[:, i]
    return _by_sample(xp, dx[_interior(shape[2:], padding)], shape)


@half_as_single
def _conv_dw(
    xp: Any,
    g: Any,
    x: Any,
    *,
    shape: Ints,
    stride: Ints,
    padding: Pads,
    dilation: Ints,
    groups: int,
) -> Any:
    kernel, out = shape[2:], g.shape[2:]
    own_kernels = _is_depthwise(x.shape, shape, groups)
    x = _padded(xp, x, padding)
    if own_kernels:
        dw = xp.empty(shape, g.dtype)
        axes = (0, *range(2, g.ndim))
        for tap, key in taps(kernel, out, stride, dilation):
            dw[(slice(None), 0, *tap)] = (x[key] * g).sum(axis=axes)
        return dw
    cols = _columns(xp, x, kernel, out, stride, dilation, groups)
    return xp.matmul(_by_channel(xp, g, groups), xp.swapaxes(cols, 1, 2)).reshape(shape)


def _conv_vjp_x(
    g: Any, b: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv_dx(g, conj_if_complex(b), shape=shape, **options)


def _conv_vjp_w(
    g: Any, a: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv_dw(g, conj_if_complex(a), shape=shape, **options)


conv = primitive(
    "conv",
    "contraction",
    _conv,
    _conv_aval,
    (_conv_vjp_x, _conv_vjp_w),
    jvp=multilinear,
    vmap=batching_native.conv,
    names=naming.conv,
)


def _shape_aval(g: Any, other: Any, *, shape: Ints, **options: Any) -> Aval:
    return Aval(shape, g.dtype)


def _first(y: Any, shape: Any) -> Any:
    """The positions that took part; conv may reach more when output_padding made dx longer."""
    return y if y.shape == shape else slice_(y, key=tuple(slice(0, n) for n in shape))


def _dx_vjp_g(
    g: Any, b: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _first(conv(g, conj_if_complex(b), **options), shape)


def _dx_vjp_w(
    g: Any, a: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv_dw(conj_if_complex(a), g, shape=shape, **options)


def _dw_vjp_g(
    g: Any, b: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return _first(conv(conj_if_complex(b), g, **options), shape)


def _dw_vjp_x(
    g: Any, a: Any, shape: Any, *, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Any:
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return conv_dx(conj_if_complex(a), g, shape=shape, **options)


conv_dx = primitive(
    "conv_dx",
    "contraction",
    _conv_dx,
    _shape_aval,
    (_dx_vjp_g, _dx_vjp_w),
    jvp=multilinear,
    vmap=batching_native.conv_dx,
    names=naming.conv_dx,
)
"""Gradient of conv with respect to x, of the given shape; also transposed convolution."""
conv_dw = primitive(
    "conv_dw",
    "contraction",
    _conv_dw,
    _shape_aval,
    (_dw_vjp_g, _dw_vjp_x),
    jvp=multilinear,
    vmap=batching_native.conv_dw,
    names=naming.unknown,
)
"""Gradient of conv with respect to the weight, of the given shape."""
