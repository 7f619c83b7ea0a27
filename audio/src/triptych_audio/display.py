"""Pictures of waveforms and spectrograms; needs matplotlib."""

from __future__ import annotations

from typing import Any

import numpy as np

from triptych import Tensor
from triptych.errors import MissingDependencyError, ShapeError
from triptych_audio.interop import same_kind

__all__ = ["plot_spectrogram", "plot_waveform"]


def _axes(name: str, axes: Any) -> Any:
    if axes is not None:
        return axes
    try:
        from matplotlib import pyplot
    except ImportError as e:
        raise MissingDependencyError(
            f"{name}: matplotlib is not installed; pip install 'triptych-audio[display]'"
        ) from e
    return pyplot.subplots(figsize=(10, 3))[1]


@same_kind
def plot_waveform(
    waveform: Tensor, sample_rate: int, axes: Any = None, *, title: str | None = None
) -> Any:
    """Draw a waveform over time, channels over each other.

    Args:
        waveform: (t,) or (channels, t) samples.
        sample_rate: in Hz.
        axes: matplotlib's axes to draw on; default new ones.
        title: above the picture.

    Returns:
        The axes.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ShapeError: more axes than channels and time.
    """
    samples = np.atleast_2d(waveform.detach().cpu().numpy())
    if samples.ndim != 2:
        raise ShapeError(
            f"plot_waveform: wanted (t,) or (channels, t), got {tuple(waveform.shape)}"
        )
    axes = _axes("plot_waveform", axes)
    seconds = np.arange(samples.shape[1]) / sample_rate
    for i, channel in enumerate(samples):
        axes.plot(seconds, channel, linewidth=0.5, label=f"channel {i}")
    if len(samples) > 1:
        axes.legend(loc="upper right")
    axes.set(xlabel="time in s", ylabel="amplitude", title=title or "")
    return axes


@same_kind
def plot_spectrogram(
    specgram: Tensor,
    sample_rate: int,
    hop_length: int,
    axes: Any = None,
    *,
    top_db: float | None = 80.0,
    ylabel: str | None = None,
    title: str | None = None,
) -> Any:
    """Draw a spectrogram over time.

    Args:
        specgram: (f, frames) power, or any bands; complex ones are squared first.
        sample_rate: in Hz.
        hop_length: step between frames in samples.
        axes: matplotlib's axes to draw on; default new ones.
        top_db: draw decibels, as many below the loudest; None to draw the numbers as they are.
        ylabel: beside the picture; without one, frequencies from 0 to half the sample rate.
        title: above the picture.

    Returns:
        The axes.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        ShapeError: more axes than frequency and time.
    """
    values = specgram.detach().cpu().numpy()
    if values.ndim != 2:
        raise ShapeError(
            f"plot_spectrogram: wanted (f, frames), got {tuple(values.shape)}; choose a channel"
        )
    values = np.abs(values) ** 2 if np.iscomplexobj(values) else values
    if top_db is not None:
        values = 10 * np.log10(np.maximum(values, 1e-10))
        values = np.maximum(values, values.max() - top_db)
    axes = _axes("plot_spectrogram", axes)
    top = sample_rate / 2 if ylabel is None else values.shape[0]
    seconds = values.shape[1] * hop_length / sample_rate
    image = axes.imshow(values, origin="lower", aspect="auto", extent=(0, seconds, 0, top))
    unit = "dB" if top_db is not None else ""
    axes.figure.colorbar(image, ax=axes, label=unit)
    axes.set(xlabel="time in s", ylabel=ylabel or "frequency in Hz", title=title or "")
    return axes
