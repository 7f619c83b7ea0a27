"""Transforms that take something away: a rectangle, what JPEG does not keep, frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from ..tv_tensors.base import plain
from . import functional as F
from .kinds import is_array
from .queries import query_chw, query_size
from .transform import RandomApplyTransform, RandomTransform, Transform

__all__ = ["CoarseDropout", "JPEG", "RandomErasing", "UniformTemporalSubsample"]

_TRIES = 10  # rectangles drawn before the image is left as it is


class RandomErasing(RandomApplyTransform):
    """A rectangle of random area, shape and place filled, with a probability.

    Masks, boxes and keypoints stay as they are.

    Args:
        p: the probability.
        scale: least and largest area of the rectangle, as parts of the image's.
        ratio: least and largest height over width of the rectangle.
        value: what it is filled with: a number, one per channel, or "random" for normal noise.
        inplace: write into the tensor itself.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: a rectangle of its own for each sample of a batch.

    Raises:
        ValueError: a range is beyond or in falling order, or another word than "random".
        ShapeError: when called, neither one value nor one per channel.

    Source: Zhong et al. 2020, "Random erasing data augmentation", algorithm 1.
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Sequence[float] = (0.02, 0.33),
        ratio: Sequence[float] = (0.3, 3.3),
        value: float | Sequence[float] | str = 0.0,
        inplace: bool = False,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        if not 0 <= scale[0] <= scale[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
            raise ValueError(
                "RandomErasing: scale and ratio are (least, largest), scale up to 1, got "
                f"{scale} and {ratio}"
            )
        if isinstance(value, str) and value != "random":
            raise ValueError(f"RandomErasing: value is numbers or 'random', got {value!r}")
        self.scale = tuple(scale)
        self.ratio = tuple(ratio)
        self.value = _values(value)
        self.inplace = inplace

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle and what fills it, None if ten draws do not fit into the image."""
        channels, height, width = query_chw(flat_inputs)
        if self.value is not None and len(self.value) not in (1, channels):
            raise ShapeError(
                f"RandomErasing: value is one number or one per channel, got {self.value} for "
                f"{channels} channels"
            )
        logs = [math.log(ratio) for ratio in self.ratio]
        for _ in range(_TRIES):
            area = height * width * self.uniform(*self.scale)
            ratio = math.exp(self.uniform(*logs))
            h, w = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            if h < height and w < width:
                filling = self._filling(channels, h, w)
                top, left = self.integer(0, height - h), self.integer(0, width - w)
                return {"i": top, "j": left, "h": h, "w": w, "v": filling}
        return {"i": 0, "j": 0, "h": height, "w": width, "v": None}

    def _filling(self, channels: int, height: int, width: int) -> tp.Tensor:
        if self.value is None:
            return tp.randn(channels, height, width, generator=self.generator, dtype=tp.float32)
        return tp.tensor(self.value)[:, None, None]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with the rectangle filled."""
        if params["v"] is None:
            return inpt
        return self.call_kernel(F.erase, inpt, **params, inplace=self.inplace)

    @staticmethod
    def get_params(
        img: Any,
        scale: tuple[float, float],
        ratio: tuple[float, float],
        value: list[float] | None = None,
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[int, int, int, int, Any]:
        """A random rectangle (top, left, height, width) and its filling, for use with `erase`.

        When ten draws do not fit, the rectangle is the whole image and the filling the image.
        """
        filling = "random" if value is None else value
        erasing = RandomErasing(1.0, scale, ratio, filling, generator=generator)
        i, j, h, w, v = erasing.make_params([img]).values()
        return i, j, h, w, img if v is None else v


def _values(value: float | Sequence[float] | str) -> list[float] | None:
    """The numbers to fill with; None for noise."""
    if isinstance(value, str):
        return None
    return [float(v) for v in ([value] if isinstance(value, int | float) else value)]


class CoarseDropout(RandomApplyTransform):
    """Several rectangles of random size and place filled, with a probability.

    Boxes and keypoints stay as they are.

    Args:
        num_holes: least and most rectangles, or their number.
        height: least and greatest height of each, as parts of the image's, or the height.
        width: the same across.
        fill: what images are filled with: one value, or one per channel.
        mask_fill: what masks are filled with in the same places; None leaves them alone.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: rectangles of its own for each sample of a batch.

    Raises:
        ValueError: a range is beyond or in falling order.
        ShapeError: when called, neither one value nor one per channel.

    Example:
        >>> holes = CoarseDropout(2, height=0.5, width=0.5, p=1)(tp.ones(1, 8, 8))
        >>> 16 <= (holes == 0).sum().item() <= 32
        True

    Source: DeVries and Taylor 2017, "Improved regularization of convolutional neural networks with
    cutout", with several holes.
    """

    def __init__(
        self,
        num_holes: int | Sequence[int] = (1, 8),
        height: float | Sequence[float] = (0.05, 0.2),
        width: float | Sequence[float] = (0.05, 0.2),
        fill: float | Sequence[float] = 0.0,
        mask_fill: int | None = None,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        least, most = _range("num_holes", num_holes, 1, math.inf)
        self.num_holes = int(least), int(most)
        self.height = _range("height", height, 0, 1)
        self.width = _range("width", width, 0, 1)
        self.fill = [float(v) for v in ([fill] if isinstance(fill, int | float) else fill)]
        self.mask_fill = mask_fill

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangles, (top, left, height, width) each."""
        size, holes = query_size(flat_inputs), []
        for _ in range(self.integer(*self.num_holes)):
            h, w = (
                max(1, round(n * self.uniform(*share)))
                for n, share in zip(size, (self.height, self.width), strict=True)
            )
            holes.append((self.integer(0, size[0] - h), self.integer(0, size[1] - w), h, w))
        return {"holes": holes}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image or mask with the rectangles filled."""
        if isinstance(inpt, tv_tensors.Mask):
            return inpt if self.mask_fill is None else self._fill_mask(inpt, params["holes"])
        value = tp.tensor(self.fill)[:, None, None]
        for hole in params["holes"]:
            inpt = self.call_kernel(F.erase, inpt, *hole, value)
        return inpt

    def _fill_mask(self, mask: Any, holes: list[tuple[int, int, int, int]]) -> Any:
        out = plain(mask).clone()
        for top, left, h, w in holes:
            out[..., top : top + h, left : left + w] = self.mask_fill
        return tv_tensors.wrap(out, like=mask)


def _range(
    name: str, value: float | Sequence[float], least: float, most: float
) -> tuple[float, float]:
    low, high = (value, value) if isinstance(value, int | float) else value
    if not least <= low <= high <= most:
        raise ValueError(
            f"CoarseDropout: {name} is from {least} to {most}, the lesser first, got {value}"
        )
    return low, high


class JPEG(RandomTransform):
    """Stored as JPEG of random quality and read again.

    Args:
        quality: from 1, where much is lost, to 100; a pair draws a number in between.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        DTypeError: quality is not made of ints.
        ValueError: it is beyond or in falling order.
    """

    def __init__(
        self,
        quality: int | Sequence[int],
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        values = [quality, quality] if isinstance(quality, int) else list(quality)
        if any(isinstance(q, bool) or not isinstance(q, int) for q in values):
            raise DTypeError(f"JPEG: quality is an int or two, got {quality!r}")
        if len(values) != 2 or not 1 <= values[0] <= values[1] <= 100:
            raise ValueError(f"JPEG: quality is from 1 to 100, the lesser first, got {quality}")
        self.quality = values

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The quality."""
        return {"quality": self.integer(*self.quality)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image as JPEG keeps it."""
        return self.call_kernel(F.jpeg, inpt, params["quality"])


class UniformTemporalSubsample(Transform):
    """Frames of a film at equal distances, the first and the last among them.

    Args:
        num_samples: how many; more than there are repeats some.
    """

    def __init__(self, num_samples: int) -> None:
        super().__init__()
        self.num_samples = num_samples

    def selects(self, part: Any) -> bool:
        """Films, and plain arrays of four or more axes (..., t, c, h, w)."""
        if isinstance(part, tv_tensors.TVTensor):
            return isinstance(part, tv_tensors.Video)
        return is_array(part) and part.ndim >= 4

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The film with these frames."""
        return self.call_kernel(F.uniform_temporal_subsample, inpt, self.num_samples)
