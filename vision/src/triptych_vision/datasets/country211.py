"""Country211: where was the photograph taken?"""

from __future__ import annotations

from .folder import ImageFolder, default_loader
from .listed import Loader
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, rooted

__all__ = ["Country211"]


class Country211(ImageFolder):
    """Photographs from 211 countries, of YFCC100M.

    Args:
        root: the files lie in `root/country211`.
        split: "train" with 150 photographs of each country, "valid" with 50 or "test" with 100.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the country.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: A. Radford et al. 2021, arXiv:2103.00020, appendix A.
    """

    remote = Remote(
        "https://openaipublic.azureedge.net/clip/data/country211.tgz",
        "84988d7644798601126c29e9877aab6a",
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
        self.split = verify_str_arg(split, "split", ("train", "valid", "test"))
        folder, part = rooted(root), f"country211/{split}"
        prepare("Country211", folder, {part: None}, [self.remote], download=download)
        super().__init__(folder / part, transform, target_transform, loader)
        self.root = folder
