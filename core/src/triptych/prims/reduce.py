"""Reductions and scans. `axes` is a sorted tuple of non-negative ints."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval, reduced_shape
from ..errors import ShapeError
from ..tensor import raw_dtype
from .elementwise import (
    LOGICAL,
    add,
    cast,
    conj_if_complex,
    div,
    eq,
    exp,
    fill_like,
    mul,
    sub,
    where,
)
from .forward import linear
from .kinds import boolean, primitive, reduction
from .movement import concat, expand, flip, reshape, slice_
from .promotion import FLOATING
from .table import NA

COUNT = NA("the output is an index")


def _unreduce(g: Any, shape: tuple[int, ...], axes: tuple[int, ...], keepdim: bool) -> Any:
    """A reduced value stretched back over the axes it was reduced along."""
    if not keepdim:
        g = reshape(g, shape=reduced_shape(shape, axes, True))
    return expand(g, shape=shape)


def _total(dtype: np.dtype) -> np.dtype:
    return dtypes.INT64 if dtype.kind in "biu" else dtype


# Half types accumulate in float32, booleans and integers in int64, others in their own dtype.
_WIDE = {d.dtype: _total(d.dtype) for d in dtypes.dtype._by_numpy.values()}
_WIDE |= {d.dtype: dtypes.float32.dtype for d in (dtypes.float16, dtypes.bfloat16)}


def _sum(xp: Any, x: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    dtype = x.dtype
    total = x.sum(axes, _WIDE[dtype], keepdims=keepdim)
    return total if dtype.itemsize != 2 else total.astype(_total(dtype))


def _prod(xp: Any, x: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    dtype = x.dtype
    total = x.prod(axes, _WIDE[dtype], keepdims=keepdim)
    return total if dtype.itemsize != 2 else total.astype(_total(dtype))


sum = reduction(
    "sum",
    _sum,
    amp="single",
    result=_total,
    vjp=(lambda g, shape, *, axes, keepdim=False: _unreduce(g, shape, axes, keepdim),),
    jvp=linear,
)


def _prod_vjp(g: Any, a: Any, shape: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    """Each factor's gradient is the product of the others, correct when some are zero."""
    from .movement import concat, permute

    rest = tuple(i for i in range(len(shape)) if i not in axes)
    order = rest + axes
    lead = tuple(shape[i] for i in rest)
    count = int(np.prod([shape[i] for i in axes], dtype=int))
    flat = reshape(permute(a, axes=order), shape=(*lead, count))
    ones = fill_like(_first(flat, 0), value=1)
    before, after = [ones], [ones]
    for i in range(count - 1):
        before.append(mul(before[-1], _first(flat, i)))
        after.append(mul(after[-1], _first(flat, count - 1 - i)))
    others = mul(concat(*before, axis=len(lead)), concat(*reversed(after), axis=len(lead)))
    others = reshape(others, shape=(*lead, *(shape[i] for i in axes)))
    inverse = tuple(int(i) for i in np.argsort(order))
    others = permute(others, axes=inverse)
    return mul(_unreduce(g, shape, axes, keepdim), conj_if_complex(others))


def _first(flat: Any, i: int) -> Any:
    from .movement import slice_

    return slice_(flat, key=(Ellipsis, slice(i, i + 1)))


prod = reduction("prod", _prod, result=_total, vjp=(_prod_vjp,), amp="single")


def _extreme(
    g: Any, a: Any, y: Any, shape: Any, *, axes: tuple[int, ...], keepdim: bool = False
) -> Any:
    """Ties share the gradient."""
    hit = eq(a, _unreduce(y, shape, axes, keepdim))
    weight = cast(hit, dtype=raw_dtype(a))
    share = div(weight, sum(weight, axes=axes, keepdim=True))
    return mul(_unreduce(g, shape, axes, keepdim), share)


def _nonempty(name: str, x: Any, axes: tuple[int, ...]) -> None:
    if 0 in [x.shape[i] for i in axes]:
        raise ShapeError(
            f"{name}: nothing to choose from along axes {axes} of shape {tuple(x.shape)}"
        )


def _amax(xp: Any, x: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    _nonempty("amax", x, axes)
    return xp.max(x, axis=axes, keepdims=keepdim)


def _amin(xp: Any, x: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Any:
    _nonempty("amin", x, axes)
    return xp.min(x, axis=axes, keepdims=keepdim)


amax = reduction("amax", _amax, vjp=(_extreme,))
amin = reduction("amin", _amin, vjp=(_extreme,))
any = reduction(
    "any",
    lambda xp, x, *, axes, keepdim=False: xp.any(x, axis=axes, keepdims=keepdim),
    result=boolean,
    vjp=LOGICAL,
)
all = reduction(
    "all",
    lambda xp, x, *, axes, keepdim=False: xp.all(x, axis=axes, keepdims=keepdim),
    result=boolean,
    vjp=LOGICAL,
)


def _arg_aval(x: Any, *, axis: int, keepdim: bool = False) -> Aval:
    _nonempty("argmax/argmin", x, (axis,))
    return Aval(reduced_shape(x.shape, (axis,), keepdim), dtypes.INT64)


def _argmax(xp: Any, x: Any, *, axis: int, keepdim: bool = False) -> Any:
    return xp.argmax(x, axis=axis, keepdims=keepdim)


def _argmin(xp: Any, x: Any, *, axis: int, keepdim: bool = False) -> Any:
    return xp.argmin(x, axis=axis, keepdims=keepdim)


argmax = primitive("argmax", "reduction", _argmax, _arg_aval, COUNT)
argmin = primitive("argmin", "reduction", _argmin, _arg_aval, COUNT)

# Scans


def _cumsum(xp: Any, x: Any, *, axis: int) -> Any:
    return xp.cumsum(x, axis=axis, dtype=_WIDE[x.dtype]).astype(_total(x.dtype), copy=False)


def _cumsum_vjp(g: Any, *, axis: int) -> Any:
    return flip(cumsum(flip(g, axes=(axis,)), axis=axis), axes=(axis,))


cumsum = primitive(
    "cumsum",
    "scan",
    _cumsum,
    lambda x, *, axis: Aval(x.shape, _total(x.dtype)),
    (_cumsum_vjp,),
    check="late",
    jvp=linear,
)


def _cumprod(xp: Any, x: Any, *, axis: int) -> Any:
    return xp.cumprod(x, axis=axis, dtype=_WIDE[x.dtype]).astype(_total(x.dtype), copy=False)


def _cumprod_vjp(g: Any, a: Any, shape: Any, *, axis: int) -> Any:
    """The gradient of element i sums g_j times the product of the others up to j, for j >= i.

    A quadratic number of products, but right when elements are zero.
    """
    lead = (slice(None),) * axis
    length = shape[axis]
    out = []
    for i in range(length):
        before = slice_(a, key=(*lead, slice(0, i)))
        after = slice_(a, key=(*lead, slice(i + 1, length)))
        one = fill_like(slice_(a, key=(*lead, slice(i, i + 1))), value=1)
        head = prod(before, axes=(axis,), keepdim=True) if i else one
        tail = cumprod(concat(one, after, axis=axis), axis=axis)
        rest = conj_if_complex(mul(head, tail))
        out.append(
            sum(mul(slice_(g, key=(*lead, slice(i, length))), rest), axes=(axis,), keepdim=True)
        )
    return concat(*out, axis=axis) if out else g


cumprod = primitive(
    "cumprod",
    "scan",
    _cumprod,
    lambda x, *, axis: Aval(x.shape, _total(x.dtype)),
    (_cumprod_vjp,),
    check="late",
)


def _logcumsumexp(xp: Any, x: Any, *, axis: int) -> Any:
    return xp.logaddexp.accumulate(x, axis=axis)


def _logcumsumexp_vjp(g: Any, a: Any, y: Any, *, axis: int) -> Any:
    """The sums over j >= i of g_j exp(a_i - y_j), over twice as many j in each step, from
    exponentials that are at most 1.
    """
    lead, length = (slice(None),) * axis, y.shape[axis]
    lowest = dtypes.finfo(dtypes.from_numpy_dtype(raw_dtype(y))).min / 2
    y = where(eq(y, -math.inf), lowest, y)  # whose own a are -inf as well
    total, step = g, 1
    while step < length:
        here, there = (*lead, slice(0, length - step)), (*lead, slice(step, length))
        factor = exp(sub(slice_(y, key=here), slice_(y, key=there)))
        longer = add(slice_(total, key=here), mul(factor, slice_(total, key=there)))
        rest = slice_(total, key=(*lead, slice(length - step, length)))
        total, step = concat(longer, rest, axis=axis), 2 * step
    return mul(exp(sub(a, y)), total)


logcumsumexp = primitive(
    "logcumsumexp",
    "scan",
    _logcumsumexp,
    lambda x, *, axis: Aval(x.shape, x.dtype),
    (_logcumsumexp_vjp,),
    promote=FLOATING,
    check="late",
)


def sum_to(x: Any, shape: tuple[int, ...]) -> Any:
    """Sum a value over the axes along which `shape` was broadcast to reach it."""
    if x.shape == shape:
        return x
    lead = len(x.shape) - len(shape)
    stretched = [i + lead for i, n in enumerate(shape) if n == 1 and x.shape[i + lead] != 1]
    x = sum(x, axes=(*range(lead), *stretched), keepdim=True)
    return reshape(x, shape=shape) if lead else x
