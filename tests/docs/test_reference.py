"""The reference has a page for every public module and an entry for every public name."""

from __future__ import annotations

import importlib
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    pytest.importorskip("pdoc", reason="the reference is written by pdoc, of the group docs")
    return runpy.run_path(str(ROOT / "tools" / "write_api_reference.py"))


def test_public_modules_are_found(tool):
    found = tool["public_modules"]("triptych")
    assert {"triptych", "triptych.nn", "triptych.nn.functional", "triptych.func"} <= set(found)
    assert not any(".ops" in name for name in found)


def test_pages_say_what_the_docstrings_say(tool, tmp_path):
    tool["pdoc"].render.configure(docformat="google")
    importlib.import_module("triptych.func")
    tool["public_modules"]("triptych.func")
    tool["pdoc"].pdoc("triptych.func", output_directory=tmp_path)
    page = (tmp_path / "triptych" / "func.html").read_text(encoding="utf-8")
    for name in importlib.import_module("triptych.func").__all__:
        assert f'id="{name}"' in page
    assert "A function that gives the gradient of a scalar function." in page
