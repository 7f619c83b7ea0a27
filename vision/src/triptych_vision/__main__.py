"""`python -m triptych_vision` is the command `triptych-vision`."""

import sys

from triptych_vision.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
