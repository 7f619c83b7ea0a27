"""Operations of the user's own in the table of primitives: see `custom_op`."""

from .acceleration import accelerated, by_device
from .check import opcheck
from .custom import CustomOpDef, custom_op
from .registration import (
    Library,
    define,
    impl,
    operation,
    register_autograd,
    register_fake,
    register_kernel,
    register_vmap,
)
from .schema import CustomOpError, infer_schema

__all__ = [
    "CustomOpDef",
    "CustomOpError",
    "Library",
    "accelerated",
    "by_device",
    "custom_op",
    "define",
    "impl",
    "infer_schema",
    "opcheck",
    "operation",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
]
