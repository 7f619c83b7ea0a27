"""Connectionist temporal classification: the sum over all alignments, and its gradient.

An alignment walks a path of 2 s + 1 places: a blank before, between and after the labels. Forward
sums the ways to each place step by step; backward sums the ways from it to the end as well, so that
the gradient needs the log probabilities alone.

Letters: t time, n batch, c classes, s labels, p = 2 s + 1 places.

Source: Graves et al. 2006, section 4.1.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..avals import Aval
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor, raw_dtype
from .composite import composite, pulled_back
from .elementwise import (
    add,
    cast,
    eq,
    exp,
    fill_like,
    gt,
    isfinite,
    log,
    logical_and,
    logical_or,
    lt,
    maximum,
    mul,
    ne,
    neg,
    sub,
    where,
)
from .index import gather, scatter
from .movement import concat, pad, reshape, slice_
from .reduce import amax, cumsum
from .reduce import sum as total
from .table import NA

# Stands for log 0: finite, so that differences of two of them are no NaN.
NEVER = -1e30

_INF = float("inf")
NO_NAMES = NA("the steps of an alignment have no names")


def _aval(x: Any, labels: Any, used: Any, spans: Any, *, blank: int, logits: bool) -> Aval:
    if x.dtype.kind != "f" and not dtypes.is_floating(x.dtype):
        raise DTypeError(f"ctc: wanted floating log probabilities, got {x.dtype}")
    fits = x.ndim == 3 and labels.ndim == 2 and labels.shape[0] == x.shape[1]
    if not fits or used.shape != (x.shape[1],) or spans.shape != used.shape:
        raise ShapeError(
            "ctc: wanted log probabilities (t, n, c), labels (n, s) and two lengths (n,), got "
            f"{tuple(x.shape)}, {tuple(labels.shape)}, {tuple(used.shape)}, {tuple(spans.shape)}"
        )
    return Aval(used.shape, x.dtype)


# Pieces, for tensors and raw arrays alike


def _at(x: Any, step: int) -> Any:
    return slice_(x, key=(step,))


def _columns(x: Any, start: int, stop: int) -> Any:
    return slice_(x, key=(slice(None), slice(start, stop)))


def _column(x: Any) -> Any:
    """(n,) as (n, 1)."""
    return reshape(x, shape=(x.shape[0], 1))


def _stacked(rows: list[Any]) -> Any:
    return concat(*[reshape(r, shape=(1, *r.shape)) for r in rows], axis=0)


def _numbers(x: Any, axis: int) -> Any:
    """0, 1, 2 ... in the shape of x along an axis, int64."""
    return sub(cumsum(fill_like(cast(x, dtype=dtypes.INT64), value=1), axis=axis), 1)


def _log_sum(*parts: Any) -> Any:
    """The logarithm of the sum of what the parts are logarithms of."""
    top = parts[0]
    for part in parts[1:]:
        top = maximum(top, part)
    top = _still(top)
    shares = [exp(sub(part, top)) for part in parts]
    for share in shares[1:]:
        shares[0] = add(shares[0], share)
    return add(log(shares[0]), top)


def _still(x: Any) -> Any:
    """Without a gradient."""
    return x.detach() if isinstance(x, Tensor) else x


class _Lattice:
    """Log probabilities of the places of the paths, and the steps that an alignment may take."""

    def __init__(self, x: Any, labels: Any, used: Any, spans: Any, blank: int) -> None:
        self.steps, self.count = x.shape[:2]
        self.used, self.last = _column(used), _column(mul(spans, 2))
        self.path = _with_blanks(labels, blank)  # (n, p)
        self.width = self.path.shape[1]
        self.places = _numbers(self.path, 1)
        self.dtype = raw_dtype(x)
        self.wide = add(
            reshape(self.path, shape=(1, self.count, self.width)),
            mul(_numbers(_steps(x), 0), 0),
        )  # (t, n, p)
        self.scores = maximum(gather(x, self.wide, axis=2), NEVER)
        # A label may be reached from the label before it, without a blank, if they differ.
        before = _columns(pad(self.path, widths=((0, 0), (2, 0)), value=blank), 0, self.width)
        open_ = logical_and(ne(self.path, blank), ne(self.path, before))
        self.jump = self._never_unless(open_)
        end = logical_or(eq(self.places, self.last), eq(self.places, sub(self.last, 1)))
        self.end = self._never_unless(end)

    def _never_unless(self, condition: Any) -> Any:
        """0 where it holds, else log 0."""
        return mul(sub(cast(condition, dtype=self.dtype), 1), -NEVER)

    def shifted(self, x: Any, count: int) -> Any:
        """Places moved up by `count`, or down where it is negative."""
        if count > 0:
            return _columns(pad(x, widths=((0, 0), (count, 0)), value=NEVER), 0, self.width)
        moved = pad(x, widths=((0, 0), (0, -count)), value=NEVER)
        return _columns(moved, -count, self.width - count)

    def alphas(self) -> list[Any]:
        """(n, p) for each step: all ways to a place, after the step; of a sample that is over, the
        last ones."""
        start = self._never_unless(lt(self.places, 2))
        rows = [maximum(add(_at(self.scores, 0), start), NEVER)]
        for t in range(1, self.steps):
            alpha = rows[-1]
            ways = alpha, self.shifted(alpha, 1), add(self.shifted(alpha, 2), self.jump)
            after = maximum(add(_log_sum(*ways), _at(self.scores, t)), NEVER)
            rows.append(where(gt(self.used, t), after, alpha))
        return rows

    def betas(self) -> list[Any]:
        """(n, p) for each step: all ways from a place to the end, after the step."""
        rows = [self.end]
        for t in reversed(range(1, self.steps)):
            ahead = add(rows[-1], _at(self.scores, t))
            jumped = self.shifted(add(ahead, self.jump), -2)
            before = maximum(_log_sum(ahead, self.shifted(ahead, -1), jumped), NEVER)
            rows.append(where(gt(self.used, t), before, self.end))
        return rows[::-1]

    def losses(self, alpha: Any) -> Any:
        """(n, 1) from the last of `alphas`; infinite where there is no alignment."""
        ends = add(alpha, self.end)
        top = _still(amax(ends, axes=(1,), keepdim=True))
        loss = neg(add(log(total(exp(sub(ends, top)), axes=(1,), keepdim=True)), top))
        loss = where(gt(loss, -NEVER / 2), _INF, loss)
        # Without any steps there is one alignment, of no labels.
        without = _without_steps(loss, self.last)
        return where(gt(self.used, 0), loss, without)


def _steps(x: Any) -> Any:
    """(t, 1, 1) of (t, n, c)."""
    return slice_(x, key=(slice(None), slice(0, 1), slice(0, 1)))


def _with_blanks(labels: Any, blank: int) -> Any:
    """(n, s) to (n, 2 s + 1)."""
    count, length = labels.shape
    spaced = reshape(labels, shape=(count, length, 1))
    pairs = pad(spaced, widths=((0, 0), (0, 0), (1, 0)), value=blank)
    flat = reshape(pairs, shape=(count, 2 * length))
    return pad(flat, widths=((0, 0), (0, 1)), value=blank)


def _without_steps(x: Any, spans: Any) -> Any:
    """The losses of samples of no steps at all, of the dtype of x and the shape of spans."""
    nothing = fill_like(cast(spans, dtype=raw_dtype(x)), value=0)
    return where(eq(spans, 0), nothing, _INF)


def _widened(x: Any) -> Any:
    return cast(x, dtype=dtypes.float32.dtype) if raw_dtype(x).itemsize == 2 else x


def _counted(x: Any, used: Any) -> Any:
    """(t, n, 1), True at the steps that count."""
    return lt(_numbers(_steps(x), 0), reshape(used, shape=(1, used.shape[0], 1)))


def _decomp(x: Any, labels: Any, used: Any, spans: Any, *, blank: int, logits: bool) -> Any:
    home, x = raw_dtype(x), _widened(x)
    if 0 in x.shape[:2]:
        return cast(_without_steps(x, spans), dtype=home)
    lattice = _Lattice(x, labels, used, spans, blank)
    loss = reshape(lattice.losses(lattice.alphas()[-1]), shape=(x.shape[1],))
    if logits:  # nothing with the gradient exp(x), for the losses that are finite
        p = exp(x)
        flat = where(_counted(x, used), sub(p, _still(p)), 0.0)
        loss = where(isfinite(loss), add(loss, total(flat, axes=(0, 2))), loss)
    return cast(loss, dtype=home)


def _vjp(g: Any, a: Any, b: Any, c: Any, d: Any, *, blank: int, logits: bool) -> list[Any]:
    return [ctc_grad(g, a, b, c, d, blank=blank, logits=logits), None, None, None]


def _grad_decomp(
    g: Any, x: Any, labels: Any, used: Any, spans: Any, *, blank: int, logits: bool
) -> Any:
    home, x, g = raw_dtype(x), _widened(x), _widened(g)
    if 0 in x.shape[:2]:
        return cast(fill_like(x, value=0), dtype=home)
    lattice = _Lattice(x, labels, used, spans, blank)
    alphas, betas = lattice.alphas(), lattice.betas()
    loss = lattice.losses(alphas[-1])
    possible = isfinite(loss)
    known = where(possible, loss, 0.0)
    ways = add(_stacked(alphas), add(_stacked(betas), known))
    ways = where(logical_and(possible, _counted(x, used)), ways, NEVER)
    slope = reshape(g, shape=(1, lattice.count, 1))
    of_scores = neg(mul(exp(ways), slope))
    nothing = fill_like(x, value=0)
    of_x = scatter(nothing, lattice.wide, of_scores, axis=2, accumulate=True)
    if logits:
        own = where(logical_and(possible, _counted(x, used)), mul(exp(x), slope), 0.0)
        of_x = add(of_x, own)
    return cast(of_x, dtype=home)


def _grad_vjp(g: Any, xs: Any, *, blank: int, logits: bool) -> list[Any]:
    def again(of_loss: Any, x: Any) -> tuple[Any]:
        return (_grad_decomp(of_loss, x, *xs[2:], blank=blank, logits=logits),)

    return [*pulled_back(again, xs[:2], (g,)), None, None, None]


ctc = composite(
    "ctc",
    _decomp,
    lambda xp, *xs, blank, logits: _decomp(*xs, blank=blank, logits=logits),
    _vjp,
    aval=_aval,
    names=NO_NAMES,
    amp="single",
)
"""x (t, n, c) log probabilities, labels (n, s), used (n,) steps and spans (n,) labels that count,
all int64, to (n,) negative log likelihoods; infinite without an alignment, and then without a
gradient. With `logits` the gradient is that of the numbers before a log_softmax: exp(x) more, which
changes nothing below one."""
ctc_grad = composite(
    "ctc_grad",
    _grad_decomp,
    lambda xp, *xs, blank, logits: _grad_decomp(*xs, blank=blank, logits=logits),
    _grad_vjp,
    aval=lambda g, x, *xs, blank, logits: Aval(x.shape, x.dtype),
    names=NO_NAMES,
    amp="single",
)
"""The gradient of x from that of the losses."""
