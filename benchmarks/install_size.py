"""How much disk each package takes, alone and with everything it needs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from timing import Skipped, Table

ROOT = Path(__file__).parents[1]
OURS = {
    "triptych": "core",
    "triptych-datasets": "datasets",
    "triptych-audio": "audio",
    "triptych-text": "text",
    "triptych-vision": "vision",
}
PEERS = ("torch", "torchvision", "torchaudio", "jax", "tensorflow")
BUDGET_MB = 5.0  # core's own files


def run(quick: bool) -> list[Table]:
    """Megabytes (10^6 bytes) as installed, without bytecode."""
    del quick  # nothing here is repeated
    sizes: dict[str, tuple[float | None, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        sizes |= {name: _built_size(name, Path(folder)) for name in OURS}
    peers = [name for name in PEERS if _installed(name)]
    sizes |= {name: (None, _recorded_size(name)) for name in peers}
    table = Table(
        "Installed size, MB",
        ("wheel", "own files", "dependencies", "total", "ratio"),
        notes=[
            "ratio: total, to NumPy's own files; dependencies: all that pip would bring along",
            f"budget for the own files of triptych: {BUDGET_MB} MB",
        ],
    )
    floor = _recorded_size("numpy")
    for name, (wheel, own) in sizes.items():
        needed = sum(
            sizes[n][1] if n in sizes else _recorded_size(n) for n in _requirements(name) - {name}
        )
        table.add(name, wheel, own, needed, own + needed, f"{(own + needed) / floor:.2f}x")
    table.add("numpy", None, floor, 0.0, floor, "1.00x")
    missing = [name for name in PEERS if name not in peers]
    if missing:
        table.notes.append(f"not installed, so not beside them: {', '.join(missing)}")
    return [table]


def _built_size(name: str, folder: Path) -> tuple[float, float]:
    """Megabytes of a package's wheel, packed and unpacked."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir"]
    command += [str(folder), str(ROOT / OURS[name])]
    if importlib.util.find_spec("hatchling"):
        command.append("--no-build-isolation")  # the build tool is at hand; no index is asked
    built = subprocess.run(command, capture_output=True, text=True)
    if built.returncode:
        raise Skipped(f"{name} does not build here:\n{built.stderr}")
    (wheel,) = folder.glob(f"{name.replace('-', '_')}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        own = sum(member.file_size for member in archive.infolist())
    return wheel.stat().st_size / 1e6, own / 1e6


def _installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _recorded_size(name: str) -> float:
    """Megabytes of the files that an installed distribution has recorded."""
    files = importlib.metadata.distribution(name).files or ()
    paths = (Path(f.locate()) for f in files if "__pycache__" not in f.parts)
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def _requirements(name: str) -> set[str]:
    """The names of everything that a distribution needs here, itself included."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        lines = map(Requirement, importlib.metadata.distribution(current).requires or ())
        waiting += [
            canonicalize_name(line.name)
            for line in lines
            if line.marker is None or line.marker.evaluate({"extra": ""})
        ]
    return found
