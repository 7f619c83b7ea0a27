"""`triptych-audio spectrogram`: a picture of a sound file."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import MissingDependencyError, ShapeError

from ..display import plot_spectrogram
from ..functional import hz_to_mel, mel_to_hz
from ..io import info
from ..pipelines.streaming_mel import StreamingMelSpectrogram
from ..transforms import MelSpectrogram
from .listening import heard

__all__ = ["mel_picture", "run"]

WINDOW_S, HOP_S = 0.04, 0.01
MOST_COLUMNS = 4000  # more than a screen is wide; longer files are averaged
TICKS = 8
BLOCK = 1 << 16


def run(arguments: argparse.Namespace) -> int:
    """Draw the picture and print where it is.

    Args:
        arguments: `file`, `output`, `mels` and `top_db`.

    Returns:
        0.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            'spectrogram needs matplotlib; pip install "triptych-audio[display]"'
        ) from error
    output = arguments.output or f"{os.path.splitext(arguments.file)[0]}.png"
    picture, rate, hop = mel_picture(arguments.file, arguments.mels)
    figure: Any = Figure(figsize=(12, 4.5), layout="constrained")
    axes = plot_spectrogram(
        tp.from_numpy(picture),
        rate,
        hop,
        figure.subplots(),
        top_db=arguments.top_db,
        ylabel="frequency in Hz",
        title=os.path.basename(arguments.file),
    )
    _mark_bands(axes, arguments.mels, rate)
    figure.savefig(output, dpi=120)
    print(output)
    return 0


def mel_picture(file: str, num_bands: int) -> tuple[np.ndarray, int, int]:
    """The mel spectrogram of a file, no wider than a few thousand columns, in constant memory.

    Args:
        file: path or address.
        num_bands: rows.

    Returns:
        (bands, columns) power, the file's rate in Hz, and samples per column.

    Raises:
        ShapeError: the file is too short.
    """
    meta = info(file)
    rate, hop = meta.sample_rate, max(1, round(meta.sample_rate * HOP_S))
    n_fft = max(2 * hop, round(rate * WINDOW_S))
    if meta.num_frames <= n_fft:
        raise ShapeError(f"spectrogram: {file} has {meta.num_frames} samples, wanted over {n_fft}")
    group = -(-meta.num_frames // (hop * MOST_COLUMNS))  # frames in a column
    mel = StreamingMelSpectrogram(
        MelSpectrogram(rate, n_fft=n_fft, hop_length=hop, n_mels=num_bands, norm="slaney")
    )
    columns: list[np.ndarray] = []
    rest = np.empty((num_bands, 0), np.float32)
    for frames in _frames(file, mel):
        rest = np.concatenate([rest, frames], 1)
        whole = rest.shape[1] // group * group
        columns.append(rest[:, :whole].reshape(num_bands, -1, group).mean(-1))
        rest = rest[:, whole:]
    if rest.shape[1]:
        columns.append(rest.mean(1, keepdims=True))
    return np.concatenate(columns, 1), rate, group * hop


def _frames(file: str, mel: StreamingMelSpectrogram) -> Iterator[np.ndarray]:
    """(bands, frames) of one block after the other."""
    waiting: Any = None  # a block, until it is known whether it is the last one
    for block in heard(os.path.basename(file), file, BLOCK, mono=True):
        if waiting is not None:
            yield mel(waiting).numpy()
        waiting = block[0]
    yield mel(waiting, True).numpy()


def _mark_bands(axes: Any, num_bands: int, rate: int) -> None:
    """Frequencies beside the picture: its rows are equally far in mel."""
    mels = np.linspace(0, hz_to_mel(rate / 2), num_bands + 2)
    places = np.linspace(0, num_bands, TICKS)
    hertz = mel_to_hz(np.interp(places, np.arange(num_bands + 2) - 0.5, mels))
    axes.set_yticks(places, [f"{value:.0f}" for value in hertz])
