"""Neural networks, under torch.nn's names: layers, losses, initialisation, and `functional`."""

from __future__ import annotations

# Type checkers see what a starred module lists in __all__, and names imported as themselves.
from . import functional as functional
from . import init as init
from . import modules as modules
from . import utils as utils
from .module import Module as Module
from .modules.activation import *  # noqa: F403
from .modules.attention import *  # noqa: F403
from .modules.cells import *  # noqa: F403
from .modules.container import *  # noqa: F403
from .modules.conv import *  # noqa: F403
from .modules.distance import *  # noqa: F403
from .modules.dropout import *  # noqa: F403
from .modules.flatten import *  # noqa: F403
from .modules.fold import *  # noqa: F403
from .modules.linear import *  # noqa: F403
from .modules.loss import *  # noqa: F403
from .modules.normalization import *  # noqa: F403
from .modules.padding import *  # noqa: F403
from .modules.pooling import *  # noqa: F403
from .modules.rnn import *  # noqa: F403
from .modules.sparse import *  # noqa: F403
from .modules.transformer import *  # noqa: F403
from .modules.upsampling import *  # noqa: F403
from .parameter import Buffer as Buffer
from .parameter import Parameter as Parameter

_OWN = ("Buffer", "Module", "Parameter", "functional", "init", "modules", "utils")
__all__ = sorted((*_OWN, *modules.__all__))
