"""A film frame by frame, with jumps in time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, Self

import numpy as np

import triptych as tp
from triptych.errors import DomainError, UnknownNameError

from .containers import open_container, rewind, until_damage
from .files import Encoded, content_of

__all__ = ["VideoReader"]

_STREAM = re.compile(r"(video|audio)(?::(\d+))?")


class VideoReader:
    """Iterates over the frames of one stream of a film; needs PyAV.

    Each is {"data": tensor, "pts": seconds as float}: uint8 (3, h, w) of a video stream, (samples,
    channels) of the file's own dtype of an audio stream.

    Args:
        src: a path, the file's bytes, its bytes as a uint8 tensor, or a binary file object.
        stream: "video", "audio", or with a number, "audio:1".
        num_threads: for decoding; 0 lets FFmpeg choose.

    Raises:
        FileNotFoundError: there is no such file.
        FileFormatError: no film.
        UnknownNameError: it has no such stream.
        DomainError: a negative number of threads.
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(self, src: Encoded, stream: str = "video", num_threads: int = 0) -> None:
        if num_threads < 0:
            raise DomainError(f"VideoReader: num_threads is 0 or more, got {num_threads}")
        self.num_threads = num_threads
        path = isinstance(src, str | os.PathLike)
        self._source = src if path else content_of("VideoReader", src)
        self.container = open_container("VideoReader", self._source)
        try:
            self.set_current_stream(stream)
        except UnknownNameError:
            self.close()
            raise

    def set_current_stream(self, stream: str) -> bool:
        """Go on with another stream, from its beginning.

        Args:
            stream: "video", "audio", or with a number, "audio:1".

        Returns:
            True.

        Raises:
            UnknownNameError: the film has no such stream.
        """
        match = _STREAM.fullmatch(stream)
        kind, place = (match[1], int(match[2] or 0)) if match else ("", 0)
        there = getattr(self.container.streams, kind, ()) if kind else ()
        if place >= len(there):
            names = [f"{k}:{i}" for k, i in self._streams()]
            raise UnknownNameError(
                f"VideoReader: wanted one of the streams {', '.join(names)}, got {stream!r}"
            )
        self._chosen = kind, place
        self._prepare()
        self.seek(0.0)
        return True

    def _prepare(self) -> None:
        kind, place = self._chosen
        self._stream = getattr(self.container.streams, kind)[place]
        if not self._stream.codec_context.is_open:
            self._stream.thread_type = "AUTO"
            self._stream.codec_context.thread_count = self.num_threads

    def _streams(self) -> list[tuple[str, int]]:
        streams = self.container.streams
        return [
            (kind, i) for kind in ("video", "audio") for i in range(len(getattr(streams, kind)))
        ]

    def seek(self, time_s: float, keyframes_only: bool = False) -> Self:
        """Go to a time.

        Args:
            time_s: seconds from the beginning; the next frame is the first one at or after it.
            keyframes_only: go to the keyframe before it instead, which is quicker.

        Returns:
            The reader itself.

        Raises:
            DomainError: a negative time.
        """
        if not time_s >= 0:
            raise DomainError(f"VideoReader.seek: time_s is 0 or more, got {time_s}")
        clock = self._stream.time_base
        if not rewind(self.container, self._stream, int(time_s / clock), exact=keyframes_only):
            self.container.close()
            self.container = open_container("VideoReader", self._source)
            self._prepare()
        # Half a tick of grace, as a time in seconds is rarely a whole number of ticks.
        self._frames = self._from(0.0 if keyframes_only else time_s - float(clock) / 2)
        return self

    def _from(self, earliest: float) -> Iterator[Any]:
        for frame in until_damage(self.container.decode(self._stream)):
            if frame.pts is not None and frame.time >= earliest:
                yield frame

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> dict[str, Any]:
        frame = next(self._frames)
        if self._stream.type == "video":
            data = np.ascontiguousarray(frame.to_ndarray(format="rgb24").transpose(2, 0, 1))
        elif frame.format.is_planar:
            data = np.ascontiguousarray(frame.to_ndarray().T)
        else:
            data = frame.to_ndarray().reshape(-1, frame.layout.nb_channels)
        return {"data": tp.from_numpy(data), "pts": float(frame.time)}

    def get_metadata(self) -> dict[str, dict[str, list[float]]]:
        """Durations in seconds and rates of all streams, by kind.

        Returns:
            {"video": {"fps": [...], "duration": [...]}, "audio": {"framerate": [...], ...}}.
        """
        told: dict[str, dict[str, list[float]]] = {}
        for kind, place in self._streams():
            stream = getattr(self.container.streams, kind)[place]
            name, rate = (
                ("fps", stream.average_rate)
                if kind == "video"
                else (
                    "framerate",
                    stream.rate,
                )
            )
            entry = told.setdefault(kind, {name: [], "duration": []})
            entry[name].append(float(rate or 0))
            entry["duration"].append(self._duration(stream))
        return told

    def _duration(self, stream: Any) -> float:
        if stream.duration is not None:
            return float(stream.duration * stream.time_base)
        # Some containers, Matroska for one, state only the whole film's, in microseconds.
        return (self.container.duration or 0) / 1_000_000

    def close(self) -> None:
        """Let go of the file; also at the end of a `with` block."""
        self.container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
