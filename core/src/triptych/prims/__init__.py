"""The primitives, by family. `TABLE` holds their records; `f.prim` is the record of function f."""

from . import composite, contract, create, elementwise, index, linalg, movement, reduce, spectral, window
from .table import NA, TABLE, Prim

__all__ = [
    "NA",
    "TABLE",
    "Prim",
    "composite",
    "contract",
    "create",
    "elementwise",
    "index",
    "linalg",
    "movement",
    "reduce",
    "spectral",
    "window",
]
