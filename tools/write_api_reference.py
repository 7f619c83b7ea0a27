"""Write the reference of all public names as HTML, from their docstrings.

    python tools/write_api_reference.py [FOLDER]     default: build/reference

Public are the modules that a package lists in ``__all__``, and what those list.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
import types
import warnings
from pathlib import Path

import pdoc

PACKAGES = ("triptych", "triptych_vision", "triptych_audio", "triptych_text", "triptych_datasets")


def public_modules(name: str) -> list[str]:
    """A module and the public ones inside it."""
    module, found = importlib.import_module(name), [name]
    for entry in getattr(module, "__all__", ()):
        inner = getattr(module, entry)
        vars(module).setdefault(entry, inner)  # what loads lazily is looked for there
        if isinstance(inner, types.ModuleType) and inner.__name__ == f"{name}.{entry}":
            found += public_modules(inner.__name__)
    return found


def private_modules(package: str, public: set[str]) -> list[str]:
    """All other modules of a package, whose names reach users through the public ones."""
    path = importlib.import_module(package).__path__
    every = (info.name for info in pkgutil.walk_packages(path, f"{package}.", onerror=print))
    return sorted(name for name in every if name not in public)


def write(folder: Path) -> list[str]:
    """Write the pages; gives the names of the modules that have one."""
    public = [name for package in PACKAGES for name in public_modules(package)]
    hidden = [name for package in PACKAGES for name in private_modules(package, set(public))]
    pdoc.render.configure(docformat="google", footer_text="Triptych", search=True)
    with warnings.catch_warnings():  # of annotations it shows as they are written
        warnings.filterwarnings("ignore", "Error parsing", UserWarning)
        pdoc.pdoc(*PACKAGES, *(f"!^{re.escape(name)}$" for name in hidden), output_directory=folder)
    return public


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "build/reference")
    print(f"{len(write(target))} modules in {target}/index.html")
