"""Transforms of colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from . import functional as F
from .queries import query_chw
from .transform import RandomApplyTransform, RandomTransform, Transform, checked_probability

__all__ = [
    "ColorJitter",
    "Grayscale",
    "RGB",
    "RandomChannelPermutation",
    "RandomGrayscale",
    "RandomPhotometricDistort",
]

Jitter = float | Sequence[float] | None
Range = tuple[float, float] | None


class Grayscale(Transform):
    """Grey of the same brightness.

    Args:
        num_output_channels: 1, or 3 equal ones.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The grey image."""
        return self.call_kernel(F.rgb_to_grayscale, inpt, self.num_output_channels)


class RandomGrayscale(RandomApplyTransform):
    """Grey with a probability; the number of channels stays.

    Args:
        p: the probability.
        generator: of the draw.
        per_sample: one draw for each sample of a batch.
    """

    def __init__(
        self, p: float = 0.1, *, generator: tp.Generator | None = None, per_sample: bool = False
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The number of channels."""
        return {"num_input_channels": query_chw(flat_inputs)[0]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The grey image."""
        return self.call_kernel(F.rgb_to_grayscale, inpt, params["num_input_channels"])


class RGB(Transform):
    """Three channels from one."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with three channels."""
        return self.call_kernel(F.grayscale_to_rgb, inpt)


# What `ColorJitter` changes, in the order of its numbers.
_ADJUST: tuple[tuple[str, Callable[..., Any]], ...] = (
    ("brightness", F.adjust_brightness),
    ("contrast", F.adjust_contrast),
    ("saturation", F.adjust_saturation),
    ("hue", F.adjust_hue),
)


class ColorJitter(RandomTransform):
    """Brightness, contrast, saturation and hue changed at random, in random order.

    Args:
        brightness: a number x draws the factor from max(0, 1 - x) to 1 + x; a pair from its
            first to its second; None leaves it.
        contrast: likewise.
        saturation: likewise.
        hue: a number x up to 0.5 draws from -x to x; or a pair in between -0.5 and 0.5.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Raises:
        ValueError: a number is negative, or a pair is beyond or in falling order.
        ShapeError: neither a number nor a pair.

    Example:
        >>> ColorJitter(brightness=0.4, hue=(0.0, 0.1))
        ColorJitter(brightness=(0.6, 1.4), contrast=None, saturation=None, hue=(0.0, 0.1))
    """

    def __init__(
        self,
        brightness: Jitter = None,
        contrast: Jitter = None,
        saturation: Jitter = None,
        hue: Jitter = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.brightness = _factors("brightness", brightness)
        self.contrast = _factors("contrast", contrast)
        self.saturation = _factors("saturation", saturation)
        self.hue = _factors("hue", hue, center=0.0, limits=(-0.5, 0.5))

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The order and the factors."""
        order = tp.randperm(len(_ADJUST), generator=self.generator).tolist()
        factors = {}
        for name, _ in _ADJUST:
            limits = getattr(self, name)
            factors[f"{name}_factor"] = None if limits is None else self.uniform(*limits)
        return {"fn_idx": order, **factors}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in other colours."""
        for place in params["fn_idx"]:
            name, adjust = _ADJUST[place]
            factor = params[f"{name}_factor"]
            if factor is not None:
                inpt = self.call_kernel(adjust, inpt, factor)
        return inpt

    @staticmethod
    def get_params(
        brightness: Range,
        contrast: Range,
        saturation: Range,
        hue: Range,
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[tp.Tensor, float | None, float | None, float | None, float | None]:
        """A random order (4,), and a factor from each pair of limits, None for None."""
        jitter = ColorJitter(brightness, contrast, saturation, hue, generator=generator)
        jitter.brightness, jitter.contrast = brightness, contrast  # also (1, 1)
        jitter.saturation, jitter.hue = saturation, hue
        order, *factors = jitter.make_params([]).values()
        return tp.tensor(order), factors[0], factors[1], factors[2], factors[3]


def _factors(
    name: str,
    value: Jitter,
    center: float = 1.0,
    limits: tuple[float, float] = (0.0, float("inf")),
) -> Range:
    """Least and largest factor; None if there is nothing to change."""
    if value is None:
        return None
    if isinstance(value, int | float):
        if value < 0:
            raise ValueError(f"ColorJitter: {name} is zero or more, got {value}")
        value = (max(center - value, 0.0) if center else -value, center + value)
    if len(value) != 2:
        raise ShapeError(f"ColorJitter: {name} is a number or two, got {value}")
    low, high = float(value[0]), float(value[1])
    if not limits[0] <= low <= high <= limits[1]:
        raise ValueError(
            f"ColorJitter: {name} is from {limits[0]} to {limits[1]}, the lesser first, got "
            f"{(low, high)}"
        )
    return None if low == high == center else (low, high)


class RandomPhotometricDistort(RandomTransform):
    """Brightness, contrast, saturation, hue and order of channels, each changed with a probability.

    Args:
        brightness: least and largest factor.
        contrast: likewise; it comes first or last, at random.
        saturation: likewise.
        hue: from -0.5 to 0.5.
        p: probability of each change.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: draws of its own for each sample of a batch.

    Source: Liu et al. 2016, "SSD: Single shot multibox detector", section 2.2.
    """

    def __init__(
        self,
        brightness: tuple[float, float] = (0.875, 1.125),
        contrast: tuple[float, float] = (0.5, 1.5),
        saturation: tuple[float, float] = (0.5, 1.5),
        hue: tuple[float, float] = (-0.05, 0.05),
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.brightness = brightness
        self.contrast = contrast
        self.hue = hue
        self.saturation = saturation
        self.p = checked_probability("RandomPhotometricDistort", p)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The factors, None for what stays, and where the contrast comes."""
        channels = query_chw(flat_inputs)[0]
        params: dict[str, Any] = {}
        for name, _ in _ADJUST:
            limits = getattr(self, name)
            params[f"{name}_factor"] = self.uniform(*limits) if self.uniform() < self.p else None
        params["contrast_before"] = self.uniform() < 0.5
        params["channel_permutation"] = (
            tp.randperm(channels, generator=self.generator).tolist()
            if self.uniform() < self.p
            else None
        )
        return params

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in other colours."""
        brightness, contrast, *colors = _ADJUST
        first = params["contrast_before"]
        order = [brightness, contrast, *colors] if first else [brightness, *colors, contrast]
        for name, adjust in order:
            factor = params[f"{name}_factor"]
            if factor is not None:
                inpt = self.call_kernel(adjust, inpt, factor)
        if params["channel_permutation"] is None:
            return inpt
        return self.call_kernel(F.permute_channels, inpt, params["channel_permutation"])


class RandomChannelPermutation(RandomTransform):
    """The channels in random order.

    Args:
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: a draw of its own for each sample of a batch.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The order."""
        channels = query_chw(flat_inputs)[0]
        return {"permutation": tp.randperm(channels, generator=self.generator).tolist()}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in other colours."""
        return self.call_kernel(F.permute_channels, inpt, params["permutation"])
