"""Folders in the layout of the Hugging Face hub: config.json and the weights beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych import Tensor
from triptych.errors import FileFormatError
from triptych.serialization import load
from triptych_audio.interop import as_tensor

__all__ = ["read_folder", "tensors_of"]

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")


def read_folder(folder: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Settings and weights of a folder.

    Args:
        folder: with config.json and model.safetensors or pytorch_model.bin, whole or in parts
            with their index.

    Returns:
        config.json, and the tensors by name.

    Raises:
        FileNotFoundError: one of these files is missing.
        FileFormatError: a file is damaged.
    """
    root = Path(folder)
    config = _read_json(root / "config.json")
    for name in WEIGHTS:
        if (root / name).exists():
            return config, dict(load(root / name))
    for name in INDEXES:
        if (root / name).exists():
            parts = sorted(set(_read_json(root / name)["weight_map"].values()))
            tensors = (load(root / part).items() for part in parts)
            return config, {key: value for part in tensors for key, value in part}
    raise FileNotFoundError(f"read_folder: {root} holds none of {', '.join((*WEIGHTS, *INDEXES))}")


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise FileNotFoundError(
            f"read_folder: {path.parent} holds no {path.name}; wanted a folder in the "
            "layout of the Hugging Face hub"
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FileFormatError(f"read_folder: {path} is no JSON file: {error}") from error
    if not isinstance(found, dict):
        raise FileFormatError(f"read_folder: {path} holds no JSON object")
    return found


def tensors_of(state_dict: Mapping[str, Any]) -> dict[str, Tensor]:
    """The arrays of any library's state_dict as tensors; what is no array is left out.

    Args:
        state_dict: arrays by name.

    Returns:
        Tensors by name.
    """
    found = ((name, as_tensor(value)) for name, value in state_dict.items())
    return {name: value for name, value in found if isinstance(value, Tensor)}
