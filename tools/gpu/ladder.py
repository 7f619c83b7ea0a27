"""Climbs the ladder that stands in for a GPU, and prints a line per rung.

Usage: python tools/gpu/ladder.py [--rungs 1 2 3] [--family softmax] [--envs FOLDER]

A rung whose environment is missing is skipped, and says so; `make gpu-envs` makes them. What each
rung proves is in docs/gpu.md.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = "tests/gpu"
PRIMITIVES = "tests/core/backends/test_cupy_backend.py"
ORDERS = ("reverse", "1", "2", "3")  # of threads; numbers seed an order for every turn
COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")
RESULT = re.compile(r"^RESULT passed=(\d+) failed=(\d+) ?(.*)$", re.M)


@dataclass
class Outcome:
    """What a rung found; `note` says why it was skipped, or what was counted."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0
    note: str = ""
    reasons: frozenset[str] = frozenset()  # why tests were skipped

    def __str__(self) -> str:
        counts = f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"
        reasons = f"skips: {'; '.join(sorted(self.reasons))}" if self.reasons else ""
        return "  ".join(filter(None, (counts, self.note, reasons)))


@dataclass
class Settings:
    """Where environments are, and what to check."""

    envs: Path
    family: str | None

    def python(self, name: str) -> Path | None:
        """The interpreter of an environment, if it is there."""
        found = self.envs / f".venv-gpu-{name}" / "bin" / "python"
        return found if found.exists() else None

    def kernel_tests(self) -> str:
        """The tests of kernels: one family's or all."""
        return f"{TESTS}/kernels" + (f"/test_{self.family}.py" if self.family else "")


def _environment(**extra: str) -> dict[str, str]:
    sources = [ROOT / p / "src" for p in ("core", "audio", "text", "vision", "datasets")]
    before = os.environ.get("PYTHONPATH", "")
    path = os.pathsep.join([*map(str, [*sources, ROOT / "tools"]), *([before] if before else [])])
    return {**os.environ, "PYTHONPATH": path, "TRIPTYCH_NATIVE": "0", **extra}


def _run(command: list[str], environment: dict[str, str]) -> tuple[str, int]:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode


def _pytest(python: Path, paths: list[str], environment: dict[str, str]) -> Outcome:
    """Run tests; what failed is printed."""
    options = ["-q", "-p", "no:cacheprovider", "--tb=short"]
    output, code = _run([str(python), "-m", "pytest", *options, *paths], environment)
    last = output.strip().rpartition("\n")[2]
    counts = {what: int(number) for number, what in COUNTS.findall(last)}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    if failed or code:
        print(output)
    reasons = frozenset(re.findall(r"^SKIPPED \[\d+\] [^:]+:\d+: (.*)$", output, re.M))
    failed = failed or int(code != 0)
    return Outcome(counts.get("passed", 0), failed, counts.get("skipped", 0), reasons=reasons)


def _sum(outcomes: Iterator[Outcome], note: str = "") -> Outcome:
    total = Outcome(note=note)
    for one in outcomes:
        total.passed += one.passed
        total.failed += one.failed
        total.skipped += one.skipped
        total.reasons |= one.reasons
    return total


def names(settings: Settings) -> Outcome:
    """Rung 1."""
    return _pytest(Path(sys.executable), [f"{TESTS}/test_names.py"], _environment())


def double(settings: Settings) -> Outcome:
    """Rung 2."""
    paths = [settings.kernel_tests()]
    if settings.family is None:
        paths = [TESTS, PRIMITIVES, f"--ignore={TESTS}/test_names.py"]
    return _pytest(Path(sys.executable), paths, _environment(TRIPTYCH_GPU="double"))


def nvrtc(settings: Settings) -> Outcome:
    """Rung 3."""
    python = settings.python("nvrtc")
    if python is None:
        return Outcome(note="no .venv-gpu-nvrtc: make gpu-envs")
    families = [settings.family] if settings.family else []
    output, code = _run([str(python), "-m", "gpu.nvrtc", *families], _environment())
    found = RESULT.search(output)
    if found is None or code:
        print(output)
    if found is None:
        return Outcome(failed=1, note="it ended without a result")
    print(output[: found.start()].rstrip())
    return Outcome(int(found[1]), int(found[2]), note=found[3])


def _emulated(settings: Settings, paths: list[str], **extra: str) -> Outcome:
    """Tests over CuPy itself on the emulated runtime."""
    from gpu.emulator.build import build

    python = settings.python("rocm")
    if python is None:
        return Outcome(note="no .venv-gpu-rocm: make gpu-envs")
    site = next((python.parents[1] / "lib").glob("python*/site-packages"))
    libraries = build(site, ROOT / "build" / "gpu" / "rocm")
    environment = _environment(
        TRIPTYCH_GPU="emulator",
        LD_LIBRARY_PATH=str(libraries),
        ROCM_HOME=str(ROOT / "tools" / "gpu" / "emulator"),
        CUPY_CACHE_IN_MEMORY="1",  # its cache on disk does not know which compiler made a kernel
        **extra,
    )
    return _pytest(python, paths, environment)


def emulated(settings: Settings) -> Outcome:
    """Rung 4."""
    paths = [settings.kernel_tests()]
    if settings.family is None:
        paths = [TESTS, PRIMITIVES, f"--ignore={TESTS}/test_names.py"]
    return _emulated(settings, paths)


def hostile(settings: Settings) -> Outcome:
    """Rung 4b: guard pages, then other orders of threads."""
    runs = [{"GPU_GUARD": "1"}, *({"GPU_THREAD_ORDER": order} for order in ORDERS)]
    paths = [settings.kernel_tests(), f"{TESTS}/test_ladder.py"]
    found = [_emulated(settings, paths, **extra) for extra in runs]
    note = f"guard pages and orders {', '.join(ORDERS)}" if found[0].passed else found[0].note
    return _sum(iter(found), note)


def translated(settings: Settings) -> Outcome:
    """Rung 5: NVIDIA's PTX, translated to C."""
    python = settings.python("nvrtc")
    if python is None:
        return Outcome(note="no .venv-gpu-nvrtc: make gpu-envs")
    nvidia = next((python.parents[1] / "lib").glob("python*/site-packages/nvidia"))
    paths = [settings.kernel_tests(), f"{TESTS}/test_ladder.py"]
    return _emulated(settings, paths, GPU_COMPILER="nvrtc", GPU_NVIDIA=str(nvidia))


RUNGS: dict[str, tuple[str, Callable[[Settings], Outcome]]] = {
    "1": ("names of CuPy", names),
    "2": ("strict double", double),
    "3": ("NVRTC", nvrtc),
    "4": ("CuPy on the CPU", emulated),
    "4b": ("guards and orders", hostile),
    "5": ("PTX on the CPU", translated),
}


def main() -> int:
    """Run the chosen rungs; 1 where any failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rungs", nargs="*", choices=list(RUNGS), default=list(RUNGS))
    parser.add_argument("--family", help="of kernels; default all, with the primitives' tests")
    parser.add_argument("--envs", type=Path, default=ROOT, help="where .venv-gpu-* are")
    wanted = parser.parse_args()
    settings, lines, failed = Settings(wanted.envs.resolve(), wanted.family or None), [], 0
    for rung in wanted.rungs:
        title, climb = RUNGS[rung]
        start = time.perf_counter()
        outcome = climb(settings)
        failed += outcome.failed
        seconds = time.perf_counter() - start
        skipped = not (outcome.passed or outcome.failed)
        lines.append(
            f"rung {rung:2} {title:18} {'SKIPPED' if skipped else outcome} [{seconds:.0f} s]"
            + (f"  {outcome.note}" if skipped else "")
        )
        print(lines[-1], flush=True)
    print("\n".join(["", *lines]))
    return int(failed > 0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tools"))
    sys.exit(main())
