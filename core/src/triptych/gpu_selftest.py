"""What a GPU computes and how fast: ``python -m triptych.gpu_selftest``.

Every primitive is compared with the CPU, the own CUDA kernels in single precision as well; then
copies, a step of training and its replay as a CUDA graph. Timings stand beside the floor, which is
the bytes or operations at the rate that this GPU reaches on a plain copy or a matrix product, and
beside PyTorch where it is installed with CUDA. A report is written as Markdown.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import platform
import statistics
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import triptych as tp

from .backends import Device, backend_for, cuda
from .errors import TriptychError
from .nn import functional as F
from .prims import Prim
from .testing import Sample, assert_close, own_primitives, samples_for

__all__ = ["main"]

# Their results are right in more than one way: signs and order of vectors are left open.
OPEN = frozenset({"eig", "eigh", "qr", "svd"})
ROUNDS = 15


@dataclass
class Check:
    """What a check found: how many comparisons held, and texts of those that did not."""

    name: str
    passed: int = 0
    failed: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        text = f"{self.name}: {self.passed} passed, {len(self.failed)} failed"
        return f"{text}  ({self.note})" if self.note else text


@dataclass
class Timing:
    """Milliseconds of a call, of its floor and of PyTorch's."""

    name: str
    ours: float
    floor: float
    torch: float | None


# Comparisons


def _moved(value: Any, dtype: Any = None) -> Any:
    if not isinstance(value, tp.Tensor):
        return value
    narrow = dtype is not None and value.dtype == tp.float64
    return (value.to(dtype) if narrow else value).cuda()


def _comparable(prim: Prim, sample: Sample) -> bool:
    made = prim.kind in ("create", "transfer") or "generator" in sample.params
    return not made and prim.name != "write_view" and prim.name not in OPEN


def _compare(prim: Prim, sample: Sample, dtype: Any, tolerance: float) -> None:
    inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
    want = prim.call(*inputs, **sample.params)
    got = prim.call(*(_moved(x, dtype) for x in inputs), **sample.params)
    pairs = zip(got, want, strict=True) if isinstance(got, tuple) else [(got, want)]
    for one, two in pairs:
        wanted = two.to(one.dtype)
        assert_close(one.cpu(), wanted, rtol=tolerance, atol=tolerance, equal_nan=True)


def _compare_all(name: str, prims: list[Prim], dtype: Any, tolerance: float) -> Check:
    passed, failed = 0, []
    for number, prim in enumerate(prims):
        _progress(name, number, len(prims))
        for sample in samples_for(prim):
            if not _comparable(prim, sample):
                continue
            try:
                _compare(prim, sample, dtype, tolerance)
                passed += 1
            except Exception as error:
                first = str(error).strip().splitlines()[:1]
                failed.append(f"{prim.name}: {type(error).__name__}: {' '.join(first)}")
    return Check(name, passed, tuple(failed))


def _progress(name: str, done: int, count: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{name}: {done} of {count} ", end="", file=sys.stderr, flush=True)


def primitives() -> Check:
    """All samples of all primitives, in the precision they come in."""
    found = _compare_all("primitives", own_primitives(), None, 1e-8)
    found.note = f"left out, as their results are not unique: {', '.join(sorted(OPEN))}"
    return found


def kernels() -> Check:
    """The samples of what has an own CUDA kernel, in single precision."""
    fast = cuda.overrides(backend_for(Device("cuda")).xp)
    before = cuda.calls()
    found = _compare_all(
        "own kernels", [p for p in own_primitives() if p.name in fast], tp.float32, 1e-4
    )
    taken = [name for name, count in cuda.calls().items() if count > before.get(name, 0)]
    found.note = f"{len(taken)} of {len(fast)} were taken"
    return found


def _network() -> Any:
    tp.manual_seed(0)
    nn = tp.nn
    layers = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 16, 4))


def _losses(device: str) -> list[float]:
    net = _network().to(device)
    x, y = tp.randn(6, 3, 8, 8).to(device), tp.arange(6).remainder(4).to(device)
    optimizer, losses = tp.optim.AdamW(net.parameters(), lr=0.01), []
    for _ in range(5):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
    return [loss.item() for loss in losses]


def training() -> Check:
    """The losses of five steps of a small network."""
    assert_close(tp.tensor(_losses("cuda")), tp.tensor(_losses("cpu")), rtol=1e-3, atol=1e-4)
    return Check("training", 5)


def copies() -> Check:
    """To the GPU through pinned memory and back, in a stream of their own."""
    x = tp.randn(257, 129)
    stream = tp.cuda.Stream()
    with tp.cuda.stream(stream):
        back = x.pin_memory().cuda(non_blocking=True).to("cpu", non_blocking=True)
    stream.synchronize()
    assert_close(back, x, rtol=0, atol=0)
    return Check("copies", 1)


def graphs() -> Check:
    """A compiled function as a CUDA graph, on other numbers than it was recorded with."""
    compiled = tp.compile(_chain, mode="reduce-overhead")
    for seed in range(4):
        tp.manual_seed(seed)
        a, row = tp.randn(64, 128, device="cuda"), tp.randn(128, device="cuda")
        assert_close(compiled(a, row).cpu(), _chain(a, row).cpu(), rtol=1e-5, atol=1e-6)
    recorded = ", a CUDA graph" in compiled.explain()
    return Check("CUDA graphs", 4, note="recorded" if recorded else "not recorded, replayed")


def _chain(a: Any, row: Any) -> Any:
    return F.gelu(a * row + 1.5) + a


CHECKS = (primitives, kernels, training, copies, graphs)


def checks() -> Iterator[Check]:
    """All of them; one that raises has failed once."""
    for check in CHECKS:
        try:
            yield check()
        except Exception as error:
            traceback.print_exc()
            yield Check(check.__name__, 0, (f"{type(error).__name__}: {error}",))


# Timings


def _milliseconds(call: Callable[[], object], synchronize: Callable[[], object]) -> float:
    for _ in range(3):
        call()
    times = []
    for _ in range(ROUNDS):
        synchronize()
        start = time.perf_counter()
        call()
        synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def _workloads(tensors: Any, side: int) -> dict[str, tuple[Callable[[], object], float, float]]:
    """By name: a call, the bytes it has to move and the operations it has to do."""
    functional = tensors.nn.functional
    a, b = (tensors.randn(side, side, device="cuda") for _ in "ab")
    bias = tensors.randn(side, device="cuda")
    heads = tensors.randn(8, 8, side // 8, 64, device="cuda")
    size, scores = 4.0 * side * side, 64 * (side // 8) ** 2
    return {
        "copy": (lambda: a.clone(), 2 * size, 0),
        "matrix product": (lambda: a @ b, 0, 2.0 * side**3),
        "gelu": (lambda: functional.gelu(a), 2 * size, 0),
        "softmax": (lambda: tensors.softmax(a, -1), 2 * size, 0),
        "layer norm": (lambda: functional.layer_norm(a, (side,), bias, bias), 2 * size, 0),
        "sum": (lambda: a.sum(), size, 0),
        "attention": (
            lambda: functional.scaled_dot_product_attention(heads, heads, heads),
            4 * 4.0 * heads.numel(),
            4.0 * 64 * scores,
        ),
    }


def timings(side: int) -> list[Timing]:
    """Medians over rounds, in float32."""
    ours = _workloads(tp, side)
    torch = _torch()
    theirs = _workloads(torch, side) if torch else {}
    seen = {name: _milliseconds(call, tp.cuda.synchronize) for name, (call, _, _) in ours.items()}
    per_byte = seen["copy"] / ours["copy"][1]
    per_flop = seen["matrix product"] / ours["matrix product"][2]
    return [
        Timing(
            name,
            seen[name],
            max(moved * per_byte, flops * per_flop),
            _milliseconds(theirs[name][0], torch.cuda.synchronize) if torch else None,
        )
        for name, (_, moved, flops) in ours.items()
    ]


def _torch() -> Any:
    """PyTorch, if it is installed and sees a GPU."""
    if importlib.util.find_spec("torch") is None:
        return None
    torch = importlib.import_module("torch")
    return torch if torch.cuda.is_available() else None


# The report


def report(found: list[Check], timed: list[Timing]) -> str:
    """All of it as Markdown."""
    cupy = backend_for(Device("cuda")).xp
    lines = ["# Triptych on this GPU", ""]
    lines += [
        f"- {tp.cuda.get_device_name()}; CuPy {cupy.__version__}; Triptych {tp.__version__}",
        f"- Python {platform.python_version()}, {platform.platform()}",
        "",
    ]
    lines += ["| check | passed | failed | |", "| --- | --- | --- | --- |"]
    lines += [f"| {c.name} | {c.passed} | {len(c.failed)} | {c.note} |" for c in found]
    failures = [f"- {c.name}: {text}" for c in found for text in c.failed]
    if failures:
        lines += ["", "## What failed", "", *failures]
    lines += ["", "| float32 | ms | floor | of it | PyTorch |", "| --- | --- | --- | --- | --- |"]
    for t in timed:
        beside = f"{t.torch:.3f} ({t.torch / t.ours:.2f}x)" if t.torch else "not there"
        lines.append(
            f"| {t.name} | {t.ours:.3f} | {t.floor:.3f} | {t.floor / t.ours:.0%} | {beside} |"
        )
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run it from the command line.

    Returns:
        0 when all comparisons held, 1 when some did not, 2 when there is no GPU to test.
    """
    parser = argparse.ArgumentParser(
        prog="python -m triptych.gpu_selftest",
        description="Compare what this machine's GPU computes with its CPU, and measure it.",
        epilog="Exit status: 0 all comparisons held, 1 some did not, 2 there is no GPU.",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("triptych-gpu-selftest.md"),
        metavar="FILE",
        help="where the report goes, as Markdown (default: %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="measure on small arrays only")
    options = parser.parse_args(arguments)
    try:
        backend_for(Device("cuda"))
    except TriptychError as error:
        print(f"gpu_selftest: nothing was tested. {error}", file=sys.stderr)
        return 2
    found = []
    for check in checks():
        print(check, flush=True)
        found.append(check)
    timed = timings(256 if options.quick else 4096)
    text = report(found, timed)
    options.output.write_text(text, encoding="utf-8")
    print(f"\n{text}\nwritten to {options.output}")
    return 1 if any(check.failed for check in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
