"""What the five pyproject.toml files have in common."""

import ast
import re
import sys
import tomllib

import pytest

# Which packages of the suite each one may ask for: dependencies point one way.
BELOW = {
    "core": set(),
    "datasets": set(),
    "audio": {"triptych", "triptych-datasets"},
    "text": {"triptych", "triptych-datasets"},
    "vision": {"triptych", "triptych-datasets"},
}

# Modules that go by another name than what is installed.
DISTRIBUTIONS = {"PIL": {"pillow"}, "cupy": {"cupy-cuda12x", "cupy-cuda13x"}}


@pytest.fixture
def project(package):
    return tomllib.loads((package.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_table_covers_every_package(packages):
    assert set(BELOW) == {p.folder for p in packages}


def test_all_carry_one_version(packages):
    versions = {
        p.project: tomllib.loads((p.root / "pyproject.toml").read_text())["project"]["version"]
        for p in packages
    }
    assert len(set(versions.values())) == 1, versions


def test_names_and_python(package, project):
    assert project["name"] == package.project
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "Apache-2.0"


def test_dependencies_within_the_suite(package, project):
    wanted = {f"{name}=={project['version']}" for name in BELOW[package.folder]}
    assert {line for line in project["dependencies"] if line.startswith("triptych")} == wanted


def test_every_dependency_says_why(package):
    text = (package.root / "pyproject.toml").read_text(encoding="utf-8")
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert listed, "the dependencies stand on a line each"
    lines = listed[1].splitlines()
    assert lines
    for line in lines:
        assert re.fullmatch(r'    "[^"]+",  # \S.{9,}', line), f"no reason beside {line.strip()}"


def test_whatever_is_imported_is_declared(package, project):
    groups = [project["dependencies"], *project.get("optional-dependencies", {}).values()]
    declared = {re.match(r"[\w.-]+", line)[0] for lines in groups for line in lines}
    for path in sorted(package.source.rglob("*.py")):
        for name in _imported(path) - sys.stdlib_module_names - {package.module}:
            wanted = DISTRIBUTIONS.get(name, {name, name.replace("_", "-")})
            assert wanted & declared, f"{path.name} imports {name}, which is not declared"


def _imported(path):
    """The first parts of the absolute imports of a file, those inside functions too."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    whole = [alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names]
    parts = [n.module for n in nodes if isinstance(n, ast.ImportFrom) and n.level == 0]
    return {name.partition(".")[0] for name in whole + parts}


def test_licence_is_that_of_the_repository(package):
    own, whole = package.root / "LICENSE", package.root.parent / "LICENSE"
    assert own.read_bytes() == whole.read_bytes()


def test_version_attribute(package, project, printed):
    code = f"import {package.module} as m; print(m.__version__)"
    assert printed("-c", code).strip() == project["version"]
