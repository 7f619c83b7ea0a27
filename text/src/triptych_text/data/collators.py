"""Samples to batches, with transformers' names: for `DataLoader(collate_fn=)`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import DomainError, UnknownNameError

from .padding import IGNORED, Side, as_feature, pad_rows, stack_features

__all__ = [
    "DataCollatorForLanguageModeling",
    "DataCollatorForSeq2Seq",
    "DataCollatorForWholeWordMask",
    "DataCollatorWithPadding",
]

MASK_TOKENS = ("[MASK]", "<mask>")  # BERT's, RoBERTa's


class DataCollatorWithPadding:
    """Pad the samples of a batch to its longest.

    Args:
        tokenizer: a `Tokenizer`, or anything with `pad_id`.
        padding: "longest" or True; "max_length" pads to max_length; False wants equal lengths.
        max_length: l for "max_length".
        pad_to_multiple_of: round l up to a multiple of this.
        padding_side: "right", or "left" as decoders want it for generation.

    Example:
        >>> from types import SimpleNamespace
        >>> batch = DataCollatorWithPadding(SimpleNamespace(pad_id=0))([[5, 6, 7], [8]])
        >>> batch["input_ids"].tolist(), batch["attention_mask"].tolist()
        ([[5, 6, 7], [8, 0, 0]], [[1, 1, 1], [1, 0, 0]])
    """

    def __init__(
        self,
        tokenizer: Any,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        *,
        padding_side: Side = "right",
    ) -> None:
        if padding not in (True, False, "longest", "max_length"):
            raise DomainError(
                f'{type(self).__name__}: padding should be a bool, "longest" or "max_length", got '
                f"{padding!r}"
            )
        if padding == "max_length" and max_length is None:
            raise DomainError(f'{type(self).__name__}: padding="max_length" needs max_length')
        self.tokenizer, self.padding = tokenizer, padding
        self.max_length, self.pad_to_multiple_of = max_length, pad_to_multiple_of
        self.padding_side: Side = padding_side

    def __call__(self, features: Sequence[Any]) -> dict[str, Tensor]:
        """Collate.

        Args:
            features: dicts of lists and numbers ("input_ids", "label", ...), encodings, or lists of
                ids.

        Returns:
            name -> (n, l) or (n,).

        Raises:
            ShapeError: samples do not fit together.
        """
        return self._stack([as_feature(f) for f in features])

    def _stack(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        for row in rows:
            row.pop("word_ids", None)
        return stack_features(rows, self.tokenizer.pad_id, **self._how(rows))

    def _how(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        length = self.max_length if self.padding == "max_length" else None
        if self.padding is False and rows:
            length = min(len(row["input_ids"]) for row in rows)
        multiple = self.pad_to_multiple_of
        return {"length": length, "multiple": multiple, "side": self.padding_side}


class DataCollatorForLanguageModeling(DataCollatorWithPadding):
    """Batches for training a language model, with labels.

    Masked: each token that is not special is chosen with probability mlm_probability; of the
    chosen, mask_replace_prob become the mask token, random_replace_prob a random one. Labels are
    the ids of the chosen tokens and -100 elsewhere. Causal: labels are the ids, -100 at padding.

    Args:
        tokenizer: a `Tokenizer`; masked models need a "[MASK]" or "<mask>" token in it.
        mlm: masked rather than causal.
        mlm_probability: share of tokens to choose, above 0 and at most 1.
        mask_replace_prob: share of the chosen that become the mask token.
        random_replace_prob: share of the chosen that become a random token.
        pad_to_multiple_of: round l up to a multiple of this.
        generator: draws; default the global one.

    Raises:
        DomainError: a share is none, or the two exceed 1.
        UnknownNameError: masked, and the tokenizer has no mask token.

    Source: Devlin et al. 2019, section 3.1.
    """

    def __init__(
        self,
        tokenizer: Any,
        mlm: bool = True,
        mlm_probability: float = 0.15,
        mask_replace_prob: float = 0.8,
        random_replace_prob: float = 0.1,
        pad_to_multiple_of: int | None = None,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(tokenizer, pad_to_multiple_of=pad_to_multiple_of)
        shares = (mlm_probability, mask_replace_prob, random_replace_prob)
        if not all(0 <= p <= 1 for p in shares) or mask_replace_prob + random_replace_prob > 1:
            raise DomainError(f"{type(self).__name__}: shares of 0 to 1 wanted, got {shares}")
        self.mlm, self.mlm_probability, self.generator = mlm, mlm_probability, generator
        self.mask_replace_prob, self.random_replace_prob = mask_replace_prob, random_replace_prob
        self._mask_id = _mask_id(tokenizer) if mlm else -1

    def __call__(self, features: Sequence[Any]) -> dict[str, Tensor]:
        """Collate; the result has "labels" (n, l) besides, and no "special_tokens_mask"."""
        rows = [as_feature(f) for f in features]
        words = self._words(rows) if self.mlm else None
        batch = self._stack(rows)
        special = batch.pop("special_tokens_mask", None)
        if words is None:
            given = batch.get("labels", batch["input_ids"])
            batch["labels"] = tp.where(batch["attention_mask"] == 0, IGNORED, given)
            return batch
        ids = batch["input_ids"].numpy()
        fixed = self._special(ids) if special is None else special.numpy() != 0
        fixed = fixed | (batch["attention_mask"].numpy() == 0)
        chosen = self._choose(words) & ~fixed
        batch["labels"] = tp.from_numpy(np.where(chosen, ids, IGNORED))
        batch["input_ids"] = tp.from_numpy(self._hidden(ids, chosen))
        return batch

    def _words(self, rows: list[dict[str, Any]]) -> np.ndarray:
        """(n, l) number of what is chosen as one; here every token on its own."""
        length = pad_rows([row["input_ids"] for row in rows], 0, **self._how(rows)).shape[1]
        return np.broadcast_to(np.arange(length), (len(rows), length))

    def _special(self, ids: np.ndarray) -> np.ndarray:
        return np.isin(ids, list(self.tokenizer.special_tokens.values()))

    def _choose(self, words: np.ndarray) -> np.ndarray:
        """One draw a word, given to each of its tokens."""
        n, count = words.shape[0], int(words.max(initial=0)) + 1
        draws = tp.rand((n, count), generator=self.generator).numpy() < self.mlm_probability
        return np.take_along_axis(draws, words, axis=1)

    def _hidden(self, ids: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        draw = tp.rand(ids.shape, generator=self.generator).numpy()
        size = len(self.tokenizer)
        random = tp.randint(0, size, ids.shape, generator=self.generator).numpy()
        masked, replaced = self.mask_replace_prob, self.random_replace_prob
        out = np.where(chosen & (draw < masked), self._mask_id, ids)
        return np.where(chosen & (draw >= masked) & (draw < masked + replaced), random, out)


class DataCollatorForWholeWordMask(DataCollatorForLanguageModeling):
    """As `DataCollatorForLanguageModeling`, but words are chosen, with all of their tokens.

    Words are told by "word_ids" of the features, which encodings have; where they lack, tokens that
    start with "##" belong to the word before them.

    Args:
        tokenizer: a `Tokenizer` with a "[MASK]" or "<mask>" token, as masked models need it.
        mlm: masked rather than causal.
        mlm_probability: share of words to choose, from 0 to 1.
        mask_replace_prob: share of the chosen tokens that become the mask token.
        random_replace_prob: share of the chosen tokens that become a random token.
        pad_to_multiple_of: round l up to a multiple of this.
        generator: draws; default the global one.
    """

    def _words(self, rows: list[dict[str, Any]]) -> np.ndarray:
        starts = [self._starts(row) for row in rows]
        numbers = [np.maximum(np.cumsum(row) - 1, 0) for row in starts]
        return pad_rows(numbers, 0, **self._how(rows))

    def _starts(self, row: dict[str, Any]) -> list[bool]:
        """Whether each token begins a word."""
        words = row.get("word_ids")
        if words is not None:
            before = [None, *words[:-1]]
            return [w is None or w != b for w, b in zip(words, before, strict=True)]
        ids = row["input_ids"]
        ids = ids.tolist() if hasattr(ids, "tolist") else ids
        tokens = [self.tokenizer.id_to_token(i) or "" for i in ids]
        return [not token.startswith("##") for token in tokens]


class DataCollatorForSeq2Seq(DataCollatorWithPadding):
    """Pad inputs and labels, each to the longest of the batch.

    Args:
        tokenizer: a `Tokenizer`, or anything with `pad_id`.
        model: if it has `prepare_decoder_input_ids_from_labels`, the batch gets
            "decoder_input_ids" from it.
        padding: as in `DataCollatorWithPadding`.
        max_length: as there.
        pad_to_multiple_of: as there; for the labels, too.
        label_pad_token_id: fills up labels.
        padding_side: of inputs and labels.
    """

    def __init__(
        self,
        tokenizer: Any,
        model: Any = None,
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        label_pad_token_id: int = IGNORED,
        *,
        padding_side: Side = "right",
    ) -> None:
        super().__init__(
            tokenizer, padding, max_length, pad_to_multiple_of, padding_side=padding_side
        )
        self.model, self.label_pad_token_id = model, label_pad_token_id

    def __call__(self, features: Sequence[Any]) -> dict[str, Tensor]:
        """Collate; "labels" (n, s) may be longer or shorter than "input_ids" (n, l)."""
        rows = [as_feature(f) for f in features]
        labels = [row.pop("labels") for row in rows if "labels" in row]
        batch = self._stack(rows)
        if labels:
            how = {**self._how(rows), "length": self._label_length()}
            batch["labels"] = tp.from_numpy(pad_rows(labels, self.label_pad_token_id, **how))
            prepare = getattr(self.model, "prepare_decoder_input_ids_from_labels", None)
            if prepare is not None:
                batch["decoder_input_ids"] = prepare(labels=batch["labels"])
        return batch

    def _label_length(self) -> int | None:
        return self.max_length if self.padding == "max_length" else None


def _mask_id(tokenizer: Any) -> int:
    for token in MASK_TOKENS:
        index = tokenizer.token_to_id(token)
        if index is not None:
            return int(index)
    raise UnknownNameError(
        f"DataCollatorForLanguageModeling: the tokenizer has none of {MASK_TOKENS}; pass mlm=False "
        "for a causal model"
    )
