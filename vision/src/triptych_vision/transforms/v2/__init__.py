"""The transforms under the name of torchvision's second version; there is only one here."""

from .. import *
from .. import __all__ as __all__
from . import functional as functional  # type: ignore[no-redef]
