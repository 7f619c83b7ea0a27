"""The primitives, by family. `TABLE` holds their records; `name.prim` leads from a function to its own."""

from . import composite, contract, create, elementwise, index, movement, reduce, spectral, window
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
    "movement",
    "reduce",
    "spectral",
    "window",
]
