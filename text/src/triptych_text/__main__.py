"""`python -m triptych_text` is the command `triptych-text`."""

import sys

from triptych_text.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
