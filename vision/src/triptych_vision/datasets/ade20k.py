"""ADE20K, the part of the scene parsing benchmark: what each pixel belongs to."""

from __future__ import annotations

from typing import Any

from .listed import opened, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["ADE20K"]


class ADE20K(VisionDataset):
    """22,210 scenes, and for each pixel one of 150 kinds of things.

    Args:
        root: the files lie in `root/ADEChallengeData2016`.
        split: "train" with 20,210 scenes or "val" with 2,000.
        transforms: called with the image and the target.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target, a PIL image of kinds from 1 on; 0 is the rest.
        download: fetch the files when they are missing.

    Attributes:
        classes: names of the 150 kinds; kind k is `classes[k - 1]`.
        images, masks: paths.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: B. Zhou et al. 2017, "Scene Parsing through ADE20K Dataset". Its publisher gives no
    hash; the md5 is that of the file in circulation.
    """

    remote = Remote(
        "http://data.csail.mit.edu/places/ADEchallenge/ADEChallengeData2016.zip",
        "7328b3957e407ddae1d3cbf487f149ef",
    )
    _FOLDERS = {"train": "training", "val": "validation"}

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transforms: PairTransform | None = None,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.split = verify_str_arg(split, "split", tuple(self._FOLDERS))
        base, part = "ADEChallengeData2016", self._FOLDERS[split]
        parts = (f"images/{part}", f"annotations/{part}", "objectInfo150.txt")
        files = {f"{base}/{name}": None for name in parts}
        prepare("ADE20K", self.folder, files, [self.remote], download=download)
        folder = self.folder / base
        rows = read_lines(folder / "objectInfo150.txt")[1:]  # the first line names the columns
        self.classes = [line.split("\t")[4].strip() for line in rows]
        self.images = sorted((folder / "images" / part).glob("*.jpg"))
        self.masks = [folder / "annotations" / part / f"{p.stem}.png" for p in self.images]

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, kinds)."""
        return self.sample(opened(self.images[index], "RGB"), opened(self.masks[index]))

    def __len__(self) -> int:
        """Number of scenes."""
        return len(self.images)

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
