"""Films to tensors and back; PyAV, which carries FFmpeg, does the work.

Install it with `pip install "triptych-vision[video]"`. A film's rotation flag is not applied, as in
torchvision.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DomainError, UnknownNameError

from .containers import opened, rewind, until_damage
from .files import Encoded, content_of
from .video_writing import write_video

__all__ = ["read_video", "read_video_timestamps", "write_video"]


def read_video(
    filename: Encoded,
    start_pts: float | Fraction = 0,
    end_pts: float | Fraction | None = None,
    pts_unit: str = "pts",
    output_format: str = "THWC",
) -> tuple[tp.Tensor, tp.Tensor, dict[str, Any]]:
    """Read the frames and the sound of a film, or of a part of it.

    Args:
        filename: a path, the file's bytes, its bytes as a uint8 tensor, or a binary file object.
        start_pts: time of the first frame.
        end_pts: time of the last frame, which is read as well; default the film's end.
        pts_unit: "sec", or "pts", ticks of each stream's own clock, which fits only one of them.
        output_format: "THWC" or "TCHW".

    Returns:
        The frames, (t, h, w, 3) or (t, 3, h, w) uint8, the sound, (channels, samples) of the
        file's own dtype, and {"video_fps": float, "audio_fps": int}, what there is of them.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film; a damaged one ends at the damage, with a warning.
        DomainError: end_pts lies before start_pts.
        UnknownNameError: another unit or format.
        MissingDependencyError: PyAV is not installed.
    """
    _check_choice("pts_unit", pts_unit, ("pts", "sec"))
    _check_choice("output_format", output_format.upper(), ("THWC", "TCHW"))
    last = math.inf if end_pts is None else end_pts
    if last < start_pts:
        raise DomainError(
            f"read_video: end_pts lies before start_pts, start_pts={start_pts}, end_pts={end_pts}"
        )
    frames, sound = [], []
    info: dict[str, Any] = {}
    source = (
        filename if isinstance(filename, str | os.PathLike) else content_of("read_video", filename)
    )
    with opened("read_video", source) as film:
        if film.streams.video:
            stream = film.streams.video[0]
            if stream.average_rate is not None:
                info["video_fps"] = float(stream.average_rate)
            span = _in_ticks(start_pts, last, pts_unit, stream)
            frames = [frame.to_ndarray(format="rgb24") for frame in _between(film, stream, *span)]
    with opened("read_video", source) as film:  # from the start again, even where seeking fails
        if film.streams.audio:
            stream = film.streams.audio[0]
            info["audio_fps"] = stream.rate
            span = _in_ticks(start_pts, last, pts_unit, stream)
            sound = [_trimmed(frame, *span) for frame in _between(film, stream, *span, lead=True)]
    pixels = tp.from_numpy(np.stack(frames) if frames else np.zeros((0, 1, 1, 3), np.uint8))
    if output_format.upper() == "TCHW":
        pixels = pixels.permute(0, 3, 1, 2)
    samples = np.concatenate(sound, axis=1) if sound else np.zeros((1, 0), np.float32)
    return pixels, tp.from_numpy(samples), info


def read_video_timestamps(
    filename: Encoded, pts_unit: str = "pts"
) -> tuple[list[Any], float | None]:
    """Times of all frames of a film, without decoding them.

    Args:
        filename: as for `read_video`.
        pts_unit: "pts", ticks of the film's clock as integers, or "sec" as exact fractions.

    Returns:
        The times in order, and the frames per second, or None for a file without pictures.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film.
        UnknownNameError: another unit.
        MissingDependencyError: PyAV is not installed.
    """
    _check_choice("pts_unit", pts_unit, ("pts", "sec"))
    with opened("read_video_timestamps", filename) as film:
        if not film.streams.video:
            return [], None
        stream = film.streams.video[0]
        ticks = sorted(p.pts for p in until_damage(film.demux(stream)) if p.pts is not None)
        rate = None if stream.average_rate is None else float(stream.average_rate)
        clock = stream.time_base
    return ([tick * clock for tick in ticks] if pts_unit == "sec" else ticks), rate


def _check_choice(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UnknownNameError(f"{what}: wanted one of {', '.join(choices)}, got {value!r}")


def _in_ticks(start: Any, end: Any, unit: str, stream: Any) -> tuple[float, float]:
    """A span of time in ticks of a stream's clock."""
    if unit == "pts":
        return start, end
    clock = stream.time_base
    first = math.floor(Fraction(start) / clock)
    return first, math.inf if math.isinf(end) else math.ceil(Fraction(end) / clock)


def _between(film: Any, stream: Any, start: float, end: float, lead: bool = False) -> Iterator[Any]:
    """Frames of a stream from a time to a time; decoders give them in order of time.

    With `lead`, a frame that begins before the start and reaches over it comes, too.
    """
    if start > 0:
        rewind(film, stream, int(start))
    for frame in until_damage(film.decode(stream)):
        if frame.pts is None:
            continue
        if frame.pts > end:
            return
        reach = frame.samples / frame.rate / stream.time_base - 1 if lead else 0
        if frame.pts + reach >= start:
            yield frame


def _trimmed(frame: Any, start: float, end: float) -> np.ndarray:
    """The samples (channels, n) of an audio frame that lie between two times in ticks."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:  # (1, n * channels), the channels by turns
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    per_tick = float(frame.rate * frame.time_base)
    first = max(0, round((start - frame.pts) * per_tick))
    beyond = samples.shape[1] if math.isinf(end) else math.ceil((end - frame.pts) * per_tick)
    return samples[:, first : max(first, beyond)]
