"""Frames that make images large enough, or their sides multiples of a number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from triptych.errors import ShapeError, UnknownNameError

from . import functional as F
from .filling import FillByKind, checked_fill_by_kind, fill_for
from .functional.geometry import two_lengths
from .queries import query_size
from .transform import Transform

__all__ = ["PadIfNeeded"]

_POSITIONS = {"center": 2, "top left": 0}  # what divides the frame, to leave its part before


class PadIfNeeded(Transform):
    """Frame images that are too small, as networks with strides need them; others stay.

    Args:
        min_size: (h, w) at least, or one length for both; None for no least size.
        divisor: height and width become multiples of it; one number, or (h, w).
        fill: value of a constant frame: one, one per channel, or a dict of these by type.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
        position: of the image in its frame: "center" or "top left".

    Raises:
        ShapeError: neither min_size nor divisor, or one below 1.
        UnknownNameError: another position.

    Example:
        >>> import triptych
        >>> PadIfNeeded(divisor=32)(triptych.zeros(3, 40, 64)).shape
        Size([3, 64, 64])
    """

    def __init__(
        self,
        min_size: int | Sequence[int] | None = None,
        divisor: int | Sequence[int] | None = None,
        fill: FillByKind = 0,
        padding_mode: str = "constant",
        position: str = "center",
    ) -> None:
        super().__init__()
        if position not in _POSITIONS:
            raise UnknownNameError(
                f"PadIfNeeded: position is one of {list(_POSITIONS)}, got {position!r}"
            )
        self.min_size = two_lengths("PadIfNeeded", 1 if min_size is None else min_size)
        self.divisor = two_lengths("PadIfNeeded", 1 if divisor is None else divisor)
        if min_size is divisor is None:
            raise ShapeError("PadIfNeeded: give min_size or divisor, in pixels")
        self.fill = checked_fill_by_kind("PadIfNeeded", fill)
        self.padding_mode = padding_mode
        self.position = position

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The frame: pixels to the left, top, right and bottom."""
        before, after = [], []
        for n, least, step in zip(
            query_size(flat_inputs), self.min_size, self.divisor, strict=True
        ):
            missing = -(-max(n, least) // step) * step - n
            part = _POSITIONS[self.position]
            before.append(missing // part if part else 0)
            after.append(missing - before[-1])
        return {"padding": [*before[::-1], *after[::-1]]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The framed image, or the image itself."""
        if not any(params["padding"]):
            return inpt
        fill = fill_for(self.fill, inpt)
        return self.call_kernel(F.pad, inpt, params["padding"], fill, self.padding_mode)
