"""`triptych-audio vad`: when somebody speaks."""

from __future__ import annotations

import argparse
import json
import os

from triptych_datasets.tables import print_table

from ..io import info
from ..pipelines import SILERO_VAD, speech_segments
from .info import told_time
from .listening import heard
from .telling import told_as

__all__ = ["run"]

BLOCK_S = 16


def run(arguments: argparse.Namespace) -> int:
    """Print the stretches of speech.

    Args:
        arguments: `file`, `threshold` and `json`.

    Returns:
        0.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.
    """
    with told_as("vad"):
        return _listen(arguments)


def _listen(arguments: argparse.Namespace) -> int:
    model = SILERO_VAD.get_model()
    rate, frame = model.sample_rate, model.frame_length
    probabilities: list[float] = []
    length = 0
    blocks = heard(os.path.basename(arguments.file), arguments.file, BLOCK_S * rate,
                   sr=rate, mono=True)  # fmt: skip
    for block in blocks:
        probabilities += model.stream(block[0]).tolist()
        length += block.shape[-1]
    if length % frame:
        silence = block.new_zeros(frame - length % frame)
        probabilities += model.stream(silence).tolist()
    found = speech_segments(
        probabilities, length, frame_length=frame, threshold=arguments.threshold
    )
    end = info(arguments.file).duration_s or length / rate
    spans = [(a / rate, min(b / rate, end)) for a, b in found]
    if arguments.json:
        print(json.dumps([{"start": round(a, 3), "end": round(b, 3)} for a, b in spans]))
        return 0
    rows = [(told_time(a), told_time(b), f"{b - a:.2f}") for a, b in spans]
    print_table([("START", "END", "SECONDS"), *rows], numbers=range(3))
    spoken = sum(b - a for a, b in spans)
    print(f"{len(spans)} stretches, {told_time(spoken)} of {told_time(end)}")
    return 0
