"""The primitives, by family. `TABLE` holds their records; `f.prim` is the record of function f."""

from . import (  # noqa: F401 -- importing a family enters its records into the table
    airy,
    attention,
    bessel,
    composite,
    contract,
    create,
    determinant,
    diagnosed,
    distance,
    elementwise,
    entropy,
    gamma,
    incomplete_gamma,
    index,
    ldl,
    linalg,
    lu,
    matrix_function,
    modified_bessel,
    movement,
    normal,
    polynomials,
    recurrence,
    reduce,
    sampling,
    selection,
    spectra,
    spectral,
    transducer,
    triangular,
    window,
    zeta,
)
from .table import NA, TABLE, Prim

__all__ = ["NA", "Prim", "TABLE"]
