"""Byte pair encoding by ranks, as tiktoken and Whisper have it: no table of merges is needed."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from functools import cache

__all__ = ["byte_alphabet", "merge_bytes", "printable"]


def merge_bytes(piece: bytes, ranks: Mapping[bytes, int]) -> list[int]:
    """Ids of one piece of text: adjacent parts join as long as their union has a rank.

    The union of the lowest rank goes first, of equal ones the leftmost.

    Args:
        piece: (b,) bytes, at least one.
        ranks: bytes -> rank, which is also the id; all 256 single bytes are in it.

    Returns:
        The ids.

    Raises:
        KeyError: a single byte has no rank.

    Example:
        >>> ranks = {bytes([i]): i for i in range(256)} | {b"an": 256, b"ana": 257}
        >>> merge_bytes(b"banana", ranks)
        [98, 256, 257]

    Source: Sennrich et al. 2016; byte form, Radford et al. 2019. O(b log b) by a heap.
    """
    whole = ranks.get(piece)
    if whole is not None:
        return [whole]
    size = len(piece)
    ends = list(range(1, size + 1))  # a part is piece[start:ends[start]]
    before = list(range(-1, size))  # start of the part on the left; -1 for none
    heap: list[tuple[int, int, int]] = []  # rank of a union, its start, its end

    def offer(start: int) -> None:
        middle = ends[start]
        if middle < size:
            rank = ranks.get(piece[start : ends[middle]])
            if rank is not None:
                heapq.heappush(heap, (rank, start, ends[middle]))

    for start in range(size - 1):
        offer(start)
    while heap:
        _, start, end = heapq.heappop(heap)
        middle = ends[start]
        if middle <= start or middle >= end or ends[middle] != end:
            continue  # one of its two parts has grown since, or is gone
        ends[start], ends[middle] = end, 0
        if end < size:
            before[end] = start
        offer(start)
        if before[start] >= 0:
            offer(before[start])
    return _ids_of_parts(piece, ends, ranks)


def _ids_of_parts(piece: bytes, ends: list[int], ranks: Mapping[bytes, int]) -> list[int]:
    ids, start = [], 0
    while start < len(piece):
        ids.append(ranks[piece[start : ends[start]]])
        start = ends[start]
    return ids


@cache
def byte_alphabet() -> dict[int, str]:
    """The visible character that GPT-2's vocabulary files write for each byte.

    Returns:
        byte -> character: itself where it is visible Latin-1, else one from U+0100 on.

    Example:
        >>> byte_alphabet()[ord("A")], byte_alphabet()[ord(" ")]
        ('A', 'Ġ')

    Source: Radford et al. 2019, encoder.py of the release.
    """
    visible = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in set(visible)]
    return {byte: chr(byte) for byte in visible} | {
        byte: chr(0x100 + i) for i, byte in enumerate(hidden)
    }


def printable(token: bytes) -> str:
    """Bytes of a token in the alphabet of GPT-2's vocabulary files.

    Args:
        token: any bytes.

    Example:
        >>> printable(b" cat")
        'Ġcat'
    """
    alphabet = byte_alphabet()
    return "".join([alphabet[byte] for byte in token])
