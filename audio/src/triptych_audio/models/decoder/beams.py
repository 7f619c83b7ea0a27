"""Beams of a search over frames: merged, pruned, and traced back to their beginning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from triptych.errors import DomainError

__all__ = ["Beams", "Path", "SearchOptions", "best_beams", "joined", "paths_of"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class SearchOptions:
    """What `ctc_decoder` is told about the search; the arguments are its."""

    beam_size: int
    beam_size_token: int
    beam_threshold: float
    lm_weight: float
    word_score: float
    unk_score: float
    sil_score: float
    log_add: bool

    def __post_init__(self) -> None:
        if self.beam_size < 1:
            raise DomainError(f"ctc_decoder: beam_size is at least 1, got {self.beam_size}")


class Beams(NamedTuple):
    """Beams, or candidates for beams, after the same frame.

    Args:
        score: (n,) of all that was heard, best first among beams.
        history: (n,) number of the language model's state; its key among candidates.
        node: (n,) place in the tree of spellings; 0 between words.
        token: (n,) label of the frame; blank keeps the label before from being repeated.
        parent: (n,) which beam of the frame before this one goes on from.
        word: (n,) number of the word that ended here, or -1.
        heard: (n,) log probability of the frame's label.
    """

    score: Floats
    history: Ints
    node: Ints
    token: Ints
    parent: Ints
    word: Ints
    heard: Floats

    def take(self, places: Ints) -> Beams:
        """The beams at these places."""
        return Beams._make(field[places] for field in self)


class Path(NamedTuple):
    """The way of a beam from the first to the last frame.

    Args:
        score: of the whole.
        tokens: (frames,) labels, beginning with the one before the first frame.
        words: (frames,) numbers of words where one ended, else -1.
        heard: (frames,) log probabilities of the labels.
    """

    score: float
    tokens: Ints
    words: Ints
    heard: Floats


def joined(parts: list[Beams]) -> Beams:
    """Candidates of several kinds as one."""
    return Beams._make(np.concatenate(fields) for fields in zip(*parts, strict=True))


def best_beams(candidates: Beams, options: SearchOptions) -> Beams:
    """The best candidates, those that lead to the same state merged into one.

    Args:
        candidates: with keys for histories.
        options: beam_threshold, beam_size and log_add count here.

    Returns:
        At most beam_size of them, best first. A merged one has the score of the best, or with
        log_add the logarithm of the sum of probabilities, and the parent of the best.
    """
    score = candidates.score
    candidates = candidates.take(np.flatnonzero(score >= score.max() - options.beam_threshold))
    order, starts = _groups(candidates)
    best = candidates.take(order[starts])
    if options.log_add:
        total = np.logaddexp.reduceat(candidates.score[order], starts)
        best = best._replace(score=total)
    return best.take(np.argsort(-best.score, kind="stable")[: options.beam_size])


def _groups(candidates: Beams) -> tuple[Ints, Ints]:
    """An order that has equal states together, best first, and where each group starts."""
    fields = (candidates.history, candidates.node, candidates.token)
    order = np.lexsort((-candidates.score, *fields))
    changed = np.zeros(len(order), bool)
    changed[:1] = True
    for field in fields:
        changed[1:] |= field[order[1:]] != field[order[:-1]]
    return order, np.flatnonzero(changed)


def paths_of(frames: list[Beams]) -> list[Path]:
    """The way of every beam of the last frame.

    Args:
        frames: the beams after each frame.
    """
    at = np.arange(len(frames[-1].score))
    trail = []
    for beams in reversed(frames):
        trail.append((beams.token[at], beams.word[at], beams.heard[at]))
        at = beams.parent[at]
    tokens, words, heard = (np.stack(rows[::-1], 1) for rows in zip(*trail, strict=True))
    scores = frames[-1].score.tolist()
    return [Path(scores[i], tokens[i], words[i], heard[i]) for i in range(len(scores))]
