"""`triptych-audio transcribe`: what is said in a recording."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ..models.whisper import formatted, load_model

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the transcript, or write it into a file.

    Args:
        arguments: `file`, `model`, `language`, `task`, `output_format`, `output`,
            `word_timestamps` and `beam_size`.

    Returns:
        0.

    Raises:
        FileNotFoundError: there is no such file, or no such folder for the output.
        UnknownNameError: there is no such model or language.
    """
    target = None if arguments.output is None else Path(arguments.output)
    if target is not None and not target.parent.is_dir():  # known before the work, not after it
        raise FileNotFoundError(f"transcribe: the folder {str(target.parent)!r} does not exist")
    result = load_model(arguments.model).transcribe(
        arguments.file,
        verbose=False if sys.stderr.isatty() else None,
        language=arguments.language,
        task=arguments.task,
        word_timestamps=arguments.word_timestamps,
        beam_size=arguments.beam_size,
    )
    text = formatted(result, arguments.output_format)
    if target is None:
        print(text, end="")
    else:
        target.write_text(text, encoding="utf-8")
    return 0
