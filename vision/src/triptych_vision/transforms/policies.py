"""What the automatic augmentations do: names of changes, their strengths, and learned policies.

A policy is a list of pairs of changes; each change is (name, probability, strength), the strength
an index into ten steps, or None where there is none to choose.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

import numpy as np

__all__ = [
    "AUGMIX",
    "AUTOAUGMENT",
    "AutoAugmentPolicy",
    "Change",
    "POLICIES",
    "RANDAUGMENT",
    "Strength",
    "TRIVIALAUGMENT",
]


class AutoAugmentPolicy(Enum):
    """The data set that a policy of `AutoAugment` was learned on."""

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


class Change(NamedTuple):
    """A step of a policy."""

    name: str
    probability: float
    strength: int | None


class Strength(NamedTuple):
    """The strengths of a change: from bins, height and width of the image; in either direction."""

    steps: Callable[[int, int, int], np.ndarray] | None
    signed: bool


def _line(start: float, end: float, bins: int) -> np.ndarray:
    """The numbers of torch.linspace to the last bit, as moves are cut to whole pixels.

    The step is rounded to float32, and so is each number, counted from the nearer end.
    """
    first, last = np.float32(start), np.float32(end)
    step = np.float64((last - first) / np.float32(bins - 1))
    place = np.arange(bins)
    line = np.where(place < bins // 2, first + step * place, last - step * place[::-1])
    return line.astype(np.float32)


def _to(end: float, start: float = 0.0, signed: bool = True) -> Strength:
    return Strength(lambda bins, h, w: _line(start, end, bins), signed)


def _bits(most: int, lost: int) -> Strength:
    """Bits kept, from most down; lost of them at the strongest."""
    return Strength(
        lambda bins, h, w: np.round(most - np.arange(bins, dtype=np.float32) / ((bins - 1) / lost)),
        False,
    )


def _of_width(part: float) -> Strength:
    return Strength(lambda bins, h, w: _line(0.0, part * w, bins), True)


def _of_height(part: float) -> Strength:
    return Strength(lambda bins, h, w: _line(0.0, part * h, bins), True)


_NONE = Strength(None, False)
_SOLARIZE = _to(0.0, start=1.0, signed=False)
_COLORS = ("Brightness", "Color", "Contrast", "Sharpness")

# Cubuk et al. 2019, "AutoAugment: Learning augmentation strategies from data", appendix: the list
# of changes. Factors of colours are 1 plus or minus up to 0.9; moves go up to 150 of 331 pixels,
# the size of the paper's ImageNet images.
AUTOAUGMENT: dict[str, Strength] = {
    "ShearX": _to(0.3),
    "ShearY": _to(0.3),
    "TranslateX": _of_width(150 / 331),
    "TranslateY": _of_height(150 / 331),
    "Rotate": _to(30.0),
    **{name: _to(0.9) for name in _COLORS},
    "Posterize": _bits(8, 4),
    "Solarize": _SOLARIZE,
    "AutoContrast": _NONE,
    "Equalize": _NONE,
    "Invert": _NONE,
}

# Cubuk et al. 2020, "RandAugment: Practical automated data augmentation with a reduced search
# space".
RANDAUGMENT: dict[str, Strength] = {
    "Identity": _NONE,
    **{name: strength for name, strength in AUTOAUGMENT.items() if name != "Invert"},
}

# Mueller and Hutter 2021, "TrivialAugment: Tuning-free yet state-of-the-art data augmentation",
# the wide space.
TRIVIALAUGMENT: dict[str, Strength] = {
    "Identity": _NONE,
    "ShearX": _to(0.99),
    "ShearY": _to(0.99),
    "TranslateX": _to(32.0),
    "TranslateY": _to(32.0),
    "Rotate": _to(135.0),
    **{name: _to(0.99) for name in _COLORS},
    "Posterize": _bits(8, 6),
    "Solarize": _SOLARIZE,
    "AutoContrast": _NONE,
    "Equalize": _NONE,
}

# Hendrycks et al. 2020, "AugMix: A simple data processing method to improve robustness and
# uncertainty"; colours (the last four) overlap with the corruptions it is tested on.
AUGMIX: dict[str, Strength] = {
    "ShearX": _to(0.3),
    "ShearY": _to(0.3),
    "TranslateX": _of_width(1 / 3),
    "TranslateY": _of_height(1 / 3),
    "Rotate": _to(30.0),
    "Posterize": _bits(4, 4),
    "Solarize": _SOLARIZE,
    "AutoContrast": _NONE,
    "Equalize": _NONE,
    **{name: _to(0.9) for name in _COLORS},
}


def _policy(table: str) -> list[tuple[Change, Change]]:
    """A line of a table is name, probability, strength, and the same again; - is no strength."""
    pairs = []
    for line in table.strip().splitlines():
        words = line.split()
        first, second = (
            Change(name, float(p), None if strength == "-" else int(strength))
            for name, p, strength in (words[:3], words[3:])
        )
        pairs.append((first, second))
    return pairs


# Cubuk et al. 2019, appendix: the policies found on ImageNet, CIFAR-10 and SVHN.
POLICIES: dict[AutoAugmentPolicy, list[tuple[Change, Change]]] = {
    AutoAugmentPolicy.IMAGENET: _policy("""
        Posterize    0.4 8    Rotate       0.6 9
        Solarize     0.6 5    AutoContrast 0.6 -
        Equalize     0.8 -    Equalize     0.6 -
        Posterize    0.6 7    Posterize    0.6 6
        Equalize     0.4 -    Solarize     0.2 4
        Equalize     0.4 -    Rotate       0.8 8
        Solarize     0.6 3    Equalize     0.6 -
        Posterize    0.8 5    Equalize     1.0 -
        Rotate       0.2 3    Solarize     0.6 8
        Equalize     0.6 -    Posterize    0.4 6
        Rotate       0.8 8    Color        0.4 0
        Rotate       0.4 9    Equalize     0.6 -
        Equalize     0.0 -    Equalize     0.8 -
        Invert       0.6 -    Equalize     1.0 -
        Color        0.6 4    Contrast     1.0 8
        Rotate       0.8 8    Color        1.0 2
        Color        0.8 8    Solarize     0.8 7
        Sharpness    0.4 7    Invert       0.6 -
        ShearX       0.6 5    Equalize     1.0 -
        Color        0.4 0    Equalize     0.6 -
        Equalize     0.4 -    Solarize     0.2 4
        Solarize     0.6 5    AutoContrast 0.6 -
        Invert       0.6 -    Equalize     1.0 -
        Color        0.6 4    Contrast     1.0 8
        Equalize     0.8 -    Equalize     0.6 -
    """),
    AutoAugmentPolicy.CIFAR10: _policy("""
        Invert       0.1 -    Contrast     0.2 6
        Rotate       0.7 2    TranslateX   0.3 9
        Sharpness    0.8 1    Sharpness    0.9 3
        ShearY       0.5 8    TranslateY   0.7 9
        AutoContrast 0.5 -    Equalize     0.9 -
        ShearY       0.2 7    Posterize    0.3 7
        Color        0.4 3    Brightness   0.6 7
        Sharpness    0.3 9    Brightness   0.7 9
        Equalize     0.6 -    Equalize     0.5 -
        Contrast     0.6 7    Sharpness    0.6 5
        Color        0.7 7    TranslateX   0.5 8
        Equalize     0.3 -    AutoContrast 0.4 -
        TranslateY   0.4 3    Sharpness    0.2 6
        Brightness   0.9 6    Color        0.2 8
        Solarize     0.5 2    Invert       0.0 -
        Equalize     0.2 -    AutoContrast 0.6 -
        Equalize     0.2 -    Equalize     0.6 -
        Color        0.9 9    Equalize     0.6 -
        AutoContrast 0.8 -    Solarize     0.2 8
        Brightness   0.1 3    Color        0.7 0
        Solarize     0.4 5    AutoContrast 0.9 -
        TranslateY   0.9 9    TranslateY   0.7 9
        AutoContrast 0.9 -    Solarize     0.8 3
        Equalize     0.8 -    Invert       0.1 -
        TranslateY   0.7 9    AutoContrast 0.9 -
    """),
    AutoAugmentPolicy.SVHN: _policy("""
        ShearX       0.9 4    Invert       0.2 -
        ShearY       0.9 8    Invert       0.7 -
        Equalize     0.6 -    Solarize     0.6 6
        Invert       0.9 -    Equalize     0.6 -
        Equalize     0.6 -    Rotate       0.9 3
        ShearX       0.9 4    AutoContrast 0.8 -
        ShearY       0.9 8    Invert       0.4 -
        ShearY       0.9 5    Solarize     0.2 6
        Invert       0.9 -    AutoContrast 0.8 -
        Equalize     0.6 -    Rotate       0.9 3
        ShearX       0.9 4    Solarize     0.3 3
        ShearY       0.8 8    Invert       0.7 -
        Equalize     0.9 -    TranslateY   0.6 6
        Invert       0.9 -    Equalize     0.6 -
        Contrast     0.3 3    Rotate       0.8 4
        Invert       0.8 -    TranslateY   0.0 2
        ShearY       0.7 6    Solarize     0.4 8
        Invert       0.6 -    Rotate       0.8 4
        ShearY       0.3 7    TranslateX   0.9 3
        ShearX       0.1 6    Invert       0.6 -
        Solarize     0.7 2    TranslateY   0.6 7
        ShearY       0.8 4    Invert       0.8 -
        ShearX       0.7 9    TranslateY   0.8 3
        ShearY       0.8 5    AutoContrast 0.7 -
        ShearX       0.7 2    Invert       0.1 -
    """),
}
