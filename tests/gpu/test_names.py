"""Rung 1: every name and keyword of CuPy that the library uses is in CuPy 14.2.0."""

from pathlib import Path

import pytest
from gpu.snapshot import read
from gpu.usage import Use, complaint, uses

from triptych.prims import TABLE

ROOT = Path(__file__).parents[2]
NAMES = read()
FILES = sorted(ROOT.glob("core/src/triptych/**/*.py"))
# What is not in CuPy, with the reason that it is never asked of it there.
NOT_ASKED = {}


def test_the_snapshot_is_of_the_version_that_the_ladder_installs():
    assert NAMES["__version__"].params == ("14.2.0",)
    assert 'cupy-cuda12x==14.2.0"' in (ROOT / "pyproject.toml").read_text()
    assert len(NAMES) > 1000


def test_every_name_and_keyword_is_in_cupy():
    found = [u for f in FILES for u in uses(f, str(f.relative_to(ROOT / "core/src/triptych")))]
    assert len(found) > 300
    bad = [
        (u, c) for u in found if (c := complaint(u, NAMES)) and (u.file, u.path) not in NOT_ASKED
    ]
    assert not bad, "\n".join(f"{u.file}:{u.line}: {c}" for u, c in bad)
    stale = set(NOT_ASKED) - {(u.file, u.path) for u in found}
    assert not stale


def test_forward_passes_that_are_one_function_are_in_cupy():
    strings = {p.impl for p in TABLE.values() if isinstance(p.impl, str)}
    assert strings and not {s for s in strings if s not in NAMES}


@pytest.mark.parametrize(
    ("path", "keywords", "says"),
    [
        ("linalg.multi_dot", (), "CuPy has no linalg.multi_dot"),
        ("sum", ("initial",), "sum takes no initial="),
        ("add", ("where",), "add takes no where="),
        ("add.at", (), None),
        ("cuda.Stream.null", (), None),
    ],
)
def test_what_is_missing_is_named(path, keywords, says):
    assert complaint(Use("f.py", 1, path, keywords), NAMES) == says
