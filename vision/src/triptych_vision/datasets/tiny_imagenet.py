"""Tiny ImageNet: 200 classes of ImageNet, 64 x 64 pixels."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["TinyImageNet"]


class TinyImageNet(ListedDataset):
    """200 kinds of things, 500 photographs of each to train with and 50 to validate.

    Args:
        root: the files lie in `root/tiny-imagenet-200`.
        split: "train" or "val"; the publisher keeps the labels of its test images.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Attributes:
        wnids: the kinds' ids in WordNet, sorted; their places are the targets.
        wnid_to_idx: index of each.
        classes: a tuple of names for each kind.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: Stanford's course CS231n, 2015. Its publisher gives no hash; the md5 is that of the file
    in circulation.
    """

    remote = Remote(
        "http://cs231n.stanford.edu/tiny-imagenet-200.zip", "90528d7ca1a48142e341f4ef8d21d0de"
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
        self.split = verify_str_arg(split, "split", ("train", "val"))
        super().__init__(root, transform, target_transform, loader)
        base = "tiny-imagenet-200"
        files = {f"{base}/wnids.txt": None, f"{base}/words.txt": None, f"{base}/{split}": None}
        prepare("TinyImageNet", self.folder, files, [self.remote], download=download)
        folder = self.folder / base
        self.wnids = sorted(read_lines(folder / "wnids.txt"))
        self.wnid_to_idx = index_of(self.wnids)
        names = dict(line.split("\t") for line in read_lines(folder / "words.txt"))
        self.classes = [tuple(names[wnid].split(", ")) for wnid in self.wnids]
        if split == "val":
            rows = (line.split("\t") for line in read_lines(folder / "val/val_annotations.txt"))
            self.samples = [
                (str(folder / "val/images" / file), self.wnid_to_idx[wnid])
                for file, wnid, *_ in rows
            ]
        else:
            self.samples = [
                (str(path), index)
                for index, wnid in enumerate(self.wnids)
                for path in sorted((folder / "train" / wnid / "images").glob("*.JPEG"))
            ]

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
