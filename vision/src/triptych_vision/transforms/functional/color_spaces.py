"""Colours in other coordinates: HSV, HLS, XYZ, Lab, Luv, YCbCr, YUV, and back.

All take floats (..., 3, h, w), RGB from 0 to 1, and give floats of that shape and dtype; they have
gradients. Names and ranges are those of kornia.color.
"""

from __future__ import annotations

import math

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

__all__ = [
    "hls_to_rgb",
    "hsv_to_rgb",
    "lab_to_rgb",
    "linear_rgb_to_rgb",
    "luv_to_rgb",
    "rgb_to_hls",
    "rgb_to_hsv",
    "rgb_to_lab",
    "rgb_to_linear_rgb",
    "rgb_to_luv",
    "rgb_to_xyz",
    "rgb_to_ycbcr",
    "rgb_to_yuv",
    "xyz_to_rgb",
    "ycbcr_to_rgb",
    "yuv_to_rgb",
]

TURN = 2 * math.pi
# ITU-R BT.709 primaries, white D65
_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
_WHITE = _XYZ.sum(1)  # so that greys have no colour in Lab and Luv
_WHITE_UV = (
    4 * _WHITE[0] / (_WHITE @ [1, 15, 3]),
    9 * _WHITE[1] / (_WHITE @ [1, 15, 3]),
)
_LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
# JFIF 1.02: differences to the luma, scaled to -0.5 to 0.5
_YCBCR = np.stack([_LUMA, ([0, 0, 1] - _LUMA) / 1.772, ([1, 0, 0] - _LUMA) / 1.402])
# PAL: U is at most 0.436, V at most 0.615
_YUV = np.stack([_LUMA, ([0, 0, 1] - _LUMA) * 0.436 / 0.886, ([1, 0, 0] - _LUMA) * 0.615 / 0.701])
_KNEE, _SLOPE = 216 / 24389, 24389 / 27  # CIE 15: where Lab's cube root becomes a line


def _channels(name: str, x: tp.Tensor) -> tuple[tp.Tensor, tp.Tensor, tp.Tensor]:
    if not isinstance(x, tp.Tensor) or not x.dtype.is_floating_point:
        raise DTypeError(
            f"{name}: wanted a tensor of floats, RGB from 0 to 1, got "
            f"{getattr(x, 'dtype', type(x).__name__)}; use to_dtype(x, tp.float32, scale=True)"
        )
    if x.ndim < 3 or x.shape[-3] != 3:
        raise ShapeError(f"{name}: wanted (..., 3, h, w), got {tuple(x.shape)}")
    first, second, third = x.unbind(-3)
    return first, second, third


def _mixed(name: str, x: tp.Tensor, matrix: np.ndarray) -> tp.Tensor:
    """Each pixel times a (3, 3) matrix."""
    _channels(name, x)
    weights = tp.from_numpy(matrix).to(x.device, x.dtype)
    return (weights @ x.flatten(-2)).reshape(x.shape)


def _hue(x: tp.Tensor, high: tp.Tensor, spread: tp.Tensor) -> tp.Tensor:
    """(..., h, w) from 0 to 2 pi; greys have 0."""
    red, green, blue = x.unbind(-3)
    safe = tp.where(spread > 0, spread, 1.0)
    sixths = tp.where(
        high == red,
        (green - blue) / safe,
        tp.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    return (sixths / 6).remainder(1.0) * TURN


def rgb_to_hsv(image: tp.Tensor) -> tp.Tensor:
    """Hue, saturation and value.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w): hue from 0 to 2 pi, saturation and value from 0 to 1.

    Raises:
        DTypeError: no floats.
        ShapeError: not three channels.

    Example:
        >>> rgb_to_hsv(tp.tensor([0.5, 0.0, 0.0]).reshape(3, 1, 1)).flatten().tolist()
        [0.0, 1.0, 0.5]

    Source: Smith 1978, "Color gamut transform pairs".
    """
    _channels("rgb_to_hsv", image)
    high, low = image.amax(-3), image.amin(-3)
    spread = high - low
    saturation = spread / tp.where(high > 0, high, 1.0)
    return tp.stack((_hue(image, high, spread), saturation, high), -3)


def hsv_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """RGB from hue, saturation and value; the inverse of `rgb_to_hsv`.

    Args:
        image: (..., 3, h, w) floats: hue in radians, any turns, saturation and value from 0 to 1.

    Returns:
        (..., 3, h, w) from 0 to 1.
    """
    hue, saturation, value = _channels("hsv_to_rgb", image)
    sixths = hue * (6 / TURN)

    def channel(n: int) -> tp.Tensor:
        place = (sixths + n).remainder(6.0)
        return value - value * saturation * tp.minimum(place, 4 - place).clamp(0, 1)

    return tp.stack((channel(5), channel(3), channel(1)), -3)


def rgb_to_hls(image: tp.Tensor) -> tp.Tensor:
    """Hue, lightness and saturation.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w): hue from 0 to 2 pi, lightness and saturation from 0 to 1.
    """
    _channels("rgb_to_hls", image)
    high, low = image.amax(-3), image.amin(-3)
    spread, lightness = high - low, (high + low) / 2
    reach = 1 - (2 * lightness - 1).abs()
    saturation = tp.where(spread > 0, spread / tp.where(reach > 0, reach, 1.0), 0.0)
    return tp.stack((_hue(image, high, spread), lightness, saturation), -3)


def hls_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """RGB from hue, lightness and saturation; the inverse of `rgb_to_hls`.

    Args:
        image: (..., 3, h, w) floats: hue in radians, lightness and saturation from 0 to 1.

    Returns:
        (..., 3, h, w) from 0 to 1.
    """
    hue, lightness, saturation = _channels("hls_to_rgb", image)
    twelfths = hue * (12 / TURN)
    reach = saturation * tp.minimum(lightness, 1 - lightness)

    def channel(n: int) -> tp.Tensor:
        place = (twelfths + n).remainder(12.0)
        return lightness - reach * tp.minimum(place - 3, 9 - place).clamp(-1, 1)

    return tp.stack((channel(0), channel(8), channel(4)), -3)


def rgb_to_linear_rgb(image: tp.Tensor) -> tp.Tensor:
    """Light in proportion to energy, without the gamma of sRGB.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w) from 0 to 1.

    Source: IEC 61966-2-1.
    """
    _channels("rgb_to_linear_rgb", image)
    bright = ((image.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return tp.where(image > 0.04045, bright, image / 12.92)


def linear_rgb_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """sRGB from linear light; the inverse of `rgb_to_linear_rgb`.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w) from 0 to 1.
    """
    _channels("linear_rgb_to_rgb", image)
    knee = 0.04045 / 12.92
    bright = 1.055 * image.clamp(min=knee) ** (1 / 2.4) - 0.055
    return tp.where(image > knee, bright, image * 12.92)


def rgb_to_xyz(image: tp.Tensor) -> tp.Tensor:
    """CIE XYZ of linear RGB with white D65.

    Args:
        image: (..., 3, h, w) floats from 0 to 1; sRGB goes through `rgb_to_linear_rgb` first.

    Returns:
        (..., 3, h, w); white is (0.950, 1, 1.089).
    """
    return _mixed("rgb_to_xyz", image, _XYZ)


def xyz_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """Linear RGB from CIE XYZ; the inverse of `rgb_to_xyz`.

    Args:
        image: (..., 3, h, w) floats.

    Returns:
        (..., 3, h, w).
    """
    return _mixed("xyz_to_rgb", image, np.linalg.inv(_XYZ))


def rgb_to_lab(image: tp.Tensor) -> tp.Tensor:
    """CIE Lab of sRGB, in which distances are as large as they look.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w): L from 0 to 100, a and b about -110 to 110.

    Source: CIE 15, section 8.2.1; white D65.
    """
    x, y, z = rgb_to_xyz(rgb_to_linear_rgb(image)).unbind(-3)
    fx, fy, fz = (_rooted(v / float(w)) for v, w in zip((x, y, z), _WHITE, strict=True))
    return tp.stack((116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)), -3)


def _rooted(t: tp.Tensor) -> tp.Tensor:
    return tp.where(t > _KNEE, t.clamp(min=_KNEE) ** (1 / 3), (_SLOPE * t + 16) / 116)


def lab_to_rgb(image: tp.Tensor, clip: bool = True) -> tp.Tensor:
    """sRGB from CIE Lab; the inverse of `rgb_to_lab`.

    Args:
        image: (..., 3, h, w) floats: L from 0 to 100, a and b.
        clip: cut colours that sRGB has not to 0 to 1.

    Returns:
        (..., 3, h, w).
    """
    lightness, a, b = _channels("lab_to_rgb", image)
    fy = (lightness + 16) / 116
    roots = (fy + a / 500, fy, fy - b / 200)
    cubes = [tp.where(f**3 > _KNEE, f**3, (116 * f - 16) / _SLOPE) for f in roots]
    xyz = tp.stack([c * float(w) for c, w in zip(cubes, _WHITE, strict=True)], -3)
    out = linear_rgb_to_rgb(xyz_to_rgb(xyz))
    return out.clamp(0, 1) if clip else out


def rgb_to_luv(image: tp.Tensor) -> tp.Tensor:
    """CIE Luv of sRGB.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w): L from 0 to 100, u about -84 to 176, v about -135 to 108.

    Source: CIE 15, section 8.2.2; white D65.
    """
    x, y, z = rgb_to_xyz(rgb_to_linear_rgb(image)).unbind(-3)
    lightness = 116 * _rooted(y) - 16
    below = x + 15 * y + 3 * z
    lit = below > 0
    below = tp.where(lit, below, 1.0)
    u = tp.where(lit, 4 * x / below, _WHITE_UV[0]) - _WHITE_UV[0]
    v = tp.where(lit, 9 * y / below, _WHITE_UV[1]) - _WHITE_UV[1]
    return tp.stack((lightness, 13 * lightness * u, 13 * lightness * v), -3)


def luv_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """sRGB from CIE Luv; the inverse of `rgb_to_luv`.

    Args:
        image: (..., 3, h, w) floats: L from 0 to 100, u and v.

    Returns:
        (..., 3, h, w); not cut to 0 to 1.
    """
    lightness, u, v = _channels("luv_to_rgb", image)
    lit = lightness > 0
    scale = 13 * tp.where(lit, lightness, 1.0)
    u, v = u / scale + _WHITE_UV[0], v / scale + _WHITE_UV[1]
    root = (lightness + 16) / 116
    y = tp.where(lightness > _KNEE * _SLOPE, root**3, lightness / _SLOPE)
    v = tp.where(lit, v, 1.0)
    xyz = tp.stack((y * 9 * u / (4 * v), y, y * (12 - 3 * u - 20 * v) / (4 * v)), -3)
    return linear_rgb_to_rgb(xyz_to_rgb(xyz))


_HALF = (0.0, 0.5, 0.5)  # where YCbCr has no colour


def rgb_to_ycbcr(image: tp.Tensor) -> tp.Tensor:
    """Luma and two colour differences, as JPEG has them.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w) from 0 to 1; greys have 0.5 in Cb and Cr.

    Source: JFIF 1.02.
    """
    mixed = _mixed("rgb_to_ycbcr", image, _YCBCR)
    return mixed + tp.tensor(_HALF, dtype=image.dtype, device=image.device)[:, None, None]


def ycbcr_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """RGB from luma and colour differences; the inverse of `rgb_to_ycbcr`.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w).
    """
    _channels("ycbcr_to_rgb", image)
    centred = image - tp.tensor(_HALF, dtype=image.dtype, device=image.device)[:, None, None]
    return _mixed("ycbcr_to_rgb", centred, np.linalg.inv(_YCBCR))


def rgb_to_yuv(image: tp.Tensor) -> tp.Tensor:
    """Luma and two colour differences, as PAL has them.

    Args:
        image: (..., 3, h, w) floats from 0 to 1.

    Returns:
        (..., 3, h, w): Y from 0 to 1, U from -0.436 to 0.436, V from -0.615 to 0.615.
    """
    return _mixed("rgb_to_yuv", image, _YUV)


def yuv_to_rgb(image: tp.Tensor) -> tp.Tensor:
    """RGB from luma and colour differences; the inverse of `rgb_to_yuv`.

    Args:
        image: (..., 3, h, w) floats.

    Returns:
        (..., 3, h, w).
    """
    return _mixed("yuv_to_rgb", image, np.linalg.inv(_YUV))
