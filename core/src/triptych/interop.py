"""Tensors of other libraries: PyTorch, JAX and CuPy, over the same memory through DLPack.

Nothing here is needed for NumPy (`triptych.from_numpy`, ``tensor.numpy()``) or for any other
library with the protocol (`triptych.from_dlpack`, and the other library's own ``from_dlpack``).
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import dtypes
from .errors import DeviceError, DTypeError, GradError, MissingDependencyError
from .ops.creation import as_tensor, from_dlpack
from .tensor import Tensor

__all__ = [
    "from_cupy",
    "from_jax",
    "from_torch",
    "to_cupy",
    "to_jax",
    "to_torch",
    "torch_state_dict",
]

_INSTALL = {
    "torch": "pip install torch",
    "jax": "pip install jax",
    "cupy": 'pip install "triptych[cuda12]" (or [cuda13])',
}


def _library(name: str, caller: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(f"{caller} needs {name}; {_INSTALL[name]}") from error


def _check_kind(value: Any, libraries: tuple[str, ...], caller: str, wanted: str) -> None:
    """Refuse what no class of a library is among the classes of."""
    roots = {kind.__module__.partition(".")[0] for kind in type(value).__mro__}
    if roots.isdisjoint(libraries):
        came = f"{type(value).__module__}.{type(value).__qualname__}"
        raise DTypeError(f"{caller}: wanted a {wanted}, got {came}; try triptych.from_dlpack")


def _exported(value: Any, caller: str) -> Tensor:
    """A tensor that may leave: one of ours, without history."""
    if not isinstance(value, Tensor):
        raise DTypeError(f"{caller}: wanted a triptych.Tensor, got {type(value).__name__}")
    if value.requires_grad:
        raise GradError(f"{caller}: the tensor requires grad, which ends here; use .detach()")
    return value


def from_torch(tensor: Any) -> Tensor:
    """A tensor over the memory of a PyTorch tensor, on the same device.

    Args:
        tensor: a dense torch.Tensor.

    Raises:
        DTypeError: it is no torch.Tensor, or is sparse, quantized or of a dtype that tensors here
            do not have.
        GradError: it requires grad; history does not cross.

    Example:
        >>> from_torch(torch.ones(2)).tolist()  # doctest: +SKIP
        [1.0, 1.0]
    """
    _check_kind(tensor, ("torch",), "from_torch", "torch.Tensor")
    if tensor.requires_grad:
        raise GradError("from_torch: the tensor requires grad, which ends here; use .detach()")
    if str(tensor.layout) != "torch.strided" or tensor.is_quantized:
        raise DTypeError(
            f"from_torch: wanted a dense tensor, got layout {tensor.layout} and dtype "
            f"{tensor.dtype}; use .to_dense() or .dequantize()"
        )
    plain = tensor.resolve_conj().resolve_neg()
    if str(plain.dtype) == "torch.bfloat16":  # NumPy takes no bfloat16 through DLPack
        return from_dlpack(plain.view(importlib.import_module("torch").int16)).view(dtypes.bfloat16)
    return from_dlpack(plain)


def to_torch(tensor: Tensor) -> Any:
    """A PyTorch tensor over the memory of a tensor, on the same device; memory that may not be
    written to is copied.

    Raises:
        MissingDependencyError: PyTorch is not installed.
        GradError: the tensor requires grad; history does not cross.
    """
    torch, source = _library("torch", "to_torch"), _exported(tensor, "to_torch")
    if isinstance(source._data, np.ndarray) and not source._data.flags.writeable:
        source = source.clone()
    if source.dtype is dtypes.bfloat16:
        return torch.from_dlpack(source.view(dtypes.int16)).view(torch.bfloat16)
    return torch.from_dlpack(source)


def from_jax(array: Any) -> Tensor:
    """A tensor over the memory of a JAX array, on the same device.

    JAX's arrays never change, so neither may the tensor: a write to it raises ReadOnlyError.

    Args:
        array: a jax.Array on one device.

    Raises:
        DTypeError: it is no jax.Array, or of a dtype that tensors here do not have.
    """
    _check_kind(array, ("jax", "jaxlib"), "from_jax", "jax.Array")
    if str(array.dtype) == "bfloat16":  # NumPy takes no bfloat16 through DLPack
        return as_tensor(np.asarray(array))
    return from_dlpack(array)


def to_jax(tensor: Tensor) -> Any:
    """A JAX array of a tensor, on the same device. It shares memory where JAX can, so do not write
    to the tensor while the array is in use. Without JAX's 64-bit mode, 64-bit numbers become
    32-bit ones, as everywhere in JAX.

    Raises:
        MissingDependencyError: JAX is not installed.
        GradError: the tensor requires grad; history does not cross.
    """
    jax, source = _library("jax", "to_jax"), _exported(tensor, "to_jax")
    wide = source.dtype.itemsize // (2 if source.dtype.is_complex else 1) == 8
    if source.dtype is dtypes.bfloat16 or (wide and not jax.config.jax_enable_x64):
        return jax.numpy.asarray(source.numpy(force=True))
    return jax.numpy.from_dlpack(source)


def from_cupy(array: Any) -> Tensor:
    """A tensor over the memory of a CuPy array.

    Raises:
        DTypeError: it is no cupy.ndarray.
    """
    _check_kind(array, ("cupy",), "from_cupy", "cupy.ndarray")
    return from_dlpack(array)


def to_cupy(tensor: Tensor) -> Any:
    """A CuPy array over the memory of a tensor on a GPU.

    Raises:
        MissingDependencyError: CuPy is not installed.
        DeviceError: the tensor is not on a GPU.
        GradError: the tensor requires grad; history does not cross.
    """
    cupy, source = _library("cupy", "to_cupy"), _exported(tensor, "to_cupy")
    if source.device.type != "cuda":
        raise DeviceError(f"to_cupy: the tensor is on {source.device}; use .cuda()")
    return cupy.from_dlpack(source)


def torch_state_dict(source: Any) -> dict[str, Any]:
    """The weights of a PyTorch model by name, ready for ``Module.load_state_dict``.

    Args:
        source: a torch.nn.Module; its state_dict; or the path of a file with one (.pt, .pth or
            .safetensors), which is read without PyTorch and without running it.

    Returns:
        Name -> tensor; tensors share memory with PyTorch's. What a module adds under the name
        ``_extra_state`` is kept as it is.

    Raises:
        DTypeError: an entry is no tensor, as in a checkpoint that holds more than weights; the
            text names the entries.

    Example:
        >>> model.load_state_dict(torch_state_dict("resnet18.pth"))  # doctest: +SKIP
    """
    if isinstance(source, (str, os.PathLike)):
        from .serialization import load

        source = load(source)
    elif hasattr(source, "state_dict"):
        source = source.state_dict()
    if not isinstance(source, Mapping):
        raise DTypeError(
            "torch_state_dict: wanted a torch.nn.Module, a state_dict or a path, got "
            f"{type(source).__name__}"
        )
    return {name: _weight(name, value, source) for name, value in source.items()}


def _weight(name: str, value: Any, source: Mapping[str, Any]) -> Any:
    if isinstance(value, Tensor) or name.endswith("_extra_state"):
        return value
    if hasattr(value, "detach"):
        return from_torch(value.detach())
    nested = [key for key, entry in source.items() if isinstance(entry, Mapping)]
    hint = f"; the weights may be under one of {nested}" if nested else ""
    raise DTypeError(
        f"torch_state_dict: entry {name!r} is a {type(value).__name__}, wanted a tensor{hint}"
    )
