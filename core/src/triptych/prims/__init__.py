"""The primitives, by family. `TABLE` holds their records; `f.prim` is the record of function f."""

from . import (  # noqa: F401 -- importing a family enters its records into the table
    composite,
    contract,
    create,
    elementwise,
    gamma,
    index,
    linalg,
    movement,
    recurrence,
    reduce,
    spectral,
    window,
)
from .table import NA, TABLE, Prim

__all__ = ["NA", "Prim", "TABLE"]
