"""The package as a whole: cheap to import, knows nothing of the core, exports what it says."""

import subprocess
import sys

import triptych_datasets

HEAVY = ("requests", "urllib3", "tqdm", "filelock", "platformdirs", "numpy", "triptych")


def test_import_loads_nothing_heavy() -> None:
    code = f"import sys, triptych_datasets; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_exports() -> None:
    names = triptych_datasets.__all__
    assert names == sorted(set(names))
    assert all(getattr(triptych_datasets, name).__doc__ for name in names)
