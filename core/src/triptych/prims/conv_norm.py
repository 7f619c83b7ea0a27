"""What networks for images do most, as one record: convolution, then batch normalisation or a bias,
then an activation.

In evaluation the numbers in between need not be kept, and a backend may normalise and activate the
outputs of a convolution before it stores them.
"""

from __future__ import annotations

import functools
from typing import Any

from ..avals import Aval
from . import composite as cp
from . import elementwise as ew
from . import naming, piecewise
from .contract import check_bias, check_dtypes, conv
from .movement import reshape
from .normalization import batch_norm_eval
from .table import Prim

__all__ = ["ACTIVATIONS", "conv_bias", "conv_norm"]

ACTIVATIONS = {
    "hardsigmoid": piecewise.hardsigmoid,
    "hardswish": piecewise.hardswish,
    "relu": ew.relu,
    "relu6": piecewise.relu6,
    "sigmoid": ew.sigmoid,
    "silu": cp.silu,
}
"""What may come last; "identity" is nothing."""


def _of(call: Any) -> Prim:
    """The record of a primitive."""
    prim: Prim = call.prim
    return prim


def _aval(x: Any, w: Any, *vectors: Any, eps: float, then: str, **options: Any) -> Aval:
    y: Aval = _of(batch_norm_eval).aval(_of(conv).aval(x, w, **options), *vectors, eps=eps)
    return y


def _decomp(x: Any, w: Any, *vectors: Any, eps: float, then: str, **options: Any) -> Any:
    y = batch_norm_eval(conv(x, w, **options), *vectors, eps=eps)
    return ACTIVATIONS[then](y) if then != "identity" else y


def _conv_norm(
    xp: Any, x: Any, w: Any, *vectors: Any, eps: float, then: str, **options: Any
) -> Any:
    _aval(x, w, *vectors, eps=eps, then=then, **options)  # a native kernel has its own checks
    y = _of(conv).kernel(x)(x, w, **options)
    y = _of(batch_norm_eval).kernel(x)(y, *vectors, eps=eps)
    return _of(ACTIVATIONS[then]).kernel(x)(y) if then != "identity" else y


def _vjp(
    g: Any,
    xs: Any,
    *,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
    eps: float,
    then: str,
) -> list[Any]:
    options: Any = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    again = functools.partial(_decomp, eps=eps, then=then, **options)
    return cp.pulled_back(lambda *args: (again(*args),), xs, [g])


conv_norm = cp.composite(
    "conv_norm",
    _decomp,
    _conv_norm,
    _vjp,
    aval=_aval,
    check="late",
    names=lambda x, w, *vectors, **options: naming.conv(x, w),
    amp="low",
)
"""x (n, c, *s), weight (o, c / groups, *k), and of the norm mean, variance, weight and bias, each
(o,), to (n, o, *s'). Options are those of `conv`; eps is added to the variance, and `then` names
one of `ACTIVATIONS` or is "identity"."""


# With a bias


def _bias_aval(x: Any, w: Any, bias: Any, *, then: str, **options: Any) -> Aval:
    y: Aval = _of(conv).aval(x, w, **options)
    check_bias(f"conv{len(options['stride'])}d", bias, y.shape[1])
    if bias.dtype != x.dtype:
        check_dtypes("conv_bias", input=x, bias=bias)
    return y


def _bias_decomp(x: Any, w: Any, bias: Any, *, then: str, **options: Any) -> Any:
    y = conv(x, w, **options)
    y = ew.add(y, reshape(bias, shape=(w.shape[0], *[1] * (len(w.shape) - 2))))
    return ACTIVATIONS[then](y) if then != "identity" else y


def _conv_bias(xp: Any, x: Any, w: Any, bias: Any, *, then: str, **options: Any) -> Any:
    _bias_aval(x, w, bias, then=then, **options)
    y = _of(conv).kernel(x)(x, w, **options)
    y = _of(ew.add).kernel(x)(y, bias.reshape(-1, *[1] * (y.ndim - 2)))
    return _of(ACTIVATIONS[then]).kernel(x)(y) if then != "identity" else y


def _bias_vjp(
    g: Any, xs: Any, *, stride: Any, padding: Any, dilation: Any, groups: int, then: str
) -> list[Any]:
    options: Any = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    again = functools.partial(_bias_decomp, then=then, **options)
    return cp.pulled_back(lambda *args: (again(*args),), xs, [g])


conv_bias = cp.composite(
    "conv_bias",
    _bias_decomp,
    _conv_bias,
    _bias_vjp,
    aval=_bias_aval,
    check="late",
    names=lambda x, w, bias, **options: naming.conv(x, w),
    amp="low",
)
"""x (n, c, *s), weight (o, c / groups, *k) and bias (o,) to (n, o, *s'); options and `then` as for
`conv_norm`."""
