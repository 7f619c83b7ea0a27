"""FGVC Aircraft: which aeroplane is it?"""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["FGVCAircraft"]

_BASE = "fgvc-aircraft-2013b"
_LISTS = {"variant": "variants", "family": "families", "manufacturer": "manufacturers"}


class FGVCAircraft(ListedDataset):
    """10,000 aeroplanes of 100 variants, 70 families and 30 manufacturers.

    Args:
        root: the files lie in `root/fgvc-aircraft-2013b`.
        split: "train", "val", "trainval" or "test".
        annotation_level: what the target is: "variant", "family" or "manufacturer".
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the class.
        download: fetch the files when they are missing. The publisher gives no hash of the
            archive, so it is not checked.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the classes.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: S. Maji et al. 2013, arXiv:1306.5151.
    """

    remote = Remote(f"https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/archives/{_BASE}.tar.gz")

    def __init__(
        self,
        root: PathLike,
        split: str = "trainval",
        annotation_level: str = "variant",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", ("train", "val", "trainval", "test"))
        level = verify_str_arg(annotation_level, "annotation_level", tuple(_LISTS))
        names = (f"{_LISTS[level]}.txt", f"images_{level}_{split}.txt", "images")
        files = {f"{_BASE}/data/{name}": None for name in names}
        prepare("FGVCAircraft", self.folder, files, [self.remote], download=download)
        data = self.folder / _BASE / "data"
        self.classes = read_lines(data / names[0])
        self.class_to_idx = index_of(self.classes)
        rows = [line.split(" ", 1) for line in read_lines(data / names[1])]
        self.samples = [
            (str(data / "images" / f"{image}.jpg"), self.class_to_idx[name]) for image, name in rows
        ]
