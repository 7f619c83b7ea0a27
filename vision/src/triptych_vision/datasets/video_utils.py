"""Clips of films: runs of frames at a fixed distance, over many films."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Any

import triptych as tp
from triptych.errors import BoundsError, FileFormatError
from triptych.utils.data import DataLoader

__all__ = ["VideoClips", "unfold"]

Frames = list[slice] | tp.Tensor


def unfold(tensor: tp.Tensor, size: int, step: int) -> tp.Tensor:
    """Windows of a vector.

    Args:
        tensor: (n,).
        size: elements of a window.
        step: elements from one window's start to the next one's.

    Returns:
        (windows, size), a view; no window where the vector is too short.
    """
    if len(tensor) < size:
        return tp.zeros((0, size), dtype=tensor.dtype)
    return tensor.unfold(0, size, step)


class _Times:
    """The times of each film's frames, as a data set, for workers."""

    def __init__(self, paths: Sequence[str]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[tp.Tensor, Fraction, float | None]:
        """Whole ticks, seconds in a tick, and frames per second."""
        from ..io import read_video_timestamps

        times, fps = read_video_timestamps(self.paths[index], pts_unit="sec")
        per_second = math.lcm(*(Fraction(time).denominator for time in times))
        ticks = [int(time * per_second) for time in times]
        return tp.tensor(ticks, dtype=tp.int64), Fraction(1, per_second), fps


def _same(batch: Any) -> Any:
    return batch


class VideoClips:
    """All clips of a certain length in a list of films, in order. Needs PyAV.

    Args:
        video_paths: the films.
        clip_length_in_frames: frames in a clip.
        frames_between_clips: frames from one clip's start to the next one's.
        frame_rate: frames per second of the clips, picked from the film's; default the film's.
        _precomputed_metadata: `metadata` of another object over the same films, in place of looking
            at each.
        num_workers: processes that look at the films.
        output_format: "THWC" or "TCHW".

    Attributes:
        clips: for each film, (clips, frames) int64, times in ticks.
        resampling_idxs: for each film, which of its frames the clips are made of.
        cumulative_sizes: clips up to the end of each film.

    Raises:
        ValueError: another output_format.
        MissingDependencyError: PyAV is not installed.
    """

    def __init__(
        self,
        video_paths: Sequence[str],
        clip_length_in_frames: int = 16,
        frames_between_clips: int = 1,
        frame_rate: float | None = None,
        _precomputed_metadata: dict[str, Any] | None = None,
        num_workers: int = 0,
        output_format: str = "THWC",
    ) -> None:
        self.video_paths = list(video_paths)
        self.num_workers = num_workers
        self.output_format = output_format.upper()
        if self.output_format not in ("THWC", "TCHW"):
            raise ValueError(f"VideoClips: output_format is THWC or TCHW, got {output_format!r}")
        self._take(_precomputed_metadata or self._look())
        self.compute_clips(clip_length_in_frames, frames_between_clips, frame_rate)

    def _look(self) -> dict[str, Any]:
        loader: DataLoader[Any] = DataLoader(
            _Times(self.video_paths),
            batch_size=16,
            num_workers=self.num_workers,
            collate_fn=_same,
        )
        rows = [row for batch in loader for row in batch]
        ticks, clocks, rates = (
            (list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])
        )
        return {
            "video_paths": self.video_paths,
            "video_pts": ticks,
            "video_timebase": clocks,
            "video_fps": rates,
        }

    def _take(self, metadata: dict[str, Any]) -> None:
        self.video_paths = list(metadata["video_paths"])
        self.video_pts = list(metadata["video_pts"])
        self.video_fps = list(metadata["video_fps"])
        count = len(self.video_paths)
        self.video_timebase = list(metadata.get("video_timebase", [Fraction(1)] * count))
        for name in ("video_pts", "video_fps", "video_timebase"):
            if len(getattr(self, name)) != count:
                raise ValueError(
                    f"VideoClips: metadata has {count} video_paths and "
                    f"{len(getattr(self, name))} {name}"
                )

    @property
    def metadata(self) -> dict[str, Any]:
        """What was found out about the films; give it to another object to save the time."""
        names = ("video_paths", "video_pts", "video_timebase", "video_fps")
        return {name: getattr(self, name) for name in names}

    def subset(self, indices: Sequence[int]) -> VideoClips:
        """Clips of some of the films.

        Args:
            indices: of the films.
        """
        chosen = {key: [values[i] for i in indices] for key, values in self.metadata.items()}
        return type(self)(
            chosen["video_paths"],
            self.num_frames,
            self.step,
            self.frame_rate,
            _precomputed_metadata=chosen,
            num_workers=self.num_workers,
            output_format=self.output_format,
        )

    @staticmethod
    def compute_clips_for_video(
        video_pts: tp.Tensor,
        num_frames: int,
        step: int,
        fps: float | None,
        frame_rate: float | None = None,
    ) -> tuple[tp.Tensor, Frames]:
        """Clips of one film.

        Args:
            video_pts: (n,) times of its frames.
            num_frames: frames in a clip.
            step: frames from one clip's start to the next one's.
            fps: its frames per second; 1 where not known.
            frame_rate: of the clips; default fps.

        Returns:
            (clips, num_frames) times, and for each clip the frames it is made of.

        Warns:
            UserWarning: the film is too short for a clip.
        """
        fps = 1 if fps is None else fps
        frame_rate = fps if frame_rate is None else frame_rate
        total = math.floor(len(video_pts) * frame_rate / fps)
        chosen = VideoClips._resample_video_idx(total, fps, frame_rate)
        clips = unfold(video_pts[chosen], num_frames, step)
        if not len(clips):
            warnings.warn(
                f"VideoClips: a film of {len(video_pts)} frames is too short for a clip of "
                f"{num_frames}, and is left out",
                stacklevel=2,
            )
        if isinstance(chosen, slice):
            return clips, [chosen] * len(clips)
        return clips, unfold(chosen, num_frames, step)

    @staticmethod
    def _resample_video_idx(
        num_frames: int, original_fps: float, new_fps: float
    ) -> slice | tp.Tensor:
        """Which frames to take for another frame rate: every n-th, or the nearest before."""
        step = float(original_fps) / new_fps
        if step.is_integer():
            return slice(None, None, int(step))
        return (tp.arange(num_frames, dtype=tp.float32) * step).floor().to(tp.int64)

    def compute_clips(self, num_frames: int, step: int, frame_rate: float | None = None) -> None:
        """Divide the films into other clips.

        Args:
            num_frames: frames in a clip.
            step: frames from one clip's start to the next one's.
            frame_rate: frames per second of the clips; default the film's.
        """
        self.num_frames, self.step, self.frame_rate = num_frames, step, frame_rate
        found = [
            self.compute_clips_for_video(pts, num_frames, step, fps, frame_rate)
            for pts, fps in zip(self.video_pts, self.video_fps, strict=True)
        ]
        self.clips = [clips for clips, _ in found]
        self.resampling_idxs = [frames for _, frames in found]
        self.cumulative_sizes = list(accumulate(len(clips) for clips in self.clips))

    def __len__(self) -> int:
        """Number of clips."""
        return self.num_clips()

    def num_videos(self) -> int:
        """Number of films."""
        return len(self.video_paths)

    def num_clips(self) -> int:
        """Number of clips."""
        return self.cumulative_sizes[-1] if self.cumulative_sizes else 0

    def get_clip_location(self, idx: int) -> tuple[int, int]:
        """Which film a clip is of, and its number within it."""
        video = bisect_right(self.cumulative_sizes, idx)
        return video, idx - (self.cumulative_sizes[video - 1] if video else 0)

    def get_clip(self, idx: int) -> tuple[tp.Tensor, tp.Tensor, dict[str, Any], int]:
        """A clip.

        Args:
            idx: its number.

        Returns:
            Frames, (t, h, w, 3) or (t, 3, h, w) uint8; sound, (channels, samples); {"video_fps",
            "audio_fps"}; and the number of the film.

        Raises:
            BoundsError: there are fewer clips.
            FileFormatError: the film has fewer frames than it had.
        """
        from ..io import read_video

        if not 0 <= idx < self.num_clips():
            raise BoundsError(f"get_clip: index {idx} is out of range for {len(self)} clips")
        video, clip = self.get_clip_location(idx)
        ticks, clock = self.clips[video][clip], self.video_timebase[video]
        start, end = (int(ticks[i]) * clock for i in (0, -1))
        frames, sound, info = read_video(
            self.video_paths[video], start, end, "sec", self.output_format
        )
        if self.frame_rate is not None:
            chosen: Any = self.resampling_idxs[video][clip]
            frames = frames[chosen - chosen[0] if isinstance(chosen, tp.Tensor) else chosen]
            info["video_fps"] = self.frame_rate
        if len(frames) != self.num_frames:
            raise FileFormatError(
                f"get_clip: {self.video_paths[video]}: wanted {self.num_frames} frames from "
                f"{float(start)} s on, got {len(frames)}; the file changed or is damaged"
            )
        return frames, sound, info, video

    def __getstate__(self) -> dict[str, Any]:
        derived = ("clips", "resampling_idxs", "cumulative_sizes")  # large, and quickly made again
        return {name: value for name, value in vars(self).items() if name not in derived}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # said when it was made
            self.compute_clips(self.num_frames, self.step, self.frame_rate)
