"""Where torchtext's checkpoints are, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError
from triptych_datasets import Artifact, fetch

__all__ = ["Checkpoint", "state_dict_of", "torchtext_artifact"]

BUCKET = "https://download.pytorch.org/models/text/"
Checkpoint = str | os.PathLike[str] | Artifact | Mapping[str, Tensor]


def torchtext_artifact(file: str, licence: str, description: str) -> Artifact:
    """Record of a file that torchtext published, without a hash.

    Args:
        file: its name, such as "roberta.base.encoder.pt".
        licence: an SPDX name.
        description: one line for people.
    """
    return Artifact(
        f"torchtext/{file}",
        sources=(BUCKET + file,),
        licence=licence,
        description=description,
        kind="weights",
        unverified=True,  # the publisher states no hash
    )


def state_dict_of(
    asker: str, checkpoint: Checkpoint, options: Mapping[str, Any] | None = None
) -> dict[str, Tensor]:
    """State dict that a checkpoint is, or that its file holds.

    Args:
        asker: class that asks, for the error text.
        checkpoint: a state dict; the path, or https address, of a file of one; or its `Artifact`.
        options: `progress`, of the download.

    Returns:
        The tensors, in a dict of their own.

    Raises:
        DTypeError: the checkpoint is something else.
        triptych_datasets.DatasetsError: the file cannot be fetched.
    """
    if isinstance(checkpoint, Mapping):
        return dict(checkpoint)
    if isinstance(checkpoint, str) and checkpoint.startswith("https://"):
        name = checkpoint.rpartition("/")[2]
        checkpoint = Artifact(name, sources=(checkpoint,), kind="weights", unverified=True)
    if isinstance(checkpoint, Artifact):
        checkpoint = fetch(checkpoint, **(options or {}))
    if not isinstance(checkpoint, str | os.PathLike):
        raise DTypeError(
            f"{asker}: checkpoint is a path, an address or a state dict, got a "
            f"{type(checkpoint).__name__}"
        )
    return dict(tp.load(checkpoint))
