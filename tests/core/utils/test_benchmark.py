from __future__ import annotations

import pytest

from triptych.utils.benchmark import Compare, Measurement, Timer


class Clock:
    """Seconds that pass only when somebody says so."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def wait(self, seconds):
        self.now += seconds


def timer(seconds=1e-3, **about):
    clock = Clock()
    return Timer("wait()", globals={"wait": lambda: clock.wait(seconds)}, timer=clock, **about)


def test_timeit_divides_by_the_number():
    measured = timer(0.5).timeit(4)
    assert measured.raw_times == [pytest.approx(2.0)]
    assert measured.median == measured.mean == pytest.approx(0.5)
    assert measured.iqr == 0


def test_blocked_autorange_fills_the_time_with_blocks():
    measured = timer(1e-4).blocked_autorange(min_run_time=0.5)
    assert sum(measured.raw_times) >= 0.5
    assert measured.number_per_run * 1e-4 >= 0.5 / 100
    assert measured.median == pytest.approx(1e-4)


def test_adaptive_autorange_stops_when_calm_or_late():
    assert sum(timer().adaptive_autorange(min_run_time=0.01).raw_times) < 0.2
    clock, step = Clock(), iter(range(10**6))
    noisy = Timer(
        "wait()", globals={"wait": lambda: clock.wait(0.01 * (1 + next(step) % 9))}, timer=clock
    )
    measured = noisy.adaptive_autorange(threshold=1e-6, min_run_time=1e-6, max_run_time=2.0)
    assert sum(measured.raw_times) >= 2.0


def test_digits_that_mean_something():
    assert Measurement(1, [1.0, 1.5, 2.0, 1.2, 1.8]).significant_figures == 1
    assert Measurement(1, [1.0 + i * 1e-6 for i in range(50)]).significant_figures == 4


def test_merge_joins_runs_of_the_same_thing():
    one, two = Measurement(10, [1.0], stmt="a"), Measurement(10, [3.0], stmt="a")
    (joined,) = Measurement.merge([one, two])
    assert joined.raw_times == [1.0, 3.0]
    assert len(Measurement.merge([one, Measurement(10, [3.0], stmt="b")])) == 2
    assert "2 runs of 10" in repr(joined)


def test_compare_lays_out_tables():
    results = [
        Measurement(1, [t], label="add", sub_label=row, description=column)
        for row, column, t in [
            ("n=1", "ours", 1e-6),
            ("n=1", "theirs", 2e-6),
            ("n=9", "ours", 3e-3),
        ]
    ]
    table = Compare(results)
    table.highlight_fastest()
    lines = str(table).splitlines()
    assert lines[0] == "add"
    assert lines[1].split() == ["ours", "theirs"]
    assert lines[2].split() == ["n=1", "*1", "us", "2", "us"]
    assert lines[3].split() == ["n=9", "*3", "ms"]
    table.extend_results([Measurement(1, [1.0], label="mul", sub_label="n=1", description="ours")])
    assert "mul" in str(table)


def test_errors():
    with pytest.raises(ValueError, match="at least 1"):
        timer().timeit(0)
    with pytest.raises(NotImplementedError, match="blocked_autorange"):
        timer().repeat()
