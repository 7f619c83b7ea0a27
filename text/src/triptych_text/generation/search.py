"""Greedy search and sampling: one text for each row, a token at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

import triptych as tp
from triptych import Generator, Tensor
from triptych.nn import functional as F

from .config import GenerationConfig
from .processors import LogitsProcessor
from .steps import Steps
from .stopping import Stops

__all__ = ["walk"]


def walk(
    steps: Steps,
    ids: np.ndarray,
    config: GenerationConfig,
    processors: Sequence[LogitsProcessor],
    stops: Stops,
    generator: Generator | None = None,
) -> Iterator[tuple[np.ndarray, Tensor]]:
    """Extend texts until all are finished.

    Args:
        steps: runs the model.
        ids: (n, l) int64 prompts.
        config: the settings; num_return_sequences copies of each prompt are extended.
        processors: of the scores.
        stops: tell which texts are finished.
        generator: source of the draws.

    Yields:
        The new token of each row, (rows,) int64, the fill token where the row is finished; and the
        processed scores (rows, v).
    """
    copies = config.num_return_sequences
    scores = steps.scores(ids)
    if copies > 1:
        rows = np.repeat(np.arange(len(ids)), copies)
        steps.choose(rows, same_texts=False)
        ids, scores = ids[rows], scores[tp.from_numpy(rows)]
    text = np.empty((len(ids), stops.most), np.int64)
    length = ids.shape[1]
    text[:, :length] = ids
    finished = np.zeros(len(ids), bool)
    while True:
        for process in processors:
            scores = process(tp.from_numpy(text[:, :length].copy()), scores)
        chosen = _draw(scores, generator) if config.do_sample else scores.argmax(-1)
        tokens = np.where(finished, config.fill_id, chosen.numpy())
        text[:, length] = tokens
        length += 1
        finished |= stops(text[:, :length], scores)
        yield tokens, scores
        if finished.all():
            return
        scores = steps.scores(text[:, :length])


def _draw(scores: Tensor, generator: Generator | None) -> Tensor:
    return tp.multinomial(F.softmax(scores, -1), 1, generator=generator)[:, 0]
