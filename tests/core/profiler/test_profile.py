from __future__ import annotations

import gzip
import json

import pytest

import triptych
from triptych import nn
from triptych.profiler import (
    ProfilerAction,
    profile,
    record_function,
    schedule,
    tensorboard_trace_handler,
)


def names(prof, category="cpu_op"):
    return [e.name for e in prof.events() if e.category == category]


def test_records_operations_forward_and_backward_in_order():
    x = triptych.ones(3, 4, requires_grad=True)
    with profile() as prof:
        (x.exp() @ triptych.ones(4, 2)).sum().backward()
    found = names(prof)
    assert [n for n in found if n in ("exp", "matmul", "sum")][:3] == ["exp", "matmul", "sum"]
    (backward,) = [e for e in prof.events() if e.name == "backward"]
    inside = [e.name for e in prof.events() if e.parent is backward]
    assert "matmul" in inside
    assert "mul" in inside, "the derivative of exp"
    assert x.grad is not None


def test_nothing_is_recorded_outside_and_eager_is_fast_again():
    with profile() as prof:
        triptych.ones(2).exp()
    before = len(prof.events())
    triptych.ones(2).exp()
    assert len(prof.events()) == before
    from triptych.state import state

    assert state.trace is None
    assert state.run is not None


def test_results_are_the_same_inside():
    x = triptych.randn(4, 4, generator=triptych.Generator().manual_seed(1))
    outside = (x @ x).softmax(0)
    with profile(record_shapes=True, profile_memory=True, with_stack=True, with_flops=True):
        inside = (x @ x).softmax(0)
    assert (inside == outside).all()


def test_ranges_nest_and_share_out_their_time():
    with profile() as prof, record_function("outer"):
        with record_function("inner", args="first"):
            triptych.ones(5).exp()
        triptych.ones(5).log()
    outer, inner = (e for e in prof.events() if e.category == "user_annotation")
    assert (outer.name, inner.name) == ("outer", "inner: first")
    assert inner.parent is outer
    assert inner.depth == 1
    assert outer.duration >= inner.duration + outer.self_time - 1
    assert outer.self_time == outer.duration - sum(
        e.duration for e in prof.events() if e.parent is outer
    )


def test_a_range_without_a_profile_does_nothing():
    @record_function("quiet")
    def double(x):
        return 2 * x

    assert double(4) == 8


def test_shapes_flops_and_averages():
    with profile(record_shapes=True, with_flops=True) as prof:
        for n in (2, 2, 3):
            triptych.ones(n, 4) @ triptych.ones(4, 5)
    by_shape = {a.input_shapes: a for a in prof.key_averages(group_by_input_shape=True)}
    assert by_shape[(2, 4), (4, 5)].count == 2
    assert by_shape[(2, 4), (4, 5)].flops == 2 * 2 * 2 * 4 * 5
    (together,) = [a for a in prof.key_averages() if a.key == "matmul"]
    assert together.count == 3
    assert together.cpu_time == pytest.approx(together.cpu_time_total / 3)
    assert prof.key_averages().total_average().flops == 2 * 7 * 4 * 5


def test_memory_tells_what_stays_and_what_is_needed_in_between():
    x = triptych.ones(1 << 16)
    with profile(profile_memory=True) as prof:
        y = x.exp()
        del y
        z = x.softmax(0)
    exp, softmax = (next(e for e in prof.events() if e.name == n) for n in ("exp", "softmax"))
    assert abs(exp.memory - z.nbytes) < 5000
    assert softmax.peak >= z.nbytes - 5000
    held = [held for _, held in prof._timeline]
    assert max(held) < held[0] + 3 * z.nbytes


def test_table_sorts_limits_and_says_what_it_cannot():
    with profile() as prof:
        for _ in range(3):
            triptych.ones(3).exp()
        triptych.ones(300, 300) @ triptych.ones(300, 300)
    sums = prof.key_averages()
    lines = sums.table(sort_by="count", row_limit=1).splitlines()
    assert lines[3].split()[0] in ("exp", "full")
    assert "... and" in lines[5]
    assert "Self memory" not in lines[1]
    with pytest.raises(ValueError, match="self_cpu_time_total"):
        sums.table(sort_by="speed")


def test_schedule_and_handler(tmp_path):
    calls = []
    plan = schedule(wait=1, warmup=1, active=2, repeat=2, skip_first=1)
    with profile(schedule=plan, on_trace_ready=lambda p: calls.append(names(p))) as prof:
        for step in range(12):
            triptych.full((1,), float(step))
            prof.step()
    assert [len(c) for c in calls] == [2, 2], "a call per recorded step, in each of two cycles"
    assert {plan(s) for s in (0, 1, 9, 50)} == {ProfilerAction.NONE}
    assert names(prof, "user_annotation") == ["ProfilerStep#7", "ProfilerStep#8"]
    with pytest.raises(ValueError, match="active"):
        schedule(wait=0, warmup=0, active=0)


def test_chrome_trace(tmp_path):
    watched = profile(record_shapes=True, profile_memory=True, with_stack=True)
    with watched as prof, record_function("part"):
        triptych.ones(2, 3).sum()
    prof.add_metadata("model", "small")
    prof.export_chrome_trace(tmp_path / "trace.json")
    found = json.loads((tmp_path / "trace.json").read_text())
    events = [e for e in found["traceEvents"] if e["ph"] == "X"]
    part, *inside = events
    assert part["name"] == "part"
    assert found["model"] == "small"
    total = next(e for e in inside if e["name"] == "sum")
    assert total["args"]["Input Dims"] == [[2, 3]]
    assert "test_profile.py" in total["args"]["Call stack"]
    assert part["ts"] <= total["ts"]
    assert total["ts"] + total["dur"] <= part["ts"] + part["dur"] + 1e-3
    assert [e for e in found["traceEvents"] if e["ph"] == "C"]


def test_tensorboard_handler_writes_a_file_per_cycle(tmp_path):
    handler = tensorboard_trace_handler(tmp_path / "logs", "worker", use_gzip=True)
    with profile(on_trace_ready=handler):
        triptych.ones(2).exp()
    (file,) = (tmp_path / "logs").iterdir()
    assert file.name.startswith("worker.")
    assert json.loads(gzip.decompress(file.read_bytes()))["traceEvents"]
    with pytest.raises(triptych.TriptychError, match="is a file"):
        tensorboard_trace_handler(file)


def test_stacks_and_memory_timeline(tmp_path):
    with profile(with_stack=True, profile_memory=True) as prof:
        big = triptych.ones(500, 500)
        big @ big
    prof.export_stacks(tmp_path / "stacks.txt")
    assert any(
        "test_profile.py" in line and ";matmul " in line
        for line in (tmp_path / "stacks.txt").read_text().splitlines()
    )
    prof.export_memory_timeline(tmp_path / "memory.json")
    found = json.loads((tmp_path / "memory.json").read_text())
    assert len(found["ns"]) == len(found["bytes"]) == len(prof.events())
    with profile() as plain:
        triptych.ones(2)
    with pytest.raises(ValueError, match="with_stack=True"):
        plain.export_stacks(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="profile_memory=True"):
        plain.export_memory_timeline(tmp_path / "none.json")
    assert not list(tmp_path.glob("none*"))


def test_modules_are_ranges():
    net = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    with profile(with_modules=True) as prof:
        net(triptych.ones(1, 3))
    found = names(prof, "user_annotation")
    assert found == ["nn.Sequential", "nn.Linear", "nn.ReLU"]
    (linear,) = [e for e in prof.events() if e.name == "linear"]
    assert linear.parent.name == "nn.Linear"
    net(triptych.ones(1, 3))
    assert names(prof, "user_annotation") == found


def test_an_error_inside_closes_everything():
    with pytest.raises(triptych.ShapeError), profile() as prof, record_function("part"):
        triptych.ones(2, 3) @ triptych.ones(2, 3)
    assert "part" in names(prof, "user_annotation")
    assert "matmul" in names(prof)
