"""SUN397: indoors, in a town, in the country."""

from __future__ import annotations

from .folder import default_loader
from .listed import ListedDataset, Loader, index_of, read_lines
from .preparing import Remote, prepare
from .vision import OneTransform, PathLike

__all__ = ["SUN397"]


class SUN397(ListedDataset):
    """108,754 photographs of 397 kinds of scenes.

    Args:
        root: the files lie in `root/SUN397`.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Attributes:
        classes: names of the kinds, such as "abbey" and "bar", some with a second part after "/".
        class_to_idx: index of each.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: J. Xiao et al. 2010, "SUN Database: Large-scale Scene Recognition from Abbey to Zoo".
    """

    remote = Remote(
        "http://vision.princeton.edu/projects/2010/SUN/SUN397.tar.gz",
        "8ca2778205c41d23104230ba66911c7a",
    )

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        names = "SUN397/ClassName.txt"
        prepare("SUN397", self.folder, {names: None}, [self.remote], download=download)
        base = self.folder / "SUN397"
        self.classes = [line[3:] for line in read_lines(self.folder / names)]  # "/a/abbey"
        self.class_to_idx = index_of(self.classes)
        self.samples = [
            (str(path), self.class_to_idx["/".join(path.relative_to(base).parts[1:-1])])
            for path in sorted(base.rglob("sun_*.jpg"))
        ]
