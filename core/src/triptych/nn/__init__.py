"""Neural networks, under torch.nn's names: layers, losses, initialisation, and `functional`."""

from __future__ import annotations

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

# Type checkers see what a starred module lists in __all__, and names imported as themselves.
from . import attention as attention
from . import functional as functional
from . import init as init
from . import modules as modules
from . import pytree as _pytree  # noqa: F401 -- importing it makes modules trees
from . import utils as utils
from .module import Module as Module
from .modules.activation import *
from .modules.adaptive_softmax import *
from .modules.attention import *
from .modules.cells import *
from .modules.container import *
from .modules.conv import *
from .modules.distance import *
from .modules.dropout import *
from .modules.flatten import *
from .modules.fold import *
from .modules.joined import *
from .modules.lazy import *
from .modules.linear import *
from .modules.loss import *
from .modules.normalization import *
from .modules.padding import *
from .modules.pooling import *
from .modules.rnn import *
from .modules.sparse import *
from .modules.transformer import *
from .modules.upsampling import *
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter
from .parameter import UninitializedBuffer as UninitializedBuffer
from .parameter import UninitializedParameter as UninitializedParameter

_OWN = (
    "Buffer",
    "Module",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "attention",
    "functional",
    "init",
    "modules",
    "utils",
)
__all__ = sorted((*_OWN, *modules.__all__))

if not _TYPE_CHECKING:  # where it would make every name known

    def __getattr__(name: str) -> _Any:
        from ..registry import no_attribute

        raise no_attribute(__name__, name, __all__)
