"""How each example ends: with a plain sentence, not a traceback, when its files cannot be had."""

from __future__ import annotations

import sys
from collections.abc import Callable

from triptych_datasets import DatasetsError


def exit_code(main: Callable[[], None]) -> int:
    """Run a program; 0, or 1 when a file could not be fetched, and then stderr says why."""
    try:
        main()
    except DatasetsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
