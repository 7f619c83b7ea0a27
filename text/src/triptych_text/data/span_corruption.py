"""T5's training task: spans of a text are cut out, and asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import Generator
from triptych.errors import DomainError, ShapeError

__all__ = ["SpanCorruption"]


class SpanCorruption:
    """Replace random spans by sentinel tokens; the target lists what each sentinel stands for.

    Args:
        sentinel_ids: ids of "<extra_id_0>", "<extra_id_1>" ... in that order.
        eos_id: put at the end of inputs and targets; None puts none.
        noise_density: share of tokens to cut out, above 0 and below 1.
        mean_noise_span_length: mean length of a span, in tokens.
        generator: draws the spans; default the global one.

    Raises:
        DomainError: a number is outside.

    Example:
        >>> corrupt = SpanCorruption([100, 99], generator=tp.Generator().manual_seed(0))
        >>> sample = corrupt([1, 2, 3, 4, 5, 6, 7, 8])
        >>> kept, cut = sample["input_ids"], sample["labels"]
        >>> 100 in kept and cut[0] == 100 and len(kept) + len(cut) == 8 + 2
        True

    Source: Raffel et al. 2020, section 3.1.4; lengths as in T5's `random_spans_noise_mask`.
    """

    def __init__(
        self,
        sentinel_ids: Sequence[int],
        eos_id: int | None = None,
        noise_density: float = 0.15,
        mean_noise_span_length: float = 3.0,
        *,
        generator: Generator | None = None,
    ) -> None:
        if not 0 < noise_density < 1 or mean_noise_span_length < 1:
            raise DomainError(
                "SpanCorruption: wanted 0 < noise_density < 1 and mean_noise_span_length >= 1, got "
                f"{noise_density} and {mean_noise_span_length}"
            )
        self.sentinel_ids, self.eos_id = list(sentinel_ids), eos_id
        self.noise_density, self.mean_noise_span_length = noise_density, mean_noise_span_length
        self.generator = generator

    def __call__(self, ids: Any) -> dict[str, list[int]]:
        """Corrupt one text.

        Args:
            ids: l >= 2 ids, without the end token.

        Returns:
            "input_ids": what is left, a sentinel in place of each span; "labels": each sentinel
            and its span.

        Raises:
            ShapeError: the text is too short.
            DomainError: it gets more spans than there are sentinels.
        """
        tokens = np.asarray(ids.tolist() if hasattr(ids, "tolist") else ids)
        if tokens.ndim != 1 or len(tokens) < 2:
            raise ShapeError(f"SpanCorruption: wanted 2 ids or more, got shape {tokens.shape}")
        noise = self.noise_mask(len(tokens))
        end = [] if self.eos_id is None else [self.eos_id]
        return {
            "input_ids": self._marked(tokens, noise) + end,
            "labels": self._marked(tokens, ~noise) + end,
        }

    def noise_mask(self, length: int) -> np.ndarray:
        """(l,) bool, true in the spans to cut out; the first token is always kept.

        Args:
            length: l, in tokens.
        """
        num_noise = min(max(round(length * self.noise_density), 1), length - 1)
        num_spans = max(round(num_noise / self.mean_noise_span_length), 1)
        num_spans = min(num_spans, length - num_noise)
        kept = self._segments(length - num_noise, num_spans)
        cut = self._segments(num_noise, num_spans)
        lengths = np.stack([kept, cut], axis=1).reshape(-1)
        return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)

    def _segments(self, total: int, count: int) -> np.ndarray:
        """Lengths >= 1 of so many parts of a whole, every way to cut it equally likely."""
        order = tp.randperm(total - 1, generator=self.generator).numpy() if total > 1 else []
        cuts = np.sort(np.asarray(order[: count - 1], dtype=np.int64)) + 1
        return np.diff(np.concatenate([[0], cuts, [total]]))

    def _marked(self, tokens: np.ndarray, hidden: np.ndarray) -> list[int]:
        """The tokens that are not hidden, a sentinel in place of each hidden span."""
        starts = hidden & ~np.concatenate([[False], hidden[:-1]])
        number = np.cumsum(starts) - 1
        if number[-1] >= len(self.sentinel_ids):
            raise DomainError(
                f"SpanCorruption: {number[-1] + 1} spans, but {len(self.sentinel_ids)} sentinels; "
                "give more, or shorter texts"
            )
        sentinels = np.asarray(self.sentinel_ids)[np.maximum(number, 0)]
        return np.where(starts, sentinels, tokens)[~hidden | starts].tolist()
