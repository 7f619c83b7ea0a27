"""Lists of recordings with one JSON object per line, as NeMo and lhotse write them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from triptych.errors import FileFormatError
from triptych_audio.io import info, load
from triptych_datasets import MissingDataError

from .base import AudioDataset, Loader, PathLike, Transform

__all__ = ["Manifest"]

PATHS = ("audio_filepath", "audio_path", "audio", "path")  # where an object may name its file


class Segment(NamedTuple):
    """A part of a file: where it begins in seconds, and how long it is if not to the end."""

    path: Path
    offset: float
    duration: float | None


class Manifest(AudioDataset):
    """Recordings from a list, each the whole file or a part, of which only that is decoded.

    Samples are (waveform, sample_rate, the object). A line is either
    `{"audio_filepath": "a.wav", "offset": 1.5, "duration": 2.0, "text": "hello"}`, where only the
    path is needed, or a cut of lhotse with "recording", "start", "duration" and "supervisions".

    Args:
        path: of the list; may be packed by gzip.
        root: relative paths are below it; default the list's folder.
        min_duration: leave out what is shorter, in seconds, where the list says how long it is.
        max_duration: leave out what is longer.
        transform: called with the waveform.
        loader: called with a path, frame_offset= and num_frames=, gives a waveform and its rate.

    Raises:
        MissingDataError: no such list.
        FileFormatError: a line is no such object.
    """

    def __init__(
        self,
        path: PathLike,
        root: PathLike | None = None,
        *,
        min_duration: float = 0.0,
        max_duration: float = float("inf"),
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        self.path = Path(path).expanduser()
        super().__init__(self.path.parent if root is None else root, transform=transform,
                         loader=loader)  # fmt: skip
        self.rows: list[dict[str, Any]] = []
        self.segments: list[Segment] = []
        for number, row in enumerate(_rows(self.path), 1):
            segment = self._segment(row, number)
            length = segment.duration
            if length is None or min_duration <= length <= max_duration:
                self.rows.append(row)
                self.segments.append(segment)

    def _segment(self, row: Any, number: int) -> Segment:
        try:
            name, start, duration = _lhotse(row) if "recording" in row else _plain(row)
            return Segment(self.root / name, float(start), duration and float(duration))
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise FileFormatError(
                f"{self.path}: line {number}: wanted an object with one of {', '.join(PATHS)}, or "
                f"a cut with a recording from a file ({type(error).__name__}: {error})"
            ) from error

    def get_metadata(self, n: int) -> tuple[Any, ...]:
        """(path below root, sample_rate, the object) of sample n."""
        path = self.segments[n].path
        return *self.relative([path]), info(path).sample_rate, self.rows[n]

    def __getitem__(self, n: int) -> tuple[Any, ...]:
        """(waveform, sample_rate, the object) of sample n."""
        path, offset, duration = self.segments[n]
        if not offset and duration is None:
            (waveform,), rate = self.read([path])
            return waveform, rate, self.rows[n]
        rate = info(path).sample_rate
        count = -1 if duration is None else round(duration * rate)
        waveform, rate = self.loader(path, frame_offset=round(offset * rate), num_frames=count)
        return *self.changed([waveform]), rate, self.rows[n]

    def __len__(self) -> int:
        """Number of recordings."""
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Manifest({len(self)} recordings of {self.path})"


def _rows(path: Path) -> list[Any]:
    if not path.is_file():
        raise MissingDataError(f"Manifest: {path} not found")
    opener: Any = gzip.open if path.suffix == ".gz" else open
    rows = []
    with opener(path, "rt", encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise FileFormatError(f"{path}: line {number}: {error}") from error
    return rows


def _plain(row: Mapping[str, Any]) -> tuple[str, float, float | None]:
    names = [row[key] for key in PATHS if key in row]
    return names[0], row.get("offset", 0.0), row.get("duration")


def _lhotse(row: Mapping[str, Any]) -> tuple[str, float, float | None]:
    source = row["recording"]["sources"][0]
    if source["type"] != "file":
        raise ValueError(f"a source of type {source['type']!r}")
    return source["source"], row.get("start", 0.0), row.get("duration")
