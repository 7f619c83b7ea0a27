"""Ten steps of each optimizer agree with a run of torch (tools/record_optimizer_references.py)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import triptych
from triptych import optim

RECORD = json.loads((Path(__file__).parent / "references" / "torch_steps.json").read_text())
START = [np.linspace(-2, 2, 12).reshape(4, 3), np.linspace(1.5, -0.5, 5)]


def loss(params, step):
    total = triptych.zeros((), dtype=params[0].dtype)
    for i, p in enumerate(params):
        weights = triptych.linspace(0.5, 2.0, p.numel(), dtype=p.dtype).reshape(p.shape)
        total = total + (weights * (p - 0.3 * i).square()).sum() + 0.1 * p.pow(4).sum()
        total = total + (0.2 * math.sin(step)) * p.sum()
    return total


def label(case):
    return f"{case['name']} {case['options']}"


@pytest.mark.parametrize("case", RECORD["cases"], ids=label)
def test_ten_steps_agree_with_torch(case):
    size = len(case["steps"][0])
    dtype = triptych.float64 if case["name"] == "LBFGS" else triptych.float32
    params = [triptych.tensor(x, dtype=dtype, requires_grad=True) for x in START]
    params = params[:1] if size == START[0].size else params
    optimizer = getattr(optim, case["name"])(params, **case["options"])
    for step, wanted in enumerate(case["steps"]):

        def closure(step=step):
            optimizer.zero_grad()
            value = loss(params, step)
            value.backward()
            return value

        optimizer.step(closure)
        found = np.concatenate([p.detach().numpy().reshape(-1) for p in params])
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-5, err_msg=f"step {step}")


def test_the_record_covers_every_optimizer_that_torch_has():
    ours = {n for n in optim.__all__ if n[0].isupper()} - {"Optimizer", "LARS", "LAMB", "Lion"}
    assert {case["name"] for case in RECORD["cases"]} == ours
