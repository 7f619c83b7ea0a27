"""The five packages, as the tests of this folder see them."""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Package:
    """One package of the suite: its folder, its name on an index, its import name."""

    folder: str
    project: str
    module: str

    @property
    def root(self) -> Path:
        return ROOT / self.folder

    @property
    def source(self) -> Path:
        return self.root / "src" / self.module


PACKAGES = (
    Package("core", "triptych", "triptych"),
    Package("datasets", "triptych-datasets", "triptych_datasets"),
    Package("audio", "triptych-audio", "triptych_audio"),
    Package("text", "triptych-text", "triptych_text"),
    Package("vision", "triptych-vision", "triptych_vision"),
)


@pytest.fixture(params=PACKAGES, ids=lambda package: package.folder)
def package(request) -> Package:
    return request.param


@pytest.fixture(scope="session")
def packages() -> tuple[Package, ...]:
    return PACKAGES


@pytest.fixture(scope="session")
def python_blocks():
    """Turns a README into a script: its python blocks, at the line numbers they have there."""

    def script(readme: Path) -> str:
        text = readme.read_text(encoding="utf-8")
        lines = [""] * (text.count("\n") + 1)
        blocks = list(re.finditer(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE))
        assert blocks, f"{readme} has no block of Python that could be run"
        for block in blocks:
            first = text.count("\n", 0, block.start(1))
            code = block[1].splitlines()
            lines[first : first + len(code)] = code
        return "\n".join(lines) + "\n"

    return script


@pytest.fixture(scope="session")
def printed():
    """Runs a Python program in a process of its own; gives what it prints, or shows how it fails.

    The process sees neither the tests' working folder nor PYTHONPATH, and warnings are errors.
    """

    def run(*arguments: str | Path, python: str | Path = sys.executable, cwd: Path | None = None):
        command = [str(python), "-I", "-W", "error", *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
