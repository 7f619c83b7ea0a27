"""Which ids are written: the likeliest, drawn ones, or beams.

Source: openai/whisper, whisper/decoding.py.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import triptych as tp
from triptych import Generator
from triptych_audio.models.whisper.rules import log_softmax

__all__ = ["BeamSearch", "Candidate", "GreedySearch", "best_candidate"]


class Candidate(NamedTuple):
    """A text.

    Args:
        ids: written, without the end of text.
        sum_logprob: of the ids and the end of text.
    """

    ids: list[int]
    sum_logprob: float


def best_candidate(candidates: list[Candidate], length_penalty: float | None) -> Candidate:
    """The text with the highest score.

    Args:
        candidates: at least one.
        length_penalty: None divides sums by lengths; else alpha of Wu et al. 2016, eq. 14.
    """

    def score(candidate: Candidate) -> float:
        length = len(candidate.ids)
        divisor = length if length_penalty is None else ((5 + length) / 6) ** length_penalty
        return candidate.sum_logprob / divisor if divisor else -np.inf

    return max(candidates, key=score)


class GreedySearch:
    """The likeliest id each time, or a drawn one; several texts of one sound are independent.

    Args:
        group: texts of one sound.
        end: id of the end of text.
        temperature: 0 takes the likeliest, larger ones flatten what is drawn from.
        generator: draws; default the global one.
    """

    def __init__(
        self, group: int, end: int, temperature: float = 0.0, generator: Generator | None = None
    ) -> None:
        self.group, self.end = group, end
        self.temperature = temperature
        self.generator = generator
        self.sums = np.zeros(0)

    def step(self, ids: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """Write one more id.

        Args:
            ids: (n, l) so far.
            logits: (n, v) scores after the rules.

        Returns:
            (n, l + 1) ids, (n,) which row of before each goes on, and whether all have ended.
        """
        if not len(self.sums):
            self.sums = np.zeros(len(ids))
        rows, ended = np.arange(len(ids)), ids[:, -1] == self.end
        scores = log_softmax(logits)
        following = self._chosen(logits)
        self.sums += np.where(ended, 0.0, scores[rows, following])
        following = np.where(ended, self.end, following)
        return np.column_stack([ids, following]), rows, bool((following == self.end).all())

    def _chosen(self, logits: np.ndarray) -> np.ndarray:
        if self.temperature == 0:
            return logits.argmax(-1)
        weights = tp.from_numpy(np.exp(log_softmax(logits / self.temperature)))
        drawn: np.ndarray = tp.multinomial(weights, 1, generator=self.generator).numpy()[:, 0]
        return drawn

    def results(self, ids: np.ndarray, begin: int) -> list[list[Candidate]]:
        """For each sound, its texts.

        Args:
            ids: (n, l) at the end.
            begin: how many ids were given.
        """
        texts = [
            Candidate(_until(row[begin:], self.end), float(total))
            for row, total in zip(ids.tolist(), self.sums, strict=True)
        ]
        return [texts[i : i + self.group] for i in range(0, len(texts), self.group)]


class BeamSearch:
    """The likeliest texts, several at a time.

    Args:
        group: beams of one sound.
        end: id of the end of text.
        patience: how many ended texts are waited for, as a multiple of the beams.

    Source: Kasai et al. 2022 (patience).
    """

    def __init__(self, group: int, end: int, patience: float | None = None) -> None:
        self.group, self.end = group, end
        self.wanted = max(1, round(group * (patience or 1.0)))
        self.sums = np.zeros(0)
        self.ended: list[dict[tuple[int, ...], float]] = []

    def step(self, ids: np.ndarray, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
        """Write one more id; arguments and results as for `GreedySearch.step`."""
        if not self.ended:
            self.sums = np.zeros(len(ids))
            self.ended = [{} for _ in range(len(ids) // self.group)]
        scores = log_softmax(logits)
        count = min(self.group + 1, scores.shape[1])
        top = np.argpartition(scores, -count, -1)[:, -count:]
        following, sources, sums = [], [], []
        for sound, ended in enumerate(self.ended):
            rows = range(sound * self.group, (sound + 1) * self.group)
            kept = self._ranked(ids, scores, top, rows, ended)
            following += [text for text, _, _ in kept]
            sums += [total for _, total, _ in kept]
            sources += [source for _, _, source in kept]
        self.sums = np.array(sums)
        done = all(len(ended) >= self.wanted for ended in self.ended)
        return np.array(following), np.array(sources), done

    def _ranked(
        self,
        ids: np.ndarray,
        scores: np.ndarray,
        top: np.ndarray,
        rows: range,
        ended: dict[tuple[int, ...], float],
    ) -> list[tuple[tuple[int, ...], float, int]]:
        """Texts that go on, with their sums and rows; those that end are put aside."""
        options: dict[tuple[int, ...], tuple[float, int]] = {}
        for row in rows:
            prefix = tuple(ids[row].tolist())
            for i in top[row][np.argsort(-scores[row, top[row]], kind="stable")].tolist():
                options[*prefix, i] = (float(self.sums[row] + scores[row, i]), row)
        kept: list[tuple[tuple[int, ...], float, int]] = []
        for text, (total, row) in sorted(options.items(), key=lambda o: o[1][0], reverse=True):
            if text[-1] != self.end:
                kept.append((text, total, row))
            elif len(ended) < self.wanted:
                ended[text] = total
            if len(kept) == self.group:
                break
        return kept

    def results(self, ids: np.ndarray, begin: int) -> list[list[Candidate]]:
        """For each sound, its texts; beams that have not ended where too few have."""
        found = []
        for sound, ended in enumerate(self.ended):
            rows = slice(sound * self.group, (sound + 1) * self.group)
            for row in np.argsort(self.sums[rows])[::-1]:
                if len(ended) >= self.group:
                    break
                text = ids[rows][row].tolist()
                ended[*text, self.end] = float(self.sums[rows][row])
            found.append(
                [Candidate(_until(text[begin:], self.end), s) for text, s in ended.items()]
            )
        return found


def _until(ids: list[int] | tuple[int, ...], end: int) -> list[int]:
    """Ids before the end of text."""
    found = list(ids)
    return found[: found.index(end)] if end in found else found
