"""Attention block by block: no matrix of all queries by all keys is ever held.

Forward keeps a running maximum and sum per query (the online softmax) and saves, beside the output,
the logarithm of the sum of each row; backward computes the weights of a block again from it.

Letters: l queries, s keys, e features, n all axes before the last two as one.

Source: Milakov and Gimelshein 2018, algorithm 3; Dao et al. 2022, algorithms 1 and 4.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from typing import Any

from .. import dtypes
from ..avals import Aval, broadcast_shapes
from ..errors import ShapeError
from ..state import state
from ..tensor import raw_dtype
from . import batching_native, naming
from .composite import composite, pulled_back
from .contract import check_dtypes, matmul, transposed
from .elementwise import (
    add,
    bitwise_and,
    bitwise_xor,
    cast,
    eq,
    exp,
    fill_like,
    ge,
    log,
    mul,
    right_shift,
    sub,
    where,
)
from .movement import reshape, slice_
from .reduce import amax, cumsum, sum, sum_to
from .table import NA

MOST_COLUMNS = 1024  # keys in a block
MOST_ELEMENTS = 1 << 18  # of a block: 1 MB of float32 stays in the second-level cache

_INF = math.inf


def _aval(
    q: Any, k: Any, v: Any, *rest: Any, scale: float, causal: int | None, masked: bool, drop: float
) -> tuple[Aval, Aval]:
    check_dtypes("attention", query=q, key=k, value=v)
    lead = q.shape[:-2]
    if k.shape[:-2] != lead or v.shape[:-2] != lead:
        raise ShapeError(
            f"attention: leading axes differ: query {tuple(q.shape)}, key {tuple(k.shape)}, value "
            f"{tuple(v.shape)}; expand them first"
        )
    full = (*lead, q.shape[-2], k.shape[-2])
    if masked and broadcast_shapes("attention", full, rest[0].shape) != full:
        raise ShapeError(f"attention: mask {tuple(rest[0].shape)} does not broadcast to {full}")
    return Aval((*q.shape[:-1], v.shape[-1]), q.dtype), Aval(q.shape[:-1], _wide(q.dtype))


def _wide(dtype: Any) -> Any:
    """What halves are computed in."""
    return dtypes.float32.dtype if dtype.itemsize == 2 else dtype


# Dropout: whether a weight is kept is a hash of a seed and its place, so that any block can be
# computed again on its own, in any order.

_HEAD, _ROW, _COLUMN = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D  # odd, from xxHash's list of primes
_MIX = 0x45D9F3B  # Mueller's integer hash: two rounds of x = (x ^ x >> 16) * this


def _bits(xp: Any, x: Any) -> Any:
    """32 well-mixed bits from uint32, in place."""
    for _ in range(2):
        x ^= x >> 16
        x *= x.dtype.type(_MIX)
    x ^= x >> 16
    return x


def _keep(xp: Any, seed: Any, heads: slice, rows: slice, cols: slice, drop: float) -> Any:
    """False with probability drop, for a block (heads, rows, columns)."""
    one, two = (seed[i : i + 1].astype(xp.uint32) for i in (0, 1))
    places = [xp.arange(s.start, s.stop, dtype=xp.uint32) for s in (heads, rows, cols)]
    head = _bits(xp, places[0] * xp.uint32(_HEAD) ^ one)
    row = _bits(xp, (places[1] * xp.uint32(_ROW) ^ two) ^ head[:, None])
    column = _bits(xp, (places[2] * xp.uint32(_COLUMN)) ^ one)
    bits = _bits(xp, row[:, :, None] ^ column)
    return bits >= xp.uint32(_limit(drop))


def _limit(drop: float) -> int:
    return min(int(drop * 2**32), 2**32 - 1)


def _growth(drop: float) -> float:
    """The factor of what is kept."""
    return 1 / (1 - drop) if drop < 1 else 0.0


def _mixed(x: Any) -> Any:
    """`_bits` with primitives, on int64."""
    for _ in range(2):
        x = bitwise_and(mul(bitwise_xor(x, right_shift(x, 16)), _MIX), 0xFFFFFFFF)
    return bitwise_xor(x, right_shift(x, 16))


def _all_kept(seed: Any, scores: Any, drop: float) -> Any:
    """`_keep` of all blocks with primitives, in the shape of the scores."""
    one, two = (bitwise_and(slice_(seed, key=(slice(i, i + 1),)), 0xFFFFFFFF) for i in (0, 1))
    *lead, length, source = scores.shape
    flat = reshape(scores, shape=(math.prod(lead), length, source))
    rounds = zip((_HEAD, _ROW, _COLUMN), (0, 1, 2), strict=True)
    head, row, column = (
        bitwise_and(mul(_places(flat, axis), prime), 0xFFFFFFFF) for prime, axis in rounds
    )
    head = reshape(_mixed(bitwise_xor(head, one)), shape=(head.shape[0], 1))
    row = _mixed(bitwise_xor(bitwise_xor(row, two), head))
    bits = _mixed(
        bitwise_xor(reshape(row, shape=(*row.shape, 1)), _mixed(bitwise_xor(column, one)))
    )
    kept = cast(ge(bits, _limit(drop)), dtype=raw_dtype(scores))
    return reshape(mul(kept, _growth(drop)), shape=tuple(scores.shape))


def _places(x: Any, axis: int) -> Any:
    """0, 1, 2 ... along an axis, as int64 (x.shape[axis],)."""
    key = tuple(slice(None) if i == axis else slice(0, 1) for i in range(len(x.shape)))
    line = reshape(slice_(x, key=key), shape=(x.shape[axis],)) if 0 not in x.shape else None
    if line is None:
        return cast(reshape(x, shape=(0,)), dtype=dtypes.INT64)
    ones = fill_like(cast(line, dtype=dtypes.INT64), value=1)
    return sub(cumsum(ones, axis=0), 1)


# The definition


def _masked_scores(
    q: Any, k: Any, rest: tuple[Any, ...], scale: float, causal: int | None, masked: bool
) -> Any:
    scores = matmul(mul(q, scale), transposed(k))
    if masked:
        mask = rest[0]
        scores = where(mask, scores, -_INF) if _hides(mask) else add(scores, mask)
    if causal is not None and 0 not in scores.shape:
        axes = len(scores.shape)
        rows = reshape(_places(scores, axes - 2), shape=(scores.shape[-2], 1))
        scores = where(ge(add(rows, causal), _places(scores, axes - 1)), scores, -_INF)
    return scores


def _decomp(
    q: Any, k: Any, v: Any, *rest: Any, scale: float, causal: int | None, masked: bool, drop: float
) -> tuple[Any, Any]:
    home = raw_dtype(q)
    q, k, v = (_widened(x) for x in (q, k, v))
    scores = _masked_scores(q, k, rest, scale, causal, masked)
    last = (len(scores.shape) - 1,)
    if not scores.shape[-1]:
        nothing = sum(scores, axes=last)
        return _narrowed(matmul(scores, v), home), add(nothing, _INF)
    blind = eq(amax(scores, axes=last, keepdim=True), -_INF)  # rows that may look nowhere
    open_ = where(blind, 0.0, scores)
    top = amax(open_, axes=last, keepdim=True)
    level = add(log(sum(exp(sub(open_, top)), axes=last, keepdim=True)), top)
    weights = where(blind, 0.0, exp(sub(open_, level)))
    if drop:
        weights = mul(weights, _all_kept(rest[-1], scores, drop))
    level = where(blind, _INF, level)
    level = reshape(level, shape=tuple(level.shape[:-1]))
    return _narrowed(matmul(weights, v), home), level


def _widened(x: Any) -> Any:
    wide = _wide(raw_dtype(x))
    return x if wide == raw_dtype(x) else cast(x, dtype=wide)


def _narrowed(x: Any, home: Any) -> Any:
    return x if raw_dtype(x) == home else cast(x, dtype=home)


# Blocks


def _flat(xp: Any, x: Any, dtype: Any) -> Any:
    """(n, rows, columns)."""
    return x.reshape(math.prod(x.shape[:-2]), *x.shape[-2:]).astype(dtype, copy=False)


def _cut(total: int, size: int) -> list[slice]:
    return [slice(a, min(a + size, total)) for a in range(0, total, max(size, 1))]


class _Blocks:
    """How (n, l, s) is cut, and the scores of one block."""

    def __init__(
        self, xp: Any, q: Any, k: Any, rest: tuple[Any, ...], causal: Any, masked: bool, drop: float
    ) -> None:
        self.xp, self.causal, self.drop = xp, causal, drop
        self.dtype = _wide(q.dtype)
        self.lead, self.length, self.source = q.shape[:-2], q.shape[-2], k.shape[-2]
        self.mask = rest[0] if masked else None
        self.seed = rest[-1] if drop else None
        if masked:
            self._flatten_mask(rest[0])
        columns = max(min(self.source, MOST_COLUMNS), 1)
        rows = max(min(self.length, MOST_ELEMENTS // columns), 1)
        self.heads = _cut(math.prod(self.lead), max(MOST_ELEMENTS // (rows * columns), 1))
        self.rows, self.columns = _cut(self.length, rows), _cut(self.source, columns)

    def _flatten_mask(self, mask: Any) -> None:
        """The mask as (m, l or 1, s or 1), and which m each of the n has."""
        xp, shape = self.xp, (*(1,) * (2 - mask.ndim), *mask.shape)
        self.mask = mask.reshape(math.prod(shape[:-2]), *shape[-2:])
        numbers = xp.arange(self.mask.shape[0]).reshape(shape[:-2])
        self.mask_of = xp.broadcast_to(numbers, self.lead).ravel().tolist()
        self.by_row, self.by_column = shape[-2] > 1, shape[-1] > 1

    def tiles(self) -> Iterator[tuple[slice, slice]]:
        """(heads, rows)."""
        return ((h, r) for h in self.heads for r in self.rows)

    def seen(self, rows: slice) -> list[slice]:
        """The columns that one of the rows may look at."""
        if self.causal is None:
            return self.columns
        return [c for c in self.columns if c.start <= rows.stop - 1 + self.causal]

    def place(self, rows: slice, cols: slice) -> tuple[slice, slice]:
        """Where a block is in the mask."""
        whole = slice(None)
        return rows if self.by_row else whole, cols if self.by_column else whole

    def scores(self, q: Any, k: Any, heads: slice, rows: slice, cols: slice) -> Any:
        """Of a block of scaled queries (h, r, e), under the masks."""
        xp = self.xp
        scores = xp.matmul(q, xp.swapaxes(k[heads, cols], 1, 2))
        if self.mask is not None:
            place = self.place(rows, cols)
            shared = self.mask.shape[0] == 1
            part = self.mask[(slice(0, 1) if shared else self.mask_of[heads], *place)]
            if part.dtype.kind == "b":
                scores = xp.where(part, scores, scores.dtype.type(-_INF))
            else:
                scores += part.astype(self.dtype, copy=False)
        if self.causal is not None and cols.stop - 1 > rows.start + self.causal:
            limit = xp.arange(rows.start, rows.stop)[:, None] + self.causal
            late = limit < xp.arange(cols.start, cols.stop)
            scores = xp.where(late, scores.dtype.type(-_INF), scores)
        return scores

    def keep(self, heads: slice, rows: slice, cols: slice) -> Any:
        """The factors of the weights of a block: 0, or what makes up for the zeros."""
        kept = _keep(self.xp, self.seed, heads, rows, cols, self.drop)
        return kept * self.dtype.type(_growth(self.drop))


def _impl(
    xp: Any,
    q: Any,
    k: Any,
    v: Any,
    *rest: Any,
    scale: float,
    causal: int | None,
    masked: bool,
    drop: float,
) -> tuple[Any, Any]:
    blocks = _Blocks(xp, q, k, rest, causal, masked, drop)
    made, home = blocks.dtype, q.dtype
    shape = (*q.shape[:-1], v.shape[-1])
    q, k, v = (_flat(xp, x, made) for x in (q, k, v))
    out, level = xp.empty((*q.shape[:2], v.shape[-1]), made), xp.empty(q.shape[:2], made)
    for heads, rows in blocks.tiles():
        part = q[heads, rows] * made.type(scale)
        out[heads, rows], level[heads, rows] = _attend(blocks, part, k, v, heads, rows)
    return out.reshape(shape).astype(home, copy=False), level.reshape(shape[:-1])


def _attend(blocks: _Blocks, q: Any, k: Any, v: Any, heads: slice, rows: slice) -> tuple[Any, Any]:
    """Some scaled queries over all keys, with the running maximum and sum of each query."""
    xp = blocks.xp
    top = xp.full((*q.shape[:2], 1), -_INF, q.dtype)
    total, out = xp.zeros_like(top), xp.zeros((*q.shape[:2], v.shape[-1]), q.dtype)
    safe = xp.zeros_like(top)
    for number, cols in enumerate(blocks.seen(rows)):
        scores = blocks.scores(q, k, heads, rows, cols)
        highest = xp.maximum(top, scores.max(axis=-1, keepdims=True))
        safe = xp.where(highest == -_INF, q.dtype.type(0), highest)
        scores -= safe
        xp.exp(scores, out=scores)
        if number:
            decay = xp.exp(top - safe)
            total *= decay
            out *= decay
        total += scores.sum(axis=-1, keepdims=True)
        if blocks.drop:
            scores *= blocks.keep(heads, rows, cols)
        out += xp.matmul(scores, v[heads, cols])
        top = highest
    blind = total == 0
    out /= xp.where(blind, q.dtype.type(1), total)
    level = xp.where(blind, q.dtype.type(_INF), xp.log(total) + safe)
    return out, level[..., 0]


# Backward


def _vjp(
    g: Any, xs: Any, y: Any, *, scale: float, causal: int | None, masked: bool, drop: float
) -> list[Any]:
    # What is to be differentiated again holds all scores once; else blocks.
    backward = _grad_decomp if state.grad else attention_grad
    params: Any = {"scale": scale, "causal": causal, "masked": masked, "drop": drop}
    *grads, of_mask = backward(*g, *xs[:3], *y, *xs[3:], **params)
    if masked:
        grads.append(None if _hides(xs[3]) else of_mask)
    return [*grads, None] if drop else grads


def _hides(mask: Any) -> bool:
    return raw_dtype(mask).kind == "b"


def _grad_decomp(
    g: Any,
    h: Any,
    q: Any,
    k: Any,
    v: Any,
    out: Any,
    level: Any,
    *rest: Any,
    scale: float,
    causal: int | None,
    masked: bool,
    drop: float,
) -> tuple[Any, Any, Any, Any]:
    homes = [raw_dtype(x) for x in (q, k, v)]
    g, q, k, v, out = (_widened(x) for x in (g, q, k, v, out))
    scores = _masked_scores(q, k, rest, scale, causal, masked)
    column = (*level.shape, 1)
    weights = exp(sub(scores, reshape(level, shape=column)))
    of_weights, used = matmul(g, transposed(v)), weights
    if drop:
        kept = _all_kept(rest[-1], scores, drop)
        of_weights, used = mul(of_weights, kept), mul(weights, kept)
    last = (len(scores.shape) - 1,)
    tilt = sub(sum(mul(g, out), axes=last, keepdim=True), reshape(h, shape=column))
    of_scores = mul(weights, sub(of_weights, tilt))
    of_q = mul(matmul(of_scores, k), scale)
    of_k = mul(matmul(transposed(of_scores), q), scale)
    of_mask = sum_to(of_scores, tuple(rest[0].shape)) if masked and not _hides(rest[0]) else None
    if of_mask is None:
        of_mask = fill_like(sum(level, axes=tuple(range(len(level.shape)))), value=0)
    grads = (of_q, of_k, matmul(transposed(used), g))
    return (*(_narrowed(x, home) for x, home in zip(grads, homes, strict=True)), of_mask)


def _grad_aval(
    g: Any, h: Any, q: Any, k: Any, v: Any, out: Any, level: Any, *rest: Any, **params: Any
) -> tuple[Aval, ...]:
    added = params["masked"] and not _hides(rest[0])
    last = Aval(rest[0].shape, rest[0].dtype) if added else Aval((), level.dtype)
    return (*(Aval(x.shape, x.dtype) for x in (q, k, v)), last)


def _grad_impl(
    xp: Any,
    g: Any,
    h: Any,
    q: Any,
    k: Any,
    v: Any,
    out: Any,
    level: Any,
    *rest: Any,
    scale: float,
    causal: int | None,
    masked: bool,
    drop: float,
) -> tuple[Any, ...]:
    blocks = _Blocks(xp, q, k, rest, causal, masked, drop)
    made, homes, shapes = blocks.dtype, (q.dtype, k.dtype, v.dtype), (q.shape, k.shape, v.shape)
    tilt = (g.astype(made) * out).sum(axis=-1, keepdims=True) - h[..., None]
    g, q, k, v, tilt, level = (_flat(xp, x, made) for x in (g, q, k, v, tilt, level[..., None]))
    grads = [xp.zeros(x.shape, made) for x in (q, k, v)]
    added = masked and not _hides(rest[0])
    of_mask = xp.zeros_like(blocks.mask, made) if added else None
    for heads, rows in blocks.tiles():
        tile = [x[heads, rows] for x in (g, tilt, level)]
        part = q[heads, rows] * made.type(scale)
        for cols in blocks.seen(rows):
            weights = blocks.scores(part, k, heads, rows, cols)
            weights -= tile[2]
            xp.exp(weights, out=weights)
            of_scores = xp.matmul(tile[0], xp.swapaxes(v[heads, cols], 1, 2))
            kept = blocks.keep(heads, rows, cols) if drop else None
            if kept is not None:
                of_scores *= kept
            of_scores -= tile[1]
            of_scores *= weights
            if kept is not None:
                weights *= kept
            grads[2][heads, cols] += xp.matmul(xp.swapaxes(weights, 1, 2), tile[0])
            grads[1][heads, cols] += xp.matmul(xp.swapaxes(of_scores, 1, 2), part)
            grads[0][heads, rows] += xp.matmul(of_scores, k[heads, cols])
            if of_mask is not None:
                _collect(blocks, of_mask, of_scores, heads, rows, cols)
    grads[0] *= made.type(scale)
    of_mask = xp.zeros((), made) if of_mask is None else of_mask
    found = [
        x.reshape(shape).astype(home, copy=False)
        for x, shape, home in zip(grads, shapes, homes, strict=True)
    ]
    like = rest[0] if added else level[..., 0]
    return (*found, of_mask.reshape(like.shape if added else ()).astype(like.dtype, copy=False))


def _collect(
    blocks: _Blocks, of_mask: Any, of_scores: Any, heads: slice, rows: slice, cols: slice
) -> None:
    """Add the gradient of a block of scores to that of the mask."""
    place = blocks.place(rows, cols)
    axes = (0,) * (not blocks.by_row) + (1,) * (not blocks.by_column)
    if of_mask.shape[0] == 1:
        of_scores = of_scores.sum(axis=0, keepdims=True)
    for number, part in zip(blocks.mask_of[heads], of_scores, strict=False):
        of_mask[(number, *place)] += part.sum(axis=axes, keepdims=True) if axes else part


def _grad_vjp(
    g: Any, xs: Any, *, scale: float, causal: int | None, masked: bool, drop: float
) -> list[Any]:
    params: Any = {"scale": scale, "causal": causal, "masked": masked, "drop": drop}
    return pulled_back(functools.partial(_grad_decomp, **params), xs, g)


attention_grad = composite(
    "attention_grad",
    _grad_decomp,
    _grad_impl,
    _grad_vjp,
    aval=_grad_aval,
    outputs=4,
    amp="low",
    vmap=batching_native.attention_grad,
    names=NA("gradients have no names"),
)
"""The gradients of query, key, value and an added mask (else a number without meaning)."""
attention = composite(
    "attention",
    _decomp,
    _impl,
    _vjp,
    aval=_aval,
    outputs=2,
    amp="low",
    vmap=batching_native.attention,
    names=naming.axes("attention", "le,se,sf->lf,l"),
)
"""query (..., l, e), key (..., s, e), value (..., s, e'); if `masked` a mask that broadcasts to
(..., l, s), boolean (False hides) or added; if `drop`, a seed of two int64. Gives (..., l, e') and
the logarithms (..., l) of the sums over all keys. Row i sees keys up to i + `causal`, if given."""
