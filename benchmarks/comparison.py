"""Workloads beside their peers: one thread and two, ratios, and the distance to the floor."""

from __future__ import annotations

import csv
import functools
import importlib
import importlib.util
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from timing import Call, Measured, Skipped, Table, measure_apart

Make = Callable[[], Call]
THREADS = tuple(n for n in (1, 2) if n <= (os.cpu_count() or 1))
OURS = "Triptych"
# What has to be importable for a peer, and the distribution whose version is written down.
PEERS = {
    "torch": (("torch",), "torch"),
    "torch compiled": (("torch",), "torch"),
    "torchvision": (("torch", "torchvision"), "torchvision"),
    "torchaudio": (("torch", "torchaudio"), "torchaudio"),
    "ONNX Runtime": (("torch", "onnx", "onnxruntime"), "onnxruntime"),
    "librosa": (("librosa",), "librosa"),
    "soxr": (("soxr",), "soxr"),
    "SciPy": (("scipy",), "scipy"),
    "Pillow": (("PIL",), "pillow"),
    "albumentations": (("albumentations",), "albumentations"),
}
RECORDS: list[dict[str, Any]] = []  # every measurement of this run, for the CSV file
AFTER_EACH: list[Callable[[], None]] = []  # called when a workload has been measured


@dataclass(frozen=True)
class Workload:
    """One thing to do, in several libraries.

    Args:
        name: of the row.
        makers: by library, a function that sets the call up in a process of its own; "Triptych" is
            among them. Calls of one workload give the same array, or None where that says nothing.
        flops: operations that cannot be avoided, multiplications and additions counted alike.
        bytes: bytes that have to be read or written.
        tolerance: how far results may lie apart, relative, in norm.
    """

    name: str
    makers: dict[str, Make]
    flops: float = 0
    bytes: float = 0
    tolerance: float = 1e-3


def library(name: str) -> ModuleType:
    """`triptych` or `torch`, which have the same names."""
    return importlib.import_module({OURS: "triptych"}.get(name, name))


def compare(title: str, workloads: Sequence[Workload], quick: bool) -> list[Table]:
    """A table per number of threads."""
    return [_table(title, workloads, threads, quick) for threads in THREADS]


def _table(title: str, workloads: Sequence[Workload], threads: int, quick: bool) -> Table:
    peers = list(dict.fromkeys(n for w in workloads for n in w.makers if n != OURS))
    missing = {peer: absent for peer in peers if (absent := _absent(peer))}
    shown = [peer for peer in peers if peer not in missing]
    columns = [OURS, "spread", *(c for peer in shown for c in (peer, "speedup")), "floor", "of it"]
    plural = "s" if threads > 1 else ""
    table = Table(f"{title}, milliseconds, {threads} thread{plural}", tuple(columns))
    table.notes.append(
        "speedup: the peer's median time over ours, above 1 we are faster; floor: operations of "
        "the direct method at the speed of a float32 product, or the bytes at that of a copy, both "
        "measured here before; of it: floor over our time, over 100% for methods with fewer "
        "operations (Winograd), products of bytes, and what caches hold"
    )
    for peer, absent in missing.items():
        table.notes.append(f"{peer} is left out, no {', '.join(absent)} here")
    for workload in workloads:
        makers = {n: make for n, make in workload.makers.items() if n not in missing}
        try:
            seen = measure_apart(makers, rounds=3 if quick else 9, threads=threads)
        except Skipped as reason:
            table.notes.append(f"{workload.name} is left out: {reason}")
            continue
        _agree(workload, seen)
        floor = _floor(workload, threads)
        _record(title, workload, threads, seen, floor)
        table.add(workload.name, *_cells(shown, seen, floor))
        print(_line(workload, threads, seen), file=sys.stderr, flush=True)
        for follow in AFTER_EACH:
            follow()
    return table


def _line(workload: Workload, threads: int, seen: dict[str, Measured]) -> str:
    """What is known as soon as a workload is done; the tables come at the end."""
    ours = seen[OURS].seconds
    beside = [f"{peer} {m.seconds / ours:.2f}x" for peer, m in seen.items() if peer != OURS]
    return f"  {workload.name}, {threads} thr.: {', '.join([f'{1e3 * ours:.2f} ms', *beside])}"


def _absent(peer: str) -> list[str]:
    return [module for module in PEERS[peer][0] if importlib.util.find_spec(module) is None]


def _cells(peers: list[str], seen: dict[str, Measured], floor: float) -> list[float | str | None]:
    ours = seen[OURS]
    cells: list[float | str | None] = [1e3 * ours.seconds, f"{ours.spread:.0%}"]
    for peer in peers:
        theirs = seen.get(peer)
        cells.append(1e3 * theirs.seconds if theirs else None)
        cells.append(f"{theirs.seconds / ours.seconds:.2f}x" if theirs else None)
    return [*cells, 1e3 * floor or None, f"{floor / ours.seconds:.0%}" if floor else None]


def _agree(workload: Workload, seen: dict[str, Measured]) -> None:
    """Times can be compared only where both compute the same.

    Raises:
        ValueError: a peer has another result than we have.
    """
    ours = seen[OURS].result
    for peer, measured in seen.items():
        theirs = measured.result
        if ours is None or theirs is None:
            continue
        error = float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))
        if not error <= workload.tolerance:
            raise ValueError(f"{workload.name}: our result differs from {peer}'s by {error:.1e}")


def _record(
    title: str, workload: Workload, threads: int, seen: dict[str, Measured], floor: float
) -> None:
    for name, measured in seen.items():
        RECORDS.append(
            {
                "benchmark": title,
                "workload": workload.name,
                "threads": threads,
                "library": name,
                "version": _version("triptych" if name == OURS else PEERS[name][1]),
                "median_ms": 1e3 * measured.seconds,
                "spread": measured.spread,
                "speedup_of_triptych": measured.seconds / seen[OURS].seconds,
                "floor_ms": 1e3 * floor,
                "peak_mb": measured.peak_bytes / 1e6,
            }
        )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # on the path, but not installed
        return ""


# The floor: what this machine reaches on the two things that programs are made of


@functools.cache
def peak_flops(threads: int) -> float:
    """Operations per second of a matrix product of NumPy or ours, the best of several."""
    a, tensors = np.ones((768, 768), np.float32), library(OURS)
    ours, before = tensors.from_numpy(a), tensors.get_num_threads()
    tensors.set_num_threads(1)  # a thread of the pool does a product of its own
    try:
        with ThreadPoolExecutor(threads) as pool:
            best = min(
                _seconds(partial(list, pool.map(lambda _, x=x: x @ x, range(threads))))
                for x in (a, ours)
                for _ in "12345"
            )
    finally:
        tensors.set_num_threads(before)
    return threads * 2 * 768**3 / best


@functools.cache
def bandwidth(threads: int) -> float:
    """Bytes per second, read and written, of a copy into memory in use; the best of several."""
    pairs = [(np.ones(1 << 23, np.float32), np.ones(1 << 23, np.float32)) for _ in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        best = min(
            _seconds(lambda: list(pool.map(lambda p: np.copyto(*p), pairs))) for _ in "12345"
        )
    return threads * 2 * pairs[0][0].nbytes / best


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _floor(workload: Workload, threads: int) -> float:
    """Seconds that the operations or the bytes take at least, whichever are more."""
    compute = workload.flops / peak_flops(threads) if workload.flops else 0.0
    memory = workload.bytes / bandwidth(threads) if workload.bytes else 0.0
    return max(compute, memory)


# What is written down of all comparisons of a run


def write_csv(path: Path, machine: str) -> None:
    """A line per measurement, with the machine and the versions."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["machine", *RECORDS[0]])
        writer.writeheader()
        writer.writerows({"machine": machine, **record} for record in RECORDS)


TICKS = 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100


def plot(path: Path, machine: str) -> None:
    """Bars of the speedups over each peer, one picture for all comparisons.

    Raises:
        Skipped: matplotlib is not installed.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise Skipped("--plot needs matplotlib; pip install matplotlib")
    from matplotlib import pyplot

    bars = [r for r in RECORDS if r["library"] != OURS]
    names = [f"{r['workload']}, {r['threads']} thr., {r['library']}" for r in bars]
    figure, axes = pyplot.subplots(figsize=(9, 1 + 0.22 * len(bars)), layout="constrained")
    heights = [r["speedup_of_triptych"] for r in bars]
    axes.barh(
        names[::-1],
        [h - 1 for h in heights][::-1],
        left=1,
        color=["#2a6f97" if h >= 1 else "#c8553d" for h in heights][::-1],
    )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.margins(y=1 / max(len(bars), 1))
    axes.set_xscale("log")
    axes.set_xticks([x for x in TICKS if min(heights) / 2 < x < 2 * max(heights)])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.tick_params(axis="x", top=True, labeltop=True)
    axes.grid(axis="x", linewidth=0.3)
    axes.set_xlabel("time of the peer over time of Triptych; right of 1 Triptych is faster")
    axes.set_title(machine, fontsize=8)
    axes.tick_params(axis="y", labelsize=7)
    figure.savefig(path)
