"""Hiding tokens for a masked language model, as torchtext does it."""

from __future__ import annotations

import triptych as tp
from triptych import Generator, Tensor, nn
from triptych.errors import DomainError, DTypeError, ShapeError

__all__ = ["MaskTransform"]


class MaskTransform(nn.Module):
    """Choose tokens of each row for prediction; most of them become the mask token.

    In each row of l tokens, int(l * mask_prob) places are drawn, of which those of padding (and of
    the first token, unless mask_bos) are dropped. A chosen token becomes the mask token with
    probability 0.8, a random one with 0.1, and else stays.

    Args:
        vocab_len: v, special tokens included.
        mask_idx: id of the mask token.
        bos_idx: id of the token at the beginning.
        pad_idx: id of the padding token, never chosen.
        mask_bos: let the token at the beginning be chosen.
        mask_prob: share of tokens to choose, from 0 to 1.
        generator: draws places and tokens; default the global one.

    Raises:
        DomainError: mask_prob is no share.

    Source: Devlin et al. 2019, section 3.1; torchtext 0.18 for the drawing of places.
    """

    mask_mask_prob = 0.8
    rand_mask_prob = 0.1

    def __init__(
        self,
        vocab_len: int,
        mask_idx: int,
        bos_idx: int,
        pad_idx: int,
        mask_bos: bool = False,
        mask_prob: float = 0.15,
        *,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        if not 0 <= mask_prob <= 1:
            raise DomainError(f"MaskTransform: wanted mask_prob from 0 to 1, got {mask_prob}")
        self.vocab_len, self.mask_idx, self.bos_idx = vocab_len, mask_idx, bos_idx
        self.pad_idx, self.mask_bos, self.mask_prob = pad_idx, mask_bos, mask_prob
        self.generator = generator

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Mask a batch.

        Args:
            tokens: (n, l) ids.

        Returns:
            (n, l) ids after masking; (m,) ids that were chosen, row by row; (n, l) mask of 0 and 1
            in the type of the ids. At least one token counts as chosen.

        Raises:
            ShapeError: not a batch, or an empty one.
            DTypeError: the ids are no whole numbers.
        """
        if tokens.ndim != 2 or not tokens.numel():
            raise ShapeError(
                f"MaskTransform: wanted (n, l) ids, at least one, got {tuple(tokens.shape)}"
            )
        if tokens.is_floating_point():
            raise DTypeError(f"MaskTransform: wanted whole numbers, got {tokens.dtype}")
        chosen = self._choose(tokens)
        draw = tp.rand(tuple(tokens.shape), generator=self.generator)
        words = tp.randint(0, self.vocab_len, tuple(tokens.shape), generator=self.generator)
        masked = tp.where(chosen & (draw >= 1 - self.mask_mask_prob), self.mask_idx, tokens)
        masked = tp.where(chosen & (draw < self.rand_mask_prob), words.to(tokens.dtype), masked)
        return masked, tokens[chosen], chosen.to(tokens.dtype)

    def _choose(self, tokens: Tensor) -> Tensor:
        """(n, l) bool."""
        n, length = tokens.shape
        count = int(length * self.mask_prob)
        draw = tp.rand((n, length), generator=self.generator)
        chosen = draw.argsort(dim=1).argsort(dim=1) < count  # the places of the smallest draws
        chosen = chosen & (tokens != self.pad_idx)
        if not self.mask_bos:
            chosen = chosen & (tokens != self.bos_idx)
        if not bool(chosen.any()):
            chosen[0, 0] = True  # a loss over nothing would be nan
        return chosen
