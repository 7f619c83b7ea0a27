"""HMDB51: what people do, in films and on the web."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .action_clips import ActionClips
from .listed import read_lines
from .preparing import prepare
from .vision import OneTransform, PathLike, rooted

__all__ = ["HMDB51"]

_PAGE = "https://serre-lab.clps.brown.edu/resource/hmdb-a-large-human-motion-database"


class HMDB51(ActionClips):
    """Clips of 6,766 films of 51 actions. Needs PyAV.

    The publisher has RAR archives only: unpack hmdb51_org.rar, and the archives in it, into the
    root, and test_train_splits.rar into annotation_path.

    Args:
        root: has one folder per action, of AVI files.
        annotation_path: folder of the files `<action>_test_split<fold>.txt`.
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

    Source: H. Kuehne et al. 2011, "HMDB: A Large Video Database for Human Motion Recognition".
    """

    TRAIN_TAG = 1
    TEST_TAG = 2

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
            raise ValueError(f"HMDB51: fold is 1 to 3, got {fold!r}")
        self.fold, self.train = fold, train
        self.annotation_path = rooted(annotation_path)
        folder = rooted(root)
        prepare("HMDB51", folder.parent, {folder.name: None}, by_hand=f"get them from {_PAGE}")
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
        tag = self.TRAIN_TAG if self.train else self.TEST_TAG  # 0: in neither part
        lists = sorted(self.annotation_path.glob(f"*test_split{self.fold}.txt"))
        if not lists:
            name = f"*_test_split{self.fold}.txt"
            cure = f"get test_train_splits.rar from {_PAGE}"
            prepare("HMDB51", self.annotation_path, {name: None}, by_hand=cure)
        rows = [line.split() for path in lists for line in read_lines(path)]
        wanted = {name for name, number in rows if int(number) == tag}
        return [index for index, path in enumerate(paths) if Path(path).name in wanted]
