"""The program behind `make bench`: it finds the benchmarks, measures, prints and records."""

import json
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"


def run(*arguments):
    command = [sys.executable, FOLDER / "run.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_an_unknown_name_is_answered_with_those_there_are():
    done = run("overhed")
    assert done.returncode == 2
    assert "overhead" in done.stderr
    assert all(path.stem in done.stderr for path in FOLDER.glob("*s.py"))


def test_overhead_is_measured_printed_and_recorded(tmp_path):
    file = tmp_path / "numbers.json"
    done = run("overhead", "--quick", "--json", file)
    assert done.returncode == 0, done.stderr
    calls, backward = json.loads(file.read_text())["overhead"]
    over = calls["columns"].index("over")
    rows = {row["name"]: row["cells"] for row in calls["rows"]}
    assert len(rows) == 7
    assert len(backward["rows"]) == 1
    for name, cells in rows.items():
        floor, ours = cells[0], cells[1]
        assert floor > 0
        assert ours > 0
        assert cells[over] == ours - floor
        assert name in done.stdout


def test_transforms_are_measured_beside_pillow(tmp_path):
    file = tmp_path / "numbers.json"
    done = run("vision_transforms", "--quick", "--json", file)
    assert done.returncode == 0, done.stderr
    (table,) = json.loads(file.read_text())["vision_transforms"]
    rows = {row["name"]: dict(enumerate(row["cells"])) for row in table["rows"]}
    assert all(cells[0] > 0 for cells in rows.values())
    beside_pillow = [cells for cells in rows.values() if cells[3] is not None]
    assert len(beside_pillow) == 5
    assert all(cells[4] == f"{cells[0] / cells[3]:.2f}x" for cells in beside_pillow)
