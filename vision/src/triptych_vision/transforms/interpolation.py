"""How new pixels are computed from old ones: the modes, and Pillow's codes for them."""

from __future__ import annotations

from enum import Enum

from triptych.errors import UnknownNameError

__all__ = ["InterpolationMode", "interpolation_mode"]


class InterpolationMode(Enum):
    """Names of the ways to interpolate; a function that takes one takes its string as well.

    NEAREST picks the pixel at floor(i * scale), as OpenCV and torch's "nearest" do; NEAREST_EXACT
    the one whose centre is closest, as Pillow and scikit-image do.
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"

    @property
    def pillow_code(self) -> int:
        """The number of `PIL.Image.Resampling` for this mode; Pillow's nearest is the exact one."""
        return _PILLOW_CODES[self]


_PILLOW_CODES = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
_FROM_PILLOW = {
    code: mode
    for mode, code in _PILLOW_CODES.items()
    if mode is not InterpolationMode.NEAREST_EXACT
}


def interpolation_mode(mode: InterpolationMode | str | int) -> InterpolationMode:
    """The mode that an argument means.

    Args:
        mode: a member, its string such as "bilinear", or a code of `PIL.Image.Resampling`.

    Returns:
        The member.

    Raises:
        UnknownNameError: no mode is called so.

    Example:
        >>> interpolation_mode("bicubic"), interpolation_mode(2)
        (<InterpolationMode.BICUBIC: 'bicubic'>, <InterpolationMode.BILINEAR: 'bilinear'>)
    """
    if isinstance(mode, InterpolationMode):
        return mode
    names = {member.value: member for member in InterpolationMode}
    found = _FROM_PILLOW.get(mode) if isinstance(mode, int) else names.get(str(mode).lower())
    if found is None:
        raise UnknownNameError(
            f"interpolation: wanted one of {', '.join(m.value for m in InterpolationMode)}, "
            f"got {mode!r}"
        )
    return found
