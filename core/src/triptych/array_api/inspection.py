"""What this namespace offers: ``__array_namespace_info__``."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..backends import Device
from ..dtypes import dtype
from .data_types import KINDS

__all__ = ["Info"]

_STANDARD = [
    getattr(dtypes, name)
    for name in [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
]


class Info:
    """Devices, dtypes and abilities of the namespace."""

    def capabilities(self) -> dict[str, Any]:
        """What is supported of the optional parts: masks as indices, shapes that depend on values,
        and how many axes an array may have."""
        return {
            "boolean indexing": True,
            "data-dependent shapes": True,
            "max dimensions": 64,  # numpy.ndarray's own limit
        }

    def default_device(self) -> Device:
        """Where arrays are made unless a device is given."""
        return Device("cpu")

    def default_dtypes(self, *, device: Any = None) -> dict[str, dtype]:
        """The dtypes of arrays that are made without one."""
        real = dtypes.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": dtypes.from_numpy_dtype(dtypes.complex_of(real.dtype)),
            "integral": dtypes.int64,
            "indexing": dtypes.int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, dtype]:
        """The standard's dtypes by name, all or those of a kind (see `isdtype`).

        Raises:
            KeyError: there is no such kind.
        """
        if kind is None:
            wanted = _STANDARD
        else:
            kinds = kind if isinstance(kind, tuple) else (kind,)
            wanted = [d for k in kinds for d in KINDS[k] if d in _STANDARD]
        return {d.name: d for d in wanted}

    def devices(self) -> list[Device]:
        """The CPU, and the GPUs there are."""
        from ..cuda import device_count

        return [Device("cpu"), *(Device("cuda", i) for i in range(device_count()))]
