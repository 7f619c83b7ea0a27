"""The stop watch: what takes three times as long is measured so, and tables line up."""

import importlib.util
import sys
import time
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / "benchmarks" / "timing.py"


@pytest.fixture(scope="module")
def timing():
    spec = importlib.util.spec_from_file_location("timing", PATH)
    module = importlib.util.module_from_spec(spec)
    sys.modules["timing"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules["timing"]


@pytest.mark.parametrize("batch_s", [0.0005, 0.02], ids=["one call a batch", "several"])
def test_the_ratio_of_known_durations(timing, batch_s):
    calls = {"short": lambda: time.sleep(0.001), "long": lambda: time.sleep(0.003)}
    seconds = timing.median_seconds(calls, rounds=9, batch_s=batch_s)
    assert seconds["short"] >= 0.001
    assert seconds["long"] / seconds["short"] == pytest.approx(3, rel=0.5)


def test_calls_take_turns(timing):
    order = []
    calls = {"a": lambda: order.append("a"), "b": lambda: order.append("b")}
    timing.median_seconds(calls, rounds=3, batch_s=0.0)
    assert "".join(order).endswith("ababab")


def test_a_row_has_a_cell_for_every_column(timing):
    table = timing.Table("title", ("one", "two"))
    with pytest.raises(ValueError, match=r"wanted 2 cells \(one, two\), got 1 for 'name'"):
        table.add("name", 1.0)


def test_columns_line_up(timing):
    table = timing.Table("title", ("number", "text"), notes=["a note"])
    table.add("short", 1.0, "x")
    table.add("a longer name", None, "1.25x")
    table.add("large", 12345.6, None)
    title, blank, head, rule, *rows, note = str(table).splitlines()
    assert (title, blank, note) == ("title", "", "  a note")
    assert {len(line) for line in (head, rule, *rows)} == {len(head)}
    assert [row.split()[-2:] for row in rows] == [["1.000", "x"], ["-", "1.25x"], ["12346", "-"]]
