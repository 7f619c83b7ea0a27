"""Going through a long file with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from triptych_datasets.progress import ProgressBar

from ..io import info, stream

__all__ = ["heard"]


def heard(label: str, file: str, block_length: int, **options: Any) -> Iterator[Any]:
    """The blocks of a file; on a terminal, a bar shows how many seconds have passed.

    Args:
        label: stands left of the bar.
        file: path or address.
        block_length: samples per channel in a block.
        **options: of `stream`.

    Yields:
        (channels, block_length) waveforms, the last one shorter.
    """
    total = round(info(file).duration_s)
    with closing(ProgressBar(label, total, None, unit="s")) as bar:
        passed = shown = 0
        for block, rate in stream(file, block_length, **options):
            yield block
            passed += block.shape[-1]
            bar.update(passed // rate - shown)
            shown = passed // rate
