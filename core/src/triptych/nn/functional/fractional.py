"""Max pooling over windows whose starts are drawn at random."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ... import dtypes
from ...errors import ShapeError
from ...ops.creation import cast_to
from ...prims import create
from ...prims import elementwise as ew
from ...prims import index as ix
from ...prims import movement as mv
from ...prims import reduce as rd
from ...random import default_generator
from ...tensor import Tensor
from .arguments import Ints, batched, per_axis

__all__ = [
    "fractional_max_pool2d",
    "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices",
]

Size = int | Sequence[int]


def _lengths(name: str, space: Ints, size: Ints, wanted: Any, ratio: Any) -> Ints:
    """The output's lengths, from themselves or their ratio to the input's."""
    if (wanted is None) == (ratio is None):
        raise ShapeError(f"{name}: give output_size or output_ratio, and not both")
    if wanted is not None:
        out = per_axis(name, "output_size", wanted, len(space), 1)
    else:
        ratios = ratio if isinstance(ratio, (tuple, list)) else (ratio,) * len(space)
        if len(ratios) != len(space) or not all(0 < r < 1 for r in ratios):
            raise ShapeError(f"{name}: output_ratio wants numbers between 0 and 1, got {ratio}")
        out = tuple(int(n * r) for n, r in zip(space, ratios, strict=True))
    if any(o + k - 1 > n for o, k, n in zip(out, size, space, strict=True)):
        raise ShapeError(
            f"{name}: {out} windows of {size} do not fit {space}; wanted output + kernel - 1 to be "
            "at most the input"
        )
    return out


def _starts(draws: Tensor, n: int, size: int, out: int) -> Tensor:
    """(lead..., out) where the windows of an axis start, for draws (lead...).

    Source: Graham 2014, section 2, the pseudo-random sequences.
    """
    device = draws.device
    last = create.full(shape=(1,), dtype=dtypes.INT64, device=device, value=n - size)
    last = mv.expand(last, shape=(*draws.shape, 1))
    if out == 1:
        return last
    alpha = (n - size) / (out - 1)
    u = mv.reshape(draws, shape=(*draws.shape, 1))
    steps = create.arange(shape=(out - 1,), dtype=u._data.dtype, device=device, start=0, step=1)
    places = ew.sub(ew.floor(ew.mul(ew.add(steps, u), alpha)), ew.floor(ew.mul(u, alpha)))
    return mv.concat(cast_to(places, dtypes.INT64), last, axis=draws.ndim)


def _pool(
    name: str, dims: int, input: Tensor, kernel_size: Size, wanted: Any, ratio: Any, draws: Any
) -> tuple[Tensor, Tensor]:
    size = per_axis(name, "kernel_size", kernel_size, dims, 1)

    def call(x: Tensor) -> tuple[Tensor, Tensor]:
        space, lead = tuple(x.shape[2:]), tuple(x.shape[:2])
        out = _lengths(name, space, size, wanted, ratio)
        samples = _drawn(name, draws, (*lead, dims), x)
        places: Any = 0
        # torch draws for width first in images, and for depth first in volumes.
        order = (1, 0) if dims == 2 else range(dims)
        for axis, draw in enumerate(order):
            key = (slice(None), slice(None), draw)
            starts = _starts(mv.slice_(samples, key=key), space[axis], size[axis], out[axis])
            along = _window(starts, size[axis], axis, dims)
            places = ew.add(ew.mul(places, space[axis]), along)
        return _largest(x, places, out, size)

    return batched(name, input, dims, call)


def _drawn(name: str, draws: Any, shape: Ints, x: Tensor) -> Tensor:
    if draws is None:
        kind, source = dtypes.float64.dtype, default_generator
        return create.uniform(shape=shape, dtype=kind, device=x.device, generator=source)
    if tuple(draws.shape) != shape:
        raise ShapeError(f"{name}: _random_samples wants {shape}, got {tuple(draws.shape)}")
    return draws


def _window(starts: Tensor, size: int, axis: int, dims: int) -> Tensor:
    """(n, c, out) as (n, c, 1, out, 1, size ...): the coordinate of every element of a window."""
    spread = [1] * (2 * dims)
    spread[axis] = starts.shape[2]
    steps = [1] * (2 * dims)
    steps[dims + axis] = size
    within = create.arange(shape=(size,), dtype=dtypes.INT64, device=starts.device, start=0, step=1)
    starts = mv.reshape(starts, shape=(*starts.shape[:2], *spread))
    return ew.add(starts, mv.reshape(within, shape=tuple(steps)))


def _largest(x: Tensor, places: Tensor, out: Ints, size: Ints) -> tuple[Tensor, Tensor]:
    n, c = x.shape[:2]
    flat = mv.reshape(x, shape=(n, c, math.prod(x.shape[2:])))
    count = math.prod(out)
    places = mv.expand(places, shape=(n, c, *out, *size))
    seen = ix.gather(flat, mv.reshape(places, shape=(n, c, count * math.prod(size))), axis=2)
    windows = mv.reshape(seen, shape=(n, c, count, math.prod(size)))
    best = rd.argmax(windows, axis=3, keepdim=True)
    chosen = ix.gather(mv.reshape(places, shape=tuple(windows.shape)), best, axis=3)
    indices = mv.reshape(chosen, shape=(n, c, count))
    values = ix.gather(flat, indices, axis=2)
    return mv.reshape(values, shape=(n, c, *out)), mv.reshape(indices, shape=(n, c, *out))


def fractional_max_pool2d_with_indices(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool2d`, always with the indices."""
    name = "fractional_max_pool2d"
    return _pool(name, 2, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool2d(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """The maximum of windows whose starts are drawn so that a wanted number of them cover the
    input.

    Args:
        input: (n, c, h, w) or (c, h, w).
        kernel_size: of the windows.
        output_size: how many windows per axis; or
        output_ratio: how many in proportion to the input, between 0 and 1.
        return_indices: also give the flat place of each maximum in its image.
        _random_samples: (n, c, 2) numbers from 0 to 1 to take instead of random ones.

    Raises:
        ShapeError: the windows do not fit.

    Source: Graham 2014, section 2.
    """
    name = "fractional_max_pool2d"
    found = _pool(name, 2, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]


def fractional_max_pool3d_with_indices(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """`fractional_max_pool3d`, always with the indices."""
    name = "fractional_max_pool3d"
    return _pool(name, 3, input, kernel_size, output_size, output_ratio, _random_samples)


def fractional_max_pool3d(
    input: Tensor,
    kernel_size: Size,
    output_size: Any = None,
    output_ratio: Any = None,
    return_indices: bool = False,
    _random_samples: Tensor | None = None,
) -> Any:
    """`fractional_max_pool2d` for volumes (n, c, d, h, w) or (c, d, h, w)."""
    name = "fractional_max_pool3d"
    found = _pool(name, 3, input, kernel_size, output_size, output_ratio, _random_samples)
    return found if return_indices else found[0]
