"""Running the kernel of a primitive on raw values, checked and explained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..backends import backend_for, backend_of
from ..errors import DeviceError, DTypeError, TriptychError
from ..state import run_kernel
from ..tensor import Symbol

if TYPE_CHECKING:
    from .table import Prim


def first_array(raw: tuple[Any, ...]) -> Any:
    """The first value that is an array and not a Python number."""
    for value in raw:
        if not isinstance(value, (bool, int, float, complex)):
            return value
    return raw[0] if raw else None


def compute(prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """The outputs of a primitive: an array, or a tuple of them.

    Raises:
        TriptychError: the inputs do not fit the primitive's shape and dtype rule, or each other.
    """
    array = first_array(raw)
    if isinstance(array, Symbol):
        raise array.misused(prim.name)
    if len(raw) > 1:
        _check_devices(prim, raw, array)
    if prim.check != "late":
        prim.aval(*raw, **params)
    try:
        y = run_kernel(prim.kernel(array), *raw, **params)
    except TriptychError:
        raise
    except OverflowError as error:  # NumPy's, of a Python integer beside an array
        raise DTypeError(f"{prim.name}: {error}; convert the tensor with .to() first") from None
    except ValueError as error:
        prim.aval(*raw, **params)
        if prim.kind != "binary":
            raise
        clear = DTypeError(f"{prim.name}: {error} Convert with .float() first")
        _note_call(prim, raw, clear)
        raise clear from None
    except Exception as error:
        prim.aval(*raw, **params)  # raises the clear error, if the inputs are to blame
        _note_call(prim, raw, error)
        raise
    if prim.outputs == 1:
        return at_home(prim, y, array)
    return tuple(at_home(prim, v, array) for v in y)


def _note_call(prim: Prim, raw: tuple[Any, ...], error: Exception) -> None:
    error.add_note(f"{prim.name}: called with {', '.join(map(_described, raw))}")


def at_home(prim: Prim, y: Any, array: Any) -> Any:
    """An output as an array of the inputs' library: NumPy gives scalars in place of 0-d arrays."""
    if type(y) is type(array) or prim.kind == "transfer":
        return y
    return backend_of(array).asarray(y)


def compute_created(prim: Prim, params: dict[str, Any]) -> Any:
    """The array that a primitive without inputs makes on its device."""
    device = params["device"]
    backend = backend_for(device)
    with backend.on(device):
        y = run_kernel(prim.kernel_on(device), **params)
    return y if type(y) is backend.array_type else backend.asarray(y, where=device)


def _described(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}" if hasattr(value, "dtype") else repr(value)


def _check_devices(prim: Prim, raw: tuple[Any, ...], array: Any) -> None:
    kind = type(array)
    for x in raw:
        if type(x) is kind or isinstance(x, (bool, int, float, complex)):
            continue
        if isinstance(x, Symbol):
            raise x.misused(prim.name)
        check_same_device(prim.name, *(backend_of(v).device_of(v) for v in (array, x)))


def check_same_device(name: str, one: Any, two: Any) -> None:
    """Raise DeviceError unless two devices are the same."""
    if one != two:
        raise DeviceError(f"{name}: inputs are on {one} and {two}; move one with .to({str(one)!r})")
