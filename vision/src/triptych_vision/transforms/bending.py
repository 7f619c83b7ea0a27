"""Random bending by a grid or a lens, the symmetries of a square, and sizes by one side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, ShapeError

from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .limits import two_ways
from .queries import query_size
from .transform import RandomApplyTransform, RandomTransform

__all__ = [
    "D4",
    "GridDistortion",
    "LongestMaxSize",
    "OpticalDistortion",
    "SmallestMaxSize",
    "Transpose",
]

Limit = float | Sequence[float]


class _Bent(RandomApplyTransform):
    """Images read at places of a random map; masks, boxes and keypoints go along."""

    def __init__(
        self,
        interpolation: Mode,
        fill: FillByKind,
        p: float,
        generator: tp.Generator | None,
        per_sample: bool,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.interpolation = interpolation_mode(interpolation)
        self.fill = checked_fill_by_kind(type(self).__name__, fill)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image bent."""
        return self.call_kernel(
            F.remap,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=fill_for(self.fill, inpt),
        )


class GridDistortion(_Bent):
    """Rows and columns of a grid made wider and narrower at random, with a probability.

    Args:
        num_steps: cells of the grid across and down.
        distort_limit: (least, most) by which a cell's side differs, as part of it, above -1; a
            number d is (-d, d). Then all are scaled to fill the image.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what comes in from outside; nothing does, but at edges by rounding.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: num_steps below 1, or a limit that is beyond.
    """

    def __init__(
        self,
        num_steps: int = 5,
        distort_limit: Limit = (-0.3, 0.3),
        interpolation: Mode = InterpolationMode.BILINEAR,
        fill: FillByKind = 0,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, p, generator, per_sample)
        self.num_steps = num_steps
        self.distort_limit = two_ways("GridDistortion: distort_limit", distort_limit)
        if num_steps < 1 or self.distort_limit[0] <= -1:
            raise BoundsError(
                "GridDistortion: num_steps is at least 1 and distort_limit above -1, got "
                f"{num_steps} and {distort_limit}"
            )

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where each pixel is read, (h, w) each."""
        height, width = query_size(flat_inputs)
        x, y = self._axis(width), self._axis(height)
        maps = (
            np.broadcast_to(x[None, :], (height, width)),
            np.broadcast_to(y[:, None], (height, width)),
        )
        return dict(zip(("map_x", "map_y"), (tp.from_numpy(m.copy()) for m in maps), strict=True))

    def _axis(self, n: int) -> np.ndarray:
        """(n,) where the pixels of one axis are read."""
        sides = [1 + self.uniform(*self.distort_limit) for _ in range(self.num_steps)]
        old = np.concatenate(([0.0], np.cumsum(sides))) * (n / sum(sides)) - 0.5
        new = np.linspace(-0.5, n - 0.5, self.num_steps + 1)
        return np.clip(np.interp(np.arange(n), new, old), 0, n - 1)


class OpticalDistortion(_Bent):
    """Bent as by a lens, a barrel or a cushion of random strength, with a probability.

    Args:
        distort_limit: (least, most) coefficient of the lens; above zero the middle becomes smaller
            (a barrel), below larger (a cushion); a number d is (-d, d).
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what comes in from outside: one value, one per channel, or a dict of these by type.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Source: Brown 1966, "Decentering distortion of lenses": two equal radial coefficients, with
    width and height as focal lengths.
    """

    def __init__(
        self,
        distort_limit: Limit = (-0.05, 0.05),
        interpolation: Mode = InterpolationMode.BILINEAR,
        fill: FillByKind = 0,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(interpolation, fill, p, generator, per_sample)
        self.distort_limit = two_ways("OpticalDistortion: distort_limit", distort_limit)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Where each pixel is read, (h, w) each."""
        height, width = query_size(flat_inputs)
        strength = self.uniform(*self.distort_limit)
        x = ((np.arange(width) + 0.5) / width - 0.5)[None, :]
        y = ((np.arange(height) + 0.5) / height - 0.5)[:, None]
        squared = x * x + y * y
        factor = 1 + strength * squared + strength * squared**2
        map_x, map_y = (x * factor + 0.5) * width - 0.5, (y * factor + 0.5) * height - 0.5
        return {"map_x": tp.from_numpy(map_x), "map_y": tp.from_numpy(map_y)}


class Transpose(RandomApplyTransform):
    """Rows and columns exchanged, with a probability; no pixel is mixed or lost.

    Args:
        p: the probability.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch, whose images must be square.

    Example:
        >>> Transpose(p=1)(tp.arange(6).reshape(1, 2, 3)).tolist()
        [[[0, 3], [1, 4], [2, 5]]]
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image mirrored at its diagonal; its canvas, too."""
        turned = self.call_kernel(F.rotate, inpt, 90.0, expand=True)
        return self.call_kernel(F.vertical_flip, turned)


class D4(RandomApplyTransform):
    """One of the eight symmetries of a square at random: turned, mirrored, both or neither.

    Args:
        p: the probability.
        generator: of the draws.
        per_sample: draws of its own for each sample of a batch, whose images must be square.

    Example:
        >>> image = tp.arange(4).reshape(1, 2, 2)
        >>> len({str(D4()(image).tolist()) for _ in range(200)})
        8
    """

    def __init__(
        self,
        p: float = 1.0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Quarter turns against the clock, and whether the image is mirrored before."""
        place = self.integer(0, 7)
        return {"quarters": place % 4, "mirrored": place >= 4}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image turned and mirrored; its canvas, too."""
        if params["mirrored"]:
            inpt = self.call_kernel(F.horizontal_flip, inpt)
        if not params["quarters"]:
            return inpt
        return self.call_kernel(F.rotate, inpt, 90.0 * params["quarters"], expand=True)


class _BySide(RandomTransform):
    """Resized so that one side has a length drawn from some; the shape stays.

    Args:
        max_size: the length in pixels; of several one is drawn.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        ShapeError: no length, or one below 1.
    """

    def __init__(
        self,
        max_size: int | Sequence[int] = 1024,
        interpolation: Mode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.max_size = [max_size] if isinstance(max_size, int) else list(max_size)
        if not self.max_size or min(self.max_size) < 1:
            raise ShapeError(
                f"{type(self).__name__}: max_size is a length in pixels or several, got {max_size}"
            )
        self.interpolation = interpolation_mode(interpolation)
        self.antialias = antialias

    def of_sides(self, size: tuple[int, int]) -> int:
        """The side that gets the length."""
        raise NotImplementedError(f"{type(self).__name__}.of_sides is not written")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The new size (h, w)."""
        size = query_size(flat_inputs)
        place = self.integer(0, len(self.max_size) - 1) if len(self.max_size) > 1 else 0
        scale = self.max_size[place] / self.of_sides(size)
        return {"size": [max(round(n * scale), 1) for n in size]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image resized."""
        return self.call_kernel(
            F.resize, inpt, params["size"], self.interpolation, antialias=self.antialias
        )


class LongestMaxSize(_BySide):
    """Resized so that the longer side has a length; with `PadIfNeeded` after it, a letterbox.

    Args:
        max_size: the length in pixels; of several one is drawn.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        ShapeError: no length, or one below 1.

    Example:
        >>> LongestMaxSize(6)(tp.zeros(3, 8, 12)).shape
        Size([3, 4, 6])
    """

    def of_sides(self, size: tuple[int, int]) -> int:
        """The longer one."""
        return max(size)


class SmallestMaxSize(_BySide):
    """Resized so that the shorter side has a length.

    Args:
        max_size: the length in pixels; of several one is drawn.
        interpolation: an `InterpolationMode`, its string, or Pillow's code.
        antialias: when shrinking, let every old pixel count.
        generator: of the draw.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        ShapeError: no length, or one below 1.

    Example:
        >>> SmallestMaxSize(4)(tp.zeros(3, 8, 12)).shape
        Size([3, 4, 6])
    """

    def of_sides(self, size: tuple[int, int]) -> int:
        """The shorter one."""
        return min(size)
