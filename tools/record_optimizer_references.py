"""Record ten steps of every torch optimizer: where parameters are after each.

    python tools/record_optimizer_references.py OUT.json

Needs torch 2.13 in the environment, which the project itself does not use. The problem is that of
tests/core/optim/test_references.py: a matrix and a vector under a gradient that depends on both the
parameters and the step; float32, but float64 for LBFGS, whose decisions magnify rounding.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch

STEPS = 10
START = [np.linspace(-2, 2, 12).reshape(4, 3), np.linspace(1.5, -0.5, 5)]

CASES = [
    ("SGD", {"lr": 0.05}),
    ("SGD", {"lr": 0.005, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "maximize": True}),
    ("RMSprop", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.9, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.5}),
    ("Adadelta", {"lr": 1.0}),
    ("Adadelta", {"lr": 0.5, "rho": 0.8, "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.05}),
    ("Adamax", {"lr": 0.05, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05, "betas": (0.9, 0.9), "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.1}),
    ("Rprop", {"lr": 0.1, "etas": (0.3, 1.5), "step_sizes": (0.01, 0.3), "maximize": True}),
    ("ASGD", {"lr": 0.05}),
    ("ASGD", {"lr": 0.05, "lambd": 0.1, "t0": 3.0, "weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.05}),
    ("Adafactor", {"lr": 0.05, "d": 2.0, "weight_decay": 0.1, "eps": (1e-4, 1e-2)}),
    ("Muon", {"lr": 0.02}),
    ("Muon", {"lr": 0.02, "nesterov": False, "adjust_lr_fn": "match_rms_adamw"}),
    ("LBFGS", {"lr": 0.5, "max_iter": 2}),
    ("LBFGS", {"lr": 1.0, "max_iter": 3, "line_search_fn": "strong_wolfe", "history_size": 3}),
]


def loss(params: list[torch.Tensor], step: int) -> torch.Tensor:
    """Not quadratic, and another one at each step, as with batches."""
    total = torch.zeros((), dtype=params[0].dtype)
    for i, p in enumerate(params):
        weights = torch.linspace(0.5, 2.0, p.numel(), dtype=p.dtype).reshape(p.shape)
        total = total + (weights * (p - 0.3 * i).square()).sum() + 0.1 * p.pow(4).sum()
        total = total + (0.2 * np.sin(step)) * p.sum()
    return total


def run(name: str, options: dict[str, object]) -> list[list[float]]:
    """All parameters after each step."""
    dtype = torch.float64 if name == "LBFGS" else torch.float32
    params = [torch.tensor(x, dtype=dtype, requires_grad=True) for x in START]
    if name == "Muon":
        params = params[:1]
    optimizer = getattr(torch.optim, name)(params, **options)
    seen = []
    for step in range(STEPS):

        def closure(step: int = step) -> torch.Tensor:
            optimizer.zero_grad()
            value = loss(params, step)
            value.backward()
            return value

        optimizer.step(closure)
        seen.append(
            [float(x) for p in params for x in p.detach().flatten().double().numpy().round(8)]
        )
    return seen


if __name__ == "__main__":
    torch.set_num_threads(1)
    entries = [{"name": n, "options": o, "steps": run(n, o)} for n, o in CASES]
    record = {"torch": torch.__version__, "cases": entries}
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(record, file)
    print(f"{len(entries)} runs of {STEPS} steps")
