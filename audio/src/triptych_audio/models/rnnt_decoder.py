"""Beam search for recurrent neural network transducers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError

__all__ = ["Hypothesis", "RNNTBeamSearch"]

Floats = npt.NDArray[np.float64]
State = list[list[Tensor]]

Hypothesis = tuple[list[int], Tensor, State, float]
"""Labels (beginning with the blank), what the prediction network made of them, its state, and the
logarithm of the probability."""


def _score_per_token(hypothesis: Hypothesis) -> float:
    return hypothesis[3] / (len(hypothesis[0]) + 1)


class RNNTBeamSearch(nn.Module):
    """The best label sequences of a transducer.

    Frame by frame, hypotheses take any number of labels before the blank leads them to the next
    frame; those that come to the same labels in different ways are added up. No gradients are
    recorded.

    Args:
        model: an RNNT, with the methods transcribe, transcribe_streaming, predict and join.
        blank: the label that stands for none.
        temperature: what the joint network's scores are divided by; larger is more even.
        hypo_sort_key: rates hypotheses after each frame, the higher the better; default the score
            divided by the number of labels plus one.
        step_max_tokens: most labels in one frame.

    Source: Graves 2012, section 2.5, with the limits of torchaudio.
    """

    def __init__(
        self,
        model: Any,
        blank: int,
        temperature: float = 1.0,
        hypo_sort_key: Callable[[Hypothesis], float] | None = None,
        step_max_tokens: int = 100,
    ) -> None:
        super().__init__()
        self.model, self.blank, self.temperature = model, blank, temperature
        self.hypo_sort_key = _score_per_token if hypo_sort_key is None else hypo_sort_key
        self.step_max_tokens = step_max_tokens

    def forward(self, input: Tensor, length: Tensor, beam_width: int) -> list[Hypothesis]:
        """Hypotheses for a whole sequence, best first.

        Args:
            input: (t, d) or (1, t, d) frames.
            length: () or (1,) how many of the frames count.
            beam_width: how many hypotheses are kept after each frame.

        Returns:
            At most beam_width hypotheses.

        Raises:
            ShapeError: more than one sequence.
            DomainError: beam_width is below 1.
        """
        frames, count = _single(input, length, beam_width)
        with tp.no_grad():
            encodings = self.model.transcribe(frames, count)[0]
            return self._search(encodings, None, beam_width)

    def infer(
        self,
        input: Tensor,
        length: Tensor,
        beam_width: int,
        state: State | None = None,
        hypothesis: list[Hypothesis] | None = None,
    ) -> tuple[list[Hypothesis], State]:
        """Hypotheses after one more piece of a sequence.

        Args:
            input: (t, d) or (1, t, d) frames of a segment with its right context.
            length: () or (1,) how many of the frames count.
            beam_width: how many hypotheses are kept after each frame.
            state: of the transcription network after the piece before; default the start.
            hypothesis: the hypotheses after the piece before; default the start.

        Returns:
            At most beam_width hypotheses, best first, and the state for the next piece.

        Raises:
            ShapeError: more than one sequence.
            DomainError: beam_width is below 1.
        """
        frames, count = _single(input, length, beam_width)
        with tp.no_grad():
            encodings, _, state = self.model.transcribe_streaming(frames, count, state)
            return self._search(encodings, hypothesis, beam_width), state

    def _search(
        self, encodings: Tensor, hypotheses: list[Hypothesis] | None, beam_width: int
    ) -> list[Hypothesis]:
        """Through (1, t, d) encoded frames."""
        beams = [self._start(encodings)] if hypotheses is None else hypotheses
        for t in range(encodings.shape[1]):
            beams = self._frame(encodings[:, t : t + 1], beams, beam_width)
            beams = sorted(beams, key=self.hypo_sort_key, reverse=True)[:beam_width]
        return beams

    def _start(self, encodings: Tensor) -> Hypothesis:
        predicted, states = self._predict([self.blank], None, encodings)
        return [self.blank], predicted[0], states, 0.0

    def _predict(
        self, labels: list[int], states: State | None, like: Tensor
    ) -> tuple[Tensor, State]:
        """What the prediction network says after one label more."""
        tokens = tp.tensor([[label] for label in labels], device=like.device)
        ones = tp.ones(len(labels), dtype=tp.int64, device=like.device)
        predicted, _, after = self.model.predict(tokens, ones, states)
        return predicted, after

    def _frame(
        self, encoding: Tensor, beams: list[Hypothesis], beam_width: int
    ) -> list[Hypothesis]:
        """Hypotheses after a frame; best first come those that came in last."""
        done: dict[tuple[int, ...], Hypothesis] = {}
        growing = beams
        for taken in range(self.step_max_tokens + 1):
            scores = self._scores(encoding, growing)
            _add_ended(done, growing, scores[:, self.blank])
            if taken == self.step_max_tokens:
                break
            scores[:, self.blank] = -np.inf
            growing = self._grown(growing, scores, _limit(done, beam_width), beam_width)
            if not growing:
                break
        return list(done.values())

    def _scores(self, encoding: Tensor, beams: list[Hypothesis]) -> Floats:
        """(beams, labels) of the hypotheses with one label more."""
        predicted = tp.stack([beam[1] for beam in beams])
        one = tp.ones(1, dtype=tp.int64, device=encoding.device)
        joint = self.model.join(encoding, one, predicted, one.expand(len(beams)))[0]
        levels = tp.log_softmax(joint[:, 0, 0] / self.temperature, -1)
        before = np.array([beam[3] for beam in beams])
        return before[:, None] + levels.to(tp.float64).numpy(force=True)

    def _grown(
        self, beams: list[Hypothesis], scores: Floats, limit: float, beam_width: int
    ) -> list[Hypothesis]:
        """The best hypotheses with one label more, if they are better than the limit."""
        flat = scores.ravel()
        best = np.argsort(-flat, kind="stable")[:beam_width]
        best = best[flat[best] > limit]
        if not len(best):
            return []
        owners, labels = (a.tolist() for a in np.divmod(best, scores.shape[1]))
        chosen = [beams[i] for i in owners]
        predicted, states = self._predict(
            labels, _stacked([beam[2] for beam in chosen]), chosen[0][1]
        )
        return [
            ([*beam[0], label], predicted[i], _row(states, i), float(flat[best[i]]))
            for i, (beam, label) in enumerate(zip(chosen, labels, strict=True))
        ]


def _single(input: Tensor, length: Tensor, beam_width: int) -> tuple[Tensor, Tensor]:
    """(1, t, d) frames and (1,) length."""
    if input.ndim not in (2, 3) or (input.ndim == 3 and input.shape[0] != 1):
        raise ShapeError(
            f"RNNTBeamSearch: wanted input (t, d) or (1, t, d), got {tuple(input.shape)}"
        )
    if tuple(length.shape) not in ((), (1,)):
        raise ShapeError(f"RNNTBeamSearch: wanted length () or (1,), got {tuple(length.shape)}")
    if beam_width < 1:
        raise DomainError(f"RNNTBeamSearch: beam_width is at least 1, got {beam_width}")
    return input if input.ndim == 3 else input.unsqueeze(0), length.reshape(1)


def _add_ended(
    done: dict[tuple[int, ...], Hypothesis], beams: list[Hypothesis], scores: Floats
) -> None:
    """Hypotheses that the blank leads to the next frame, added up where labels are the same."""
    for (labels, predicted, state, _), score in zip(beams, scores.tolist(), strict=True):
        key = tuple(labels)
        if key in done:
            score = float(np.logaddexp(done[key][3], score))
        done[key] = (labels, predicted, state, score)


def _limit(done: dict[tuple[int, ...], Hypothesis], beam_width: int) -> float:
    """What a hypothesis must be better than, to be among the beam_width best."""
    scores = sorted((hypothesis[3] for hypothesis in done.values()), reverse=True)
    return scores[beam_width - 1] if len(scores) >= beam_width else float("-inf")


def _stacked(states: list[State]) -> State:
    """States of single hypotheses as those of a batch."""
    return [
        [tp.cat(list(parts)) for parts in zip(*layers, strict=True)]
        for layers in zip(*states, strict=True)
    ]


def _row(states: State, i: int) -> State:
    """The state of one hypothesis of a batch."""
    return [[part[i : i + 1] for part in layer] for layer in states]
