"""Templates: what all primitives of a kind have in common, so that a record says only the rest."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..avals import Aval, broadcast_shapes, reduced_shape, shape_of
from . import batching, forward, naming
from .dispatch import callable_for
from .promotion import INEXACT, NUMERIC, Promotion
from .table import NA, Prim

Call = Callable[..., Any]
CONSTANT = NA("piecewise constant: the derivative is zero wherever it exists")
PRIMITIVE = NA("a primitive is not made of smaller ones")
ANYWHERE = NA("defined and smooth for all inputs")
NOWHERE = NA("not differentiated")
NOT_ELEMENTWISE = NA("not an elementwise function")

# What autocast does with the floating inputs of a kind, unless a record says otherwise: "low" to
# the low dtype, "single" to float32, "widest" to the widest among them, "as is" nothing.
AMP = {
    "unary": "as is",
    "binary": "widest",
    "select": "widest",
    "cast": "as is",
    "transfer": "as is",
    "movement": "as is",
    "index": "as is",
    "window": "as is",
    "reduction": "as is",
    "scan": "single",
    "spectral": "single",
    "linalg": "single",
    "special": "single",
    "contraction": "low",
    "create": NA("there are no inputs to convert"),
}
NO_FLOATS = NA("takes no floating inputs")


def dtype_of(*xs: Any) -> np.dtype:
    """The dtype that promoted inputs share; Python scalars have none of their own."""
    for x in xs:
        if hasattr(x, "dtype"):
            return x.dtype
    return np.asarray(xs[0]).dtype


def half_as_single(kernel: Call) -> Call:
    """A kernel that computes float16 and bfloat16 in float32, and rounds once at the end."""

    @functools.wraps(kernel)
    def wrapped(xp: Any, *arrays: Any, **params: Any) -> Any:
        dtype = arrays[0].dtype
        if dtype.itemsize != 2 or dtype.kind in "iu":
            return kernel(xp, *arrays, **params)
        return kernel(xp, *(x.astype(xp.float32) for x in arrays), **params).astype(dtype)

    return wrapped


def slope(kernel: Call) -> Call:
    """A kernel of a gradient and a value, for which a number comes as an array, and float16 and
    bfloat16 are computed in float32.
    """

    @functools.wraps(kernel)
    def wrapped(xp: Any, g: Any, x: Any) -> Any:
        dtype = dtype_of(g, x)
        return half_as_single(kernel)(xp, xp.asarray(g, dtype=dtype), xp.asarray(x, dtype=dtype))

    return wrapped


def several_passes(kernel: Call) -> Call:
    """Marks an elementwise kernel of one array that walks it more than twice: a backend may feed it
    in blocks that stay in the cache.
    """
    kernel.several_passes = True  # type: ignore[attr-defined]
    return kernel


def elementwise_aval(name: str, result: Callable[[np.dtype], np.dtype]) -> Call:
    """Shapes broadcast; the dtype is a function of the promoted one."""

    def aval(*xs: Any, **params: Any) -> Aval:
        return Aval(broadcast_shapes(name, *map(shape_of, xs)), result(dtype_of(*xs)))

    return aval


def same(dtype: np.dtype) -> np.dtype:
    """The result dtype of most functions: that of the promoted inputs."""
    return dtype


def boolean(dtype: np.dtype) -> np.dtype:
    """The result dtype of tests and comparisons."""
    return dtypes.BOOL


def unary(
    name: str,
    impl: Any,
    *,
    d: Call | NA | None = None,
    vjp: Call | None = None,
    promote: Promotion = INEXACT,
    result: Callable[[np.dtype], np.dtype] = same,
    domain: Any = ANYWHERE,
    **columns: Any,
) -> Call:
    """A function of one value. `d(g, ...)` is g times the derivative; a function that is not
    complex differentiable gives `vjp(g, ...)`, its gradient, instead.
    """
    rule = d if vjp is None else vjp
    columns.setdefault("names", naming.keep)
    columns.setdefault("jvp", forward.default("unary", rule, vjp is None))
    columns.setdefault("vmap", batching.elementwise)
    columns.setdefault("amp", AMP["unary"] if "f" in promote.kinds else NO_FLOATS)
    return callable_for(
        Prim(
            name,
            "unary",
            impl=impl,
            aval=elementwise_aval(name, result),
            vjp=rule if isinstance(rule, NA) else (rule,),
            partials=vjp is None,
            promote=promote,
            check="late",
            decomp=PRIMITIVE,
            domain=NOWHERE if isinstance(rule, NA) else domain,
            **columns,
        )
    )


def binary(
    name: str,
    impl: Any,
    *,
    d: tuple[Call | None, Call | None] | NA,
    promote: Promotion = NUMERIC,
    result: Callable[[np.dtype], np.dtype] = same,
    domain: Any = ANYWHERE,
    **columns: Any,
) -> Call:
    """A function of two values that broadcast. Gradients are summed back to the inputs' shapes."""
    columns.setdefault("names", naming.broadcast(name))
    columns.setdefault("jvp", forward.default("binary", d, True))
    columns.setdefault("vmap", batching.elementwise)
    columns.setdefault("amp", AMP["binary"] if "f" in promote.kinds else NO_FLOATS)
    return callable_for(
        Prim(
            name,
            "binary",
            impl=impl,
            aval=elementwise_aval(name, result),
            vjp=d,
            partials=True,
            promote=promote,
            check="late",
            decomp=PRIMITIVE,
            domain=NOWHERE if isinstance(d, NA) else domain,
            **columns,
        )
    )


def reduction(
    name: str,
    impl: Call,
    *,
    vjp: Any,
    result: Callable[[np.dtype], np.dtype] = same,
    **columns: Any,
) -> Call:
    """Many values to one along `axes` (a sorted tuple of non-negative ints)."""

    def aval(x: Any, *, axes: tuple[int, ...], keepdim: bool = False) -> Aval:
        return Aval(reduced_shape(x.shape, axes, keepdim), result(x.dtype))

    return primitive(name, "reduction", impl, aval, vjp, check="late", **columns)


def movement(
    name: str,
    impl: Call,
    *,
    aval: Call,
    vjp: Any,
    view: bool = False,
    check: str = "late",
    **columns: Any,
) -> Call:
    """Linear rearrangement of the first input; no arithmetic."""
    return primitive(name, "movement", impl, aval, vjp, view=view, check=check, **columns)


def primitive(name: str, kind: str, impl: Any, aval: Call, vjp: Any, **columns: Any) -> Call:
    """A record of any other kind; shape and dtype are checked before impl runs."""
    columns = {
        "decomp": PRIMITIVE,
        "domain": NOT_ELEMENTWISE,
        "amp": AMP.get(kind),
        "names": naming.BY_KIND.get(kind),
        "jvp": forward.default(kind, vjp, columns.get("partials", False)),
        "vmap": batching.default(kind, columns.get("effect", False), kind != "create"),
        **columns,
    }
    return callable_for(Prim(name, kind, impl=impl, aval=aval, vjp=vjp, **columns))
