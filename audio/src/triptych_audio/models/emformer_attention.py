"""Attention of Emformer: to the own segment, what was before it, and a little of what follows.

The frames of all segments go through together; masks keep each to what it would know when sounds
come in one segment after the other. What follows a segment is copied for it, as "right context",
so that a frame is not computed with knowledge from later than that.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError

__all__ = ["EmformerAttention", "right_context_frames", "segment_mask"]

Array = np.ndarray[Any, Any]
CLAMP = 10.0  # of memory vectors that no tanh bounds; torchaudio


@functools.lru_cache(maxsize=64)
def segment_mask(
    frames: int,
    segment_length: int,
    left_context_length: int,
    right_context_length: int,
    max_memory_size: int,
) -> Array:
    """Who may not look at whom.

    Rows are what looks: the right context of all segments, the frames, and with memory a summary
    of each segment. Columns are what is looked at: with memory the summaries of all segments but
    the last, the right contexts, and the frames.

    Args:
        frames: of all segments, without the right context of the last.
        segment_length: frames of a segment.
        left_context_length: frames before a segment that it sees.
        right_context_length: frames after a segment that it sees.
        max_memory_size: segments before a segment whose summaries it sees.

    Returns:
        (rows, columns) bool, True for what is hidden.

    Example:
        >>> segment_mask(4, 2, 1, 0, 0).astype(int)
        array([[0, 0, 1, 1],
               [0, 0, 1, 1],
               [1, 0, 0, 0],
               [1, 0, 0, 0]])
    """
    count = -(-frames // segment_length)
    numbers, places = np.arange(count), np.arange(frames)
    of_context, of_frame = numbers.repeat(right_context_length), places // segment_length
    summaries = count if max_memory_size else 0
    row = np.concatenate([of_context, of_frame, numbers[:summaries]])[:, None]
    begin, end = row * segment_length - left_context_length, (row + 1) * segment_length
    seen = [row == of_context, (places >= begin) & (places < end)]
    if max_memory_size:
        memory = numbers[: count - 1]
        remembered = (memory < row) & (memory >= row - max_memory_size)
        remembered[len(row) - summaries :] = False  # a summary does not look at summaries
        seen.insert(0, remembered)
    return ~np.concatenate(seen, 1)


@functools.lru_cache(maxsize=64)
def right_context_frames(frames: int, segment_length: int, right_context_length: int) -> Array:
    """Which frames are the right context of each segment.

    Args:
        frames: of all segments, without the right context of the last, which follows them.
        segment_length: frames of a segment.
        right_context_length: frames after a segment that it sees.

    Returns:
        (segments * right_context_length,) int64.

    Example:
        >>> right_context_frames(5, 2, 2).tolist()
        [2, 3, 4, 5, 5, 6]
    """
    count = -(-frames // segment_length)
    ends = np.minimum(np.arange(1, count + 1) * segment_length, frames)
    found: Array = (ends[:, None] + np.arange(right_context_length)).ravel()
    return found


class EmformerAttention(nn.Module):
    """Attention of frames, right contexts and summaries.

    Args:
        input_dim: channels.
        num_heads: a divisor of input_dim.
        dropout: part of the attention that is zeroed while training.
        weight_init_gain: scale of the first values of the projections; None leaves them as a
            linear layer has them.
        tanh_on_mem: bound memory vectors with tanh, not by cutting them off.
        negative_inf: takes the place of the attention to what is hidden.

    Raises:
        DomainError: num_heads does not divide input_dim.
    """

    def __init__(
        self,
        input_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        weight_init_gain: float | None = None,
        tanh_on_mem: bool = False,
        negative_inf: float = -1e8,
    ) -> None:
        super().__init__()
        if input_dim % num_heads:
            raise DomainError(
                f"Emformer: input_dim ({input_dim}) is no multiple of num_heads ({num_heads})"
            )
        self.input_dim = input_dim
        self.num_heads = num_heads
        self.dropout = nn.Dropout(dropout)
        self.tanh_on_mem = tanh_on_mem
        self.negative_inf = negative_inf
        self.scaling = (input_dim // num_heads) ** -0.5
        self.emb_to_key_value = nn.Linear(input_dim, 2 * input_dim)
        self.emb_to_query = nn.Linear(input_dim, input_dim)
        self.out_proj = nn.Linear(input_dim, input_dim)
        if weight_init_gain:
            nn.init.xavier_uniform_(self.emb_to_key_value.weight, gain=weight_init_gain)
            nn.init.xavier_uniform_(self.emb_to_query.weight, gain=weight_init_gain)

    def forward(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        summary: Tensor,
        mems: Tensor,
        attention_mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """All segments at once.

        Args:
            utterance: (u, n, input_dim) frames.
            lengths: (n,) valid ones.
            right_context: (r, n, input_dim) of all segments, one after the other.
            summary: (s, n, input_dim) of each segment, or of none.
            mems: (m, n, input_dim) memory vectors.
            attention_mask: (r + u + s, m + r + u) bool, True for what is hidden.

        Returns:
            (r + u, n, input_dim), and the memory vectors for the next layer, without the last
            segment's.
        """
        mixed = tp.cat([right_context, utterance])
        query = self.emb_to_query(tp.cat([mixed, summary]))
        key, value = self.emb_to_key_value(tp.cat([mems, mixed])).chunk(2, 2)
        out, memory = self._attend(query, key, value, attention_mask, lengths, summary.shape[0])
        return out, memory[:-1]

    def infer(
        self,
        utterance: Tensor,
        lengths: Tensor,
        right_context: Tensor,
        summary: Tensor,
        mems: Tensor,
        left_context_key: Tensor,
        left_context_val: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One segment, after others.

        Args:
            utterance: (u, n, input_dim) its frames.
            lengths: (n,) valid ones.
            right_context: (r, n, input_dim).
            summary: (s, n, input_dim) of this segment; s is 1 or 0.
            mems: (m, n, input_dim) memory vectors of segments before.
            left_context_key: (l, n, input_dim) keys of the frames before.
            left_context_val: (l, n, input_dim) values of the frames before.

        Returns:
            (r + u, n, input_dim), the memory vectors, and keys and values of the left context and
            the frames.
        """
        mixed = tp.cat([right_context, utterance])
        query = self.emb_to_query(tp.cat([mixed, summary]))
        key, value = self.emb_to_key_value(tp.cat([mems, mixed])).chunk(2, 2)
        # where the left context goes: before the frames that the longest recording has
        place = key.shape[0] - int(lengths.max())
        key = tp.cat([key[:place], left_context_key, key[place:]])
        value = tp.cat([value[:place], left_context_val, value[place:]])
        mask = np.zeros((query.shape[0], key.shape[0]), bool)
        mask[mixed.shape[0] :, : mems.shape[0]] = True  # a summary does not look at summaries
        hidden = tp.tensor(mask, device=query.device)
        out, memory = self._attend(query, key, value, hidden, lengths, summary.shape[0])
        first = mems.shape[0] + right_context.shape[0]
        return out, memory, key[first:], value[first:]

    def _attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        hidden: Tensor,
        lengths: Tensor,
        summaries: int,
    ) -> tuple[Tensor, Tensor]:
        """Output for right contexts and frames, and bounded memory vectors."""
        rows, n, _ = query.shape
        q, k, v = (
            x.reshape(x.shape[0], n, self.num_heads, -1).permute(1, 2, 0, 3)  # (n, heads, t, d)
            for x in (query * self.scaling, key, value)
        )
        if n > 1:
            columns = tp.arange(key.shape[0], device=key.device)
            beyond = columns >= (key.shape[0] - lengths.max() + lengths).unsqueeze(1)
            hidden = hidden | beyond[:, None, None]
        weights = (q @ k.mT).masked_fill(hidden, self.negative_inf)
        attended = self.dropout(weights.softmax(-1)) @ v
        out = self.out_proj(attended.permute(2, 0, 1, 3).reshape(rows, n, self.input_dim))
        memory = out[rows - summaries :]
        memory = memory.tanh() if self.tanh_on_mem else memory.clamp(-CLAMP, CLAMP)
        return out[: rows - summaries], memory
