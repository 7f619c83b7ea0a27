"""`python -m triptych_datasets` is the command `triptych-datasets`."""

import sys

from triptych_datasets.cli import main

if __name__ == "__main__":
    sys.exit(main())
