"""Beam search through the label probabilities of frames, with and without a lexicon."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from triptych.errors import DomainError, ShapeError
from triptych_audio.models.decoder.beams import (
    Beams,
    Path,
    SearchOptions,
    best_beams,
    joined,
    paths_of,
)
from triptych_audio.models.decoder.histories import histories_of
from triptych_audio.models.decoder.language_models import CTCDecoderLM
from triptych_audio.models.decoder.spelling_tree import ROOT, SpellingTree

__all__ = ["FreeSearch", "LexiconSearch"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class FreeSearch:
    """Any sequence of labels; the language model, if any, is one of labels.

    Args:
        options: of the search.
        lm: language model.
        num_words: how many numbers the language model knows.
        silence: the label between words.
        blank: the label that stands for none.
        num_labels: how many labels there are.
    """

    def __init__(
        self,
        options: SearchOptions,
        lm: CTCDecoderLM,
        num_words: int,
        silence: int,
        blank: int,
        num_labels: int,
    ) -> None:
        self.options, self.lm = options, lm
        self.num_words, self.num_labels = num_words, num_labels
        self.silence, self.blank = silence, blank
        self._frames: list[Beams] = []

    def begin(self) -> None:
        """Forget everything: before the first frame."""
        self._histories = histories_of(self.lm, self.num_words)
        zero, none = np.zeros(1, np.int64), np.full(1, -1)
        start = Beams(np.zeros(1), zero, zero, zero + self.silence, zero, none, np.zeros(1))
        self._frames = [start]
        self._ended = False

    def step(self, emissions: npt.NDArray[Any]) -> None:
        """Go on through frames.

        Args:
            emissions: (t, v) log probabilities.

        Raises:
            DomainError: the search has not begun, or has ended; or emissions are NaN.
            ShapeError: there are more or fewer labels than tokens.
        """
        self._check("decode_step")
        if emissions.shape[1] != self.num_labels:
            raise ShapeError(
                f"CTCDecoder: there are {self.num_labels} tokens, but emissions (t, v) are "
                f"{emissions.shape}"
            )
        if np.isnan(emissions).any():
            raise DomainError("CTCDecoder: emissions are NaN; they should be log probabilities")
        for frame in emissions.astype(np.float64):
            gain = frame.copy()
            gain[self.silence] += self.options.sil_score
            self._append(self.candidates(self._frames[-1], frame, gain))

    def _append(self, candidates: Beams) -> None:
        beams = best_beams(candidates, self.options)
        self._frames.append(beams._replace(history=self._histories.intern(beams.history)))

    def _check(self, name: str) -> None:
        if not self._frames or self._ended:
            raise DomainError(f"CTCDecoder.{name}: call decode_begin() first")

    def _considered(self, frame: Floats) -> Ints:
        """Labels that may follow in this frame: the likeliest beam_size_token."""
        few = self.options.beam_size_token
        if few >= len(frame):
            return np.arange(len(frame))
        return np.argpartition(-frame, few)[:few]

    def candidates(self, beams: Beams, frame: Floats, gain: Floats) -> Beams:
        """All ways to go on from beams by one frame.

        Args:
            beams: after the frame before.
            frame: (v,) log probabilities.
            gain: (v,) the same with the score for silence.
        """
        labels = self._considered(frame)
        parent, token = (a.ravel() for a in np.indices((len(beams.score), len(labels))))
        token = labels[token]
        history = self._histories.keys(beams.history)[parent]
        score = beams.score[parent] + gain[token]
        fresh = np.flatnonzero((token != self.blank) & (token != beams.token[parent]))
        keys, lm_score = self._histories.extend(beams.history[parent[fresh]], token[fresh])
        history[fresh] = keys
        score[fresh] += self.options.lm_weight * lm_score
        none = np.full(len(parent), -1)
        return Beams(score, history, none * 0, token, parent, none, frame[token])

    def end(self) -> None:
        """After the last frame: the language model says how well the sentence ends.

        Raises:
            DomainError: the search has not begun, or has ended.
        """
        self._check("decode_end")
        beams = self._ending(self._frames[-1])
        history, lm_score = self._histories.finish(beams.history)
        score = beams.score + self.options.lm_weight * lm_score
        silence = np.full(len(score), self.silence)
        beams = beams._replace(
            score=score, history=history, token=silence, word=silence * 0 - 1, heard=score * 0.0
        )
        self._frames.append(best_beams(beams, self.options))
        self._ended = True

    def _ending(self, beams: Beams) -> Beams:
        """The beams that may end here, each its own parent."""
        return beams._replace(parent=np.arange(len(beams.score)))

    def results(self) -> list[Path]:
        """The ways of all beams that have ended, best first.

        Raises:
            DomainError: `end` was not called.
        """
        if not self._frames or not self._ended:
            raise DomainError("CTCDecoder.get_final_hypothesis: call decode_end() first")
        return paths_of(self._frames)


class LexiconSearch(FreeSearch):
    """Only words of a lexicon, one after the other, with any number of silences in between.

    Args:
        options: of the search.
        lm: language model of words.
        num_words: how many words it knows.
        silence: the label between words.
        blank: the label that stands for none.
        num_labels: how many labels there are.
        tree: the spellings.
        unknown: number of the word for unknown ones.
    """

    def __init__(
        self,
        options: SearchOptions,
        lm: CTCDecoderLM,
        num_words: int,
        silence: int,
        blank: int,
        num_labels: int,
        tree: SpellingTree,
        unknown: int,
    ) -> None:
        super().__init__(options, lm, num_words, silence, blank, num_labels)
        self.tree, self.unknown = tree, unknown

    def candidates(self, beams: Beams, frame: Floats, gain: Floats) -> Beams:
        """All ways to go on from beams by one frame."""
        history = self._histories.keys(beams.history)
        parts = self._next_labels(beams, history, frame, gain)
        return joined(parts + self._same_place(beams, history, frame, gain))

    def _next_labels(self, beams: Beams, history: Ints, frame: Floats, gain: Floats) -> list[Beams]:
        """A further label of a word, which may complete it."""
        tree, options = self.tree, self.options
        parent, child = tree.children(beams.node)
        token = tree.token[child]
        allowed = token != beams.token[parent]  # the same again needs a blank in between
        if options.beam_size_token < len(frame):
            considered = np.zeros(len(frame), bool)
            considered[self._considered(frame)] = True
            allowed &= considered[token]
        parent, child = parent[allowed], child[allowed]
        token = tree.token[child]
        score = beams.score[parent] + gain[token]
        hoped = tree.hope[beams.node[parent]]
        step = Beams(score, history[parent], child, token, parent, token * 0 - 1, frame[token])
        inside = np.flatnonzero(tree.num_children[child] > 0)
        further = step.take(inside)
        ahead = tree.hope[child[inside]] - hoped[inside]
        parts = [further._replace(score=further.score + options.lm_weight * ahead)]
        which, word = tree.words(child)
        parts.append(self._words(beams, step.take(which), word, hoped[which], options.word_score))
        if options.unk_score > -np.inf:
            which = np.flatnonzero(tree.num_words[child] == 0)
            word = np.full(len(which), self.unknown)
            unknown = step.take(which)
            parts.append(self._words(beams, unknown, word, hoped[which], options.unk_score))
        return parts

    def _words(self, beams: Beams, step: Beams, word: Ints, hoped: Floats, bonus: float) -> Beams:
        """Steps that complete words, once the language model has said what it thinks of them."""
        keys, lm_score = self._histories.extend(beams.history[step.parent], word)
        score = step.score + self.options.lm_weight * (lm_score - hoped) + bonus
        return step._replace(score=score, history=keys, node=word * 0 + ROOT, word=word)

    def _same_place(self, beams: Beams, history: Ints, frame: Floats, gain: Floats) -> list[Beams]:
        """The label again, silence between words, or a blank."""
        every = np.arange(len(beams.score))
        between = beams.node == ROOT
        again = every[(beams.token != self.blank) & ~(between & (beams.token == self.silence))]
        still = every[between]
        choices = (
            (again, beams.token[again]),
            (still, np.full(len(still), self.silence)),
            (every, np.full(len(every), self.blank)),
        )
        return [
            Beams(
                beams.score[parent] + gain[token],
                history[parent],
                beams.node[parent],
                token,
                parent,
                np.full(len(parent), -1),
                frame[token],
            )
            for parent, token in choices
        ]

    def _ending(self, beams: Beams) -> Beams:
        """Beams between words, if there are any; else all."""
        beams = super()._ending(beams)
        complete = np.flatnonzero(beams.node == ROOT)
        return beams.take(complete) if len(complete) else beams
