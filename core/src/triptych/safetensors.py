"""The names that people import from the safetensors library, over our own reader and writer.

``from triptych.safetensors import load_file, save_file`` takes the place of the same line with
``safetensors.torch``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from .errors import UnknownNameError
from .serialization.arrays import wrapper
from .serialization.safetensors_file import DTYPES, read_source
from .serialization.save_load import load_file, save_file
from .serialization.source import File, Source

__all__ = ["load", "load_file", "safe_open", "save", "save_file"]

_CODES = {dtype: code for code, dtype in DTYPES.items()}


def save(tensors: Mapping[str, Any], metadata: Mapping[str, str] | None = None) -> bytes:
    """Tensors by name as the bytes of a safetensors file (see `save_file`)."""
    stream = io.BytesIO()
    save_file(tensors, stream, metadata)
    return stream.getvalue()


def load(data: bytes) -> dict[str, Any]:
    """Tensors by name from the bytes of a safetensors file (see `load_file`).

    Example:
        >>> load(save({"x": triptych.ones(2)}))["x"].tolist()
        [1.0, 1.0]
    """
    return load_file(io.BytesIO(data))


class safe_open:  # noqa: N801 -- the library's spelling
    """A safetensors file whose tensors load one by one, when asked for.

    Args:
        filename: a path.
        framework: "np" for NumPy arrays; anything else gives tensors.
        device: where the tensors go; default the CPU.

    Raises:
        FileFormatError: not safetensors, or damaged.

    Example:
        >>> with safe_open("model.safetensors", framework="pt") as f:  # doctest: +SKIP
        ...     weight = f.get_tensor("weight")
    """

    def __init__(self, filename: File, framework: str = "pt", device: Any = None) -> None:
        with Source(filename, mmap=True, caller="safe_open") as source:
            self._arrays, self._metadata = read_source(source)
            self._wrap = wrapper(device, f"safe_open: {source.name}")
        self._plain = framework in ("np", "numpy")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._arrays = {}

    def keys(self) -> list[str]:
        """The names, in the file's order."""
        return list(self._arrays)

    def metadata(self) -> dict[str, str]:
        """The free text that the file carries."""
        return dict(self._metadata)

    def get_tensor(self, name: str) -> Any:
        """One tensor.

        Raises:
            UnknownNameError: there is none of that name, or the file was closed.
        """
        return self._made(self._array(name).copy())

    def get_slice(self, name: str) -> SafeSlice:
        """One tensor, of which an index loads a part."""
        return SafeSlice(self, self._array(name))

    def _array(self, name: str) -> Any:
        if name not in self._arrays:
            raise UnknownNameError(f"safe_open: no tensor {name!r}; there are {self.keys()}")
        return self._arrays[name]

    def _made(self, array: Any) -> Any:
        return array if self._plain else self._wrap(array)


class SafeSlice:
    """A tensor in a file, of which an index such as ``[:, 2:4]`` loads a part."""

    def __init__(self, file: safe_open, array: Any) -> None:
        self._file, self._array = file, array

    def get_shape(self) -> list[int]:
        """The lengths of the axes."""
        return list(self._array.shape)

    def get_dtype(self) -> str:
        """The file's name of the dtype, such as "F32"."""
        return _CODES[self._array.dtype]

    def __getitem__(self, key: Any) -> Any:
        return self._file._made(self._array[key].copy())
