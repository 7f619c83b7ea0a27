"""Named dimensions: the rules of the `names` column, and what applies them.

A rule is called as the primitive's aval is, with a `Dims` per input, and gives the names of the
output, or a tuple of names per output. It runs only if some input has names, after shapes were
found to fit, so it may trust them. Rules raise where names contradict each other; where they cannot
know a name they give None.
"""

from .dims import Dims, Names, described, dims_of, explained, infer, one_name, unify
from .indices import along, along_first, indexed
from .products import axes, conv, conv_dx
from .rules import (
    BY_KIND,
    broadcast,
    concatenated,
    diagonal,
    expanded,
    keep,
    keep_twice,
    permuted,
    reduced,
    reshaped,
    sliced,
    stacked,
    undiagonal,
    unknown,
    unwindowed,
    windowed,
)

__all__ = [
    "BY_KIND",
    "Dims",
    "Names",
    "along",
    "along_first",
    "axes",
    "broadcast",
    "concatenated",
    "conv",
    "conv_dx",
    "described",
    "diagonal",
    "dims_of",
    "expanded",
    "explained",
    "indexed",
    "infer",
    "keep",
    "keep_twice",
    "one_name",
    "permuted",
    "reduced",
    "reshaped",
    "sliced",
    "stacked",
    "undiagonal",
    "unify",
    "unknown",
    "unwindowed",
    "windowed",
]
