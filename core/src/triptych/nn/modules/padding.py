"""Padding of the last one, two or three dims.

``padding`` is one int for all sides, or a pair of ints per dim, beginning with the last:
(left, right, top, bottom, front, back).
"""

from __future__ import annotations

from typing import Any, ClassVar

from ...tensor import Tensor
from .. import functional as F
from ..functional.arguments import per_axis
from .configured import Configured
from .sizes import Sizes

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Configured):
    padding: Sizes
    _dims: ClassVar[int]
    _mode: ClassVar[str]

    def _settle(self) -> None:
        self.padding = per_axis(type(self).__name__, "padding", self.padding, 2 * self._dims)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self._mode)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPad(_Pad):
    value: float
    _mode = "constant"

    def forward(self, input: Tensor) -> Any:
        return F.pad(input, self.padding, "constant", self.value)  # type: ignore[arg-type]

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPad):
    """Add one number on both sides of the last dim."""

    _dims = 1


class ConstantPad2d(_ConstantPad):
    """Add one number around the last two dims.

    Example:
        >>> ConstantPad2d((1, 0, 0, 2), 7.0)(triptych.zeros(1, 2, 2)).shape
        Size([1, 4, 3])
    """

    _dims = 2


class ConstantPad3d(_ConstantPad):
    """Add one number around the last three dims."""

    _dims = 3


class ZeroPad1d(_Pad):
    """Add zeros on both sides of the last dim."""

    _dims, _mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Add zeros around the last two dims."""

    _dims, _mode = 2, "constant"


class ZeroPad3d(_Pad):
    """Add zeros around the last three dims."""

    _dims, _mode = 3, "constant"


class ReflectionPad1d(_Pad):
    """Mirror the last dim at its edges."""

    _dims, _mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Mirror the last two dims at their edges."""

    _dims, _mode = 2, "reflect"


class ReflectionPad3d(_Pad):
    """Mirror the last three dims at their edges."""

    _dims, _mode = 3, "reflect"


class ReplicationPad1d(_Pad):
    """Repeat the first and last elements of the last dim."""

    _dims, _mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Repeat the outermost elements of the last two dims."""

    _dims, _mode = 2, "replicate"


class ReplicationPad3d(_Pad):
    """Repeat the outermost elements of the last three dims."""

    _dims, _mode = 3, "replicate"


class CircularPad1d(_Pad):
    """Continue the last dim with its other end."""

    _dims, _mode = 1, "circular"


class CircularPad2d(_Pad):
    """Continue the last two dims with their other ends."""

    _dims, _mode = 2, "circular"


class CircularPad3d(_Pad):
    """Continue the last three dims with their other ends."""

    _dims, _mode = 3, "circular"
