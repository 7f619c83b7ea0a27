"""The usual pipelines for classifiers from a few settings, by the names that timm gave them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, UnknownNameError

from .autoaugment import AugMix, AutoAugment, RandAugment, TrivialAugmentWide
from .color import ColorJitter
from .containers import Compose
from .conversion import Normalize, ToDtype, ToImage
from .cropping import RandomResizedCrop
from .erasing import RandomErasing
from .functional.geometry import two_lengths
from .functional.resizing import Mode
from .geometry import CenterCrop, RandomHorizontalFlip, RandomVerticalFlip, Resize
from .interpolation import InterpolationMode
from .transform import Transform

__all__ = ["create_transform"]

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_LEVELS = 10  # magnitudes go from 0 to 10 in such strings, to 30 in RandAugment itself


def create_transform(
    input_size: int | Sequence[int],
    is_training: bool = False,
    *,
    scale: Sequence[float] = (0.08, 1.0),
    ratio: Sequence[float] = (3 / 4, 4 / 3),
    hflip: float = 0.5,
    vflip: float = 0.0,
    color_jitter: float | None = 0.4,
    auto_augment: str | None = None,
    interpolation: Mode = InterpolationMode.BILINEAR,
    mean: Sequence[float] = IMAGENET_MEAN,
    std: Sequence[float] = IMAGENET_STD,
    re_prob: float = 0.0,
    re_mode: str = "const",
    crop_pct: float = 0.875,
) -> Compose:
    """From an image of any kind and size to floats for a classifier.

    Args:
        input_size: (h, w) of the result, or one length for both.
        is_training: draw crops, flips and colours; else cut out the middle.
        scale: least and most area of the crop, when training.
        ratio: least and most width over height of it.
        hflip: probability of mirroring left and right.
        vflip: of mirroring top and bottom.
        color_jitter: how far brightness, contrast and saturation are changed, when training
            without auto_augment.
        auto_augment: "rand-m9-n2" for `RandAugment` of magnitude 9 of 10 and 2 operations,
            "augmix-m3-w3-d2" for `AugMix` of severity 3, width 3 and depth 2, "original" for
            `AutoAugment`, or "trivial" for `TrivialAugmentWide`.
        interpolation: of resizing.
        mean: of each channel, which becomes 0.
        std: of each channel, which becomes 1.
        re_prob: probability of `RandomErasing`, when training.
        re_mode: what that fills with: "const" zeros, or "pixel" noise.
        crop_pct: part of the resized image's side that is cut out, when not training.

    Returns:
        `Compose`, which gives (3, h, w) float32.

    Raises:
        UnknownNameError: another auto_augment, option of it, or re_mode.
        BoundsError: crop_pct is not above 0 and up to 1, or a magnitude beyond 10.

    Example:
        >>> create_transform(8)(tp.zeros(3, 20, 30, dtype=tp.uint8)).shape
        Size([3, 8, 8])
        >>> steps = create_transform(8, is_training=True, auto_augment="rand-m7").transforms
        >>> [type(step).__name__ for step in steps][:3]
        ['RandomResizedCrop', 'RandomHorizontalFlip', 'RandAugment']
    """
    size = two_lengths("create_transform", input_size)
    if not 0 < crop_pct <= 1:
        raise BoundsError(f"create_transform: crop_pct is above 0 and up to 1, got {crop_pct}")
    if re_mode not in ("const", "pixel"):
        raise UnknownNameError(f"create_transform: re_mode 'const' or 'pixel', got {re_mode!r}")
    steps: list[Transform]
    if is_training:
        steps = [RandomResizedCrop(size, tuple(scale), tuple(ratio), interpolation)]
        flips = ((RandomHorizontalFlip, hflip), (RandomVerticalFlip, vflip))
        steps += [flip(p) for flip, p in flips if p > 0]
        if auto_augment is not None:
            steps.append(_augmentation(auto_augment, interpolation))
        elif color_jitter:
            steps.append(ColorJitter(*[color_jitter] * 3))
    else:
        larger = [math.floor(n / crop_pct) for n in size]
        whole = larger[0] if size[0] == size[1] else larger
        steps = [Resize(whole, interpolation), CenterCrop(size)]
    steps += [ToImage(), ToDtype(tp.float32, scale=True), Normalize(list(mean), list(std))]
    if is_training and re_prob > 0:
        steps.append(RandomErasing(re_prob, value="random" if re_mode == "pixel" else 0.0))
    return Compose(steps)


def _augmentation(text: str, interpolation: Mode) -> Transform:
    """The policy of a string such as "rand-m9-n2"."""
    name, *options = text.split("-")
    if name not in _POLICIES:
        raise UnknownNameError(
            f"create_transform: auto_augment is one of {sorted(_POLICIES)}, got {text!r}"
        )
    make, letters = _POLICIES[name]
    values = {}
    for option in options:
        letter, number = option[:1], option[1:]
        if letter not in letters or not number.isdigit():
            raise UnknownNameError(
                f"create_transform: option {option!r} of {text!r} is not known; wanted a letter of "
                f"{list(letters)} and a whole number"
            )
        values[letters[letter]] = int(number)
    if values.get("magnitude", 0) > _LEVELS:
        raise BoundsError(f"create_transform: magnitudes are from 0 to {_LEVELS}, got {text!r}")
    return make(interpolation=interpolation, **values)


def _rand(**kwargs: Any) -> Transform:
    return RandAugment(num_magnitude_bins=_LEVELS + 1, **kwargs)


_POLICIES: dict[str, tuple[Callable[..., Transform], dict[str, str]]] = {
    "augmix": (AugMix, {"m": "severity", "w": "mixture_width", "d": "chain_depth"}),
    "original": (AutoAugment, {}),
    "rand": (_rand, {"m": "magnitude", "n": "num_ops"}),
    "trivial": (TrivialAugmentWide, {}),
}
