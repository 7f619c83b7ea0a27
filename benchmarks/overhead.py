"""What a call costs beyond the bare NumPy call, on arrays of four elements."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Call, Table, median_seconds

import triptych as tp

QUIET_BUDGET_US = 1.0  # over NumPy, without grad
RECORDED_BUDGET_US = 2.5  # over NumPy, with the operation put on the tape
CHAIN = 50  # nodes of the chain that backward walks

# (name, what is called with two vectors of four elements, or with two 2 x 2 matrices)
OPERATIONS: tuple[tuple[str, tuple[int, ...], Callable[[Any, Any], Any]], ...] = (
    ("x * y", (4,), lambda x, y: x * y),
    ("x + y", (4,), lambda x, y: x + y),
    ("x * 2.0", (4,), lambda x, y: x * 2.0),
    ("exp(x)", (4,), lambda x, y: _EXP[type(x)](x)),
    ("x.sum()", (4,), lambda x, y: x.sum()),
    ("x.reshape(2, 2)", (4,), lambda x, y: x.reshape(2, 2)),
    ("x @ y", (2, 2), lambda x, y: x @ y),
)
_EXP: dict[type, Callable[[Any], Any]] = {np.ndarray: np.exp, tp.Tensor: tp.exp}


def run(quick: bool) -> list[Table]:
    """Overhead per call and, for backward, per node."""
    rounds = 30 if quick else 200
    return [_calls(rounds), _backward(rounds)]


def _calls(rounds: int) -> Table:
    peer = "torch" if importlib.util.find_spec("torch") else None
    table = Table(
        "Eager overhead on 4 elements, microseconds per call",
        ("NumPy", "no grad", "ratio", "over", "recorded", "ratio", "over", "budget")
        + (("torch no grad", "torch recorded") if peer else ()),
        notes=[
            f"over: beyond the NumPy call; budget {QUIET_BUDGET_US} without grad, "
            f"{RECORDED_BUDGET_US} recorded"
        ],
    )
    for name, shape, function in OPERATIONS:
        us = {
            key: 1e6 * seconds
            for key, seconds in median_seconds(
                _variants(function, shape, peer), rounds=rounds
            ).items()
        }
        floor, quiet, recorded = us["numpy"], us["no grad"], us["recorded"]
        kept = quiet - floor <= QUIET_BUDGET_US and recorded - floor <= RECORDED_BUDGET_US
        peers = (us["torch no grad"], us["torch recorded"]) if peer else ()
        table.add(
            name,
            *(floor, quiet, f"{quiet / floor:.1f}x", quiet - floor),
            *(recorded, f"{recorded / floor:.1f}x", recorded - floor),
            "kept" if kept else "EXCEEDED",
            *peers,
        )
    if peer is None:
        table.notes.append("torch is not installed: no peer beside it")
    return table


def _variants(
    function: Callable[[Any, Any], Any], shape: tuple[int, ...], peer: str | None
) -> dict[str, Call]:
    a, b = np.full(shape, 0.5, np.float32), np.full(shape, 2.0, np.float32)
    x, y, recorded = tp.tensor(a), tp.tensor(b), tp.tensor(a, requires_grad=True)
    calls: dict[str, Call] = {
        "numpy": lambda: function(a, b),
        "no grad": lambda: function(x, y),
        "recorded": lambda: function(recorded, y),
    }
    if peer is not None:
        import torch

        _EXP[torch.Tensor] = torch.exp
        u, v, taped = torch.tensor(a), torch.tensor(b), torch.tensor(a, requires_grad=True)
        calls["torch no grad"] = lambda: function(u, v)
        calls["torch recorded"] = lambda: function(taped, v)
    return calls


def _backward(rounds: int) -> Table:
    a, b = np.full(4, 0.5, np.float32), np.full(4, 1.01, np.float32)
    x, y = tp.tensor(a, requires_grad=True), tp.tensor(b)

    def forward() -> Any:
        z = x
        for _ in range(CHAIN):
            z = z * y
        return z.sum()

    def both() -> None:
        forward().backward()

    def floor() -> None:
        gradient = a
        for _ in range(CHAIN):
            gradient = gradient * b

    seconds = median_seconds(
        {"floor": floor, "forward": forward, "both": both}, rounds=rounds, batch_s=0.004
    )
    us = {name: 1e6 * value / CHAIN for name, value in seconds.items()}
    backward = us["both"] - us["forward"]
    table = Table(
        f"A chain of {CHAIN} products, microseconds per node",
        ("NumPy", "forward", "backward", "ratio", "over"),
        notes=["NumPy: the products alone, as many as backward needs; ratio, over: of backward"],
    )
    table.add(
        "x * y * y ...",
        *(us["floor"], us["forward"], backward),
        *(f"{backward / us['floor']:.1f}x", backward - us["floor"]),
    )
    return table
