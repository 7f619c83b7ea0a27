"""The best path through a table: alignment of two sequences, and of states to observations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["dtw", "viterbi"]

STEPS = ((1, 1), (0, 1), (1, 0))


def _distances(x: Tensor, y: Tensor) -> np.ndarray:
    """(n, m) Euclidean, between columns."""
    if x.ndim < 2 or x.shape[:-1] != y.shape[:-1]:
        raise ShapeError(
            "dtw: wanted features (..., k, n) and (..., k, m), got "
            f"{tuple(x.shape)} and {tuple(y.shape)}; a single row is (1, n)"
        )
    a, b = (v.detach().cpu().numpy().reshape(-1, v.shape[-1]).astype(np.float64) for v in (x, y))
    square = (a * a).sum(0)[:, None] + (b * b).sum(0) - 2 * (a.T @ b)
    return np.asarray(np.sqrt(np.maximum(square, 0)))


def _accumulated(
    cost: np.ndarray, steps: Sequence[tuple[int, int]], subseq: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Least sums up to each cell and the step taken there, one anti-diagonal at a time."""
    n, m = cost.shape
    down, right = (max(s[axis] for s in steps) for axis in (0, 1))
    width = m + right
    total = np.full((n + down, width), np.inf)
    total[down, right] = cost[0, 0]
    if subseq:
        total[down, right:] = cost[0]
    taken = np.full((n, m), -1, np.int32)
    flat = total.reshape(-1)
    for diagonal in range(n + m - 1):
        rows = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        columns = diagonal - rows
        at = (rows + down) * width + columns + right
        before = flat[at[None] - np.array([a * width + b for a, b in steps])[:, None]]
        sums = before + cost[rows, columns]
        best = sums.argmin(0)
        least = np.take_along_axis(sums, best[None], 0)[0]
        better = least < flat[at]
        flat[at] = np.where(better, least, flat[at])
        taken[rows, columns] = np.where(better, best, -1)
    return total[down:, right:], taken


def _path(
    taken: np.ndarray, steps: Sequence[tuple[int, int]], end: int, subseq: bool
) -> np.ndarray:
    """(length, 2) cells from the last to the first."""
    i, j = len(taken) - 1, end
    path = [(i, j)]
    while taken[i, j] >= 0 and (i > 0 or not subseq):
        di, dj = steps[taken[i, j]]
        i, j = i - di, j - dj
        path.append((i, j))
    return np.array(path)


@same_kind
def dtw(
    x: Tensor | None = None,
    y: Tensor | None = None,
    *,
    cost: Tensor | None = None,
    steps: Sequence[tuple[int, int]] = STEPS,
    subseq: bool = False,
) -> tuple[Tensor, Tensor]:
    """Dynamic time warping: which columns of two sequences belong together.

    Args:
        x: (..., k, n) features.
        y: (..., k, m) features.
        cost: (n, m) distances instead of x and y.
        steps: pairs of how far a step goes in x and in y.
        subseq: let x match any part of y.

    Returns:
        The least sums of distances up to each cell, (n, m) float64, and the path, (length, 2)
        int64, from the last cell to the first.

    Raises:
        ShapeError: features do not match, or the steps lead to no path.
        DomainError: distances are NaN, or a step does not go forward.

    Example:
        >>> total, path = dtw(cost=tp.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]]))
        >>> total[-1, -1].item(), path.tolist()
        (1.0, [[1, 2], [1, 1], [0, 0]])

    Source: Mueller 2007, chapter 4; arguments and order of steps as librosa.sequence.dtw.
    """
    if any(a < 0 or b < 0 or a + b < 1 for a, b in steps):
        raise DomainError(f"dtw: a step goes forward in x or y and never back, got {list(steps)}")
    if (cost is None) == (x is None or y is None):
        raise ShapeError("dtw: wanted either x and y, or cost")
    if cost is not None:
        table = cost.detach().cpu().numpy().astype(np.float64)
    elif x is not None and y is not None:
        table = _distances(x, y)
    if np.isnan(table).any():
        raise DomainError("dtw: distances contain NaN")
    total, taken = _accumulated(table, steps, subseq)
    end = int(total[-1].argmin()) if subseq else total.shape[1] - 1
    path = _path(taken, steps, end, subseq)
    arrived = path[-1, 0] == 0 and (subseq or path[-1, 1] == 0)
    if not arrived or not np.isfinite(total[-1, end]):
        raise ShapeError(
            f"dtw: steps {list(steps)} lead to no path through {table.shape}; try subseq=True or "
            "more steps"
        )
    return tp.as_tensor(total), tp.as_tensor(path)


def _predecessors(transition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n, k) states that each state can come from, and the logarithm of how likely that is.

    Where k is small, this is much faster than the whole table.
    """
    tiny = np.finfo(np.float64).tiny
    counts = (transition > 0).sum(axis=0)
    most = max(int(counts.max()), 1)
    order = np.argsort(-(transition > 0).astype(np.int8), axis=0, kind="stable")[:most].T
    return order, np.log(np.take_along_axis(transition.T, order, 1) + tiny)


def _best_states(levels: np.ndarray, start: np.ndarray, transition: np.ndarray) -> np.ndarray:
    """(t,) states of the likeliest path; `levels` is (t, n) in logarithms."""
    frames, n = levels.shape
    sources, steps = _predecessors(transition)
    impossible = np.log(np.finfo(np.float64).tiny)
    everyone = np.arange(n)
    back = np.empty((frames, n), np.int32)
    value = levels[0] + start
    for t in range(1, frames):
        arriving = value[sources] + steps
        best = arriving.argmax(1)
        reached, back[t] = arriving[everyone, best], sources[everyone, best]
        top = int(value.argmax())  # the best state of all, against the odds
        leap = value[top] + impossible
        back[t, reached < leap] = top
        value = np.maximum(reached, leap) + levels[t]
    states = np.empty(frames, np.int64)
    states[-1] = value.argmax()
    for t in range(frames - 1, 0, -1):
        states[t - 1] = back[t, states[t]]
    return states


@same_kind
def viterbi(prob: Tensor, transition: Tensor, p_init: Tensor | None = None) -> Tensor:
    """The likeliest sequence of hidden states.

    Args:
        prob: (..., n, frames) how likely each state makes the observation, from 0 to 1.
        transition: (n, n) how likely a state, row, is followed by another, column.
        p_init: (n,) how likely each state is at first; default all alike.

    Returns:
        (..., frames) int64 states.

    Raises:
        ShapeError: shapes do not match.
        DomainError: numbers are not probabilities, or rows do not sum to one.

    Example:
        >>> stay = tp.tensor([[0.9, 0.1], [0.1, 0.9]])
        >>> viterbi(tp.tensor([[0.9, 0.4, 0.9], [0.1, 0.6, 0.1]]), stay).tolist()
        [0, 0, 0]

    Source: Viterbi 1967; Rabiner 1989, eq. 32.
    """
    p, change = (v.detach().cpu().numpy().astype(np.float64) for v in (prob, transition))
    n, frames = p.shape[-2:]
    first = np.full(n, 1 / n) if p_init is None else p_init.detach().cpu().numpy().astype("f8")
    if change.shape != (n, n) or first.shape != (n,):
        raise ShapeError(
            f"viterbi: {n} states need a transition of {(n, n)} and p_init of {(n,)}, got "
            f"{change.shape} and {first.shape}"
        )
    sums = np.append(change.sum(1), first.sum())
    low, high = min(p.min(), change.min(), first.min()), p.max()
    if low < 0 or high > 1 or not np.allclose(sums, 1, atol=1e-5):
        raise DomainError(
            "viterbi: wanted probabilities from 0 to 1, and each row of transition and p_init to "
            f"sum to 1; got values from {low} to {high} and sums from {sums.min()} to {sums.max()}"
        )
    tiny = np.finfo(np.float64).tiny
    levels = np.log(p + tiny).reshape(-1, n, frames).transpose(0, 2, 1)
    start = np.log(first + tiny)
    states = np.stack([_best_states(row, start, change) for row in levels])
    return tp.as_tensor(states.reshape(*p.shape[:-2], frames), device=prob.device)
