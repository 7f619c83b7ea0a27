"""Linear algebra on stacks of matrices, in torch's spelling."""

from . import factors, least_squares, norms, products, solving
from .factors import *
from .least_squares import *
from .norms import *
from .products import *
from .solving import *

_FAMILIES = (factors, least_squares, norms, products, solving)

__all__ = sorted({name for family in _FAMILIES for name in family.__all__} - {"logdet"})
