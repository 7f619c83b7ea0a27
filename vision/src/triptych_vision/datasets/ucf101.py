"""UCF101: what people do, on the web."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .action_clips import ActionClips
from .listed import read_lines
from .preparing import prepare
from .vision import OneTransform, PathLike, rooted

__all__ = ["UCF101"]

_PAGE = "https://www.crcv.ucf.edu/data/UCF101.php"


class UCF101(ActionClips):
    """Clips of 13,320 films of 101 actions. Needs PyAV.

    The publisher has a RAR archive only: unpack UCF101.rar into the root, and
    UCF101TrainTestSplits-RecognitionTask.zip into annotation_path.

    Args:
        root: has one folder per action, of AVI files.
        annotation_path: folder of the files `trainlist<fold>.txt` and `testlist<fold>.txt`.
        frames_per_clip: frames in a clip.
        step_between_clips: frames from one clip's start to the next one's.
        frame_rate: frames per second of the clips; default the film's.
        fold: which of the three splits, 1 to 3.
        train: the training part or the test part.
        transform: called with the frames, (t, h, w, 3) or (t, 3, h, w) uint8.
        _precomputed_metadata: `metadata` of another object over the same films.
        num_workers: processes that look at the films.
        output_format: "THWC" or "TCHW".

    Raises:
        MissingDataError: files are missing.
        MissingDependencyError: PyAV is not installed.

    Source: K. Soomro, A. Zamir and M. Shah 2012, arXiv:1212.0402.
    """

    def __init__(
        self,
        root: PathLike,
        annotation_path: PathLike,
        frames_per_clip: int,
        step_between_clips: int = 1,
        frame_rate: float | None = None,
        fold: int = 1,
        train: bool = True,
        transform: OneTransform | None = None,
        _precomputed_metadata: dict[str, Any] | None = None,
        num_workers: int = 1,
        output_format: str = "THWC",
    ) -> None:
        if fold not in (1, 2, 3):
            raise ValueError(f"UCF101: fold is 1 to 3, got {fold!r}")
        self.fold, self.train = fold, train
        listed = f"{'train' if train else 'test'}list{fold:02d}.txt"
        self.annotation_path = rooted(annotation_path)
        cure = f"get them from {_PAGE}"
        prepare("UCF101", self.annotation_path, {listed: None}, by_hand=cure)
        self._listed = self.annotation_path / listed
        folder = rooted(root)
        prepare("UCF101", folder.parent, {folder.name: None}, by_hand=cure)
        super().__init__(
            folder,
            folder,
            (".avi",),
            transform,
            clip_length_in_frames=frames_per_clip,
            frames_between_clips=step_between_clips,
            frame_rate=frame_rate,
            _precomputed_metadata=_precomputed_metadata,
            num_workers=num_workers,
            output_format=output_format,
        )

    def _chosen(self, paths: list[str]) -> list[int]:
        wanted = {line.split()[0] for line in read_lines(self._listed)}  # action/film.avi [label]
        names = [Path(path).relative_to(self.folder).as_posix() for path in paths]
        return [index for index, name in enumerate(names) if name in wanted]
