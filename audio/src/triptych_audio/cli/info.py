"""`triptych-audio info`: a table of what sound files hold."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict

from triptych.errors import TriptychError
from triptych_datasets.tables import print_table

from ..io import AudioMetaData, info

__all__ = ["run", "told_time"]

HEAD = ("FILE", "ENCODING", "BITS", "RATE", "CHANNELS", "FRAMES", "LENGTH")


def run(arguments: argparse.Namespace) -> int:
    """Print the table.

    Args:
        arguments: `files` and `json`.

    Returns:
        0, or 1 when a file could not be read; the others are still told.
    """
    found: list[tuple[str, AudioMetaData]] = []
    failed = 0
    for file in arguments.files:
        try:
            found.append((file, info(file)))
        except (TriptychError, OSError, ValueError) as error:
            print(f"triptych-audio: {error}", file=sys.stderr)
            failed = 1
    if arguments.json:
        for file, meta in found:
            print(json.dumps({"file": file, **asdict(meta), "duration_s": meta.duration_s}))
    elif found:
        print_table([HEAD, *(_row(*pair) for pair in found)], numbers=range(2, 7))
    return failed


def _row(file: str, meta: AudioMetaData) -> tuple[str, ...]:
    bits = str(meta.bits_per_sample or "-")
    counts = (meta.sample_rate, meta.num_channels, meta.num_frames)
    return file, meta.encoding, bits, *map(str, counts), told_time(meta.duration_s)


def told_time(seconds: float) -> str:
    """A time for people.

    Example:
        >>> told_time(7.25), told_time(3723.5)
        ('0:07.25', '1:02:03.50')
    """
    minutes, rest = divmod(round(seconds * 100), 6000)
    hours, minutes = divmod(minutes, 60)
    text = f"{minutes:02d}" if hours else str(minutes)
    return f"{hours}:{text}:{rest / 100:05.2f}" if hours else f"{text}:{rest / 100:05.2f}"
