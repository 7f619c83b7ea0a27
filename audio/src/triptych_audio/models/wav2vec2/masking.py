"""Random spans of frames or channels that a model in pretraining does not get to see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import triptych as tp
from triptych import Generator, Tensor, nn
from triptych.errors import DomainError

__all__ = ["MaskGenerator", "compute_mask_indices"]

Lengths = Callable[[int, int, float, Generator | None], Tensor]

# how many frames each of num spans has: from (num, mask_length, mask_other, generator)
SPAN_LENGTHS: dict[str, Lengths] = {
    "static": lambda num, length, other, g: tp.full((num,), length),
    "uniform": lambda num, length, other, g: tp.randint(
        int(other), 2 * length + 1, (num,), generator=g
    ),
    "normal": lambda num, length, other, g: (
        tp.normal(float(length), other, (num,), generator=g).round().clamp(min=1).long()
    ),
    "poisson": lambda num, length, other, g: (
        tp.poisson(tp.full((num,), float(length)), generator=g).round().long()
    ),
}


def compute_mask_indices(
    shape: tuple[int, int],
    padding_mask: Tensor | None,
    mask_prob: float,
    mask_length: int,
    mask_type: str = "static",
    mask_other: float = 0.0,
    min_masks: int = 0,
    no_overlap: bool = False,
    min_space: int = 0,
    *,
    generator: Generator | None = None,
) -> Tensor:
    """Random spans for each recording; all recordings get the same number of masked frames.

    Args:
        shape: (n, frames).
        padding_mask: (n, frames) bool, True for padding, which is not masked; None for none.
        mask_prob: part of the frames that would be masked if spans did not overlap.
        mask_length: frames of a span, or their mean.
        mask_type: "static" has all the same, "uniform" draws from [mask_other, 2 mask_length],
            "normal" has standard deviation mask_other, "poisson" draws from that distribution.
        mask_other: see mask_type.
        min_masks: spans at least.
        no_overlap: draw spans that do not overlap.
        min_space: frames between them at least, with no_overlap.
        generator: of random numbers; default the global one.

    Returns:
        (n, frames) bool, True where masked.

    Raises:
        DomainError: there is no such mask_type.
    """
    if mask_type not in SPAN_LENGTHS:
        raise DomainError(
            f"compute_mask_indices: mask_type is one of {sorted(SPAN_LENGTHS)}, got {mask_type!r}"
        )
    n, frames = shape
    sizes = [frames] * n
    if padding_mask is not None:
        sizes = (frames - padding_mask.sum(-1)).tolist()
    # the number of spans is rounded at random, once for all where all are as long
    draws = tp.rand(n if padding_mask is not None else 1, generator=generator).tolist()
    rows = []
    for i, size in enumerate(sizes):
        draw = draws[i % len(draws)]
        num = max(min_masks, int(mask_prob * size / mask_length + draw))
        lengths = SPAN_LENGTHS[mask_type](num, mask_length, mask_other, generator).numpy()
        if num and not lengths.any():
            lengths = np.append(lengths[1:], min(mask_length, size - 1))
        place = _apart if no_overlap else _anywhere
        rows.append(place(size, lengths, min_space, generator))
    return _even(rows, frames, generator)


def _spans(starts: np.ndarray, lengths: np.ndarray, size: int) -> np.ndarray:
    """(frames that lie in a span) sorted, each once."""
    change = np.zeros(size + 1, np.int64)
    starts = np.minimum(starts, size)
    np.add.at(change, starts, 1)
    np.add.at(change, np.minimum(starts + lengths, size), -1)
    return np.flatnonzero(change.cumsum()[:size] > 0)


def _anywhere(
    size: int, lengths: np.ndarray, min_space: int, generator: Generator | None
) -> np.ndarray:
    """Spans that start at different frames and may overlap."""
    num = len(lengths)
    if not num or size < 1:
        return np.zeros(0, np.int64)
    shortest = int(lengths.min())
    if size - shortest <= num:
        shortest = size - num - 1
    starts = tp.randperm(max(size - shortest, 1), generator=generator)[:num].numpy()
    return _spans(starts, lengths[: len(starts)], size)


def _apart(
    size: int, lengths: np.ndarray, min_space: int, generator: Generator | None
) -> np.ndarray:
    """Spans with space between them, the longest first, as many as there is room for."""
    keep = int(lengths.min()) if len(lengths) else 0
    parts, starts, placed = [(0, size)], [], []
    for length in sorted((int(n) for n in lengths), reverse=True):
        room = np.array([end - begin for begin, end in parts])
        room[room < length + max(min_space, 1)] = 0
        if not room.any():
            break
        weights = tp.tensor(room, dtype=tp.float64)
        begin, end = parts.pop(int(tp.multinomial(weights, 1, generator=generator)))
        start = int(tp.randint(begin, end - length, (1,), generator=generator))
        starts.append(start)
        placed.append(length)
        if start - begin - min_space >= keep:
            parts.append((begin, start - min_space + 1))
        if end - start - keep - min_space > keep:
            parts.append((start + length + min_space, end))
    return _spans(np.array(starts, np.int64), np.array(placed, np.int64), size)


def _even(rows: list[np.ndarray], frames: int, generator: Generator | None) -> Tensor:
    """The mask, with as many frames in each row as in the row that has fewest."""
    mask = np.zeros((len(rows), frames), bool)
    fewest = min((len(row) for row in rows), default=0)
    for i, row in enumerate(rows):
        if len(row) > fewest:
            row = row[tp.randperm(len(row), generator=generator)[:fewest].numpy()]
        mask[i, row] = True
    return tp.tensor(mask)


class MaskGenerator(nn.Module):
    """Puts a learned vector in place of spans of frames, and zeros in place of channels.

    Args:
        encoder_embed_dim: channels.
        mask_prob: part of the frames that would be masked if spans did not overlap; 0 masks none.
        mask_selection: how long spans are, as mask_type of `compute_mask_indices`.
        mask_other: second number of that.
        mask_length: frames of a span, or their mean.
        no_mask_overlap: draw spans that do not overlap.
        mask_min_space: frames between them at least, then.
        mask_channel_prob: the same for channels, like those that follow.
        mask_channel_selection: how many channels are masked together.
        mask_channel_other: second number of that.
        mask_channel_length: channels of a span, or their mean.
        no_mask_channel_overlap: draw spans that do not overlap.
        mask_channel_min_space: channels between them at least, then.
    """

    def __init__(
        self,
        encoder_embed_dim: int,
        mask_prob: float,
        mask_selection: str,
        mask_other: float,
        mask_length: int,
        no_mask_overlap: bool,
        mask_min_space: int,
        mask_channel_prob: float,
        mask_channel_selection: str,
        mask_channel_other: float,
        mask_channel_length: int,
        no_mask_channel_overlap: bool,
        mask_channel_min_space: int,
    ) -> None:
        super().__init__()
        self.mask_prob = mask_prob
        self.mask_selection = mask_selection
        self.mask_other = mask_other
        self.mask_length = mask_length
        self.no_mask_overlap = no_mask_overlap
        self.mask_min_space = mask_min_space
        self.mask_channel_prob = mask_channel_prob
        self.mask_channel_selection = mask_channel_selection
        self.mask_channel_other = mask_channel_other
        self.mask_channel_length = mask_channel_length
        self.no_mask_channel_overlap = no_mask_channel_overlap
        self.mask_channel_min_space = mask_channel_min_space
        self.mask_embedding = nn.Parameter(tp.empty(encoder_embed_dim))
        nn.init.uniform_(self.mask_embedding)

    def forward(
        self,
        x: Tensor,
        padding_mask: Tensor | None = None,
        *,
        generator: Generator | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Mask, in training and evaluation alike.

        Args:
            x: (n, frames, encoder_embed_dim); is not changed.
            padding_mask: (n, frames) bool, True for padding, which is not masked.
            generator: of random numbers; default the global one.

        Returns:
            (n, frames, encoder_embed_dim), and (n, frames) bool, True where masked, or None for
            mask_prob 0.
        """
        n, frames, channels = x.shape
        mask: Tensor | None = None
        if self.mask_prob > 0:
            mask = compute_mask_indices(
                (n, frames),
                padding_mask,
                self.mask_prob,
                self.mask_length,
                self.mask_selection,
                self.mask_other,
                min_masks=2,
                no_overlap=self.no_mask_overlap,
                min_space=self.mask_min_space,
                generator=generator,
            ).to(x.device)
            x = tp.where(mask.unsqueeze(-1), self.mask_embedding.to(x.dtype), x)
        if self.mask_channel_prob > 0:
            hidden = compute_mask_indices(
                (n, channels),
                None,
                self.mask_channel_prob,
                self.mask_channel_length,
                self.mask_channel_selection,
                self.mask_channel_other,
                no_overlap=self.no_mask_channel_overlap,
                min_space=self.mask_channel_min_space,
                generator=generator,
            )
            x = x.masked_fill(hidden.to(x.device).unsqueeze(1), 0.0)
        return x, mask
