"""`python -m triptych_audio` is the command `triptych-audio`."""

import sys

from triptych_audio.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
