"""Operations that leave some elements out: where a boolean mask is False, they do not count.

A mask has the shape of the input or broadcasts to it. What is left out has no influence on the
result and gets no gradient.
"""

from . import normalizations, reductions
from .normalizations import *
from .reductions import *

__all__ = sorted([*normalizations.__all__, *reductions.__all__])
