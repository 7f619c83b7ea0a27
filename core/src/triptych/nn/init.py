"""Starting values for parameters. All functions write into the tensor they are given, record
nothing, and return it; the random ones take ``generator=``.
"""

from __future__ import annotations

import contextlib
import contextvars
import functools
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..autograd.modes import no_grad
from ..errors import ShapeError, UnknownNameError
from ..ops.creation import from_numpy
from ..ops.random import rand, randn
from ..random import Generator
from ..tensor import Tensor

__all__ = [
    "calculate_gain",
    "constant",
    "constant_",
    "dirac",
    "dirac_",
    "eye",
    "eye_",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "normal",
    "normal_",
    "ones_",
    "orthogonal",
    "orthogonal_",
    "skipped",
    "sparse",
    "sparse_",
    "trunc_normal_",
    "uniform",
    "uniform_",
    "xavier_normal",
    "xavier_normal_",
    "xavier_uniform",
    "xavier_uniform_",
    "zeros_",
]

_skipping: contextvars.ContextVar[bool] = contextvars.ContextVar("skipping", default=False)

# Gains that keep the variance of activations steady: He et al. 2015, eq. 14, for the rectifiers;
# 5/3 for tanh and 3/4 for selu as in torch.
_GAINS: dict[str, Callable[[float], float]] = {
    "relu": lambda slope: math.sqrt(2),
    "leaky_relu": lambda slope: math.sqrt(2 / (1 + slope**2)),
    "tanh": lambda slope: 5 / 3,
    "selu": lambda slope: 3 / 4,
} | {
    name: lambda slope: 1.0
    for name in (
        "linear",
        "sigmoid",
        *(f"{kind}{ndim}d" for kind in ("conv", "conv_transpose") for ndim in (1, 2, 3)),
    )
}


@contextlib.contextmanager
def skipped() -> Iterator[None]:
    """Inside this context the functions here leave tensors as they are, which saves the time of
    drawing numbers that a checkpoint overwrites.

    Example:
        >>> with skipped():
        ...     layer = triptych.nn.Linear(4, 2)
    """
    before = _skipping.set(True)
    try:
        yield
    finally:
        _skipping.reset(before)


def _filler(fn: Callable[..., None]) -> Callable[..., Tensor]:
    """A function that fills its tensor unrecorded and returns it."""

    @functools.wraps(fn)
    def fill(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not _skipping.get() and tensor.numel():
            with no_grad():
                fn(tensor, *args, **kwargs)
        return tensor

    return fill


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """The factor on the standard deviation that suits the function after a layer.

    Args:
        nonlinearity: such as "relu", "tanh" or "linear".
        param: the negative slope of "leaky_relu"; default 0.01.

    Raises:
        UnknownNameError: no such function is known.

    Example:
        >>> round(calculate_gain("relu"), 4)
        1.4142

    Source: He et al. 2015, section 2.2.
    """
    if nonlinearity not in _GAINS:
        raise UnknownNameError(
            f"calculate_gain: unknown nonlinearity {nonlinearity!r}; known: "
            f"{', '.join(sorted(_GAINS))}"
        )
    return _GAINS[nonlinearity](0.01 if param is None else param)


@_filler
def uniform_(
    tensor: Tensor, a: float = 0.0, b: float = 1.0, generator: Generator | None = None
) -> None:
    """Fill with uniform numbers from [a, b)."""
    tensor.uniform_(a, b, generator=generator)


@_filler
def normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, generator: Generator | None = None
) -> None:
    """Fill with normal numbers."""
    tensor.normal_(mean, std, generator=generator)


@_filler
def trunc_normal_(
    tensor: Tensor,
    mean: float = 0.0,
    std: float = 1.0,
    a: float = -2.0,
    b: float = 2.0,
    generator: Generator | None = None,
) -> None:
    """Fill with normal numbers of which those outside [a, b] are drawn again.

    Args:
        tensor: what to fill.
        mean, std: of the normal distribution before it is cut.
        a, b: the cuts, absolute values rather than multiples of std.
        generator: where the numbers come from.

    Raises:
        ShapeError: less than a hundredth of the distribution lies in [a, b].
    """
    inside = (
        math.erf((b - mean) / std / math.sqrt(2)) - math.erf((a - mean) / std / math.sqrt(2))
    ) / 2
    if inside < 0.01:
        raise ShapeError(
            f"trunc_normal_: [{a}, {b}] holds {inside:.1%} of the normal distribution with "
            f"mean {mean} "
            f"and std {std}; choose cuts around the mean"
        )
    tensor.normal_(mean, std, generator=generator)
    flat: Any = tensor.reshape(-1)
    outside = ((flat < a) | (flat > b)).nonzero().reshape(-1)
    while outside.numel():
        drawn: Any = randn(
            outside.numel(), generator=generator, dtype=tensor.dtype, device=tensor.device
        )
        drawn = drawn * std + mean
        flat = flat.index_copy(0, outside, drawn)
        outside = outside[(drawn < a) | (drawn > b)]
    tensor.copy_(flat.reshape(tensor.shape))


@_filler
def constant_(tensor: Tensor, val: float) -> None:
    """Fill with one number."""
    tensor.fill_(val)


@_filler
def ones_(tensor: Tensor) -> None:
    """Fill with ones."""
    tensor.fill_(1)


@_filler
def zeros_(tensor: Tensor) -> None:
    """Fill with zeros."""
    tensor.fill_(0)


@_filler
def eye_(tensor: Tensor) -> None:
    """Fill a matrix with the identity: ones on the diagonal, zeros elsewhere.

    Raises:
        ShapeError: it is no matrix.
    """
    _want_ndim("eye_", tensor, (2,))
    _write(tensor, np.eye(*tensor.shape))


@_filler
def dirac_(tensor: Tensor, groups: int = 1) -> None:
    """Fill a convolution's weight so that it passes its input channels through unchanged.

    Args:
        tensor: (out, in / groups, *kernel).
        groups: of the convolution.

    Raises:
        ShapeError: it is no such weight, or out is no multiple of groups.
    """
    _want_ndim("dirac_", tensor, (3, 4, 5))
    out, into, *kernel = tensor.shape
    if out % groups:
        raise ShapeError(f"dirac_: {out} output channels cannot be split into {groups} groups")
    weight = np.zeros(tensor.shape)
    per_group = out // groups
    channels = np.arange(min(per_group, into))
    middle = tuple(k // 2 for k in kernel)
    for g in range(groups):
        place: Any = (g * per_group + channels, channels, *middle)
        weight[place] = 1
    _write(tensor, weight)


def _fans(name: str, tensor: Tensor) -> tuple[int, int]:
    """How many inputs each output is made of, and how many outputs each input goes into."""
    if tensor.ndim < 2:
        raise ShapeError(
            f"{name}: fan-in and fan-out need a weight with at least 2 dims, got "
            f"{tuple(tensor.shape)}"
        )
    area = math.prod(tensor.shape[2:])
    return tensor.shape[1] * area, tensor.shape[0] * area


@_filler
def xavier_uniform_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with uniform numbers of variance gain² · 2 / (fan_in + fan_out).

    Source: Glorot and Bengio 2010, eq. 16.
    """
    bound = gain * math.sqrt(6 / sum(_fans("xavier_uniform_", tensor)))
    tensor.uniform_(-bound, bound, generator=generator)


@_filler
def xavier_normal_(tensor: Tensor, gain: float = 1.0, generator: Generator | None = None) -> None:
    """Fill with normal numbers of variance gain² · 2 / (fan_in + fan_out).

    Source: Glorot and Bengio 2010, eq. 12.
    """
    std = gain * math.sqrt(2 / sum(_fans("xavier_normal_", tensor)))
    tensor.normal_(0, std, generator=generator)


def _kaiming_std(name: str, tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fans = dict(zip(("fan_in", "fan_out"), _fans(name, tensor), strict=True))
    if mode.lower() not in fans:
        raise UnknownNameError(f"{name}: mode is fan_in or fan_out, got {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(fans[mode.lower()])


@_filler
def kaiming_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> None:
    """Fill with uniform numbers of variance gain² / fan.

    Args:
        tensor: a weight of at least two dims.
        a: negative slope of the leaky_relu that follows.
        mode: "fan_in" keeps the variance of activations, "fan_out" that of gradients.
        nonlinearity: see `calculate_gain`.
        generator: where the numbers come from.

    Source: He et al. 2015, eq. 14.
    """
    bound = math.sqrt(3) * _kaiming_std("kaiming_uniform_", tensor, a, mode, nonlinearity)
    tensor.uniform_(-bound, bound, generator=generator)


@_filler
def kaiming_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: Generator | None = None,
) -> None:
    """Fill with normal numbers of variance gain² / fan; arguments as for `kaiming_uniform_`.

    Source: He et al. 2015, eq. 14.
    """
    std = _kaiming_std("kaiming_normal_", tensor, a, mode, nonlinearity)
    tensor.normal_(0, std, generator=generator)


@_filler
def orthogonal_(tensor: Tensor, gain: float = 1, generator: Generator | None = None) -> None:
    """Fill with a random matrix whose rows, or columns if they are fewer, are orthonormal.

    Args:
        tensor: at least two dims; all after the first count as columns.
        gain: factor on the result.
        generator: where the numbers come from.

    Source: Saxe et al. 2014; the signs make the distribution uniform (Mezzadri 2007, section 5).
    """
    if tensor.ndim < 2:
        raise ShapeError(f"orthogonal_: wanted at least 2 dims, got {tuple(tensor.shape)}")
    rows, cols = tensor.shape[0], tensor.numel() // tensor.shape[0]
    drawn = randn(max(rows, cols), min(rows, cols), generator=generator).double().numpy()
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diag(r))
    _write(tensor, (q.T if rows < cols else q).reshape(tensor.shape) * gain)


@_filler
def sparse_(
    tensor: Tensor, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> None:
    """Fill a matrix with normal numbers, then zero a random share of every column.

    Args:
        tensor: (rows, columns).
        sparsity: share of each column that becomes zero, from 0 to 1.
        std: of the others.
        generator: where the numbers come from.

    Raises:
        ShapeError: it is no matrix.

    Source: Martens 2010, section 5.
    """
    _want_ndim("sparse_", tensor, (2,))
    tensor.normal_(0, std, generator=generator)
    num_zeros = math.ceil(sparsity * tensor.shape[0])
    keys = rand(*tensor.shape, generator=generator, device=tensor.device)
    tensor.masked_fill_(keys.argsort(0).argsort(0) < num_zeros, 0)


def _older(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """A function under the name it had before those that write end in an underscore."""
    name = function.__name__[:-1]

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Tensor:
        warnings.warn(
            f"nn.init.{name} is now nn.init.{name}_", category=FutureWarning, stacklevel=2
        )
        return function(*args, **options)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`{name}_` under its older name.\n\n    Warns FutureWarning."
    return call


constant = _older(constant_)
dirac = _older(dirac_)
eye = _older(eye_)
kaiming_normal = _older(kaiming_normal_)
kaiming_uniform = _older(kaiming_uniform_)
normal = _older(normal_)
orthogonal = _older(orthogonal_)
sparse = _older(sparse_)
uniform = _older(uniform_)
xavier_normal = _older(xavier_normal_)
xavier_uniform = _older(xavier_uniform_)


def _want_ndim(name: str, tensor: Tensor, ndims: tuple[int, ...]) -> None:
    if tensor.ndim not in ndims:
        wanted = " or ".join(map(str, ndims))
        raise ShapeError(
            f"{name}: wanted a tensor with {wanted} dims, got shape {tuple(tensor.shape)}"
        )


def _write(tensor: Tensor, numbers: np.ndarray) -> None:
    tensor.copy_(from_numpy(np.ascontiguousarray(numbers)).to(tensor.device, tensor.dtype))
