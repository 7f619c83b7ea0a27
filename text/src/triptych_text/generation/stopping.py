"""When a text is finished: at end tokens, at the longest length, at stop strings, and so on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import UnknownNameError

from .config import GenerationConfig

__all__ = ["StoppingCriterion", "Stops"]

# Called with the ids so far, (n, l) int64, and the scores of the last step; true where finished.
BYTES = 4  # of a character in UTF-8, at most: so many tokens may make up one


class StoppingCriterion(Protocol):
    """What ends texts: any function of the ids so far and the scores."""

    def __call__(self, input_ids: Tensor, scores: Any, /) -> Any:
        """(n, l) ids; True, or (n,) of them, where a text is to end."""
        ...


class Stops:
    """Tells which texts are finished.

    Args:
        config: the settings.
        prompt: tokens of the prompt, which are not searched for stop strings.
        most: longest length in tokens.
        tokenizer: turns ids to text; wanted with stop strings.
        own: further criteria.

    Raises:
        UnknownNameError: stop strings, and no tokenizer.
    """

    def __init__(
        self,
        config: GenerationConfig,
        prompt: int,
        most: int,
        tokenizer: Any = None,
        own: Sequence[StoppingCriterion] = (),
    ) -> None:
        self.ends, self.most, self.prompt = np.asarray(config.end_ids, np.int64), most, prompt
        self.strings, self.tokenizer, self.own = config.stops, tokenizer, list(own)
        if self.strings and tokenizer is None:
            raise UnknownNameError(
                "generate: stop_strings want tokenizer=, to read what is written"
            )
        self.tail = BYTES * max(map(len, self.strings), default=0) + BYTES

    def __call__(self, ids: np.ndarray, scores: Any = None) -> np.ndarray:
        """(n, l) ids to (n,) booleans.

        Args:
            ids: the texts, their newest token last.
            scores: of the last step, for criteria of one's own.
        """
        done = np.full(len(ids), ids.shape[1] >= self.most)
        done |= np.isin(ids[:, -1], self.ends)
        if self.strings:
            done |= [self._has_stop(row) for row in ids]
        for criterion in self.own:
            found = criterion(tp.from_numpy(ids), scores)
            done |= np.broadcast_to(np.asarray(found, bool), done.shape)
        return done

    def _has_stop(self, row: np.ndarray) -> bool:
        recent = row[max(self.prompt, len(row) - self.tail) :]
        text = self.tokenizer.decode(recent.tolist(), skip_special_tokens=False)
        return any(stop in text for stop in self.strings)
