"""Kinetics: what people do, in hundreds of thousands of films of ten seconds."""

from __future__ import annotations

import csv
from typing import Any
from urllib.parse import quote

from triptych_datasets.placing import name_in

from .action_clips import ActionClips
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, rooted

__all__ = ["Kinetics"]

_VERSIONS = {"400": ("400", "k400"), "600": ("600", "k600"), "700": ("700_2020", "k700_2020")}
_NO_SPECIAL = str.maketrans({" ": "_", "'": None, "(": None, ")": None})


class Kinetics(ActionClips):
    """Clips of films of 400, 600 or 700 actions. Needs PyAV.

    Args:
        root: the films lie in `root/<split>/<action>`.
        frames_per_clip: frames in a clip.
        num_classes: "400", "600" or "700".
        split: "train", "val" or "test".
        frame_rate: frames per second of the clips; default the film's.
        step_between_clips: frames from one clip's start to the next one's.
        transform: called with the frames, (t, 3, h, w) or (t, h, w, 3) uint8.
        extensions: of the films.
        download: fetch the archives when the films are missing, hundreds of gigabytes. The
            publisher gives no hashes, so they are not checked.
        num_download_workers: kept for torchvision's callers; archives come one after the other.
        num_workers: processes that look at the films.
        _precomputed_metadata: `metadata` of another object over the same films.
        _legacy: the films lie in `root/<action>`, and frames come as "THWC".
        output_format: "TCHW" or "THWC".

    Raises:
        MissingDataError: files are missing and download is False.
        MissingDependencyError: PyAV is not installed.

    Source: W. Kay et al. 2017, arXiv:1705.06950.
    """

    base_url = "https://s3.amazonaws.com/kinetics/"

    def __init__(
        self,
        root: PathLike,
        frames_per_clip: int,
        num_classes: str = "400",
        split: str = "train",
        frame_rate: float | None = None,
        step_between_clips: int = 1,
        transform: OneTransform | None = None,
        extensions: tuple[str, ...] = (".avi", ".mp4"),
        download: bool = False,
        num_download_workers: int = 1,
        num_workers: int = 1,
        _precomputed_metadata: dict[str, Any] | None = None,
        _legacy: bool = False,
        output_format: str = "TCHW",
    ) -> None:
        self.num_classes = verify_str_arg(num_classes, "num_classes", tuple(_VERSIONS))
        self.split = "unknown"
        if not _legacy:
            self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        self.root = folder = rooted(root)
        if download and _legacy:
            raise ValueError("Kinetics: download=True makes the folders that _legacy=True lacks")
        if download and not self.split_folder.is_dir():
            self.download()
        films = self.split_folder
        prepare("Kinetics", films.parent, {films.name: None})
        super().__init__(
            folder,
            films,
            tuple(extensions),
            transform,
            clip_length_in_frames=frames_per_clip,
            frames_between_clips=step_between_clips,
            frame_rate=frame_rate,
            _precomputed_metadata=_precomputed_metadata,
            num_workers=num_workers,
            output_format="THWC" if _legacy else output_format,
        )

    @property
    def split_folder(self) -> Any:
        """Folder of this part's films."""
        return self.folder if self.split == "unknown" else self.folder / self.split

    def download(self) -> None:
        """Fetch and unpack the archives, and sort the films into one folder per action."""
        folder, prefix = _VERSIONS[self.num_classes]
        url = f"{self.base_url}{folder}/{self.split}/{prefix}_{self.split}_path.txt"
        table = f"{self.base_url}{folder}/annotations/{self.split}.csv"
        Remote(url, None, "files", unpack=False).get(self.folder)
        Remote(table, None, "annotations", unpack=False).get(self.folder)
        for line in (self.folder / "files" / name_in(url)).read_text().split("\n"):
            if line.strip():
                Remote(quote(line.strip(), safe="/,:"), None, self.split).get(self.folder)
        self._sort()

    def _sort(self) -> None:
        table = self.folder / "annotations" / f"{self.split}.csv"
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                start, end = int(row["time_start"]), int(row["time_end"])
                name = f"{row['youtube_id']}_{start:06}_{end:06}.mp4"
                found = self.split_folder / name
                if found.is_file():
                    action = self.split_folder / row["label"].translate(_NO_SPECIAL)
                    action.mkdir(exist_ok=True)
                    found.rename(action / name)
