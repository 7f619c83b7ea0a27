"""Neural networks, under torch.nn's names: layers, losses, initialisation, and `functional`."""

from __future__ import annotations

# Type checkers see what a starred module lists in __all__, and names imported as themselves.
from . import functional as functional
from . import init as init
from . import modules as modules
from . import utils as utils
from .module import Module as Module
from .modules.activation import *
from .modules.attention import *
from .modules.cells import *
from .modules.container import *
from .modules.conv import *
from .modules.distance import *
from .modules.dropout import *
from .modules.flatten import *
from .modules.fold import *
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

_OWN = ("Buffer", "Module", "Parameter", "functional", "init", "modules", "utils")
__all__ = sorted((*_OWN, *modules.__all__))
