"""The package as a whole: cheap to import, exports what it says, and its examples run."""

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import triptych_audio

README = Path(__file__).parents[2] / "audio" / "README.md"
HEAVY = ("scipy", "soundfile", "soxr", "_soundfile", "triptych_audio.functional")
MODULES = sorted(m.name for m in pkgutil.walk_packages(triptych_audio.__path__, "triptych_audio."))
PUBLIC = ["triptych_audio", *(f"triptych_audio.{m}" for m in triptych_audio._SUBMODULES)]


def test_import_loads_nothing_heavy():
    code = f"import sys, triptych_audio; print([m for m in {HEAVY!r} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_no_submodule_imports_a_decoder():
    code = (
        "import sys, triptych_audio as a; a.functional, a.io, a.transforms, a.models, a.pipelines;"
        f"print([m for m in {HEAVY[:4]!r} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("name", PUBLIC)
def test_exports(name):
    module = importlib.import_module(name)
    assert module.__all__ == sorted(set(module.__all__))
    assert set(module.__all__) <= set(dir(module))
    assert all(getattr(module, n).__doc__ for n in module.__all__)


def test_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = triptych_audio.no_such_name


@pytest.mark.parametrize("name", MODULES)
def test_docstring_examples(name):
    result = doctest.testmod(importlib.import_module(name))
    assert not result.failed


def test_catalogue_entry_leads_to_the_weights():
    project = tomllib.loads(README.with_name("pyproject.toml").read_text(encoding="utf-8"))
    entries = project["project"]["entry-points"]["triptych_datasets.catalog"]
    module, _, name = entries["audio"].partition(":")
    artifacts = getattr(importlib.import_module(module), name)
    assert "silero-vad/silero_vad_16k.safetensors" in {a.name for a in artifacts}


def test_readme_blocks_run(tmp_path, monkeypatch):
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    monkeypatch.chdir(tmp_path)
    for block in blocks:
        exec(compile(block, str(README), "exec"), {})
