"""The Python array API standard, version 2024.12, over triptych's tensors.

``x.__array_namespace__()`` gives this module, so code that is written for the standard takes
tensors. Names and arguments are the standard's; every function is differentiable where the one of
the same meaning in ``triptych`` is.

Source: https://data-apis.org/array-api/2024.12/
"""

from __future__ import annotations

from . import fft as fft
from . import linalg as linalg
from .creation import *
from .data_types import *
from .elementwise import *
from .inspection import Info as _Info
from .linalg import matmul as matmul
from .linalg import tensordot as tensordot
from .linalg import vecdot as vecdot
from .manipulation import *
from .searching import *
from .statistical import *

__array_api_version__ = "2024.12"
VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")  # each contains the ones before


def __array_namespace_info__() -> _Info:
    """The devices, dtypes and abilities of this namespace."""
    return _Info()


# Modules that the imports above load are not public, but for the two extensions.
__all__ = sorted(
    {n for n, v in globals().items() if n[0] != "_" and not isinstance(v, type(fft))}
    - {"VERSIONS", "annotations"}
    | {"fft", "linalg"}
)
