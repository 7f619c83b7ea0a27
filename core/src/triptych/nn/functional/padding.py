"""Padding."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import ShapeError
from ...prims import movement as mv
from ...tensor import Tensor

__all__ = ["pad"]


def pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Tensor:
    """A tensor widened (or, with negative widths, narrowed) at the ends of its last axes.

    Args:
        input: any shape.
        pad: (before, after) of the last axis, then of the one before it, and so on, in one flat
            sequence.
        mode: what goes there: "constant", "reflect" (mirrored without the edge), "replicate" (the
            edge) or "circular" (the other end).
        value: of the constant; default 0.

    Raises:
        ShapeError: the widths are odd in number or too many, or too wide for the mode.

    Example:
        >>> pad(tensor([[1, 2, 3]]), (2, 1), mode="reflect").tolist()
        [[3, 2, 1, 2, 3, 2]]
    """
    widths = _widths(input, pad)
    if mode == "constant":
        return _constant(input, widths, 0 if value is None else value)
    if mode not in _BORDERS:
        raise ShapeError(f"pad: mode is one of {['constant', *_BORDERS]}, got {mode!r}")
    if value:
        raise ShapeError(f"pad: a value goes with mode 'constant', not {mode!r}")
    for axis, (lo, hi) in enumerate(widths):
        if lo or hi:
            input = _bordered(input, axis, lo, hi, mode)
    return input


def _bordered(x: Tensor, axis: int, lo: int, hi: int, mode: str) -> Tensor:
    """One axis widened, where widths are positive, and narrowed where they are not.

    As in torch, what is cut off may still be mirrored or repeated at the other end, but does not
    come round to it.
    """
    grow = _BORDERS[mode]
    more, less = (max(lo, 0), max(hi, 0)), (min(lo, 0), min(hi, 0))
    if mode == "circular":
        return grow(_cropped(x, axis, *less), axis, *more)
    return _cropped(grow(x, axis, *more), axis, *less)


def _widths(input: Tensor, pad: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """(before, after) of every axis, first axis first."""
    flat = [int(p) for p in pad]
    if len(flat) % 2 or len(flat) > 2 * input.ndim:
        raise ShapeError(
            f"pad: wanted pairs (before, after) for at most {input.ndim} axes of "
            f"{tuple(input.shape)}, last axis first, got {tuple(flat)}"
        )
    pairs = [(flat[i], flat[i + 1]) for i in range(0, len(flat), 2)]
    return ((0, 0),) * (input.ndim - len(pairs)) + tuple(reversed(pairs))


def _part(x: Tensor, axis: int, start: int, stop: int) -> Tensor:
    return mv.slice_(x, key=(*[slice(None)] * axis, slice(start, stop)))


def _cropped(x: Tensor, axis: int, lo: int, hi: int) -> Tensor:
    length = x.shape[axis]
    if lo >= 0 and hi >= 0:
        return x
    start, stop = max(-lo, 0), length - max(-hi, 0)
    if stop < start:
        raise ShapeError(
            f"pad: widths ({lo}, {hi}) take more than axis {axis} of {tuple(x.shape)} has"
        )
    return _part(x, axis, start, stop)


def _constant(x: Tensor, widths: tuple[tuple[int, int], ...], value: float) -> Tensor:
    for axis, (lo, hi) in enumerate(widths):
        x = _cropped(x, axis, lo, hi)
    grown = tuple((max(lo, 0), max(hi, 0)) for lo, hi in widths)
    if not any(lo or hi for lo, hi in grown):
        return mv.copy(x)
    return mv.pad(x, widths=grown, value=value)


def _joined(parts: list[Tensor], axis: int) -> Tensor:
    full = [p for p in parts if p.shape[axis]]
    return mv.concat(*full, axis=axis) if len(full) > 1 else (full or parts)[0]


def _reflect(x: Tensor, axis: int, lo: int, hi: int) -> Tensor:
    length = x.shape[axis]
    if max(lo, hi) >= length:
        raise ShapeError(
            f"pad: reflect wants widths below the length {length} of axis {axis}, got ({lo}, {hi})"
        )
    before = mv.flip(_part(x, axis, 1, lo + 1), axes=(axis,))
    after = mv.flip(_part(x, axis, length - 1 - hi, length - 1), axes=(axis,))
    return _joined([before, x, after], axis)


def _replicate(x: Tensor, axis: int, lo: int, hi: int) -> Tensor:
    length = x.shape[axis]
    if not length:
        raise ShapeError(
            f"pad: axis {axis} of {tuple(x.shape)} is empty, there is no edge to repeat"
        )

    def edge(start: int, count: int) -> Tensor:
        shape = tuple(count if i == axis else n for i, n in enumerate(x.shape))
        return mv.expand(_part(x, axis, start, start + 1), shape=shape)

    return _joined([edge(0, lo), x, edge(length - 1, hi)], axis)


def _circular(x: Tensor, axis: int, lo: int, hi: int) -> Tensor:
    length = x.shape[axis]
    if max(lo, hi) > length:
        raise ShapeError(
            f"pad: circular wants widths up to the length {length} of axis {axis}, got ({lo}, {hi})"
        )
    return _joined([_part(x, axis, length - lo, length), x, _part(x, axis, 0, hi)], axis)


_BORDERS = {"circular": _circular, "reflect": _reflect, "replicate": _replicate}
