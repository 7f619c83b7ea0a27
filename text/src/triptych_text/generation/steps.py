"""One step of generation: ids in, scores of the next token out, with or without a cache."""

from __future__ import annotations

from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor

from ..models.cache import KeyValueCache
from ..models.outputs import EncoderOutput

__all__ = ["DecoderSteps", "EncoderDecoderSteps", "Steps"]


class Steps:
    """Runs a model on growing texts.

    Args:
        model: with `new_cache`.
        use_cache: feed each token once; else all of them at each step.
    """

    def __init__(self, model: Any, use_cache: bool) -> None:
        self.model = model
        self.cache: KeyValueCache | None = model.new_cache() if use_cache else None

    def scores(self, ids: np.ndarray) -> Tensor:
        """Scores of the next token.

        Args:
            ids: (rows, l) int64 all ids so far, one more than at the last call.

        Returns:
            (rows, v) float32.
        """
        seen = 0 if self.cache is None else self.cache.seen
        new = tp.from_numpy(np.ascontiguousarray(ids[:, seen:]))
        logits: Tensor = self.run(new, ids.shape[1]).logits
        return logits[:, -1].float()

    def run(self, new: Tensor, total: int) -> Any:
        """Output of the model for ids (rows, l), after which there are `total` of them."""
        raise NotImplementedError

    def choose(self, rows: np.ndarray, same_texts: bool = True) -> None:
        """Go on with other rows.

        Args:
            rows: (m,) their numbers; may repeat.
            same_texts: each row's prompt stays as it is.
        """
        moved = not (same_texts and np.array_equal(rows, np.arange(len(rows))))
        if self.cache is not None and moved:
            self.cache.reorder(tp.from_numpy(rows), same_texts)


class DecoderSteps(Steps):
    """Of a decoder without an encoder.

    Args:
        model: the model.
        attention_mask: (n, l) 1 for tokens and 0 for padding on the left; None without padding.
        use_cache: as in `Steps`.
    """

    def __init__(self, model: Any, attention_mask: np.ndarray | None, use_cache: bool) -> None:
        super().__init__(model, use_cache)
        self.mask = attention_mask

    def run(self, new: Tensor, total: int) -> Any:
        """As `Steps.run`; places count from each text's first token."""
        options: dict[str, Any] = {}
        if self.mask is not None:
            grown = total - self.mask.shape[1]
            self.mask = np.pad(self.mask, ((0, 0), (0, grown)), constant_values=1)
            places = np.maximum(self.mask.cumsum(1) - 1, 0)[:, total - new.shape[1] :]
            options["attention_mask"] = tp.from_numpy(self.mask)
            options["position_ids"] = tp.from_numpy(np.ascontiguousarray(places))
        return self.model(new, past_key_values=self.cache, logits_to_keep=1, **options)

    def choose(self, rows: np.ndarray, same_texts: bool = True) -> None:
        """Go on with other rows, as in `Steps.choose`."""
        super().choose(rows, same_texts)
        if self.mask is not None:
            self.mask = self.mask[rows]


class EncoderDecoderSteps(Steps):
    """Of a decoder that looks at an encoder's output.

    Args:
        model: the model.
        states: (n, l, d) the encoder's output.
        attention_mask: (n, l) 1 for tokens and 0 for padding; None without padding.
        use_cache: as in `Steps`.
    """

    def __init__(
        self, model: Any, states: Tensor, attention_mask: Tensor | None, use_cache: bool
    ) -> None:
        super().__init__(model, use_cache)
        self.mask, self.states = attention_mask, states

    def run(self, new: Tensor, total: int) -> Any:
        """As `Steps.run`."""
        return self.model(
            attention_mask=self.mask,
            decoder_input_ids=new,
            encoder_outputs=EncoderOutput(self.states),
            past_key_values=self.cache,
            logits_to_keep=1,
        )

    def choose(self, rows: np.ndarray, same_texts: bool = True) -> None:
        """Go on with other rows, as in `Steps.choose`."""
        super().choose(rows, same_texts)
        if not same_texts:
            chosen = tp.from_numpy(rows)
            self.states = self.states[chosen]
            self.mask = None if self.mask is None else self.mask[chosen]
