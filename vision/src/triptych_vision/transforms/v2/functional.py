"""The functions of `transforms.functional` again."""

from ..functional import *  # noqa: F403 -- the list is the module's __all__
from ..functional import __all__ as __all__
from ..functional import __getattr__ as __getattr__
