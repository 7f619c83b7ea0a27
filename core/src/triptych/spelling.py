"""Other spellings of arguments that torch takes: NumPy's names, and ``out=``.

``sum(x, axis=1, keepdims=True)`` is ``sum(x, dim=1, keepdim=True)``, and ``cat(parts, out=y)``
writes into y. Functions get these where users find them, in the namespace and as methods; the
functions themselves, and calls between them, know nothing of it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .backends import copied
from .errors import CaptureError, DTypeError, ShapeError
from .state import state
from .tensor import Tensor, current_edge, set_edge

Function = Callable[..., Any]

# NumPy's name to torch's, as in torch's own parser of arguments.
ALIASES = {
    "a": "input",
    "axis": "dim",
    "keepdims": "keepdim",
    "x": "input",
    "x1": "input",
    "x2": "other",
}
# What torch's creation functions say about memory: there is only one kind of it here.
MEMORY = ("layout", "pin_memory")
_SPELLINGS = frozenset({*ALIASES, *MEMORY, "out"})

# What torch takes out= for, apart from functions that are primitives: those take it themselves.
_OUT_NAMES = (
    "add addbmm addcdiv addcmul addmm addmv addr all amax amin aminmax angle any arange argmax "
    "argmin argsort baddbmm bernoulli bincount block_diag bmm bucketize cat chain_matmul cholesky "
    "cholesky_inverse cholesky_solve clamp clamp_max clamp_min clip column_stack complex concat "
    "concatenate conj_physical cross cummax cummin cumprod cumsum deg2rad diag diff digamma dist "
    "div divide dot dstack empty eye float_power fmax fmin frac frexp full gather geqrf ger "
    "heaviside histc histogram hstack index_add index_copy index_reduce index_select inner "
    "inverse isin isneginf isposinf kron kthvalue ldexp lerp linspace log_softmax logaddexp "
    "logaddexp2 "
    "logcumsumexp logit logspace logsumexp lu_solve lu_unpack masked_select matmul matrix_power "
    "max mean median min mm mode msort multinomial mv mvlgamma nan_to_num nanmean nanmedian "
    "nanquantile nansum narrow_copy nonzero nonzero_static norm normal ones orgqr ormqr outer "
    "polar polygamma prod qr quantile rad2deg rand randint randn randperm renorm roll round "
    "row_stack scatter scatter_add scatter_reduce searchsorted signbit sinc softmax sort square "
    "stack std sub subtract sum svd take take_along_dim tensordot topk tril triu true_divide var "
    "vdot vstack where zeros"
)
OUT = frozenset(_OUT_NAMES.split())
# Functions that pick or place elements as they are: out= wants their dtype.
_EXACT_NAMES = (
    "gather index_add index_copy index_select kthvalue masked_select scatter scatter_add sort take "
    "take_along_dim topk tril triu where"
)
EXACT_OUT = frozenset(_EXACT_NAMES.split())


@functools.cache
def spelled(function: Function) -> Function:
    """A function that also takes the other spellings of its arguments; itself if it has none."""
    if not inspect.isfunction(function) or hasattr(function, "prim"):
        return function
    taken = set(inspect.signature(function).parameters)
    into = function.__name__ in OUT
    if "out" in taken or not (into or taken & {"dim", "keepdim"} or _makes(taken)):
        return function

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        if options and not _SPELLINGS.isdisjoint(options):
            return _respelled(function, taken, into, args, options)
        return function(*args, **options)

    return call


def _makes(taken: set[str]) -> bool:
    """Whether a function with these parameters makes tensors."""
    return {"device", "requires_grad"} <= taken


def _check_layout(name: str, wanted: Any) -> None:
    """Refuse tensors other than strided ones.

    Raises:
        DTypeError: another layout is wanted.
    """
    if getattr(wanted, "name", None) not in (None, "strided") or isinstance(wanted, str):
        raise DTypeError(f"{name}: layout is triptych.strided, the only one here, got {wanted!r}")


def _respelled(
    function: Function, taken: set[str], into: bool, args: Any, options: dict[str, Any]
) -> Any:
    name = function.__name__
    out = options.pop("out", None) if into else None
    if _makes(taken):
        options.pop("pin_memory" if "pin_memory" not in taken else "", None)
        if "layout" not in taken:
            _check_layout(name, options.pop("layout", None))
    for other, own in ALIASES.items():
        if other in options and other not in taken and own in taken:
            if own in options:
                raise DTypeError(f"{name}: {other} is another name of {own}; give one of them")
            options[own] = options.pop(other)
    found = function(*args, **options)
    return found if out is None else written(name, out, found)


def written(name: str, out: Any, found: Any) -> Any:
    """`out` after a result, or each of several, was written into it; empty tensors take its shape.

    Raises:
        DTypeError: out is no tensor, or cannot hold the kind of numbers of the result, or holds
            another dtype than the elements that are picked.
        ShapeError: out has elements, and another shape than the result.
        GradError: out is a leaf that requires grad.
    """
    if isinstance(found, tuple):
        if not isinstance(out, (tuple, list)) or len(out) != len(found):
            raise DTypeError(f"{name}: out must be {len(found)} tensors, for as many results")
        parts = [written(name, o, f) for o, f in zip(out, found, strict=True)]
        return type(found)(*parts) if hasattr(found, "_fields") else tuple(parts)
    if not isinstance(out, Tensor):
        raise DTypeError(f"{name}: out must be a tensor, got {type(out).__name__}")
    if not isinstance(found, Tensor):
        from .ops.creation import as_tensor

        found = as_tensor(found, device=out.device)
    return _put(name, out, found)


def _put(name: str, out: Tensor, found: Tensor) -> Tensor:
    from .ops.inplace import _to_dtype, overwrite

    label = f"{name}(out=)"
    if name in EXACT_OUT and out._data.dtype != found._data.dtype:
        raise DTypeError(f"{label}: wanted a tensor of {found.dtype}, got {out.dtype}")
    if out.shape == found.shape:
        return overwrite(out, found, label)
    if out._data.size:
        raise ShapeError(
            f"{label}: the result has shape {tuple(found.shape)}, out {tuple(out.shape)}; give a "
            "tensor of that shape, or an empty one, which takes it"
        )
    if state.trace is not None:
        raise CaptureError(f"{label}: out cannot change its shape while a function is traced")
    converted = _to_dtype(out, found, label)
    out._data = converted._data if converted is not found else copied(found._data)
    out._cell, out._view, out._names = [0], None, found._names
    set_edge(out, current_edge(converted) if state.grad else None)
    return out
