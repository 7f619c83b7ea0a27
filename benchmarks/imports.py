"""How long `import` takes, in fresh processes."""

from __future__ import annotations

import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile

from timing import Table

OURS = (
    "triptych",
    "triptych.nn",
    "triptych_datasets",
    "triptych_audio",
    "triptych_audio.transforms",
    "triptych_text",
    "triptych_text.models",
    "triptych_vision",
    "triptych_vision.transforms",
    "triptych_vision.models",
)
PEERS = ("torch", "torchvision", "torchaudio")
BASE = "numpy"

Sample = tuple[float, float, int]  # what MEASURE prints

# Prints milliseconds for NumPy, milliseconds for the module after it, and how many modules it adds.
MEASURE = """
import sys, time
start = time.perf_counter()
if {with_base}:
    import numpy
middle, before = time.perf_counter(), len(sys.modules)
import {module}
print(1e3 * (middle - start), 1e3 * (time.perf_counter() - middle), len(sys.modules) - before)
"""


def run(quick: bool) -> list[Table]:
    """Milliseconds that each package adds to NumPy's own import."""
    modules = [*OURS, *(m for m in PEERS if importlib.util.find_spec(m))]
    with tempfile.TemporaryDirectory() as folder:
        samples = _samples([BASE, *modules], rounds=3 if quick else 7, bytecode=folder)
    floor = statistics.median(ms for _, ms, _ in samples[BASE])
    table = Table(
        "Import time in a fresh process, milliseconds",
        ("NumPy alone", "beyond NumPy", "ratio", "modules added"),
        notes=[
            "ratio: beyond NumPy, to NumPy alone; files and bytecode are in the disk cache",
            "subpackages load when first used, so importing a domain package alone is nearly free",
        ],
    )
    for module in modules:
        beyond = statistics.median(ms for _, ms, _ in samples[module])
        table.add(module, floor, beyond, f"{beyond / floor:.2f}x", str(samples[module][0][2]))
    missing = [m for m in PEERS if m not in modules]
    if missing:
        table.notes.append(f"not installed, so not beside it: {', '.join(missing)}")
    return [table]


def _samples(modules: list[str], rounds: int, bytecode: str) -> dict[str, list[Sample]]:
    """Rounds over all modules, so that a slow moment hits each; the first only writes bytecode."""
    # A folder of its own, as some machines are set to keep no bytecode beside the sources.
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    samples: dict[str, list[Sample]] = {m: [] for m in modules}
    for number in range(rounds + 1):
        for module in modules:
            sample = _measure(module, environment)
            if number:
                samples[module].append(sample)
    return samples


def _measure(module: str, environment: dict[str, str]) -> Sample:
    code = MEASURE.format(module=module, with_base=module != BASE)
    printed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout.split()
    return float(printed[0]), float(printed[1]), int(printed[2])
