"""Random brightness, contrast and colour, by the names and limits that albumentations gave them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from . import functional as F
from .limits import checked_range, two_ways
from .transform import RandomApplyTransform

__all__ = ["CLAHE", "HueSaturationValue", "RandomBrightnessContrast", "RandomGamma"]

Limit = float | Sequence[float]


class RandomBrightnessContrast(RandomApplyTransform):
    """Brightness and contrast changed by random amounts, with a probability.

    Args:
        brightness_limit: (least, most) that is added, where full brightness is 1; a number b is
            (-b, b).
        contrast_limit: (least, most) by which the factor differs from 1; a number c is (-c, c).
        brightness_by_max: else brightness is in units of the mean of the image.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Example:
        >>> change = RandomBrightnessContrast((0.5, 0.5), 0, p=1)
        >>> change(tp.zeros(1, 1, 2)).tolist()
        [[[0.5, 0.5]]]
    """

    def __init__(
        self,
        brightness_limit: Limit = 0.2,
        contrast_limit: Limit = 0.2,
        brightness_by_max: bool = True,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        name = "RandomBrightnessContrast"
        self.brightness_limit = two_ways(f"{name}: brightness_limit", brightness_limit)
        self.contrast_limit = two_ways(f"{name}: contrast_limit", contrast_limit)
        self.brightness_by_max = brightness_by_max

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The factor, and what is added."""
        return {
            "alpha": 1.0 + self.uniform(*self.contrast_limit),
            "beta": self.uniform(*self.brightness_limit),
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image changed."""
        return self.call_kernel(
            F.adjust_brightness_contrast, inpt, **params, by_max=self.brightness_by_max
        )


class HueSaturationValue(RandomApplyTransform):
    """Hue, saturation and value shifted by random amounts, with a probability.

    Args:
        hue_shift_limit: (least, most) in steps of two degrees, as OpenCV counts hue; a number h
            is (-h, h).
        sat_shift_limit: (least, most) of 255, for floats, too; a number is for both ways.
        val_shift_limit: likewise.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        ShapeError: when called, an image of neither one nor three channels.
    """

    def __init__(
        self,
        hue_shift_limit: Limit = 20,
        sat_shift_limit: Limit = 30,
        val_shift_limit: Limit = 20,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        name = "HueSaturationValue"
        self.hue_shift_limit = two_ways(f"{name}: hue_shift_limit", hue_shift_limit)
        self.sat_shift_limit = two_ways(f"{name}: sat_shift_limit", sat_shift_limit)
        self.val_shift_limit = two_ways(f"{name}: val_shift_limit", val_shift_limit)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The three shifts."""
        return {
            "hue_shift": self.uniform(*self.hue_shift_limit),
            "sat_shift": self.uniform(*self.sat_shift_limit),
            "val_shift": self.uniform(*self.val_shift_limit),
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with other colours."""
        return self.call_kernel(F.shift_hsv, inpt, **params)


class RandomGamma(RandomApplyTransform):
    """Each value to a random power, with a probability.

    Args:
        gamma_limit: (least, most) power in hundredths: below 100 dark values become brighter.
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        BoundsError: a power that is not above zero.
    """

    def __init__(
        self,
        gamma_limit: Limit = (80, 120),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.gamma_limit = checked_range("RandomGamma: gamma_limit", gamma_limit, 1)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The power."""
        return {"gamma": self.uniform(*self.gamma_limit) / 100}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image darker or brighter."""
        return self.call_kernel(F.adjust_gamma, inpt, params["gamma"])


class CLAHE(RandomApplyTransform):
    """Local histograms equalised up to a random limit of contrast, with a probability.

    Args:
        clip_limit: (least, most), how many times more frequent than the mean a brightness may
            count; a number c is (1, c).
        tile_grid_size: how many tiles (down, across) have a histogram each.
        p: the probability.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        BoundsError: a limit below 1.
        ShapeError: not two numbers of tiles; when called, neither one nor three channels.

    Source: see `functional.clahe`.
    """

    def __init__(
        self,
        clip_limit: Limit = 4.0,
        tile_grid_size: Sequence[int] = (8, 8),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        pair = (1.0, clip_limit) if isinstance(clip_limit, int | float) else clip_limit
        self.clip_limit = checked_range("CLAHE: clip_limit", pair, 1)
        if len(tile_grid_size) != 2 or min(tile_grid_size) < 1:
            raise ShapeError(f"CLAHE: tile_grid_size is (down, across), got {tile_grid_size!r}")
        self.tile_grid_size = tuple(tile_grid_size)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The limit."""
        return {"clip_limit": self.uniform(*self.clip_limit)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image equalised."""
        return self.call_kernel(F.clahe, inpt, params["clip_limit"], self.tile_grid_size)
