"""From the record of a checkpoint to a model that is ready to use."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych_datasets import Artifact, HashMismatch, fetch, verify

__all__ = ["checkpoint", "filename", "loaded"]

M = TypeVar("M", bound=nn.Module)
OPTIONS = ("check_hash", "map_location", "model_dir", "progress")


def checkpoint(weights: Artifact, dl_kwargs: Mapping[str, Any] | None = None) -> Any:
    """What a file holds, fetched first when it is not in the cache.

    Args:
        weights: the record of the file.
        dl_kwargs: `progress` shows a bar while fetching; `check_hash` reads a cached file once
            more and compares its hash; `map_location` is where the tensors go; `model_dir` is a
            folder where the file is looked for first, under the name its publisher gives it, such
            as the one where PyTorch keeps what it has fetched.

    Returns:
        Tensors by name, or whatever the file holds.

    Raises:
        DomainError: another option.
        triptych_datasets.FetchError: no source gave the file.
        triptych_datasets.HashMismatch: the bytes are not the promised ones.
    """
    options = dict(dl_kwargs or {})
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise DomainError(
            f"dl_kwargs: {', '.join(unknown)} unknown, wanted some of {', '.join(OPTIONS)}; the "
            "cache's folder is set by the environment's TRIPTYCH_HOME"
        )
    path = Path(options.get("model_dir") or "").expanduser() / filename(weights)
    check = bool(options.get("check_hash"))
    if options.get("model_dir") is None or not path.exists():
        path = fetch(weights, options.get("progress"))
        if check:
            verify(weights)
    elif check:
        _compare(path, weights)
    return tp.load(path, map_location=options.get("map_location"))


def _compare(path: Path, weights: Artifact) -> None:
    """Read a file of somebody else's folder, and compare its hashes."""
    for algorithm, wanted in weights.digests.items():
        with path.open("rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
        if not found.startswith(wanted):
            raise HashMismatch(
                f"{path}: {algorithm} is {found}, wanted {wanted} for {weights.name}; delete the "
                "file, or leave model_dir out to fetch the right one"
            )


def filename(weights: Artifact) -> str:
    """The name that a file has at its first source.

    Args:
        weights: the record of the file.
    """
    return weights.sources[0].replace("#", "/").rpartition("/")[2]


def loaded(model: M, weights: Artifact, dl_kwargs: Mapping[str, Any] | None = None) -> M:
    """A model with the weights of a file, in evaluation mode.

    Args:
        model: whose parameters have the names in the file.
        weights: the record of the file.
        dl_kwargs: as for `checkpoint`.

    Returns:
        The same model.
    """
    model.load_state_dict(checkpoint(weights, dl_kwargs))
    return model.eval()
