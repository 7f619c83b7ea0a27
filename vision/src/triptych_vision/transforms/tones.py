"""Transforms of brightness by chance: negatives, steps, stretched histograms, sharpness."""

from __future__ import annotations

from typing import Any

import triptych as tp

from . import functional as F
from .transform import RandomApplyTransform

__all__ = [
    "RandomAdjustSharpness",
    "RandomAutocontrast",
    "RandomEqualize",
    "RandomInvert",
    "RandomPosterize",
    "RandomSolarize",
]


class RandomInvert(RandomApplyTransform):
    """The negative with a probability.

    Args:
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The negative."""
        return self.call_kernel(F.invert, inpt)


class RandomPosterize(RandomApplyTransform):
    """Fewer steps of brightness with a probability.

    Args:
        bits: how many of each value are kept, from 0 to 8.
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def __init__(
        self,
        bits: int,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.bits = bits

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image in steps."""
        return self.call_kernel(F.posterize, inpt, self.bits)


class RandomSolarize(RandomApplyTransform):
    """The negative of bright values, with a probability.

    Args:
        threshold: from which value on; up to 255 for bytes, up to 1 for floats.
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def __init__(
        self,
        threshold: float,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.threshold = threshold

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with bright values turned."""
        return self.call_kernel(F.solarize, inpt, self.threshold)


class RandomAutocontrast(RandomApplyTransform):
    """Each channel stretched from black to white, with a probability.

    Args:
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image stretched."""
        return self.call_kernel(F.autocontrast, inpt)


class RandomEqualize(RandomApplyTransform):
    """All brightnesses about equally frequent, with a probability.

    Args:
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image equalised."""
        return self.call_kernel(F.equalize, inpt)


class RandomAdjustSharpness(RandomApplyTransform):
    """Sharper or blurred with a probability.

    Args:
        sharpness_factor: 0 blurs, 1 keeps, 2 sharpens.
        p: the probability.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: one draw for each sample of a batch.
    """

    def __init__(
        self,
        sharpness_factor: float,
        p: float = 0.5,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        self.sharpness_factor = sharpness_factor

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image sharper or blurred."""
        return self.call_kernel(F.adjust_sharpness, inpt, self.sharpness_factor)
