"""Run the benchmarks of this folder: `make bench`, or `python benchmarks/run.py NAME ... --quick`.

Every module beside this one that has a function `run(quick)` is a benchmark; `run` gives tables.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
import time
import traceback
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import ModuleType

import comparison
import numpy as np
from timing import Skipped, Table

FOLDER = Path(__file__).parent


def discover() -> dict[str, ModuleType]:
    """The benchmarks by name."""
    names = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "run")
    modules = {name: importlib.import_module(name) for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def machine() -> str:
    """One line that says what the numbers were measured on."""
    cpu = next(
        (
            line.partition(":")[2].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.processor() or platform.machine(),
    )
    python, numpy = platform.python_version(), np.__version__
    return f"{cpu}, {os.cpu_count()} cores; Python {python}, NumPy {numpy}, {sys.platform}"


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.is_file() else []


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks named on the command line, all of them without a name."""
    benchmarks = discover()
    parser = argparse.ArgumentParser(description="Measure Triptych beside its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(benchmarks)}")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, rougher numbers")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the tables there as well")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write what was compared there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw what was compared there")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(benchmarks))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(benchmarks)}")
    print(machine())
    if options.csv:  # after each workload: what was measured stays when a long run is cut short
        options.csv.parent.mkdir(parents=True, exist_ok=True)
        comparison.AFTER_EACH.append(partial(comparison.write_csv, options.csv, machine()))
    tables: dict[str, list[Table]] = {}
    failed: list[str] = []
    for name in options.names or benchmarks:
        start = time.perf_counter()
        try:
            tables[name] = benchmarks[name].run(options.quick)
        except Skipped as reason:
            print(f"\n{name} is skipped: {reason}")
        except Exception:  # the others still run; the exit status tells
            failed.append(name)
            traceback.print_exc()
        for table in tables.get(name, ()):
            print(f"\n{table}")
        print(f"\n[{name}: {time.perf_counter() - start:.0f} s]", flush=True)
    if options.json:
        record = {"machine": machine(), "quick": options.quick}
        record |= {name: [asdict(t) for t in given] for name, given in tables.items()}
        options.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    if options.csv and not comparison.RECORDS:
        print(f"{options.csv} is not written: none of these benchmarks compares with a peer")
    if options.plot:
        comparison.plot(options.plot, machine())
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
