"""`triptych-vision models`: a table of the models and their weights."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from triptych_datasets.tables import print_table

from ..models import get_model_weights, list_models
from ..weights import WeightsEnum

__all__ = ["run"]

HEAD = ("MODEL", "WEIGHTS", "PARAMETERS", "METRICS")


def run(arguments: argparse.Namespace) -> int:
    """Print the table.

    Args:
        arguments: `patterns` of names; none means all.

    Returns:
        0, or 1 when no model has such a name.
    """
    names = list_models(arguments.patterns or None)
    if not names:
        wanted = ", ".join(arguments.patterns)
        print(f"triptych-vision: no model is called {wanted}; try '*part*'", file=sys.stderr)
        return 1
    rows = [row for name in names for row in _rows(name)]
    print_table([HEAD, *rows], numbers=[2])
    return 0


def _rows(name: str) -> list[tuple[str, str, str, str]]:
    """One for each file of weights; the default one is marked."""
    weights: Any = get_model_weights(name)
    if not len(weights):
        return [(name, "-", "-", "")]
    return [_row(name, member, member is weights["DEFAULT"]) for member in weights]


def _row(name: str, member: WeightsEnum, default: bool) -> tuple[str, str, str, str]:
    count = member.meta.get("num_params")
    size = f"{count / 1e6:.1f} M" if count else "-"
    return name, member.name + "*" * default, size, _metrics(member.meta.get("_metrics", {}))


def _metrics(told: Mapping[str, Mapping[str, float]]) -> str:
    return "; ".join(
        f"{data}: " + ", ".join(f"{name} {value:g}" for name, value in values.items())
        for data, values in told.items()
    )
