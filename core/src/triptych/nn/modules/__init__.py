"""The layers, a module per family."""

from __future__ import annotations

from . import (
    activation,
    adaptive_softmax,
    attention,
    cells,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    joined,
    lazy,
    linear,
    loss,
    normalization,
    padding,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
)
from . import module as module
from .activation import *
from .adaptive_softmax import *
from .attention import *
from .cells import *
from .container import *
from .conv import *
from .distance import *
from .dropout import *
from .flatten import *
from .fold import *
from .joined import *
from .lazy import *
from .linear import *
from .loss import *
from .normalization import *
from .padding import *
from .pooling import *
from .rnn import *
from .sparse import *
from .transformer import *
from .upsampling import *

_FAMILIES = (
    activation,
    adaptive_softmax,
    attention,
    cells,
    container,
    conv,
    distance,
    dropout,
    flatten,
    fold,
    joined,
    lazy,
    linear,
    loss,
    normalization,
    padding,
    pooling,
    rnn,
    sparse,
    transformer,
    upsampling,
)
__all__ = sorted(name for family in _FAMILIES for name in family.__all__)
