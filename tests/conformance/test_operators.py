"""Recorded operator calls (arguments, outputs, gradients) replayed against the core.

The recordings are not part of the project: they are looked for beside it, or where the environment
variable TRIPTYCH_CONFORMANCE says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPTYCH_CONFORMANCE", ROOT.parent / "shared" / "conformance"))
WANTED = 0.97

needs_data = pytest.mark.skipif(
    not (DATA / "opinfo.jsonl").exists(),
    reason=f"no recorded operators in {DATA}; set TRIPTYCH_CONFORMANCE to their folder",
)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    out = tmp_path_factory.mktemp("replay") / "results.json"
    command = [sys.executable, str(DATA / "replay_opinfo.py"), "--json", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    print(done.stdout.splitlines()[-1])
    return json.loads(out.read_text())


@needs_data
def test_recorded_operators_agree(results):
    failing = {name for name, result in results.items() if result["bad"]}
    passed = 1 - len(failing) / len(results)
    assert passed >= WANTED, f"{passed:.1%} of {len(results)} operators pass: {sorted(failing)}"


@needs_data
def test_operators_that_differ_are_named_in_the_docs(results):
    page = (ROOT / "docs" / "divergences.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+)`", page))
    failing = {name for name, result in results.items() if result["bad"]}
    assert failing <= named, f"not in docs/divergences.md: {sorted(failing - named)}"
