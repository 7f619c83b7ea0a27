"""Transforms that blur or add noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import ShapeError

from . import functional as F
from .functional.blurring import kernel_lengths
from .transform import RandomTransform

__all__ = ["GaussianBlur", "GaussianNoise"]


class GaussianBlur(RandomTransform):
    """Each pixel mixed with those around it, by weights of random width.

    Args:
        kernel_size: how many pixels are mixed, odd: one number, or across and down.
        sigma: standard deviation of the weights in pixels; a pair draws one in between.
        generator: of the draw; default the one that `triptych.manual_seed` seeds.
        per_sample: a draw of its own for each sample of a batch.

    Raises:
        ValueError: an even kernel size, or a sigma that is not above zero.
        ShapeError: not one or two numbers.
    """

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        sigma: float | Sequence[float] = (0.1, 2.0),
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.kernel_size = kernel_lengths(kernel_size)
        values = [sigma] if isinstance(sigma, int | float) else list(sigma)
        if len(values) not in (1, 2):
            raise ShapeError(f"GaussianBlur: sigma is a number or two, got {sigma}")
        self.sigma = float(values[0]), float(values[-1])
        if not 0 < self.sigma[0] <= self.sigma[1]:
            raise ValueError(f"GaussianBlur: sigma is above zero, the lesser first, got {sigma}")

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The width, the same across and down."""
        return {"sigma": [self.uniform(*self.sigma)] * 2}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The blurred image."""
        return self.call_kernel(F.gaussian_blur, inpt, self.kernel_size, params["sigma"])

    @staticmethod
    def get_params(
        sigma_min: float, sigma_max: float, *, generator: tp.Generator | None = None
    ) -> float:
        """A random width in between."""
        blur = GaussianBlur(1, (sigma_min, sigma_max), generator=generator)
        return float(blur.make_params([])["sigma"][0])


class GaussianNoise(RandomTransform):
    """Normal noise added to each value.

    Args:
        mean: of the noise; 1 is full brightness, for bytes, too.
        sigma: its standard deviation.
        clip: cut the sum to the range; else floats leave it and bytes wrap around.
        generator: of the noise; default the one that `triptych.manual_seed` seeds.
        per_sample: one call for each sample of a batch; the noise differs in any case.
    """

    def __init__(
        self,
        mean: float = 0.0,
        sigma: float = 0.1,
        clip: bool = True,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image with noise."""
        return self.call_kernel(
            F.gaussian_noise, inpt, self.mean, self.sigma, self.clip, generator=self.generator
        )
