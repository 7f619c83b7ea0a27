"""Images as columns of patches, and back."""

from __future__ import annotations

from .configured import Configured
from .sizes import Sizes

__all__ = ["Fold", "Unfold"]


class Unfold(Configured):
    """Patches of (n, c, h, w) as columns: (n, c · k_h · k_w, patches).

    Args:
        kernel_size: of a patch.
        dilation: step between the elements of a patch.
        padding: zeros around the image.
        stride: step between patches.

    Example:
        >>> Unfold(2)(triptych.zeros(1, 3, 4, 5)).shape
        Size([1, 12, 12])
    """

    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1
    _function = "unfold"


class Fold(Configured):
    """Columns of patches (n, c · k_h · k_w, patches) added up to an image (n, c, h, w).

    Args:
        output_size: (h, w).
        kernel_size, dilation, padding, stride: as for `Unfold`.
    """

    output_size: Sizes
    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Sizes = 0
    stride: Sizes = 1
    _function = "fold"
