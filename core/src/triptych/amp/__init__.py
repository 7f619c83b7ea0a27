"""Mixed precision: `autocast` chooses dtypes, `GradScaler` keeps float16 gradients alive."""

from .autocast_mode import *
from .autocast_mode import __all__ as _autocast_names
from .custom import *
from .custom import __all__ as _custom_names
from .grad_scaler import *
from .grad_scaler import __all__ as _scaler_names

__all__ = sorted([*_autocast_names, *_custom_names, *_scaler_names])
