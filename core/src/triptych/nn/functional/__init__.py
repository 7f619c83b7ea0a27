"""Functions of neural networks, under the names and with the defaults of torch.nn.functional.

They are made of the primitives alone, so all can be differentiated any number of times.
"""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from . import activation as _activation
from . import adaptive as _adaptive
from . import attention as _attention
from . import bag as _bag
from . import classification as _classification
from . import conv as _conv
from . import ctc as _ctc
from . import distance as _distance
from . import dropout as _dropout
from . import fractional as _fractional
from . import grid as _grid
from . import inplace as _inplace
from . import linear as _linear
from . import loss as _loss
from . import margin as _margin
from . import multihead as _multihead
from . import normalization as _normalization
from . import padding as _padding
from . import pooling as _pooling
from . import rearrange as _rearrange
from . import recurrent as _recurrent
from . import transducer as _transducer
from . import unpooling as _unpooling
from . import vision as _vision
from .activation import *
from .adaptive import *
from .attention import *
from .bag import *
from .classification import *
from .conv import *
from .ctc import *
from .distance import *
from .dropout import *
from .fractional import *
from .grid import *
from .inplace import *
from .linear import *
from .loss import *
from .margin import *
from .multihead import *
from .normalization import *
from .padding import *
from .pooling import *
from .rearrange import *
from .recurrent import *
from .transducer import *
from .unpooling import *
from .vision import *

_FAMILIES = (
    _activation,
    _adaptive,
    _attention,
    _bag,
    _classification,
    _conv,
    _ctc,
    _distance,
    _dropout,
    _fractional,
    _grid,
    _inplace,
    _linear,
    _loss,
    _margin,
    _multihead,
    _normalization,
    _padding,
    _pooling,
    _rearrange,
    _recurrent,
    _transducer,
    _unpooling,
    _vision,
)

__all__ = sorted({name for family in _FAMILIES for name in family.__all__})

if not _TYPE_CHECKING:  # where it would make every name known

    def __getattr__(name: str) -> _Any:
        from ...registry import no_attribute

        raise no_attribute(__name__, name, __all__)
