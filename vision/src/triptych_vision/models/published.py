"""Weights that others published: one row of `published.json` for each file.

The facts, which are addresses, hashes, sizes, accuracies and sizes of images, are those that
torchvision 0.29 states in `weights.meta`.
"""

from __future__ import annotations

import json
import re
from functools import cache, partial
from pathlib import Path
from typing import Any

from ..transforms import presets
from ..transforms.interpolation import interpolation_mode
from ..weights import Weights
from .categories import categories

__all__ = ["published"]

BASE = "https://download.pytorch.org/models/"
HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")
META_OF_ALL = ("num_params", "recipe", "_metrics", "_ops", "_file_size")
META_OF_SOME = ("min_temporal_size", "keypoint_names", "license")


@cache
def _rows() -> dict[str, dict[str, Any]]:
    path = Path(__file__).with_name("published.json")
    rows: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return rows


def published(name: str) -> Weights:
    """The record of published weights.

    Args:
        name: "ResNet50_Weights.IMAGENET1K_V2", the enumeration's and the member's.

    Returns:
        The record. Its sha256 is the first digits, which the file's name states, where
        nobody published all of them.
    """
    row = _rows()[name]
    found = HASH_IN_NAME.search(row["file"])
    digits = row.get("sha256") or (found[1] if found else "")
    model, _, member = name.partition("_Weights.")
    return Weights(
        sources=(BASE + row["file"], *row.get("mirrors", ())),
        sha256=digits,
        size=row.get("size"),
        licence=row.get("licence", "BSD-3-Clause"),
        transforms=_preset(**row["preset"]),
        meta=_meta(row),
        description=f"{model}, {member}: {row['num_params']:,} parameters",
    )


def _preset(kind: str, **config: Any) -> partial[Any]:
    """The preparation, not yet called."""
    if "interpolation" in config:
        config["interpolation"] = interpolation_mode(config["interpolation"])
    for name in ("crop_size", "resize_size"):
        if isinstance(config.get(name), list):
            config[name] = tuple(config[name])
    return partial(getattr(presets, kind), **config)


def _meta(row: dict[str, Any]) -> dict[str, Any]:
    meta = {key: row[key] for key in META_OF_ALL}
    meta |= {key: row[key] for key in META_OF_SOME if key in row}
    meta["min_size"] = tuple(row["min_size"])
    if "categories" in row:
        meta["categories"] = row["categories"] and categories(row["categories"])
    return meta
