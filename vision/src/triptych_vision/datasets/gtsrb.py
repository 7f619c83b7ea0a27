"""GTSRB: German traffic signs."""

from __future__ import annotations

import csv

from .folder import make_dataset
from .listed import ListedDataset
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["GTSRB"]

_URL = "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370/"


class GTSRB(ListedDataset):
    """Photographs of 43 traffic signs, in many sizes.

    Args:
        root: the files lie in `root/gtsrb`.
        split: "train" with 26,640 photographs or "test" with 12,630.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the sign.
        download: fetch the files when they are missing.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: J. Stallkamp et al. 2012, "Man vs. computer: Benchmarking machine learning algorithms
    for traffic sign recognition".
    """

    remotes = {
        "train": (
            Remote(f"{_URL}GTSRB-Training_fixed.zip", "513f3c79a4c5141765e10e952eaa2478", "gtsrb"),
        ),
        "test": (
            Remote(
                f"{_URL}GTSRB_Final_Test_Images.zip", "c7e4e6327067d32654124b0fe9e82185", "gtsrb"
            ),
            Remote(f"{_URL}GTSRB_Final_Test_GT.zip", "fe31e9c9270bbcd7b84b7f21a9d9d9e5", "gtsrb"),
        ),
    }

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform, target_transform)
        self.split = verify_str_arg(split, "split", ("train", "test"))
        images, table = "gtsrb/GTSRB/Training", "gtsrb/GT-final_test.csv"
        files: dict[str, str | None] = {images: None}
        if split == "test":
            images = "gtsrb/GTSRB/Final_Test/Images"
            files = {images: None, table: None}
        prepare("GTSRB", self.folder, files, self.remotes[split], download=download)
        if split == "train":
            self.samples = make_dataset(self.folder / images, extensions=(".ppm",))
            return
        with (self.folder / table).open(newline="", encoding="utf-8") as file:
            self.samples = [
                (str(self.folder / images / row["Filename"]), int(row["ClassId"]))
                for row in csv.DictReader(file, delimiter=";", skipinitialspace=True)
            ]
