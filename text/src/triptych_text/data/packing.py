"""Texts end to end in blocks of a fixed length, so that nothing is padding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DomainError
from triptych.utils.data import IterableDataset

__all__ = ["ConcatChunks", "PackedBlocks", "document_mask", "pack"]


class PackedBlocks(NamedTuple):
    """Blocks of texts end to end.

    Attributes:
        input_ids: (n, l) int64.
        document_ids: (n, l) int64, which text of the block a token is from, from 0.
        position_ids: (n, l) int64, place of a token in its text within the block.
    """

    input_ids: Tensor
    document_ids: Tensor
    position_ids: Tensor


class ConcatChunks(IterableDataset[dict[str, np.ndarray]]):
    """Blocks of l ids from a stream of texts.

    Args:
        documents: yields the ids of one text after the other.
        block_size: l.
        eos_id: put behind each text; None puts none.
        drop_last: leave out what is left over at the end, shorter than a block.

    Raises:
        DomainError: block_size is not positive.

    Example:
        >>> blocks = ConcatChunks([[1, 2, 3], [4, 5]], block_size=4, eos_id=0)
        >>> [block["input_ids"].tolist() for block in blocks]
        [[1, 2, 3, 0]]
    """

    def __init__(
        self,
        documents: Iterable[Sequence[int]],
        block_size: int,
        eos_id: int | None = None,
        drop_last: bool = True,
    ) -> None:
        if block_size <= 0:
            raise DomainError(f"ConcatChunks: block_size should be positive, got {block_size}")
        self.documents, self.block_size = documents, block_size
        self.eos_id, self.drop_last = eos_id, drop_last

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """Dicts of (l,) int64 arrays: the attributes of `PackedBlocks`."""
        parts: list[np.ndarray] = []
        held = 0
        for document in self.documents:
            end = [] if self.eos_id is None else [self.eos_id]
            parts.append(np.asarray([*document, *end], np.int64))
            held += len(parts[-1])
            if held >= self.block_size:
                blocks, parts = self._cut(parts)
                held = sum(map(len, parts))
                yield from blocks
        if held and not self.drop_last:
            yield _described(parts)

    def _cut(self, parts: list[np.ndarray]) -> tuple[list[dict[str, np.ndarray]], list[np.ndarray]]:
        """Full blocks, and the rest, whose texts go on in the next block."""
        ids = np.concatenate(parts)
        owner = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
        whole = len(ids) // self.block_size * self.block_size
        starts = range(0, whole, self.block_size)
        blocks = [
            _described(_runs(ids[s:e], owner[s:e])) for s in starts for e in [s + self.block_size]
        ]
        return blocks, _runs(ids[whole:], owner[whole:])


def _runs(ids: np.ndarray, owner: np.ndarray) -> list[np.ndarray]:
    return np.split(ids, np.flatnonzero(np.diff(owner)) + 1) if len(ids) else []


def _described(parts: list[np.ndarray]) -> dict[str, np.ndarray]:
    parts = [part for part in parts if len(part)]
    lengths = [len(part) for part in parts]
    return {
        "input_ids": np.concatenate(parts),
        "document_ids": np.repeat(np.arange(len(parts)), lengths),
        "position_ids": np.concatenate([np.arange(length) for length in lengths]),
    }


def pack(
    documents: Iterable[Sequence[int]], block_size: int, eos_id: int | None = None
) -> PackedBlocks:
    """All full blocks of some texts at once.

    Args:
        documents: the ids of each text.
        block_size: l.
        eos_id: put behind each text; None puts none.

    Returns:
        Blocks, n of them; what does not fill a block is left out.

    Example:
        >>> blocks = pack([[1, 2, 3], [4, 5], [6]], block_size=3)
        >>> blocks.input_ids.tolist(), blocks.document_ids.tolist()
        ([[1, 2, 3], [4, 5, 6]], [[0, 0, 0], [0, 0, 1]])
    """
    blocks: list[dict[str, Any]] = list(ConcatChunks(documents, block_size, eos_id))
    columns = (
        np.stack([block[name] for block in blocks])
        if blocks
        else np.zeros((0, block_size), np.int64)
        for name in PackedBlocks._fields
    )
    return PackedBlocks(*(tp.from_numpy(column) for column in columns))


def document_mask(document_ids: Tensor, causal: bool = True) -> Tensor:
    """Which tokens may look at which: those of their own text only.

    Args:
        document_ids: (n, l).
        causal: and none that comes later.

    Returns:
        (n, l, l) bool, true where row may look at column.

    Example:
        >>> document_mask(tp.tensor([[0, 0, 1]])).int().tolist()
        [[[1, 0, 0], [1, 1, 0], [0, 0, 1]]]
    """
    same = document_ids[:, :, None] == document_ids[:, None, :]
    return same.tril() if causal else same
