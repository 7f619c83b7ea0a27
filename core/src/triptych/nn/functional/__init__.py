"""Functions of neural networks, under the names and with the defaults of torch.nn.functional."""

from __future__ import annotations

from .activation import *  # noqa: F403 -- the list is the module's __all__, here and below
from .adaptive import *  # noqa: F403
from .attention import *  # noqa: F403
from .classification import *  # noqa: F403
from .conv import *  # noqa: F403
from .distance import *  # noqa: F403
from .dropout import *  # noqa: F403
from .linear import *  # noqa: F403
from .loss import *  # noqa: F403
from .normalization import *  # noqa: F403
from .padding import *  # noqa: F403
from .pooling import *  # noqa: F403
