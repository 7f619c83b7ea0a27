"""What data sets of people's actions share: clips of films, one folder per class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .folder import find_classes, make_dataset
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["ActionClips"]


class ActionClips(VisionDataset):
    """Clips of films: samples are (frames, sound, index of the class). Needs PyAV.

    Args:
        root: folder of the files.
        films: folder with one folder per class.
        extensions: of the films.
        transform: called with the frames.
        **clips: as for `VideoClips`.

    Attributes:
        classes: names, sorted.
        samples: (path, index of the class) of each film.
        indices: the films that are taken.
        video_clips: their clips.
        full_video_clips: the clips of all films.
    """

    def __init__(
        self,
        root: PathLike,
        films: Path,
        extensions: tuple[str, ...],
        transform: OneTransform | None,
        **clips: Any,
    ) -> None:
        from .video_utils import VideoClips

        super().__init__(root, transform=transform)
        self.classes, class_to_idx = find_classes(films)
        self.class_to_idx = class_to_idx
        self.samples = make_dataset(films, class_to_idx, extensions)
        self.full_video_clips = VideoClips([path for path, _ in self.samples], **clips)
        self.indices = self._chosen([path for path, _ in self.samples])
        everything = self.indices == list(range(len(self.samples)))
        self.video_clips = (
            self.full_video_clips if everything else self.full_video_clips.subset(self.indices)
        )

    def _chosen(self, paths: list[str]) -> list[int]:
        """Which films to take; a subclass looks into the publisher's lists."""
        return list(range(len(paths)))

    @property
    def metadata(self) -> dict[str, Any]:
        """What was found out about all films; give it as _precomputed_metadata to save the time."""
        return self.full_video_clips.metadata

    def __getitem__(self, index: int) -> Any:
        """(frames, sound, index of the class)."""
        frames, sound, _, film = self.video_clips.get_clip(index)
        if self.transform is not None:
            frames = self.transform(frames)
        return frames, sound, self.samples[self.indices[film]][1]

    def __len__(self) -> int:
        """Number of clips."""
        return self.video_clips.num_clips()
