"""Texts in, classes out: an encoder with a head for whole texts, and its tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from triptych import Registry

from .encoder_pipeline import EncoderPipeline, check_positive, softmax

__all__ = ["TextClassification"]

# What makes scores of logits (c,).
SCORES: Registry[Callable[[np.ndarray], np.ndarray]] = Registry("function to apply")
SCORES.register("none", lambda logits: logits)
SCORES.register("sigmoid", lambda logits: 1 / (1 + np.exp(-logits)))
SCORES.register("softmax", softmax)
# By the settings' problem_type; for others one class is a probability of its own.
USUAL = {"regression": "none", "multi_label_classification": "sigmoid"}


class TextClassification(EncoderPipeline):
    """Says which class each text belongs to.

    Args:
        model: one ForSequenceClassification, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model gives no classes of texts.
    """

    head: ClassVar[str] = "ForSequenceClassification"

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        top_k: int | None = 1,
        batch_size: int = 32,
        function_to_apply: str | None = None,
    ) -> Any:
        """The likeliest classes of texts.

        Args:
            texts: a text, or several; cut to what the model reads.
            top_k: how many classes to name for each, the likeliest first; None for all.
            batch_size: how many go through the model together, at most.
            function_to_apply: to the logits: "softmax", "sigmoid" or "none"; default by the
                model's problem_type: sigmoid for several classes at once or a single one, none for
                numbers, else softmax.

        Returns:
            For each text a dict with "label" and "score", its probability in [0, 1]; a list of
            dicts where top_k is not 1. One text gives one answer, several a list.

        Raises:
            UnknownNameError: there is no such function.
            ValueError: batch_size or top_k is below 1.
        """
        check_positive("TextClassification", batch_size=batch_size, top_k=top_k)
        config, limit = self.model.config, self.max_length
        single = "sigmoid" if config.num_labels == 1 else "softmax"
        scores = SCORES[function_to_apply or USUAL.get(config.problem_type, single)]
        given = [texts] if isinstance(texts, str) else list(texts)
        encodings = self.tokenizer.encode_batch(
            given, truncation=limit is not None, max_length=limit
        )
        found = [
            self._named(scores(row), top_k)
            for output in self.outputs(encodings, batch_size)
            for row in output["logits"].float().numpy()
        ]
        return found[0] if isinstance(texts, str) else found

    def _named(self, scores: np.ndarray, top_k: int | None) -> Any:
        order = np.argsort(-scores, kind="stable")[:top_k]
        named = [{"label": self.label(int(i)), "score": float(scores[i])} for i in order]
        return named[0] if top_k == 1 else named
