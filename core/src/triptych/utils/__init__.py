"""What training loops need around models: `triptych.utils.data` feeds them."""

from . import data

__all__ = ["data"]
