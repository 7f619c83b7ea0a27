"""A vector for each token of texts; for one of the whole text see `SentenceEncoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .encoder_pipeline import EncoderPipeline, check_positive

__all__ = ["FeatureExtraction"]


class FeatureExtraction(EncoderPipeline):
    """What an encoder makes of texts.

    Args:
        model: one whose output has `last_hidden_state`, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model has a head.
    """

    head = "Model"

    def __call__(self, texts: str | Sequence[str], *, batch_size: int = 32) -> Any:
        """Vectors of tokens.

        Args:
            texts: a text, or several; cut to what the model reads.
            batch_size: how many go through the model together, at most.

        Returns:
            For each text a NumPy array (l, d), special tokens included; a list for several.

        Raises:
            ValueError: batch_size is below 1.
        """
        check_positive("FeatureExtraction", batch_size=batch_size)
        limit = self.max_length
        given = [texts] if isinstance(texts, str) else list(texts)
        encodings = self.tokenizer.encode_batch(
            given, truncation=limit is not None, max_length=limit
        )
        found: list[np.ndarray] = self.rows(encodings, "last_hidden_state", batch_size)
        return found[0] if isinstance(texts, str) else found
