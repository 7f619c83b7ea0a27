"""Pieces of words by a sentencepiece model."""

from __future__ import annotations

from ..data.functional import load_sp_model
from ..utils import get_asset_local_path
from .per_text import PerText

__all__ = ["SentencePieceTokenizer"]


class SentencePieceTokenizer(PerText):
    """Pieces of texts by a trained sentencepiece model.

    Args:
        sp_model_path: path or address of the `.model` file.

    Raises:
        MissingDependencyError: the `sentencepiece` library is not installed.
        FileFormatError: the file is no sentencepiece model.
    """

    def __init__(self, sp_model_path: str) -> None:
        super().__init__()
        self.sp_model = load_sp_model(get_asset_local_path(sp_model_path))

    def encode_one(self, text: str) -> list[str]:
        """Pieces of one text.

        Args:
            text: one text.
        """
        return list(self.sp_model.encode(text, out_type=str))
