"""What the five pyproject.toml files have in common."""

import re
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
    declared = {re.split(r"[<>=~!\\[; ]", line)[0] for line in project["dependencies"]}
    declared |= {line.split("-")[0] for lines in OPTIONAL(project) for line in lines}
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (package.root / "src").rglob("*.py")]
    imported = {name for tree in trees for name in _imported(tree)} - sys.stdlib_module_names
    assert {DISTRIBUTIONS.get(n, n.replace("_", "-")) for n in imported - {package.module}} <= declared


def test_licence_is_that_of_the_repository(package):
    own, whole = package.root / "LICENSE", package.root.parent / "LICENSE"
    assert own.read_bytes() == whole.read_bytes()


def test_version_attribute(package, project, printed):
    code = f"import {package.module} as m; print(m.__version__)"
    assert printed("-c", code).strip() == project["version"]
