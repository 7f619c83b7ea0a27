"""Words for the gaps in texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from triptych.errors import ShapeError, UnknownNameError

from ..tokenizers import Encoding
from .encoder_pipeline import EncoderPipeline, check_positive, softmax

__all__ = ["FillMask"]

MASKS = ("[MASK]", "<mask>")  # as vocabularies spell it


class FillMask(EncoderPipeline):
    """Proposes words for the gaps in texts.

    Args:
        model: one ForMaskedLM, in evaluation mode.
        tokenizer: that of the model, which names its mask_token, or knows "[MASK]" or "<mask>".

    Raises:
        DTypeError: the model fills no gaps.
        UnknownNameError: the tokenizer knows no token for a gap.
    """

    head: ClassVar[str] = "ForMaskedLM"

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__(model, tokenizer)
        named = tokenizer.special_tokens_map.get("mask_token")
        known = [mask for mask in (named, *MASKS) if mask in tokenizer]
        if not known:
            raise UnknownNameError(
                f"FillMask: the vocabulary has no token for a gap, {' or '.join(MASKS)}"
            )
        self.mask_token = known[0]

    def __call__(
        self,
        texts: str | Sequence[str],
        *,
        top_k: int = 5,
        targets: Sequence[str] | None = None,
        batch_size: int = 32,
    ) -> Any:
        """The likeliest words for gaps.

        Args:
            texts: a text with one or more gaps, written as `mask_token`, or several texts; cut to
                what the model reads.
            top_k: how many words to propose for each gap.
            targets: propose only these; each a token of the vocabulary, or its first token counts.
            batch_size: how many go through the model together, at most.

        Returns:
            For each text a list of dicts, the likeliest first: "score" (a probability in [0, 1]),
            "token" (its id), "token_str", and "sequence", the text with the word in the gap; with
            several gaps a list of such lists. One text gives one answer, several a list.

        Raises:
            ShapeError: a text has no gap, or not within what the model reads.
            UnknownNameError: a target has no token, or there are no targets.
            ValueError: top_k or batch_size is below 1.
        """
        check_positive("FillMask", top_k=top_k, batch_size=batch_size)
        limit, gap = self.max_length, self.tokenizer.token_to_id(self.mask_token)
        wanted = None if targets is None else self._target_ids(targets)
        given = [texts] if isinstance(texts, str) else list(texts)
        encodings = self.tokenizer.encode_batch(
            given, truncation=limit is not None, max_length=limit
        )
        for text, encoding in zip(given, encodings, strict=True):
            if gap not in encoding.ids:
                raise ShapeError(
                    f"FillMask: there is no {self.mask_token} among the {len(encoding)} tokens "
                    f"read of {text!r:.80}"
                )
        rows = self.rows(encodings, "logits", batch_size)
        found = []
        for encoding, logits in zip(encodings, rows, strict=True):
            places = [i for i, index in enumerate(encoding.ids) if index == gap]
            single = len(places) == 1
            filled = [self._filled(encoding, i, logits[i], top_k, wanted, single) for i in places]
            found.append(filled[0] if single else filled)
        return found[0] if isinstance(texts, str) else found

    def _filled(
        self,
        encoding: Encoding,
        place: int,
        logits: np.ndarray,
        count: int,
        wanted: np.ndarray | None,
        single: bool,
    ) -> list[dict[str, Any]]:
        scores = softmax(logits)
        choice = np.arange(len(scores)) if wanted is None else wanted
        order = choice[np.argsort(-scores[choice], kind="stable")[:count]]
        answers = []
        for index in order.tolist():
            ids = [*encoding.ids[:place], index, *encoding.ids[place + 1 :]]
            # With several gaps the others stay to be seen, and so do all special tokens.
            text = self.tokenizer.decode(ids, skip_special_tokens=single)
            token = self.tokenizer.decode([index], skip_special_tokens=False)
            score = float(scores[index])
            answers.append({"score": score, "token": index, "token_str": token, "sequence": text})
        return answers

    def _target_ids(self, targets: Sequence[str]) -> np.ndarray:
        """(k,) ids, each once."""
        if not targets:
            raise UnknownNameError("FillMask: targets is empty; name words, or None for all")
        ids = []
        for target in [targets] if isinstance(targets, str) else targets:
            index = self.tokenizer.token_to_id(target)
            if index is None:
                pieces = self.tokenizer.encode(target, add_special_tokens=False).ids
                if not pieces:
                    raise UnknownNameError(f"FillMask: the target {target!r} has no token")
                index = pieces[0]
            ids.append(index)
        return np.array(sorted(set(ids)), dtype=np.int64)
