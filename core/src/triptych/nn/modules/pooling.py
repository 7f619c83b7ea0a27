"""The maximum, mean or power mean of windows of (n, c, *spatial) or (c, *spatial)."""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...tensor import Tensor
from .. import functional as F
from .configured import Configured
from .sizes import Sizes

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _Strided(Configured):
    """Windows that step by their own size unless told otherwise."""

    kernel_size: Sizes
    stride: Any = None

    def _settle(self) -> None:
        self.stride = self.kernel_size if self.stride is None else self.stride


class _MaxPool(_Strided):
    padding: Sizes = 0
    dilation: Sizes = 1
    return_indices: bool = False
    ceil_mode: bool = False
    _hidden = ("return_indices",)


class MaxPool1d(_MaxPool):
    """Maximum of windows over time; arguments as for `MaxPool2d`."""

    _function = "max_pool1d"


class MaxPool2d(_MaxPool):
    """Maximum of windows over images.

    Args:
        kernel_size: of the window.
        stride: step between windows; default kernel_size.
        padding: rows and columns of -inf added on each side.
        dilation: step between the elements of a window.
        return_indices: also give where each maximum was, for `MaxUnpool2d`.
        ceil_mode: keep windows that stick out at the end.

    Example:
        >>> MaxPool2d(2)(triptych.zeros(1, 3, 8, 8)).shape
        Size([1, 3, 4, 4])
    """

    _function = "max_pool2d"


class MaxPool3d(_MaxPool):
    """Maximum of windows over volumes; arguments as for `MaxPool2d`."""

    _function = "max_pool3d"


class AvgPool1d(_Strided):
    """Mean of windows over time; arguments as for `AvgPool2d`."""

    padding: Sizes = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    _hidden = ("ceil_mode", "count_include_pad")
    _function = "avg_pool1d"


class AvgPool2d(_Strided):
    """Mean of windows over images.

    Args:
        kernel_size: of the window.
        stride: step between windows; default kernel_size.
        padding: rows and columns of zeros added on each side.
        ceil_mode: keep windows that stick out at the end.
        count_include_pad: divide by the window's size, padding included.
        divisor_override: divide by this instead.

    Example:
        >>> AvgPool2d(2)(triptych.zeros(1, 3, 8, 8)).shape
        Size([1, 3, 4, 4])
    """

    padding: Sizes = 0
    ceil_mode: bool = False
    count_include_pad: bool = True
    divisor_override: int | None = None
    _hidden = ("ceil_mode", "count_include_pad", "divisor_override")
    _function = "avg_pool2d"


class AvgPool3d(AvgPool2d):
    """Mean of windows over volumes; arguments as for `AvgPool2d`."""

    _function = "avg_pool3d"


class _Adaptive(Configured):
    output_size: Any


class AdaptiveAvgPool1d(_Adaptive):
    """Mean of windows chosen to give (..., output_size); see `AdaptiveAvgPool2d`."""

    _function = "adaptive_avg_pool1d"


class AdaptiveAvgPool2d(_Adaptive):
    """Mean of windows chosen to give (..., h, w).

    Args:
        output_size: h and w, or one int for both; None keeps the input's.

    Example:
        >>> AdaptiveAvgPool2d(1)(triptych.ones(1, 3, 7, 5)).shape
        Size([1, 3, 1, 1])
    """

    _function = "adaptive_avg_pool2d"


class AdaptiveAvgPool3d(_Adaptive):
    """Mean of windows chosen to give (..., d, h, w); see `AdaptiveAvgPool2d`."""

    _function = "adaptive_avg_pool3d"


class _AdaptiveMax(_Adaptive):
    return_indices: bool = False
    _hidden = ("return_indices",)


class AdaptiveMaxPool1d(_AdaptiveMax):
    """Maximum of windows chosen to give (..., output_size); see `AdaptiveMaxPool2d`."""

    _function = "adaptive_max_pool1d"


class AdaptiveMaxPool2d(_AdaptiveMax):
    """Maximum of windows chosen to give (..., h, w).

    Args:
        output_size: h and w, or one int for both; None keeps the input's.
        return_indices: also give where each maximum was.
    """

    _function = "adaptive_max_pool2d"


class AdaptiveMaxPool3d(_AdaptiveMax):
    """Maximum of windows chosen to give (..., d, h, w); see `AdaptiveMaxPool2d`."""

    _function = "adaptive_max_pool3d"


class _Power(Configured):
    norm_type: float
    kernel_size: Sizes
    stride: Any = None
    ceil_mode: bool = False


class LPPool1d(_Power):
    """The norm_type-th root of the sum of powers of windows over time; see `LPPool2d`."""

    _function = "lp_pool1d"


class LPPool2d(_Power):
    """The norm_type-th root of the sum of norm_type-th powers of windows over images.

    Args:
        norm_type: 1 gives sums; large values approach the maximum.
        kernel_size: of the window.
        stride: step between windows; default kernel_size.
        ceil_mode: keep windows that stick out at the end.
    """

    _function = "lp_pool2d"


class LPPool3d(_Power):
    """The norm_type-th root of the sum of powers of windows over volumes; see `LPPool2d`."""

    _function = "lp_pool3d"


class _Unpool(_Strided):
    padding: Sizes = 0

    def forward(self, input: Tensor, indices: Tensor, output_size: Any = None) -> Tensor:
        size = None if output_size is None else list(output_size)
        unpool = getattr(F, self._function)
        return unpool(input, indices, self.kernel_size, self.stride, self.padding, size)


class MaxUnpool1d(_Unpool):
    """Puts maxima over time back where they were; see `MaxUnpool2d`."""

    _function = "max_unpool1d"


class MaxUnpool2d(_Unpool):
    """Puts the maxima that `MaxPool2d` found back where they were, among zeros.

    Called with the maxima, their indices, and an output_size where several would fit.
    """

    _function = "max_unpool2d"


class MaxUnpool3d(_Unpool):
    """Puts maxima over volumes back where they were; see `MaxUnpool2d`."""

    _function = "max_unpool3d"


class _FractionalMaxPool(Configured):
    kernel_size: Sizes
    output_size: Any = None
    output_ratio: Any = None
    return_indices: bool = False
    _random_samples: Any = None
    _tensors = ("_random_samples",)

    def _settle(self) -> None:
        if (self.output_size is None) == (self.output_ratio is None):
            raise ShapeError(
                f"{type(self).__name__}: give output_size or output_ratio, and not both"
            )
        self._non_persistent_buffers_set.discard("_random_samples")

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}"


class FractionalMaxPool2d(_FractionalMaxPool):
    """Maximum of windows whose starts are drawn at random.

    Args:
        kernel_size: of the windows, an int or a pair.
        output_size: how many windows per axis; or
        output_ratio: how many in proportion to the input, between 0 and 1.
        return_indices: also give the flat place of each maximum in its image.

    Raises:
        ShapeError: both or none of output_size and output_ratio.

    Example:
        >>> FractionalMaxPool2d(2, output_ratio=0.6)(triptych.randn(1, 3, 10, 10)).shape
        Size([1, 3, 6, 6])

    Source: Graham 2014.
    """

    _function = "fractional_max_pool2d"


class FractionalMaxPool3d(_FractionalMaxPool):
    """`FractionalMaxPool2d` for volumes."""

    _function = "fractional_max_pool3d"
