"""Recorded calls of vision's and audio's operators replayed.

The recordings are not part of the project: they are looked for beside it, or where the environment
variable TRIPTYCH_CONFORMANCE says.
"""

from __future__ import annotations

import collections
import importlib.util
import json
import os
import sys
import warnings
from pathlib import Path

import pytest

import triptych as tp

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("TRIPTYCH_CONFORMANCE", ROOT.parent / "shared" / "conformance"))


def recorded() -> dict[str, list[dict]]:
    """The calls of each operator; none without the recordings."""
    calls = collections.defaultdict(list)
    if (DATA / "domain.jsonl").exists():
        for line in (DATA / "domain.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            if "op" in row:
                calls[row["op"]].append(row)
    return calls


CALLS = recorded()
needs_data = pytest.mark.skipif(
    not CALLS, reason=f"no recorded calls in {DATA}; set TRIPTYCH_CONFORMANCE to their folder"
)


@pytest.fixture(scope="module")
def replay():
    spec = importlib.util.spec_from_file_location("replay_domain", DATA / "replay_domain.py")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(DATA))  # it imports the program beside it
    try:
        with warnings.catch_warnings():  # the program quietens warnings for all
            spec.loader.exec_module(module)
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves a file to the collector
            _, arrays = module.load(str(DATA / "domain"))
    finally:
        sys.path.remove(str(DATA))
    arrays = {name: arrays[name] for name in arrays.files}

    def run(row: dict) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module.run(tp, row, arrays)

    return run


@needs_data
@pytest.mark.parametrize("operator", sorted(CALLS) or [None])
def test_recorded_calls_agree(replay, operator):
    for row in CALLS[operator]:
        replay(row)
