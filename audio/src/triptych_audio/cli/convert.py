"""`triptych-audio convert`: another format, rate or encoding, in constant memory."""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from triptych_datasets.progress import ProgressBar

from ..io import StreamReader, StreamWriter
from ..io.remote import address_of, local_path
from .command import ENCODINGS
from .telling import told_as

__all__ = ["run"]

PIECE = 1 << 15  # frames at a time


def run(arguments: argparse.Namespace) -> int:
    """Convert the file; what is there already is replaced once the new one is whole.

    Args:
        arguments: `source`, `target`, `sample_rate`, `mono`, `encoding`, `start` and `duration`.

    Returns:
        0.

    Raises:
        ValueError: source and target are the same file, the format takes no such sound, or the
            sound ends before `start`.
    """
    source, target = arguments.source, arguments.target
    if address_of(source) is None and address_of(target) is None and _same(source, target):
        raise ValueError(f"convert: {source!r} would be replaced while it is read")
    extension = os.path.splitext(target)[1].lstrip(".")
    if not extension:
        raise ValueError(f"convert: {target!r} has no extension that says its format")
    with told_as("convert"), StreamReader(source) as reader:
        reader.add_basic_audio_stream(
            PIECE,
            sample_rate=arguments.sample_rate,
            num_channels=1 if arguments.mono else None,
        )
        known: Any = reader.get_src_stream_info(0)
        length = known.num_frames / known.sample_rate
        if 0 < length <= arguments.start:
            raise ValueError(
                f"convert: --start {arguments.start:g} leaves nothing of {source!r}, which is "
                f"{length:.2f} seconds long"
            )
        reader.seek(arguments.start)
        if address_of(target) is not None:
            _write(reader, target, extension, arguments)
            return 0
        place = local_path(target)
        unfinished = place.with_name(f".{place.name}.{secrets.token_hex(4)}.part")
        try:
            with told_as("convert", {str(unfinished): target}):
                _write(reader, unfinished, extension, arguments)
            unfinished.replace(place)
        finally:
            unfinished.unlink(missing_ok=True)
    return 0


def _same(source: str, target: str) -> bool:
    return local_path(source).resolve() == local_path(target).resolve()


def _write(
    reader: StreamReader, target: str | Path, extension: str, arguments: argparse.Namespace
) -> None:
    out: Any = reader.get_out_stream_info(0)
    known: Any = reader.get_src_stream_info(out.source_index)
    writer = StreamWriter(target, format=extension)
    writer.add_audio_stream(
        round(out.sample_rate), out.num_channels, encoder=ENCODINGS.get(arguments.encoding)
    )
    total = max(known.num_frames / known.sample_rate - arguments.start, 0.0)
    if arguments.duration is not None:
        total = min(total, arguments.duration)
    bar = ProgressBar(os.path.basename(arguments.target), round(total), None, unit="s")
    with writer.open(), closing(bar):
        for chunk in _until(reader, arguments.duration, round(out.sample_rate)):
            writer.write_audio_chunk(0, chunk)
            bar.update(round(chunk.shape[0] / out.sample_rate))


def _until(reader: StreamReader, seconds: float | None, rate: int) -> Iterator[Any]:
    """Pieces up to so many seconds."""
    left = float("inf") if seconds is None else round(seconds * rate)
    for (chunk,) in reader.stream():
        if left <= 0 or chunk is None:
            return
        yield chunk if chunk.shape[0] <= left else chunk[: int(left)]
        left -= chunk.shape[0]
