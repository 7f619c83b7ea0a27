"""Each package as a user gets it: built into a wheel, alone in an environment of its own."""

import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

pytestmark = [pytest.mark.network, pytest.mark.slow]

UNPACKED_LIMIT = 5_000_000  # bytes, for every package of the suite

# What pip says when it reaches no index, in contrast to an index that lacks something.
UNREACHED = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeoutError|connection broken|Max retries"
    r"|timed out|\b(403|407) Client Error|\b5\d\d Server Error",
    re.IGNORECASE,
)


def pip(python: Path | str, *arguments: Path | str) -> None:
    """Run pip; skip the test when no index is reached, fail it with pip's own words otherwise."""
    command = [str(python), "-I", "-m", "pip", *map(str, arguments)]
    environment = {**os.environ, "PIP_RETRIES": "1"}  # reaches the pip of the build as well
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode and (reason := UNREACHED.search(done.stdout + done.stderr)):
        pytest.skip(f"no package index can be reached: pip says {reason[0]!r}")
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"


@pytest.fixture(scope="module")
def wheels(packages, tmp_path_factory) -> dict[str, Path]:
    """The wheels of all five packages, by project; built once, as an index would offer them."""
    folder = tmp_path_factory.mktemp("wheels")
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", folder, *(p.root for p in packages))
    built = {p.project: list(folder.glob(f"{p.module}-*.whl")) for p in packages}
    assert all(len(found) == 1 for found in built.values()), built
    return {project: found[0] for project, found in built.items()}


@pytest.fixture
def environment(tmp_path) -> Path:
    """The interpreter of a fresh environment that sees nothing of this one."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "fresh"], check=True)
    return tmp_path / "fresh" / ("Scripts" if os.name == "nt" else "bin") / "python"


def test_contents(package, wheels):
    with zipfile.ZipFile(wheels[package.project]) as wheel:
        sizes = {member.filename: member.file_size for member in wheel.infolist()}
        (notes,) = (name for name in sizes if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(wheel.read(notes).decode())
    assert sum(sizes.values()) < UNPACKED_LIMIT
    assert sizes[f"{package.module}/__init__.py"] > 0
    assert f"{package.module}/py.typed" in sizes
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in sizes)
    assert metadata["Name"] == package.project
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata.get_payload() == (package.root / "README.md").read_text(encoding="utf-8")
    roots = {name.partition("/")[0] for name in sizes}
    assert roots == {package.module, notes.partition("/")[0]}


def test_every_source_file_is_inside(package, wheels):
    files = (p for p in package.source.rglob("*") if p.is_file() and p.suffix != ".pyc")
    wanted = {p.relative_to(package.source.parent).as_posix() for p in files}
    with zipfile.ZipFile(wheels[package.project]) as wheel:
        assert wanted <= set(wheel.namelist())


def test_alone_in_a_fresh_environment(
    package, packages, wheels, environment, python_blocks, printed, tmp_path
):
    # The suite's own wheels stand in for what an index will offer; a package that forgets to ask
    # for one of them does not get it.
    suite = tmp_path / "suite.txt"
    lines = [f"{project} @ {wheel.as_uri()}" for project, wheel in wheels.items()]
    suite.write_text("\n".join(lines) + "\n", encoding="utf-8")
    pip(environment, "install", "--no-compile", "--constraint", suite, wheels[package.project])
    pip(environment, "check")

    code = f"import {package.module} as m; print(m.__file__)"
    place = Path(printed("-c", code, python=environment).strip())
    assert place.is_relative_to(tmp_path), "imported from the environment, not from the sources"

    script = tmp_path / "readme.py"
    script.write_text(python_blocks(package.root / "README.md"), encoding="utf-8")
    printed(script, python=environment, cwd=tmp_path)
