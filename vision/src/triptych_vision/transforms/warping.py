"""Random turning, shearing, projecting and bending."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, ShapeError

from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.resizing import Mode
from .interpolation import InterpolationMode, interpolation_mode
from .queries import query_size
from .transform import RandomApplyTransform, RandomTransform

__all__ = ["ElasticTransform", "RandomAffine", "RandomPerspective", "RandomRotation"]

Points = list[list[int]]


def _angles(name: str, degrees: float | Sequence[float], counts: Sequence[int]) -> list[float]:
    """Least and most degrees, in pairs; a number stands for both ways."""
    if isinstance(degrees, int | float):
        if degrees < 0:
            raise BoundsError(f"{name}: a single angle is at least 0, got {degrees}")
        return [-float(degrees), float(degrees)]
    if len(degrees) not in counts:
        raise ShapeError(f"{name}: wanted a number or {counts} of them, got {degrees!r}")
    return [float(d) for d in degrees]


def _center(name: str, center: Sequence[float] | None) -> list[float] | None:
    if center is not None and len(center) != 2:
        raise ShapeError(f"{name}: center is (x, y), got {center!r}")
    return None if center is None else list(center)


class RandomRotation(RandomTransform):
    """Turn by a random angle.

    Args:
        degrees: (least, most), counter-clockwise; a number d is (-d, d).
        interpolation: nearest or bilinear; of PIL images also bicubic. Masks take the nearest.
        expand: make the image large enough to hold all of the turned one.
        center: (x, y) in pixels that stays where it is; default the middle.
        fill: what comes in from outside: one value, one per channel, or a dict of these by type.
        generator: of the draw.
        per_sample: one draw for each sample of a batch.

    Example:
        >>> RandomRotation((90, 90), expand=True)(tp.zeros(3, 4, 6)).shape
        Size([3, 6, 4])
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        interpolation: Mode = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Sequence[float] | None = None,
        fill: FillByKind = 0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.degrees = _angles("RandomRotation", degrees, (2,))
        self.interpolation = interpolation_mode(interpolation)
        self.expand = expand
        self.center = _center("RandomRotation", center)
        self.fill = checked_fill_by_kind("RandomRotation", fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The angle."""
        return {"angle": self.uniform(*self.degrees)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image turned."""
        return self.call_kernel(
            F.rotate,
            inpt,
            params["angle"],
            interpolation=self.interpolation,
            expand=self.expand,
            center=self.center,
            fill=fill_for(self.fill, inpt),
        )

    @staticmethod
    def get_params(degrees: Sequence[float], *, generator: tp.Generator | None = None) -> float:
        """A random angle between two, for use with `rotate`."""
        return RandomRotation(degrees, generator=generator).make_params([])["angle"]


class RandomAffine(RandomTransform):
    """Turn, move, scale and shear at random.

    Args:
        degrees: (least, most) of the angle, clockwise; a number d is (-d, d).
        translate: the most that is moved along (x, y), as parts of width and height.
        scale: (least, most) factor.
        shear: (least, most) degrees along x, or (least x, most x, least y, most y); a number s is
            (-s, s).
        interpolation: nearest or bilinear; of PIL images also bicubic. Masks take the nearest.
        fill: what comes in from outside: one value, one per channel, or a dict of these by type.
        center: (x, y) in pixels that turns about itself; default the middle.
        generator: of the draws.
        per_sample: one draw for each sample of a batch.

    Raises:
        BoundsError: translate is not from 0 to 1, or scale not above zero.
    """

    def __init__(
        self,
        degrees: float | Sequence[float],
        translate: Sequence[float] | None = None,
        scale: Sequence[float] | None = None,
        shear: float | Sequence[float] | None = None,
        interpolation: Mode = InterpolationMode.NEAREST,
        fill: FillByKind = 0,
        center: Sequence[float] | None = None,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        name = "RandomAffine"
        self.degrees = _angles(name, degrees, (2,))
        for what, pair in (("translate", translate), ("scale", scale)):
            if pair is not None and len(pair) != 2:
                raise ShapeError(f"{name}: {what} is a pair, got {pair!r}")
        if translate is not None and not all(0 <= t <= 1 for t in translate):
            raise BoundsError(f"{name}: translate is from 0 to 1, parts of a side, got {translate}")
        if scale is not None and min(scale) <= 0:
            raise BoundsError(f"{name}: scale is above zero, got {scale}")
        self.translate = translate
        self.scale = scale
        self.shear = None if shear is None else _angles(name, shear, (2, 4))
        self.interpolation = interpolation_mode(interpolation)
        self.fill = checked_fill_by_kind(name, fill)
        self.center = _center(name, center)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Angle, translation in pixels, scale and shear."""
        most = (0.0, 0.0)
        if self.translate is not None:
            height, width = query_size(flat_inputs)
            most = self.translate[0] * width, self.translate[1] * height
        return self._drawn(most)

    def _drawn(self, most: Sequence[float]) -> dict[str, Any]:
        shear = [*(self.shear or (0.0, 0.0)), 0.0, 0.0][:4]
        return {
            "angle": self.uniform(*self.degrees),
            "translate": [round(self.uniform(-m, m)) if m else 0 for m in most],
            "scale": 1.0 if self.scale is None else self.uniform(*self.scale),
            "shear": [
                self.uniform(low, high) if low != high else low
                for low, high in (shear[:2], shear[2:])
            ],
        }

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image turned, moved, scaled and sheared."""
        return self.call_kernel(
            F.affine,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=fill_for(self.fill, inpt),
            center=self.center,
        )

    @staticmethod
    def get_params(
        degrees: Sequence[float],
        translate: Sequence[float] | None,
        scale_ranges: Sequence[float] | None,
        shears: Sequence[float] | None,
        img_size: Sequence[int],
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Random (angle, translation, scale, shear) for an image of size (w, h)."""
        drawing = RandomAffine(degrees, translate, scale_ranges, shears, generator=generator)
        parts = translate or (0.0, 0.0)
        drawn = drawing._drawn((parts[0] * img_size[0], parts[1] * img_size[1]))
        return drawn["angle"], tuple(drawn["translate"]), drawn["scale"], tuple(drawn["shear"])


class RandomPerspective(RandomApplyTransform):
    """See the image from a random side, with probability p.

    Args:
        distortion_scale: how far the corners move at most, as a part of half a side, 0 to 1.
        p: the probability.
        interpolation: nearest or bilinear; of PIL images also bicubic. Masks take the nearest.
        fill: what comes in from outside: one value, one per channel, or a dict of these by type.
        generator: of the draws.
        per_sample: one draw for each sample of a batch.

    Raises:
        BoundsError: distortion_scale is not from 0 to 1.
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Mode = InterpolationMode.BILINEAR,
        fill: FillByKind = 0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(p, generator=generator, per_sample=per_sample)
        if not 0 <= distortion_scale <= 1:
            raise BoundsError(
                f"RandomPerspective: distortion_scale is from 0 to 1, got {distortion_scale}"
            )
        self.distortion_scale = distortion_scale
        self.interpolation = interpolation_mode(interpolation)
        self.fill = checked_fill_by_kind("RandomPerspective", fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The corners of the image and where they go."""
        height, width = query_size(flat_inputs)
        start, end = self._corners(width, height)
        return {"startpoints": start, "endpoints": end}

    def _corners(self, width: int, height: int) -> tuple[Points, Points]:
        """Clockwise from the upper left."""
        right, low = width - 1, height - 1
        across, down = (int(self.distortion_scale * (n // 2)) for n in (width, height))
        start = [[0, 0], [right, 0], [right, low], [0, low]]
        limits = (0, across), (right - across, right), (0, down), (low - down, low)
        sides = [(0, 2), (1, 2), (1, 3), (0, 3)]
        return start, [[self.integer(*limits[i]), self.integer(*limits[j])] for i, j in sides]

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image from the side."""
        return self.call_kernel(
            F.perspective,
            inpt,
            **params,
            interpolation=self.interpolation,
            fill=fill_for(self.fill, inpt),
        )

    @staticmethod
    def get_params(
        width: int,
        height: int,
        distortion_scale: float,
        *,
        generator: tp.Generator | None = None,
    ) -> tuple[Points, Points]:
        """The corners of an image and random places for them, for use with `perspective`."""
        return RandomPerspective(distortion_scale, generator=generator)._corners(width, height)


class ElasticTransform(RandomTransform):
    """Bend the image by a smooth random field.

    Args:
        alpha: strength, one or (x, y): a displacement before smoothing is up to alpha / 2 pixels.
        sigma: of the Gaussian that smooths the field, in pixels, one or (x, y); 0 does not.
        interpolation: nearest or bilinear. Masks take the nearest.
        fill: what comes in from outside: one value, one per channel, or a dict of these by type.
        generator: of the draws.
        per_sample: one field for each sample of a batch.

    Source: Simard, Steinkraus, Platt 2003, "Best practices for convolutional neural networks".
    """

    def __init__(
        self,
        alpha: float | Sequence[float] = 50.0,
        sigma: float | Sequence[float] = 5.0,
        interpolation: Mode = InterpolationMode.BILINEAR,
        fill: FillByKind = 0,
        *,
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        self.alpha = _two_numbers("alpha", alpha)
        self.sigma = _two_numbers("sigma", sigma)
        self.interpolation = interpolation_mode(interpolation)
        self.fill = checked_fill_by_kind("ElasticTransform", fill)

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The field."""
        return {"displacement": self._field(*query_size(flat_inputs))}

    def _field(self, height: int, width: int) -> tp.Tensor:
        """(1, h, w, 2), x and y in halves of the sides."""
        fields = []
        for alpha, sigma, side in zip(self.alpha, self.sigma, (width, height), strict=True):
            noise = tp.rand(1, 1, height, width, generator=self.generator) * 2 - 1
            if sigma > 0:
                taps = int(8 * sigma + 1) | 1  # odd
                noise = F.gaussian_blur(noise, [taps, taps], self.sigma)
            fields.append(noise[0] * (alpha / side))
        return tp.stack(fields, -1)

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image bent."""
        return self.call_kernel(
            F.elastic,
            inpt,
            params["displacement"],
            interpolation=self.interpolation,
            fill=fill_for(self.fill, inpt),
        )

    @staticmethod
    def get_params(
        alpha: Sequence[float],
        sigma: Sequence[float],
        size: Sequence[int],
        *,
        generator: tp.Generator | None = None,
    ) -> tp.Tensor:
        """A random field (1, h, w, 2) for an image of size (h, w), for use with `elastic`."""
        return ElasticTransform(alpha, sigma, generator=generator)._field(*size)


def _two_numbers(name: str, value: float | Sequence[float]) -> list[float]:
    numbers = [value] if isinstance(value, int | float) else list(value)
    if len(numbers) not in (1, 2):
        raise ShapeError(f"ElasticTransform: {name} is one number or (x, y), got {value!r}")
    return [float(numbers[0]), float(numbers[-1])]
