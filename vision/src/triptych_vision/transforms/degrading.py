"""Random flaws of cameras and files: blur of motion, lost pixels, low resolution, compression."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import BoundsError, UnknownNameError

from .. import tv_tensors
from . import functional as F
from .functional.filtering import motion_kernel
from .functional.lookup import largest
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .kinds import is_pil
from .limits import checked_range
from .queries import query_size
from .transform import RandomApplyTransform

__all__ = [
    "Downscale",
    "GridDropout",
    "ImageCompression",
    "MedianBlur",
    "MotionBlur",
    "SaltAndPepper",
    "Sharpen",
]

Limit = float | Sequence[float]
_OVER_IMAGES = (tv_tensors.Mask, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)


def _odd(name: str, blur_limit: int | Sequence[int]) -> tuple[int, int]:
    """(least, most) odd kernel sizes; a number n is (3, n)."""
    pair = (3, blur_limit) if isinstance(blur_limit, int) else blur_limit
    low, high = (int(n) for n in checked_range(f"{name}: blur_limit", pair, 3))
    if low % 2 == 0 or high % 2 == 0:
        raise BoundsError(f"{name}: blur_limit is made of odd numbers, got {blur_limit!r}")
    return low, high


class _Blur(RandomApplyTransform):
    """Has a random odd kernel size."""

    blur_limit: tuple[int, int]

    def kernel_size(self) -> int:
        low, high = self.blur_limit
        return low + 2 * self.integer(0, (high - low) // 2)


class MotionBlur(_Blur):
    """Blur along a line of random length and direction, with a probability.

    Args:
        blur_limit: (least, most) length in pixels, odd; a number n is (3, n).
        angle_range: (least, most) degrees of the line, counter-clockwise.
        direction_range: (least, most) from -1 to 1, where on the line most of the weight is; 0
            spreads it evenly.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: an even length, or a range that is beyond or in falling order.
    """

    def __init__(
        self,
        blur_limit: int | Sequence[int] = (3, 7),
        angle_range: Limit = (0, 360),
        direction_range: Limit = (-1.0, 1.0),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.blur_limit = _odd("MotionBlur", blur_limit)
        self.angle_range = checked_range("MotionBlur: angle_range", angle_range)
        self.direction_range = checked_range("MotionBlur: direction_range", direction_range, -1, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The weights along the line."""
        size, angle = self.kernel_size(), self.uniform(*self.angle_range)
        return {"kernel": motion_kernel(size, angle, self.uniform(*self.direction_range))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image blurred."""
        return self.call_kernel(F.filter2d, inpt, params["kernel"], "reflect")


class MedianBlur(_Blur):
    """Each pixel replaced by the median around it, with a probability.

    Args:
        blur_limit: (least, most) side of the square in pixels, odd; a number n is (3, n).
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: an even side, or one below 3.
    """

    def __init__(
        self,
        blur_limit: int | Sequence[int] = (3, 7),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.blur_limit = _odd("MedianBlur", blur_limit)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The side."""
        return {"kernel_size": self.kernel_size()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image without spots."""
        return self.call_kernel(F.median_blur, inpt, params["kernel_size"])


class Sharpen(RandomApplyTransform):
    """Differences to the neighbours raised by a random amount, with a probability.

    Args:
        alpha: (least, most) share of the sharpened image, from 0 to 1.
        lightness: (least, most) weight of the pixel itself beyond that of its neighbours; 1 keeps
            the brightness.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: a range that is beyond or in falling order.
    """

    def __init__(
        self,
        alpha: Limit = (0.2, 0.5),
        lightness: Limit = (0.5, 1.0),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.alpha = checked_range("Sharpen: alpha", alpha, 0, 1)
        self.lightness = checked_range("Sharpen: lightness", lightness, 0)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The weights (3, 3)."""
        alpha, lightness = self.uniform(*self.alpha), self.uniform(*self.lightness)
        kernel = tp.full((3, 3), -alpha)
        kernel[1, 1] = 1 - alpha + alpha * (8 + lightness)
        return {"kernel": kernel}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image sharper; floats are cut to 0 to 1."""
        out = self.call_kernel(F.filter2d, inpt, params["kernel"], "replicate")
        floats = not is_pil(out) and "float" in str(getattr(out, "dtype", ""))
        return out.clip(0, 1) if floats and not isinstance(out, _OVER_IMAGES) else out


class SaltAndPepper(RandomApplyTransform):
    """Random pixels made white or black, with a probability.

    Args:
        amount: (least, most) share of the pixels, from 0 to 1.
        salt_vs_pepper: (least, most) share of white ones among them.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: a range that is beyond or in falling order.
    """

    def __init__(
        self,
        amount: Limit = (0.01, 0.06),
        salt_vs_pepper: Limit = (0.4, 0.6),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.amount = checked_range("SaltAndPepper: amount", amount, 0, 1)
        self.salt_vs_pepper = checked_range("SaltAndPepper: salt_vs_pepper", salt_vs_pepper, 0, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Which pixels are white and which black, (h, w) bool."""
        amount = self.uniform(*self.amount)
        salt = amount * self.uniform(*self.salt_vs_pepper)
        noise = tp.rand(*query_size(flat_inputs), generator=self.generator)
        return {"salt": noise < salt, "pepper": (noise >= salt) & (noise < amount)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with spots."""
        if isinstance(inpt, _OVER_IMAGES):
            return inpt
        salted = F.cover(inpt, params["salt"], _white(inpt))
        return F.cover(salted, params["pepper"], 0)


def _white(image: Any) -> int:
    if is_pil(image):
        return 1 if image.mode == "F" else 255
    if isinstance(image, tp.Tensor):
        return largest(image.dtype)
    name = str(image.dtype)  # of NumPy, "uint8", or of others, "torch.uint8"
    integer = np.dtype(name.rpartition(".")[2])
    return int(np.iinfo(integer).max) if integer.kind in "iu" else 1


class GridDropout(RandomApplyTransform):
    """Squares of a regular grid filled, with a probability.

    Boxes and keypoints stay as they are.

    Args:
        ratio: side of a hole over the side of a cell of the grid, from 0 to 1.
        unit_size_range: (least, most) side of a cell in pixels, at least 2; default about a tenth
            of the shorter side.
        holes_number_xy: how many cells (across, down), in place of unit_size_range.
        random_offset: move the grid at random, else it starts at shift_xy.
        shift_xy: (right, down) in pixels, without random_offset.
        fill: what images are filled with: one value, or one per channel.
        fill_mask: what masks are filled with in the same places; None leaves them alone.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: a ratio or range that is beyond.

    Example:
        >>> grid = GridDropout(0.5, holes_number_xy=(2, 1), random_offset=False, p=1)
        >>> grid(tp.ones(1, 2, 8))[0].tolist()
        [[0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]]

    Source: Chen et al. 2020, "GridMask data augmentation".
    """

    def __init__(
        self,
        ratio: float = 0.5,
        unit_size_range: Sequence[int] | None = None,
        holes_number_xy: Sequence[int] | None = None,
        random_offset: bool = True,
        shift_xy: Sequence[int] = (0, 0),
        fill: float | Sequence[float] = 0,
        fill_mask: int | None = None,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.ratio = checked_range("GridDropout: ratio", float(ratio), 0, 1)[0]
        self.unit_size_range = None
        if unit_size_range is not None:
            self.unit_size_range = checked_range("GridDropout: unit_size_range", unit_size_range, 2)
        self.holes_number_xy = None if holes_number_xy is None else tuple(holes_number_xy)
        if self.holes_number_xy is not None and min(self.holes_number_xy) < 1:
            raise BoundsError(f"GridDropout: holes_number_xy is at least 1, got {holes_number_xy}")
        self.random_offset, self.shift_xy = random_offset, tuple(shift_xy)
        self.fill, self.fill_mask = fill, fill_mask

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Which pixels are filled, (h, w) bool."""
        size = query_size(flat_inputs)
        cells = self._cells(size)
        inside = []
        for n, cell, shift in zip(size, cells, self.shift_xy[::-1], strict=True):
            start = self.integer(0, cell - 1) if self.random_offset else shift
            inside.append((np.arange(n) - start) % cell < round(cell * self.ratio))
        return {"where": tp.from_numpy(inside[0][:, None] & inside[1][None, :])}

    def _cells(self, size: tuple[int, int]) -> tuple[int, int]:
        """Sides (down, across) of a cell."""
        if self.holes_number_xy is not None:
            across, down = self.holes_number_xy
            return max(size[0] // down, 1), max(size[1] // across, 1)
        low, high = self.unit_size_range or (max(min(size) // 10, 2),) * 2
        side = min(self.integer(int(low), int(high)), *size)
        return side, side

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image or mask with holes."""
        if isinstance(inpt, tv_tensors.Mask):
            if self.fill_mask is None:
                return inpt
            mask = F.to_pure_tensor(inpt)
            value = tp.tensor(self.fill_mask).to(mask.dtype)
            return tv_tensors.wrap(tp.where(params["where"], value, mask), like=inpt)
        return self.call_kernel(F.cover, inpt, params["where"], self.fill)


class Downscale(RandomApplyTransform):
    """Made smaller by a random factor and as large as before again, with a probability.

    Masks, boxes and keypoints stay as they are.

    Args:
        scale_range: (least, most) factor, above 0 and up to 1.
        interpolation_pair: a dict of interpolations for "downscale" and "upscale"; default the
            nearest pixel for both, which leaves squares.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: a factor that is beyond.
        UnknownNameError: another key of interpolation_pair.
    """

    def __init__(
        self,
        scale_range: Limit = (0.25, 0.25),
        interpolation_pair: Mapping[str, Mode] | None = None,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.scale_range = checked_range("Downscale: scale_range", scale_range, 0.001, 1)
        given = interpolation_pair or {}
        if not set(given) <= {"downscale", "upscale"}:
            raise UnknownNameError(
                f"Downscale: interpolation_pair has 'downscale' and 'upscale', got {sorted(given)}"
            )
        nearest = InterpolationMode.NEAREST_EXACT
        self.interpolation_pair = {
            way: interpolation_mode(given.get(way, nearest)) for way in ("downscale", "upscale")
        }

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The sizes in between and after."""
        size, scale = query_size(flat_inputs), self.uniform(*self.scale_range)
        return {"small": [max(round(n * scale), 1) for n in size], "size": list(size)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with less detail."""
        if isinstance(inpt, _OVER_IMAGES):
            return inpt
        small = F.resize(inpt, params["small"], self.interpolation_pair["downscale"])
        return F.resize(small, params["size"], self.interpolation_pair["upscale"])


_CODECS = {"jpeg": F.jpeg, "webp": F.webp}


class ImageCompression(RandomApplyTransform):
    """Stored with losses of random size and read again, with a probability.

    Args:
        compression_type: "jpeg" or "webp".
        quality_range: (least, most) from 1, where much is lost, to 100.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        UnknownNameError: another compression_type.
        BoundsError: a quality that is beyond.
        DTypeError: when called, a tensor of another dtype than uint8.
    """

    def __init__(
        self,
        compression_type: str = "jpeg",
        quality_range: int | Sequence[int] = (99, 100),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        if compression_type not in _CODECS:
            raise UnknownNameError(
                f"ImageCompression: compression_type is one of {sorted(_CODECS)}, got "
                f"{compression_type!r}"
            )
        self.compression_type = compression_type
        self.quality_range = checked_range("ImageCompression: quality_range", quality_range, 1, 100)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The quality."""
        return {"quality": self.integer(*(int(q) for q in self.quality_range))}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image as the file keeps it."""
        return self.call_kernel(_CODECS[self.compression_type], inpt, params["quality"])
