"""Record what torch computes for layers with unusual settings, for tests/core/nn.

    python tools/record_layers.py [--out FILE]

writes ``tests/core/nn/references/layers.npz``: for each case of `tests/core/nn/layer_cases.py` the
parameters, inputs, outputs in training and evaluation, and gradients, in float64. It runs by hand,
once, in an environment of its own; torch is no dependency of the project:

    python -m venv record && . record/bin/activate
    pip install torch==2.13.0 numpy
    python tools/record_layers.py
"""

import argparse
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "tests/core/nn/layer_cases.py"


def load_cases() -> Any:
    """The module of cases, which imports neither library."""
    spec = importlib.util.spec_from_file_location("layer_cases", CASES)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def record(cases: Any, case: Any, out: dict[str, np.ndarray]) -> None:
    """Add the arrays of one case under ``name/...``."""
    for mode in case.modes:
        found = cases.run(torch, case, mode)
        for key, value in found.items():
            out[f"{case.name}/{mode}/{key}"] = value


def main() -> None:
    """Record all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    target = ROOT / "tests/core/nn/references/layers.npz"
    parser.add_argument("--out", type=Path, default=target)
    args = parser.parse_args()
    torch.set_num_threads(1)
    cases, out = load_cases(), {}
    for case in cases.CASES:
        record(cases, case, out)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(args.out, **out)
    print(f"{len(cases.CASES)} cases, {len(out)} arrays, {args.out.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
