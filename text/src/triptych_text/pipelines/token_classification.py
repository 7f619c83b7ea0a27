"""Names of persons, places and the like in texts: classes of tokens, put together to spans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from triptych import Registry

from ..tokenizers import Encoding
from .encoder_pipeline import EncoderPipeline, check_positive, check_stride, softmax

__all__ = ["TokenClassification"]


@dataclass
class Piece:
    """A token or a word, and the probabilities of its classes."""

    tokens: list[str]
    scores: np.ndarray  # (c,)
    start: int
    end: int
    index: int
    continues: bool = False  # the word before it


# Several pieces of a word (p, c) to the probabilities of the word (c,).
STRATEGIES: Registry[Callable[[np.ndarray], np.ndarray]] = Registry("aggregation strategy")
STRATEGIES.register("average", lambda scores: scores.mean(0))
STRATEGIES.register("first", lambda scores: scores[0])
STRATEGIES.register("max", lambda scores: scores[scores.max(1).argmax()])
STRATEGIES.register("none", lambda scores: scores[0])
STRATEGIES.register("simple", lambda scores: scores[0])
BY_WORD = ("average", "first", "max")


class TokenClassification(EncoderPipeline):
    """Finds spans of texts, such as names, and says what they are.

    Args:
        model: one ForTokenClassification, in evaluation mode.
        tokenizer: that of the model.

    Raises:
        DTypeError: the model gives no classes of tokens.
    """

    head: ClassVar[str] = "ForTokenClassification"

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        aggregation_strategy: str = "none",
        ignore_labels: Sequence[str] = ("O",),
        stride: int = 0,
        batch_size: int = 32,
    ) -> Any:
        """The spans of texts.

        A text that is longer than the model reads is cut into pieces; where they overlap, a token
        counts in the piece in which it is farther from an end.

        Args:
            texts: a text, or several.
            aggregation_strategy: "none" for single tokens; "simple" puts neighbours of one class
                together; "first", "max" and "average" first give all tokens of a word the class of
                the first one, of the surest one, or of their mean.
            ignore_labels: classes that are left out.
            stride: tokens that pieces of a long text share.
            batch_size: how many pieces go through the model together, at most.

        Returns:
            For each text a list of dicts: "entity_group", "score" (a probability in [0, 1]),
            "word", "start" and "end" in characters; with "none" it is "entity", and "index" is the
            token's place. One text gives one list, several a list of lists.

        Raises:
            UnknownNameError: there is no such strategy.
            ValueError: batch_size is below 1, or stride below 0 or as long as a piece.
        """
        check_positive("TokenClassification", batch_size=batch_size)
        merge, limit = STRATEGIES[aggregation_strategy], self.max_length
        if limit is not None:
            special = self.tokenizer.num_special_tokens()
            check_stride("TokenClassification", "stride", stride, limit - special)
        given = [texts] if isinstance(texts, str) else list(texts)
        wholes = self.tokenizer.encode_batch(
            given, truncation=limit is not None, max_length=limit, stride=stride
        )
        cuts = [[whole, *whole.overflowing] for whole in wholes]
        rows = iter(self.rows([cut for every in cuts for cut in every], "logits", batch_size))
        found = []
        for text, every in zip(given, cuts, strict=True):
            parts = [(cut, softmax(next(rows))) for cut in every]
            pieces = self._pieces(text, parts, stride)
            found.append(self._spans(pieces, aggregation_strategy, merge, ignore_labels))
        return found[0] if isinstance(texts, str) else found

    def _pieces(
        self, text: str, parts: Sequence[tuple[Encoding, np.ndarray]], stride: int
    ) -> list[Piece]:
        """The tokens of a text that come out of it, each once, in order."""
        chosen: dict[int, tuple[int, Piece]] = {}
        left, step = self.tokenizer.truncation_side == "left", 0
        for count, (encoding, scores) in enumerate(parts):
            own = [i for i, added in enumerate(encoding.special_tokens_mask) if not added]
            step = step or len(own) - stride  # the first piece is full where there are more
            # Place of its first token among all; counted from the end where cuts begin there.
            first = -count * step - len(own) if left else count * step
            for place, i in enumerate(own, first):
                room = min(i, len(encoding) - 1 - i)  # to the nearer end of the piece
                if place not in chosen or chosen[place][0] < room:
                    chosen[place] = room, self._piece(text, encoding, i, scores[i])
        return [chosen[place][1] for place in sorted(chosen)]

    def _piece(self, text: str, encoding: Encoding, i: int, scores: np.ndarray) -> Piece:
        start, end = encoding.offsets[i]
        token, slice_ = encoding.tokens[i], text[start:end]
        model = getattr(self.tokenizer.backend, "model", None)
        prefix = getattr(model, "continuing_subword_prefix", None)
        if encoding.ids[i] == self._unknown():
            return Piece([slice_], scores, start, end, i)
        if prefix:
            continues = token.startswith(prefix)
        else:
            around = text[max(start - 1, 0) : start + 1]
            continues = start > 0 and not any(letter.isspace() for letter in around)
        return Piece([token], scores, start, end, i, continues)

    def _unknown(self) -> int | None:
        model = getattr(self.tokenizer.backend, "model", None)
        token = getattr(model, "unk_token", None)
        return None if token is None else self.tokenizer.token_to_id(token)

    def _spans(
        self,
        pieces: list[Piece],
        strategy: str,
        merge: Callable[[np.ndarray], np.ndarray],
        ignored: Sequence[str],
    ) -> list[dict[str, Any]]:
        if strategy in BY_WORD:
            pieces = [self._joined(word, merge) for word in _words(pieces)]
        named = [(self.label(int(p.scores.argmax())), float(p.scores.max()), p) for p in pieces]
        if strategy == "none":
            return [
                {
                    "entity": label,
                    "score": score,
                    "index": piece.index,
                    "word": piece.tokens[0],
                    "start": piece.start,
                    "end": piece.end,
                }
                for label, score, piece in named
                if label not in ignored
            ]
        groups = (self._group(group) for group in _groups(named))
        return [group for group in groups if group["entity_group"] not in ignored]

    def _joined(self, word: list[Piece], merge: Callable[[np.ndarray], np.ndarray]) -> Piece:
        scores = merge(np.stack([piece.scores for piece in word]))
        tokens = [self._text([token for piece in word for token in piece.tokens])]
        return Piece(tokens, scores, word[0].start, word[-1].end, word[0].index)

    def _group(self, group: list[tuple[str, float, Piece]]) -> dict[str, Any]:
        pieces = [piece for _, _, piece in group]
        return {
            "entity_group": group[0][0].split("-", 1)[-1],
            "score": float(np.mean([score for _, score, _ in group])),
            "word": self._text([token for piece in pieces for token in piece.tokens]),
            "start": pieces[0].start,
            "end": pieces[-1].end,
        }

    def _text(self, tokens: list[str]) -> str:
        """What tokens say together."""
        decoder = getattr(self.tokenizer.backend, "decoder", None)
        return " ".join(tokens) if decoder is None else str(decoder.decode(tokens))


def _words(pieces: list[Piece]) -> list[list[Piece]]:
    words: list[list[Piece]] = []
    for piece in pieces:
        if piece.continues and words:
            words[-1].append(piece)
        else:
            words.append([piece])
    return words


def _groups(named: list[tuple[str, float, Piece]]) -> list[list[tuple[str, float, Piece]]]:
    """Neighbours of one class; "B-" begins a new span."""
    groups: list[list[tuple[str, float, Piece]]] = []
    last = None
    for entry in named:
        label = entry[0]
        tag = label[2:] if label.startswith(("B-", "I-")) else label
        if groups and tag == last and not label.startswith("B-"):
            groups[-1].append(entry)
        else:
            groups.append([entry])
        last = tag
    return groups
