"""Weights that lie inside this package: not fetched, but their hash is checked all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import triptych as tp
from triptych_datasets import shipped_file

from ..weights import Weights

__all__ = ["FOLDER", "ShippedWeights"]

FOLDER = Path(__file__).with_name("shipped_weights")
"""Where the files lie, NAME-HASH.safetensors, and a model card NAME.md beside each."""


class ShippedWeights(Weights):
    """Weights in a file of this package.

    Args:
        sources: `(FOLDER / NAME).as_uri()`, alone; the other fields are those of `Weights`.
    """

    @property
    def path(self) -> Path:
        """The file."""
        return FOLDER / self.artifact.filename

    @property
    def card(self) -> str:
        """The model card, in Markdown: data, training, results, limits."""
        name = self.path.name.partition("-")[0]
        return self.path.with_name(f"{name}.md").read_text(encoding="utf-8")

    def get_state_dict(
        self, progress: bool | None = None, check_hash: bool = True, map_location: Any = None
    ) -> dict[str, tp.Tensor]:
        """The tensors of the file, in the precision it holds.

        Args:
            progress: without effect, as nothing is fetched.
            check_hash: without effect: so small a file is always checked.
            map_location: device the tensors go to; default the CPU.

        Returns:
            Tensors by name.

        Raises:
            triptych_datasets.HashMismatch: the installed file was changed.
        """
        shipped_file(self.path, self.sha256, "triptych-vision")
        return tp.load(self.path, map_location=map_location)
