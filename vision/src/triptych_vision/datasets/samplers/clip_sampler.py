"""Which clips of films come when."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from itertools import accumulate
from typing import Any

import triptych as tp
from triptych.utils import data

from ..video_utils import VideoClips

__all__ = ["DistributedSampler", "RandomClipSampler", "UniformClipSampler"]


class DistributedSampler(data.Sampler[int]):
    """This process's share of a dataset, in groups that stay together, such as a film's clips.

    Args:
        dataset: the whole, or a sampler, whose samples are shared out.
        num_replicas: how many processes there are; default: the environment's ``WORLD_SIZE``.
        rank: the number of this one, from 0; default: the environment's ``RANK``.
        shuffle: whether the order is random, another one for each `set_epoch`.
        group_size: samples that stay together.

    Raises:
        ValueError: the dataset is no whole number of groups.

    Example:
        >>> list(DistributedSampler(range(8), num_replicas=2, rank=1, group_size=2))
        [2, 3, 6, 7]
    """

    def __init__(
        self,
        dataset: Sized,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = False,
        group_size: int = 1,
    ) -> None:
        if len(dataset) % group_size:
            raise ValueError(
                f"DistributedSampler: {len(dataset)} samples are no whole number of groups of "
                f"{group_size}"
            )
        groups = range(len(dataset) // group_size)
        self._share = data.DistributedSampler(groups, num_replicas, rank, shuffle=False)
        self.dataset, self.shuffle, self.group_size = dataset, shuffle, group_size
        self.epoch = 0

    @property
    def num_samples(self) -> int:
        """How many samples each process gets."""
        return self._share.num_samples * self.group_size

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, so that it has a random order of its own."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        order = list(range(len(self.dataset)))
        if self.shuffle:
            draw = tp.Generator().manual_seed(self.epoch)
            order = tp.randperm(len(order), generator=draw).tolist()
        size = self.group_size
        mine = [i for group in self._share for i in order[group * size : (group + 1) * size]]
        if isinstance(self.dataset, data.Sampler):
            samples = list(self.dataset)
            mine = [samples[i] for i in mine]
        return iter(mine)

    def __len__(self) -> int:
        return self.num_samples


class _ClipSampler(data.Sampler[int]):
    def __init__(self, video_clips: VideoClips) -> None:
        if not isinstance(video_clips, VideoClips):
            raise TypeError(
                f"{type(self).__name__}: wanted a VideoClips, got a {type(video_clips).__name__}; "
                "a data set has it as its attribute video_clips"
            )
        self.video_clips = video_clips

    def _films(self) -> Iterator[tuple[int, int]]:
        """First clip and number of clips of each film that has some."""
        counts = [len(clips) for clips in self.video_clips.clips]
        starts = accumulate(counts, initial=0)
        return ((start, count) for start, count in zip(starts, counts, strict=False) if count)


class UniformClipSampler(_ClipSampler):
    """A number of clips of each film, at equal distances from its first to its last.

    Args:
        video_clips: the clips.
        num_clips_per_video: of each film; a short film's clips come more than once.

    Raises:
        TypeError: video_clips are none.
    """

    def __init__(self, video_clips: VideoClips, num_clips_per_video: int) -> None:
        super().__init__(video_clips)
        self.num_clips_per_video = num_clips_per_video

    def __iter__(self) -> Iterator[int]:
        wanted = self.num_clips_per_video
        for start, count in self._films():
            for i in range(wanted):
                yield start + i * (count - 1) // max(wanted - 1, 1)

    def __len__(self) -> int:
        return self.num_clips_per_video * sum(1 for _ in self._films())


class RandomClipSampler(_ClipSampler):
    """At most a number of random clips of each film, in random order.

    Args:
        video_clips: the clips.
        max_clips_per_video: of each film.
        generator: draws them; default the global one.

    Raises:
        TypeError: video_clips are none.
    """

    def __init__(
        self, video_clips: VideoClips, max_clips_per_video: int, generator: Any = None
    ) -> None:
        super().__init__(video_clips)
        self.max_clips_per_video, self.generator = max_clips_per_video, generator

    def __iter__(self) -> Iterator[int]:
        chosen = [
            start + clip
            for start, count in self._films()
            for clip in self._draw(count)[: self.max_clips_per_video]
        ]
        return iter([chosen[i] for i in self._draw(len(chosen))])

    def _draw(self, count: int) -> list[int]:
        order: list[int] = tp.randperm(count, generator=self.generator).tolist()
        return order

    def __len__(self) -> int:
        return sum(min(count, self.max_clips_per_video) for _, count in self._films())
