"""SBD: edges between objects, on images of PASCAL VOC."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np

from triptych_datasets.placing import bring, name_in, place, unpack

from .listed import opened, read_lines
from .preparing import Remote, optional_module, prepare
from .utils import verify_str_arg
from .vision import PairTransform, PathLike, VisionDataset

__all__ = ["SBDataset"]


class SBDataset(VisionDataset):
    """11,355 photographs with edges and maps of 20 kinds of objects. Needs SciPy.

    Args:
        root: the files lie in `root`: img, cls and the lists.
        image_set: "train", "val", or "train_noval", which leaves out what VOC 2012 validates on.
        mode: "boundaries", targets are (20, h, w) uint8 NumPy arrays, or "segmentation", targets
            are PIL images in mode L.
        download: fetch the files when they are missing.
        transforms: called with image and target, gives both.

    Raises:
        MissingDataError: files are missing and download is False.
        MissingDependencyError: SciPy is not installed.

    Source: B. Hariharan et al. 2011, "Semantic Contours from Inverse Detectors".
    """

    url = (
        "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/semantic_contours/"
        "benchmark.tgz"
    )
    md5 = "82b4d87ceb2ed10f6038a1cba92111cb"
    noval = Remote(
        "https://www.cs.cornell.edu/~bharathh/train_noval.txt",
        "79bff800c5f0b1ec6b21080a3c066722",
        unpack=False,
    )
    num_classes = 20

    def __init__(
        self,
        root: PathLike,
        image_set: str = "train",
        mode: str = "boundaries",
        download: bool = False,
        transforms: PairTransform | None = None,
    ) -> None:
        self._loadmat = optional_module("scipy.io", "SBDataset").loadmat
        super().__init__(root, transforms)
        self.image_set = verify_str_arg(image_set, "image_set", ("train", "val", "train_noval"))
        self.mode = verify_str_arg(mode, "mode", ("segmentation", "boundaries"))
        files = dict.fromkeys((f"{image_set}.txt", "img", "cls"))
        if download and not all((self.folder / name).exists() for name in files):
            self.download()
        prepare("SBDataset", self.folder, files)
        names = read_lines(self.folder / f"{image_set}.txt")
        self.images = [str(self.folder / "img" / f"{name}.jpg") for name in names]
        self.masks = [str(self.folder / "cls" / f"{name}.mat") for name in names]

    def download(self) -> None:
        """Fetch the archive and move what it holds into the folder; fetch the list if needed."""
        if not (self.folder / "cls").is_dir():
            unpack(bring((self.url,), self.folder, name_in(self.url), self.md5), self.folder)
            inner = self.folder / "benchmark_RELEASE" / "dataset"
            for name in ("cls", "img", "inst", "train.txt", "val.txt"):
                shutil.move(inner / name, self.folder / name)
        if self.image_set == "train_noval":
            place(self.noval.sources, self.folder, "train_noval.txt", self.noval.digest)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, edges or map)."""
        truth = self._loadmat(self.masks[index])["GTcls"][0]
        target: Any
        if self.mode == "boundaries":
            edges = truth["Boundaries"][0]
            target = np.stack([edges[k][0].toarray() for k in range(self.num_classes)])
        else:
            from PIL import Image

            target = Image.fromarray(truth["Segmentation"][0])
        return self.sample(opened(self.images[index], "RGB"), target)

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def extra_repr(self) -> str:
        """List and kind of target."""
        return f"Image set: {self.image_set}\nMode: {self.mode}"
