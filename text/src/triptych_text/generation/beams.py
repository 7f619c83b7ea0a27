"""Beam search.

Results are those of Hugging Face's transformers: the same candidates, the same penalties, the same
rules for when to stop.

Source: Wu et al. 2016, "Google's Neural Machine Translation System", section 7, for the idea of the
length penalty; transformers 5 for its form and for early stopping.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

import triptych as tp
from triptych import Generator, Tensor
from triptych.nn import functional as F

from .config import GenerationConfig
from .processors import LogitsProcessor
from .steps import Steps
from .stopping import Stops

__all__ = ["BeamResult", "beam_search"]

NEVER = np.float32(-1e9)  # score of what must not be chosen, better than minus infinity


@dataclass
class BeamResult:
    """What beam search found.

    Args:
        ids: (rows, l) int64, filled up behind the ends.
        scores: (rows,) float32 logarithms of probabilities, divided by length ** length_penalty.
        steps: processed scores of each step, (n * num_beams, v), when asked for.
    """

    ids: np.ndarray
    scores: np.ndarray
    steps: list[Tensor]


@dataclass
class _Beams:
    """Texts (n, k, l), their scores (n, k), which are finished, and how long they are."""

    ids: np.ndarray
    scores: np.ndarray
    done: np.ndarray
    lengths: np.ndarray

    def best(self, count: int) -> _Beams:
        """The best of each prompt, best first."""
        order = np.argsort(-self.scores, 1, kind="stable")[:, :count]
        fields = (self.ids, self.scores, self.done, self.lengths)
        return _Beams(*(_pick(values, order) for values in fields))

    def beside(self, other: _Beams) -> _Beams:
        """These, then those."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return _Beams(*(np.concatenate(pair, 1) for pair in pairs))


def beam_search(
    steps: Steps,
    ids: np.ndarray,
    config: GenerationConfig,
    processors: Sequence[LogitsProcessor],
    stops: Stops,
    generator: Generator | None = None,
) -> BeamResult:
    """Follow the most probable texts at once.

    Args:
        steps: runs the model.
        ids: (n, l) int64 prompts.
        config: the settings.
        processors: of the logarithms of probabilities.
        stops: tell which texts are finished.
        generator: source of the draws, with do_sample.

    Returns:
        num_return_sequences texts for each prompt, best first.
    """
    search = _Search(config, stops, ids)
    scores = steps.scores(ids)
    rows = np.repeat(np.arange(len(ids)), config.num_beams)
    steps.choose(rows, same_texts=False)
    scores = scores[tp.from_numpy(rows)]
    kept: list[Tensor] = []
    while True:
        scores = F.log_softmax(scores, -1)
        texts = search.texts()
        for process in processors:
            scores = process(tp.from_numpy(texts.copy()), scores)
        if config.output_scores:
            kept.append(scores)
        parents = search.advance(scores, generator)
        if search.over():
            return search.result(kept)
        steps.choose(parents)
        scores = steps.scores(search.texts())


class _Search:
    """Texts that run on, and the best of those that have ended."""

    def __init__(self, config: GenerationConfig, stops: Stops, ids: np.ndarray) -> None:
        self.config, self.stops = config, stops
        n, self.prompt = ids.shape
        self.length, beams = self.prompt, config.num_beams
        text = np.full((n, beams, stops.most), config.fill_id, np.int64)
        text[:, :, : self.prompt] = ids[:, None]
        first = np.full((n, beams), NEVER)
        first[:, 0] = 0  # all beams are the same at first; only one may go on
        lengths = np.full((n, beams), self.prompt)
        idle = np.zeros((n, beams), bool)
        self.running = _Beams(text, first, idle, lengths)
        self.ended = _Beams(text.copy(), np.full((n, beams), NEVER), idle.copy(), lengths.copy())
        self.hopeful = np.ones((n, 1), bool)  # a running text may still become one of the best
        self.hits: np.ndarray = idle

    def texts(self) -> np.ndarray:
        """(n * beams, l) ids of the running texts."""
        ids = self.running.ids[:, :, : self.length]
        return ids.reshape(-1, self.length)

    def advance(self, scores: Tensor, generator: Generator | None) -> np.ndarray:
        """Add a token to each running text.

        Args:
            scores: (n * beams, v) logarithms of probabilities.
            generator: source of the draws.

        Returns:
            (n * beams,) rows that the new texts go on from.
        """
        beams = self.config.num_beams
        found, places, parents = self._candidates(scores, generator)
        ids = _pick(self.running.ids, parents)
        ids[:, :, self.length] = places
        self.length += 1
        flat = ids[:, :, : self.length].reshape(-1, self.length)
        self.hits = self.stops(flat, scores).reshape(len(ids), -1)
        lengths = np.full(parents.shape, self.length)
        on = _Beams(ids, found + np.where(self.hits, NEVER, np.float32(0)), self.hits, lengths)
        order = np.argsort(-on.scores, 1, kind="stable")[:, :beams]
        self._end(_Beams(ids, found, self.hits, lengths))
        self.running = on.best(beams)
        self._hope()
        rows: np.ndarray = _pick(parents, order) + np.arange(len(ids))[:, None] * beams
        return rows.reshape(-1)

    def _candidates(
        self, scores: Tensor, generator: Generator | None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores, tokens and beams of the best continuations, enough that some do not end."""
        n, beams = self.running.scores.shape
        size = scores.shape[-1]
        total = scores.reshape(n, beams, size) + tp.from_numpy(self.running.scores)[:, :, None]
        flat = total.reshape(n, -1)
        count = min(max(2, 1 + len(self.stops.ends)) * beams, beams * size)
        if self.config.do_sample:
            chosen = tp.multinomial(F.softmax(flat, -1), count, generator=generator)
            found = flat.gather(1, chosen)
        else:
            found, chosen = tp.topk(flat, count)
        places = chosen.numpy()
        return found.numpy(), places % size, places // size

    def _end(self, candidates: _Beams) -> None:
        """Take over those of the first num_beams candidates that have ended."""
        beams = self.config.num_beams
        ending = candidates.done & (np.arange(candidates.done.shape[1]) < beams)
        written = self.length - self.prompt
        scores = candidates.scores / np.float32(written**self.config.length_penalty)
        full = self.ended.done.all(1, keepdims=True) & (self.config.early_stopping is True)
        for barred in (full, ~self.hopeful, ~ending):
            scores = scores + np.where(barred, NEVER, np.float32(0))
        new = _Beams(candidates.ids, scores, ending, candidates.lengths)
        self.ended = self.ended.beside(new).best(beams)

    def _hope(self) -> None:
        """Could the best running text still beat the worst of the ended ones?"""
        penalty = self.config.length_penalty
        written = self.length - self.prompt
        if self.config.early_stopping == "never" and penalty > 0:
            written = self.stops.most - self.prompt
        best = self.running.scores[:, :1] / np.float32(written**penalty)
        worst = np.where(self.ended.done, self.ended.scores.min(1, keepdims=True), NEVER)
        self.hopeful &= (best > worst).any(1, keepdims=True)

    def over(self) -> bool:
        """Nothing better can come."""
        complete = bool(self.ended.done.all()) and self.config.early_stopping is True
        return bool(self.hits.all()) or complete or not self.hopeful.any()

    def result(self, kept: list[Tensor]) -> BeamResult:
        """The best texts of each prompt."""
        count = self.config.num_return_sequences
        best = self.ended.best(count)
        longest = int(best.lengths.max())
        ids = best.ids[:, :, :longest].reshape(-1, longest)
        return BeamResult(ids, best.scores.reshape(-1), kept)


def _pick(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """values (n, k, ...) at order (n, m): (n, m, ...)."""
    index = order.reshape(*order.shape, *[1] * (values.ndim - 2))
    found: np.ndarray = np.take_along_axis(values, index, 1)
    return found
