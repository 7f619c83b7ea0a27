"""DTD: describable textures."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["DTD"]


class DTD(ListedDataset):
    """5,640 textures of 47 kinds, such as "striped" and "bubbly".

    Args:
        root: the files lie in `root/dtd/dtd`.
        split: "train", "val" or "test", a third each.
        partition: which of the ten splits of the publisher, 1 to 10.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the kinds, sorted.
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: M. Cimpoi et al. 2014, arXiv:1311.3618.
    """

    remote = Remote(
        "https://www.robots.ox.ac.uk/~vgg/data/dtd/download/dtd-r1.0.1.tar.gz",
        "fff73e5086ae6bdbea199a49dfb8a4c1",
        "dtd",
    )

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        partition: int = 1,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        if not isinstance(partition, int) or not 1 <= partition <= 10:
            raise ValueError(f"DTD: partition is 1 to 10, got {partition!r}")
        self.partition = partition
        super().__init__(root, transform, target_transform, loader)
        names = f"dtd/dtd/labels/{split}{partition}.txt"
        files = {names: None, "dtd/dtd/images": None}
        prepare("DTD", self.folder, files, [self.remote], download=download)
        lines = read_lines(self.folder / names)  # kind/file
        self.classes = sorted({line.partition("/")[0] for line in lines})
        self.class_to_idx = index_of(self.classes)
        images = self.folder / "dtd" / "dtd" / "images"
        self.samples = [
            (str(images / line), self.class_to_idx[line.partition("/")[0]]) for line in lines
        ]

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}, partition={self.partition}"
