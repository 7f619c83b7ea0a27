"""CLEVR: how many things are in the picture?"""

from __future__ import annotations

import json

from .folder import default_loader
from .listed import ListedDataset, Loader
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["CLEVRClassification"]

_BASE = "clevr/CLEVR_v1.0"


class CLEVRClassification(ListedDataset):
    """Rendered scenes of three to ten solids; the target is their number.

    Args:
        root: the files lie in `root/clevr/CLEVR_v1.0`.
        split: "train", "val" or "test"; targets of the last are None.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the number.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: J. Johnson et al. 2017, arXiv:1612.06890.
    """

    remote = Remote(
        "https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip",
        "b11922020e72d0cd9154779b2d3d07d2",
        "clevr",
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        super().__init__(root, transform, target_transform, loader)
        images, scenes = f"{_BASE}/images/{split}", f"{_BASE}/scenes/CLEVR_{split}_scenes.json"
        files = {images: None} if split == "test" else {images: None, scenes: None}
        prepare("CLEVRClassification", self.folder, files, [self.remote], download=download)
        counts: dict[str, int] = {}
        if split != "test":
            content = json.loads((self.folder / scenes).read_text(encoding="utf-8"))
            counts = {s["image_filename"]: len(s["objects"]) for s in content["scenes"]}
        self.samples = [
            (str(path), counts.get(path.name)) for path in sorted((self.folder / images).iterdir())
        ]

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
