"""What may be written next: rules that forbid ids by setting their scores to minus infinity.

Source: openai/whisper, whisper/decoding.py; Radford et al. 2022, section 4.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from triptych_audio.models.whisper.tokenizer import Tokenizer

__all__ = ["Rule", "SuppressBlank", "SuppressTokens", "TimestampRules", "log_softmax"]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Log probabilities along the last axis."""
    shifted = logits - logits.max(-1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result


class Rule(Protocol):
    """Changes scores in place."""

    def __call__(self, logits: np.ndarray, ids: np.ndarray) -> None:
        """Forbid.

        Args:
            logits: (n, v) float32 scores of each next id.
            ids: (n, l) int64 ids so far, those that were given included.
        """


class SuppressBlank:
    """No text begins with a space alone, or ends before it begins.

    Args:
        tokenizer: knows the ids.
        begin: how many ids were given.
    """

    def __init__(self, tokenizer: Tokenizer, begin: int) -> None:
        self.begin = begin
        self.ids = [*tokenizer.encode(" "), tokenizer.eot]

    def __call__(self, logits: np.ndarray, ids: np.ndarray) -> None:
        if ids.shape[1] == self.begin:
            logits[:, self.ids] = -np.inf


class SuppressTokens:
    """Some ids never come.

    Args:
        ids: which.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self.ids = list(ids)

    def __call__(self, logits: np.ndarray, ids: np.ndarray) -> None:
        logits[:, self.ids] = -np.inf


class TimestampRules:
    """Times come in pairs, never fall, and first of all.

    Args:
        tokenizer: knows the ids.
        begin: how many ids were given.
        latest_first: largest first time, in steps of 0.02 s; None for any.
    """

    def __init__(self, tokenizer: Tokenizer, begin: int, latest_first: int | None) -> None:
        self.eot, self.zero = tokenizer.eot, tokenizer.timestamp_begin
        self.no_timestamps = tokenizer.no_timestamps
        self.begin = begin
        self.latest_first = latest_first

    def __call__(self, logits: np.ndarray, ids: np.ndarray) -> None:
        logits[:, self.no_timestamps] = -np.inf
        for row, written in zip(logits, ids[:, self.begin :], strict=True):
            self._keep_pairs(row, written)
        if ids.shape[1] == self.begin:
            logits[:, : self.zero] = -np.inf
            if self.latest_first is not None:
                logits[:, self.zero + self.latest_first + 1 :] = -np.inf
        self._prefer_times(logits)

    def _keep_pairs(self, row: np.ndarray, written: np.ndarray) -> None:
        """(v,) scores after (l,) written ids."""
        times = written[written >= self.zero]
        if not len(times):
            return
        after_time = written[-1] >= self.zero
        after_pair = after_time and (len(written) < 2 or written[-2] >= self.zero)
        if after_pair:
            row[self.zero :] = -np.inf
        elif after_time:
            row[: self.eot] = -np.inf
        # a pair may begin where the last one ended, but lasts for some time
        lowest = times[-1] if after_time and not after_pair else times[-1] + 1
        row[self.zero : lowest] = -np.inf

    def _prefer_times(self, logits: np.ndarray) -> None:
        """A time comes where all times together are likelier than any single piece of text."""
        scores = log_softmax(logits)
        with np.errstate(divide="ignore"):
            times = np.log(np.exp(scores[:, self.zero :]).sum(-1))
        wins = times > scores[:, : self.zero].max(-1)
        logits[wins, : self.zero] = -np.inf
