"""Activation functions as modules; each calls its twin in `functional`.

The layer with parameters among them is `PReLU`; `MultiheadAttention` is in `attention`.
"""

from __future__ import annotations

from typing import Any

from ...errors import ShapeError
from ...ops.creation import full
from ...ops.pointwise import sigmoid, tanh
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..module import Module
from ..parameter import Parameter
from .configured import Configured

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class ReLU(Configured):
    """max(x, 0).

    Example:
        >>> ReLU()(triptych.tensor([-1.0, 2.0]))
        tensor([0., 2.])
    """

    inplace: bool = False
    _function = "relu"


class ReLU6(Configured):
    """min(max(x, 0), 6)."""

    inplace: bool = False
    _function = "relu6"


class LeakyReLU(Configured):
    """x where it is positive, negative_slope · x elsewhere."""

    negative_slope: float = 0.01
    inplace: bool = False
    _function = "leaky_relu"


class ELU(Configured):
    """x where it is positive, alpha · (exp(x) - 1) elsewhere.

    Source: Clevert et al. 2016, eq. 12.
    """

    alpha: float = 1.0
    inplace: bool = False
    _function = "elu"


class CELU(Configured):
    """x where it is positive, alpha · (exp(x / alpha) - 1) elsewhere. Source: Barron 2017."""

    alpha: float = 1.0
    inplace: bool = False
    _function = "celu"


class SELU(Configured):
    """A scaled ELU that keeps mean 0 and variance 1. Source: Klambauer et al. 2017, eq. 2."""

    inplace: bool = False
    _function = "selu"


class GELU(Configured):
    """x times the probability that a standard normal number is below x.

    Args:
        approximate: "none", or "tanh" for the formula with tanh.

    Source: Hendrycks and Gimpel 2016, section 2.
    """

    approximate: str = "none"
    _function = "gelu"


class SiLU(Configured):
    """x · sigmoid(x), also called swish. Source: Elfwing et al. 2017, eq. 5."""

    inplace: bool = False
    _function = "silu"


class Mish(Configured):
    """x · tanh(softplus(x)). Source: Misra 2019, eq. 1."""

    inplace: bool = False
    _function = "mish"


class Hardswish(Configured):
    """x · relu6(x + 3) / 6. Source: Howard et al. 2019, section 5.2."""

    inplace: bool = False
    _function = "hardswish"


class Hardsigmoid(Configured):
    """relu6(x + 3) / 6."""

    inplace: bool = False
    _function = "hardsigmoid"


class Hardtanh(Configured):
    """x cut to [min_val, max_val].

    Raises:
        ShapeError: min_val is not below max_val.
    """

    min_val: float = -1.0
    max_val: float = 1.0
    inplace: bool = False
    _function = "hardtanh"

    def _settle(self) -> None:
        if self.min_val >= self.max_val:
            raise ShapeError(
                f"Hardtanh: min_val {self.min_val} is not below max_val {self.max_val}"
            )


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, input: Tensor) -> Tensor:
        return sigmoid(input)


class Tanh(Module):
    """Hyperbolic tangent."""

    def forward(self, input: Tensor) -> Tensor:
        return tanh(input)


class LogSigmoid(Configured):
    """log(sigmoid(x)), without overflow."""

    _function = "logsigmoid"


class Softplus(Configured):
    """log(1 + exp(beta · x)) / beta; x itself where beta · x exceeds threshold."""

    beta: float = 1.0
    threshold: float = 20.0
    _function = "softplus"


class Softsign(Configured):
    """x / (1 + |x|)."""

    _function = "softsign"


class Tanhshrink(Configured):
    """x - tanh(x)."""

    _function = "tanhshrink"


class Hardshrink(Configured):
    """0 where |x| is at most lambd, x elsewhere."""

    lambd: float = 0.5
    _function = "hardshrink"

    def extra_repr(self) -> str:
        return str(self.lambd)


class Softshrink(Configured):
    """x moved towards 0 by lambd; 0 where |x| is at most lambd."""

    lambd: float = 0.5
    _function = "softshrink"

    def extra_repr(self) -> str:
        return str(self.lambd)


class Threshold(Configured):
    """x where it exceeds threshold, value elsewhere."""

    threshold: float
    value: float
    inplace: bool = False
    _function = "threshold"


class RReLU(Configured):
    """A leaky ReLU whose slope is drawn from [lower, upper] per element in training, and is their
    mean in evaluation. Source: Xu et al. 2015, section 2.4.
    """

    lower: float = 1 / 8
    upper: float = 1 / 3
    inplace: bool = False
    _function = "rrelu"

    def forward(self, input: Tensor) -> Tensor:
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class GLU(Configured):
    """The first half of a dim times the sigmoid of the second. Source: Dauphin et al. 2017."""

    dim: int = -1
    _function = "glu"


class Softmax(Configured):
    """exp(x) divided by its sum along dim."""

    dim: int | None = None
    _function = "softmax"


class LogSoftmax(Configured):
    """log(softmax(x)) along dim."""

    dim: int | None = None
    _function = "log_softmax"


class Softmin(Configured):
    """softmax(-x) along dim."""

    dim: int | None = None
    _function = "softmin"


class Softmax2d(Module):
    """Softmax over the channels of (n, c, h, w) or (c, h, w).

    Raises:
        ShapeError: the input has another number of dims.
    """

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim not in (3, 4):
            raise ShapeError(
                f"Softmax2d: wanted (n, c, h, w) or (c, h, w), got {tuple(input.shape)}"
            )
        return F.softmax(input, -3)


class PReLU(Module):
    """x where it is positive, a learned slope times x elsewhere.

    Args:
        num_parameters: 1 slope for all, or one per channel (dim 1).
        init: the first value of the slopes.
        device, dtype: of the slopes.

    Attributes:
        weight: (num_parameters,).

    Source: He et al. 2015, eq. 1.
    """

    weight: Parameter

    def __init__(
        self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.num_parameters, self.init = num_parameters, init
        self.weight = Parameter(full((num_parameters,), init, device=device, dtype=dtype))

    def reset_parameters(self) -> None:
        """Set all slopes to their first value."""
        init.constant_(self.weight, self.init)

    def forward(self, input: Tensor) -> Tensor:
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
