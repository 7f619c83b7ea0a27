"""Questions about tensors and dtypes: what combines to what, what fits into what."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..errors import DTypeError, ShapeError
from ..tensor import Tensor
from .creation import DeviceLike, DTypeLike, full

__all__ = [
    "can_cast",
    "get_device",
    "is_inference",
    "is_nonzero",
    "is_same_size",
    "is_signed",
    "result_type",
    "scalar_tensor",
    "typename",
]

_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def can_cast(from_: dtypes.dtype, to: dtypes.dtype) -> bool:
    """Whether an operation may store results of one dtype in a tensor of another: numbers may lose
    width, but not their kind (complex, floating, integer, boolean).

    Example:
        >>> can_cast(dtypes.float64, dtypes.float32), can_cast(dtypes.float32, dtypes.int64)
        (True, False)
    """
    return _rank(from_) <= _rank(to)


def _rank(kind: dtypes.dtype) -> int:
    found = dtypes.to_numpy_dtype(kind)
    return 2 if dtypes.is_floating(found) else _RANKS[found.kind]


def result_type(tensor1: Any, tensor2: Any) -> dtypes.dtype:
    """The dtype that an operation on two tensors or numbers has. Only Python numbers are weak.

    Raises:
        DTypeError: an argument is neither, or the dtypes have nothing in common.

    Example:
        >>> result_type(scalar_tensor(1, dtype=dtypes.int64), 2.5)
        triptych.float32
    """
    found = [x._data.dtype if isinstance(x, Tensor) else None for x in (tensor1, tensor2)]
    for x in (tensor1, tensor2):
        if not isinstance(x, (Tensor, bool, int, float, complex)):
            raise DTypeError(f"result_type: wanted tensors or numbers, got {type(x).__name__}")
    one, two = found
    if one is None:
        one = dtypes.scalar_dtype(tensor1, two)
    if two is None:
        two = dtypes.scalar_dtype(tensor2, one)
    return dtypes.from_numpy_dtype(dtypes.promote(one, two))


def is_inference(input: Tensor) -> bool:
    """Whether a tensor was made for inference alone; never, as `inference_mode` makes ordinary
    tensors.
    """
    return False


def is_nonzero(input: Tensor) -> bool:
    """Whether the one element of a tensor is not zero.

    Raises:
        ShapeError: there is not one element.
    """
    if input._data.size != 1:
        raise ShapeError(
            f"is_nonzero: wanted one element, got shape {tuple(input.shape)}; use any() or all()"
        )
    return bool(input.item() != 0)


def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have one shape."""
    return input.shape == other.shape


def is_signed(input: Tensor) -> bool:
    """Whether the dtype has negative numbers."""
    return input.dtype.is_signed


def get_device(input: Tensor) -> int:
    """The index of the GPU that a tensor is on; -1 for the CPU."""
    return -1 if input.device.index is None else input.device.index


def typename(obj: Any) -> str:
    """The name of a tensor's dtype, such as ``triptych.float32``, or of an object's class."""
    if isinstance(obj, Tensor):
        return repr(obj.dtype)
    kind = type(obj)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def scalar_tensor(
    s: Any,
    *,
    dtype: DTypeLike = None,
    layout: Any = None,
    device: DeviceLike = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A 0-d tensor of a number, in the default floating dtype unless another is given."""
    kind = dtypes.get_default_dtype() if dtype is None else dtype
    if dtype is None and isinstance(s, complex):
        kind = dtypes.from_numpy_dtype(dtypes.complex_of(kind.dtype))
    return full((), s, dtype=kind, device=device, requires_grad=requires_grad)
