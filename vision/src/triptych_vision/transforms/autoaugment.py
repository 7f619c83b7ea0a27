"""Automatic augmentation: changes drawn from a policy or at random."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import triptych as tp
from triptych.errors import DTypeError

from .. import tv_tensors
from . import functional as F
from .dispatch import functional
from .draws import dirichlet
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.lookup import largest
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .kinds import is_pil
from .policies import (
    AUGMIX,
    AUTOAUGMENT,
    POLICIES,
    RANDAUGMENT,
    TRIVIALAUGMENT,
    AutoAugmentPolicy,
    Strength,
)
from .transform import RandomTransform

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]

_UNSUPPORTED = (tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints)
_NUM_STEPS = 10  # of the strengths of AutoAugment and AugMix
Step = tuple[str, float]  # name and strength of a change


def _sheared(image: Any, across: float, down: float, how: dict[str, Any]) -> Any:
    angles = [math.degrees(math.atan(part)) for part in (across, down)]
    return F.affine(image, 0.0, [0, 0], 1.0, angles, center=[0, 0], **how)


def _moved(image: Any, across: float, down: float, how: dict[str, Any]) -> Any:
    return F.affine(image, 0.0, [int(across), int(down)], 1.0, [0.0, 0.0], **how)


def _solarized(image: Any, part: float) -> Any:
    bright = 255 if is_pil(image) else largest(_dtype_of(image))
    return F.solarize(image, bright * part)


def _dtype_of(image: Any) -> tp.dtype:
    """The dtype of an array of any library."""
    return image.dtype if isinstance(image, tp.Tensor) else tp.from_dlpack(image).dtype


# name -> image changed by a strength; `how` holds interpolation and fill
_CHANGES: dict[str, Callable[[Any, float, dict[str, Any]], Any]] = {
    "Identity": lambda image, m, how: image,
    "ShearX": lambda image, m, how: _sheared(image, m, 0.0, how),
    "ShearY": lambda image, m, how: _sheared(image, 0.0, m, how),
    "TranslateX": lambda image, m, how: _moved(image, m, 0.0, how),
    "TranslateY": lambda image, m, how: _moved(image, 0.0, m, how),
    "Rotate": lambda image, m, how: F.rotate(image, m, **how),
    "Brightness": lambda image, m, how: F.adjust_brightness(image, 1.0 + m),
    "Color": lambda image, m, how: F.adjust_saturation(image, 1.0 + m),
    "Contrast": lambda image, m, how: F.adjust_contrast(image, 1.0 + m),
    "Sharpness": lambda image, m, how: F.adjust_sharpness(image, 1.0 + m),
    "Posterize": lambda image, m, how: F.posterize(image, int(m)),
    "Solarize": lambda image, m, how: _solarized(image, m),
    "AutoContrast": lambda image, m, how: F.autocontrast(image),
    "Equalize": lambda image, m, how: F.equalize(image),
    "Invert": lambda image, m, how: F.invert(image),
}


class _Automatic(RandomTransform):
    """Changes of one image or film, drawn in `make_params` as steps."""

    def __init__(
        self,
        *,
        interpolation: Mode,
        fill: FillByKind,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.interpolation = interpolation_mode(interpolation)
        self.fill = checked_fill_by_kind(type(self).__name__, fill)

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for parts that would no longer fit the image."""
        for part in flat_inputs:
            if isinstance(part, _UNSUPPORTED):
                raise DTypeError(
                    f"{type(self).__name__}: changes images and films alone, got "
                    f"{type(part).__name__}, which would no longer fit"
                )

    def change(self, images: list[Any]) -> list[Any]:
        """The only image of the sample, changed."""
        if len(images) != 1:
            raise DTypeError(
                f"{type(self).__name__}: wanted one image or film in the sample, got {len(images)}"
            )
        return super().change(images)

    def step(self, name: str, strengths: Strength, bins: int, place: int, size: list[int]) -> Step:
        """A change of the strength at a place of its range, in a random direction."""
        if strengths.steps is None:
            return name, 0.0
        strength = float(strengths.steps(bins, *size)[place])
        return name, -strength if strengths.signed and self.uniform() < 0.5 else strength

    def pick(self, space: dict[str, Strength]) -> tuple[str, Strength]:
        """One of the changes at random."""
        names = list(space)
        name = names[self.integer(0, len(names) - 1)]
        return name, space[name]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image after all steps."""
        return self.stepped(inpt, params["steps"])

    def stepped(self, image: Any, steps: list[Step]) -> Any:
        """The image after some steps."""
        how = {"interpolation": self.interpolation, "fill": fill_for(self.fill, image)}
        for name, strength in steps:
            image = _CHANGES[name](image, strength, how)
        return image


class AutoAugment(_Automatic):
    """Two changes, a pair of a policy that was learned on a data set.

    Args:
        policy: the data set.
        interpolation: of moved and turned images; tensors take nearest and bilinear.
        fill: what comes in from outside: a number, one per channel, None for black, or a dict of
            these by type of image, "others" for the rest.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: changes of its own for each sample of a batch.

    Raises:
        DTypeError: when called with boxes, masks or keypoints, or not with one image or film.

    Source: see `policies.AUTOAUGMENT`.
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Mode = InterpolationMode.NEAREST,
        fill: FillByKind = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(
            interpolation=interpolation, fill=fill, generator=generator, per_sample=per_sample
        )
        self.policy = AutoAugmentPolicy(policy)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The pair, less what its probabilities leave out."""
        size = F.get_size(flat_inputs[0])
        pairs = POLICIES[self.policy]
        steps = []
        for name, probability, place in pairs[self.integer(0, len(pairs) - 1)]:
            if self.uniform() < probability:
                steps.append(self.step(name, AUTOAUGMENT[name], _NUM_STEPS, place or 0, size))
        return {"steps": steps}


class RandAugment(_Automatic):
    """Some changes at random, all of one strength.

    Args:
        num_ops: how many, one after the other.
        magnitude: their strength, from 0 to num_magnitude_bins - 1.
        num_magnitude_bins: in how many steps strengths are divided.
        interpolation: of moved and turned images; tensors take nearest and bilinear.
        fill: what comes in from outside: a number, one per channel, None for black, or a dict of
            these by type of image, "others" for the rest.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: changes of its own for each sample of a batch.

    Raises:
        ValueError: num_ops is no count, or magnitude is beyond the bins.
        DTypeError: when called with boxes, masks or keypoints, or not with one image or film.

    Source: see `policies.RANDAUGMENT`.
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Mode = InterpolationMode.NEAREST,
        fill: FillByKind = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(
            interpolation=interpolation, fill=fill, generator=generator, per_sample=per_sample
        )
        if not isinstance(num_ops, int) or num_ops < 0:
            raise ValueError(f"RandAugment: num_ops is a count, got {num_ops!r}")
        if not 0 <= magnitude < num_magnitude_bins:
            raise ValueError(
                f"RandAugment: magnitude is from 0 to {num_magnitude_bins - 1}, got {magnitude}; "
                "for stronger changes raise num_magnitude_bins, too"
            )
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The changes."""
        size, bins = F.get_size(flat_inputs[0]), self.num_magnitude_bins
        chosen = [self.pick(RANDAUGMENT) for _ in range(self.num_ops)]
        return {"steps": [self.step(*change, bins, self.magnitude, size) for change in chosen]}


class TrivialAugmentWide(_Automatic):
    """One change at random, of random strength.

    Args:
        num_magnitude_bins: in how many steps strengths are divided.
        interpolation: of moved and turned images; tensors take nearest and bilinear.
        fill: what comes in from outside: a number, one per channel, None for black, or a dict of
            these by type of image, "others" for the rest.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: a change of its own for each sample of a batch.

    Raises:
        DTypeError: when called with boxes, masks or keypoints, or not with one image or film.

    Source: see `policies.TRIVIALAUGMENT`.
    """

    def __init__(
        self,
        num_magnitude_bins: int = 31,
        interpolation: Mode = InterpolationMode.NEAREST,
        fill: FillByKind = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(
            interpolation=interpolation, fill=fill, generator=generator, per_sample=per_sample
        )
        self.num_magnitude_bins = num_magnitude_bins

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The change."""
        size, bins = F.get_size(flat_inputs[0]), self.num_magnitude_bins
        change = self.pick(TRIVIALAUGMENT)
        return {"steps": [self.step(*change, bins, self.integer(0, bins - 1), size)]}


class AugMix(_Automatic):
    """Several chains of changes, blended with each other and with the image.

    Args:
        severity: largest strength of a change, from 1 to 10.
        mixture_width: number of chains.
        chain_depth: number of changes in a chain; not above zero for one to three at random.
        alpha: of the distributions that the shares are from.
        all_ops: with changes of colour and sharpness.
        interpolation: of moved and turned images; tensors take nearest and bilinear.
        fill: what comes in from outside: a number, one per channel, None for black, or a dict of
            these by type of image, "others" for the rest.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: chains and shares of its own for each sample of a batch.

    Raises:
        ValueError: severity is beyond, or alpha not above zero.
        DTypeError: when called with boxes, masks or keypoints, or not with one image or film.

    Source: see `policies.AUGMIX`.
    """

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Mode = InterpolationMode.BILINEAR,
        fill: FillByKind = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(
            interpolation=interpolation, fill=fill, generator=generator, per_sample=per_sample
        )
        if not 1 <= severity <= _NUM_STEPS:
            raise ValueError(f"AugMix: severity is from 1 to {_NUM_STEPS}, got {severity}")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The share of the image itself, the chains and their shares."""
        size = F.get_size(flat_inputs[0])
        own, rest = dirichlet(self.alpha, 2, self.generator)
        shares = dirichlet(self.alpha, self.mixture_width, self.generator)
        chains = [self._chain(size) for _ in shares]
        return {"own": own, "shares": [rest * share for share in shares], "chains": chains}

    def _chain(self, size: list[int]) -> list[Step]:
        space = AUGMIX if self.all_ops else dict(list(AUGMIX.items())[:-4])
        depth = self.chain_depth if self.chain_depth > 0 else self.integer(1, 3)
        steps = []
        for _ in range(depth):
            change = self.pick(space)
            place = self.integer(0, self.severity - 1)
            steps.append(self.step(*change, _NUM_STEPS, place, size))
        return steps

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The blend, same kind and dtype as the image."""
        if is_pil(inpt):
            return F.to_pil_image(self.transform(F.pil_to_tensor(inpt), params), inpt.mode)
        chains = [partial(self.stepped, steps=chain) for chain in params["chains"]]
        return _weighted(inpt, params["own"], chains, params["shares"])


@functional
def _weighted(
    inpt: Any, own: float, changes: Sequence[Callable[[Any], Any]], shares: list[float]
) -> Any:
    """A share of the image and shares of what changes make of it; integers are cut off."""
    mixed: Any = inpt * own
    for change, share in zip(changes, shares, strict=True):
        mixed = change(inpt) * share + mixed
    return mixed.to(inpt.dtype)
