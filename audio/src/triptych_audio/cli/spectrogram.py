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
from ..functional import hz_to_mel
from ..io import info
from ..pipelines.streaming_mel import StreamingMelSpectrogram
from ..transforms import MelSpectrogram
from .listening import heard
from .telling import told_as

__all__ = ["mel_picture", "run"]

WINDOW_S, HOP_S = 0.04, 0.01
MOST_COLUMNS = 4000  # more than a screen is wide; longer files are averaged
ROUND_HZ = [125 * 2**octave for octave in range(11)]  # up to 128 kHz
TICKS = 7  # octaves marked beside the picture
BLOCK = 1 << 16


def run(arguments: argparse.Namespace) -> int:
    """Draw the picture and print where it is.

    Args:
        arguments: `file`, `output`, `mels` and `top_db`.

    Returns:
        0.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        FileNotFoundError: no such file, or no such folder for the picture.
        ValueError: the picture's extension is no format of matplotlib's, or the file is too short.
        FileFormatError: damaged, or of a format that is not known.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDependencyError(
            'spectrogram needs matplotlib; pip install "triptych-audio[display]"'
        ) from error
    output = arguments.output or f"{os.path.splitext(arguments.file)[0]}.png"
    figure: Any = Figure(figsize=(12, 4.5), layout="constrained")
    _check_output(output, figure.canvas.get_supported_filetypes())
    with told_as("spectrogram"):
        picture, rate, hop = mel_picture(arguments.file, arguments.mels)
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


def _check_output(output: str, formats: dict[str, str]) -> None:
    """What can be known before the work."""
    folder, extension = os.path.split(output)[0], os.path.splitext(output)[1].lstrip(".")
    if folder and not os.path.isdir(folder):
        raise FileNotFoundError(f"spectrogram: the folder {folder!r} does not exist")
    if extension and extension.lower() not in formats:
        raise ValueError(
            f"spectrogram: {output!r}: there is no picture format {extension!r}; wanted one of "
            f"{', '.join(sorted(formats))}"
        )


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
    """Round frequencies beside the picture: its rows are equally far in mel."""
    mels = np.linspace(0, hz_to_mel(rate / 2), num_bands + 2)
    octaves = [hz for hz in ROUND_HZ if hz <= rate / 2][-TICKS:]
    hertz = np.array([0.0, *octaves])
    places = np.interp(hz_to_mel(hertz), mels, np.arange(num_bands + 2) - 0.5)
    # the first and the last filter's outer edges lie half a row outside
    axes.set_yticks(places.clip(0, num_bands), [f"{value:g}" for value in hertz])
