"""The examples in the docstrings of all five packages run and print what they say."""

import builtins
import doctest
import importlib
import re
from pathlib import Path
from types import ModuleType

import pytest

import triptych

ROOT = Path(__file__).parents[2]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
EXAMPLE = re.compile(r"^ *>>> (?!.*# doctest: \+SKIP)", re.MULTILINE)


def modules_with_examples() -> list[str]:
    """Names of the modules whose sources hold an example."""
    names = []
    for source in sorted(ROOT.glob("*/src")):
        for path in sorted(source.rglob("*.py")):
            if EXAMPLE.search(path.read_text(encoding="utf-8")):
                parts = path.relative_to(source).with_suffix("").parts
                names.append(".".join(p for p in parts if p != "__init__"))
    return names


def names_for(module: ModuleType) -> dict[str, object]:
    """What an example may use without an import.

    Like the docstrings' readers, it has the module's own names, those beside it in its public
    package, and core's, except the ones that would hide a built-in function.
    """
    around = importlib.import_module(module.__name__.rpartition(".")[0] or module.__name__)
    package = importlib.import_module(module.__name__.partition(".")[0])
    names = {
        name: getattr(place, name)
        for place in (triptych, around)
        for name in getattr(place, "__all__", ())
        if not hasattr(builtins, name)
    }
    return {**names, **vars(module), "triptych": triptych, package.__name__: package}


@pytest.fixture
def fresh_state(tmp_path, monkeypatch):
    """A folder of its own and the default random state, which examples may change."""
    monkeypatch.chdir(tmp_path)
    kept = triptych.get_rng_state()
    triptych.manual_seed(0)
    yield
    triptych.set_rng_state(kept)


@pytest.mark.usefixtures("fresh_state")
@pytest.mark.parametrize("name", modules_with_examples())
def test_examples(name):
    module = importlib.import_module(name)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in doctest.DocTestFinder().find(module, name, globs=names_for(module)):
        runner.run(test, out=report.append)
    assert runner.tries > 0, f"{name}: no example was found, although its source has one"
    assert not report, "\n".join(report)
