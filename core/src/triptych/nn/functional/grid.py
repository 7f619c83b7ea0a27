"""Images read at any place: sampling grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import ShapeError
from ...ops.creation import as_tensor
from ...ops.linalg import matmul
from ...ops.named import keeps_names
from ...prims import grid as grids
from ...prims import movement as mv
from ...prims.precision import computes_in
from ...tensor import Tensor

__all__ = ["affine_grid", "grid_sample"]


@computes_in("single")
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The places that an affine map reads, for `grid_sample`.

    Args:
        theta: (n, 2, 3), or (n, 3, 4) for volumes; maps output places (x, y, 1) to input places.
        size: (n, c, h, w) or (n, c, d, h, w) of the output.
        align_corners: whether -1 and 1 are the centres of the corner pixels or their outer edges.

    Returns:
        (n, h, w, 2) or (n, d, h, w, 3) places (x, y[, z]) in [-1, 1].

    Raises:
        ShapeError: theta and size do not fit.
    """
    space = tuple(int(n) for n in size)[2:]
    dims = len(space)
    if dims not in (2, 3) or tuple(theta.shape) != (size[0], dims, dims + 1):
        raise ShapeError(
            "affine_grid: wanted theta (n, 2, 3) and size (n, c, h, w), or (n, 3, 4) and "
            f"(n, c, d, h, w), got {tuple(theta.shape)} and {tuple(size)}"
        )
    axes = [_places(n, bool(align_corners)) for n in space]
    grids = np.meshgrid(*axes, indexing="ij")
    base = np.stack([*reversed(grids), np.ones(space)], -1).reshape(-1, dims + 1)
    points = as_tensor(base.astype(theta._data.dtype), device=theta.device)
    out = matmul(points, mv.permute(theta, axes=(0, 2, 1)))
    return mv.reshape(out, shape=(theta.shape[0], *space, dims))


def _places(n: int, align_corners: bool) -> np.ndarray:
    if align_corners:
        return np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
    return (2 * np.arange(n) + 1) / n - 1


@computes_in("widest")
@keeps_names
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """An image read at the places of a grid.

    Args:
        input: (n, c, h, w) or (n, c, d, h, w).
        grid: (n, h', w', 2) or (n, d', h', w', 3) places (x, y[, z]) in [-1, 1].
        mode: "bilinear", "nearest", or for images "bicubic".
        padding_mode: what is outside: "zeros", "border" or "reflection".
        align_corners: whether -1 and 1 are the centres of the corner pixels or their outer edges.

    Returns:
        (n, c, h', w') or (n, c, d', h', w').

    Raises:
        ShapeError: input and grid do not fit, or a mode is another word.
    """
    dims = input.ndim - 2
    if mode not in grids.MODES or padding_mode not in grids.PADDINGS:
        raise ShapeError(
            f"grid_sample: mode is one of {sorted(grids.MODES)}, padding_mode of "
            f"{sorted(grids.PADDINGS)}, got {mode!r} and {padding_mode!r}"
        )
    fits = dims in (2, 3) and grid.ndim == dims + 2 and grid.shape[-1] == dims
    if not fits or grid.shape[0] != input.shape[0] or (mode == "bicubic" and dims == 3):
        raise ShapeError(
            "grid_sample: wanted input (n, c, h, w) and grid (n, h', w', 2), or (n, c, d, h, w) "
            f"and (n, d', h', w', 3) but not bicubic, got {tuple(input.shape)} and "
            f"{tuple(grid.shape)} in mode {mode!r}"
        )
    floating = grid._data.dtype == input._data.dtype and input._data.dtype.kind == "f"
    read = grids.grid_sample if floating and input.ndim == 4 else grids.sampled
    return read(input, grid, mode=mode, padding=padding_mode, align=bool(align_corners))
