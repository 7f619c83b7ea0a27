"""The small language model that lies in this package, ready to write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from triptych_datasets import shipped_file

from ..models.loading import from_pretrained
from ..pretrained import FolderFiles
from ..tokenizers import Tokenizer
from .text_generation import TextGeneration

__all__ = ["AUSTEN_LM", "LanguageModelBundle"]

FOLDER = Path(__file__).parents[1] / "models" / "shipped_weights" / "austen_lm"
HASHES = {
    "config.json": "5195b0078630eecaa0433052bc36c64b55afe080d72d62a36c5b3cff8469cfea",
    "model.safetensors": "6c31ad5f768f61ce40edb46796f6cdc8be29f1653eaf87b60169db05fc6518a1",
    "tokenizer.json": "395b8bfd0f02ae42fe9a5b7cd59968ae2ebaa01587af6a5a9b302c0199e50ee4",
}


@dataclass(frozen=True)
class LanguageModelBundle:
    """A language model and its tokenizer, in a folder of this package.

    Args:
        folder: laid out as Hugging Face does; the model card README.md is in it.
        hashes: sha256 of each of its other files.
    """

    folder: Path
    hashes: Mapping[str, str] = field(repr=False)

    @property
    def card(self) -> str:
        """The model card, in Markdown: data, training, results, limits."""
        return (self.folder / "README.md").read_text(encoding="utf-8")

    def get_model(self) -> Any:
        """The trained model, in evaluation mode; a new one at every call.

        Returns:
            A `GPT2LMHeadModel` in float32.

        Raises:
            triptych_datasets.HashMismatch: an installed file was changed.
        """
        return from_pretrained(self._files())

    def get_tokenizer(self) -> Tokenizer:
        """Its tokenizer.

        Raises:
            triptych_datasets.HashMismatch: an installed file was changed.
        """
        return Tokenizer.from_pretrained(self._files())

    def get_generator(self) -> TextGeneration:
        """Both together: call it with the beginning of a text.

        Raises:
            triptych_datasets.HashMismatch: an installed file was changed.
        """
        return TextGeneration(self.get_model(), self.get_tokenizer())

    def _files(self) -> FolderFiles:
        for name, sha256 in self.hashes.items():
            shipped_file(self.folder / name, sha256, "triptych-text")
        return FolderFiles(self.folder)


AUSTEN_LM = LanguageModelBundle(FOLDER, HASHES)
"""Three of GPT-2's layers, 128 wide, 1,024 byte pairs; trained on Jane Austen's six novels."""
