"""Colours as users write them, and colours for those who give none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.errors import ShapeError

__all__ = ["Color", "Colors", "distinct_colors"]

Color = str | tuple[int, int, int]
Colors = Color | Sequence[Color] | None
RGB = tuple[int, int, int]

# Steps of red, green and blue from one object to the next; torchvision's palette.
_STEPS = (2**25 - 1, 2**15 - 1, 2**21 - 1)
_GOLDEN_ANGLE = 137.508  # degrees of hue; any few neighbours lie far apart


def parsed_colors(caller: str, colors: Colors, count: int) -> list[RGB]:
    """One colour for each of a number of objects.

    Args:
        caller: the public function, for the text of an error.
        colors: one for all, or a sequence with one for each; a name, "#rrggbb" or (r, g, b), from
            0 to 255. Default torchvision's palette.
        count: of the objects.

    Returns:
        Red, green and blue of each.

    Raises:
        ShapeError: fewer colours than objects.
        ValueError: a colour that Pillow does not know.
    """
    if colors is None:
        return [tuple(place * step % 255 for step in _STEPS) for place in range(count)]  # type: ignore[misc]
    single = isinstance(colors, str) or (len(colors) == 3 and isinstance(colors[0], int))
    given: Any = [colors] * count if single else list(colors)
    if len(given) < count:
        raise ShapeError(f"{caller}: {len(given)} colors for {count} objects")
    return [_rgb(color) for color in given[:count]]


def _rgb(color: Color) -> RGB:
    from PIL import ImageColor

    found: Any = ImageColor.getrgb(color)[:3] if isinstance(color, str) else tuple(color)
    return found


def distinct_colors(count: int) -> list[RGB]:
    """Bright colours, neighbours far apart in hue.

    Example:
        >>> distinct_colors(2)
        [(242, 13, 13), (13, 242, 80)]
    """
    return [_rgb(f"hsl({_GOLDEN_ANGLE * place % 360:.1f}, 90%, 50%)") for place in range(count)]
