"""EuroSAT: land seen by a satellite."""

from __future__ import annotations

from .folder import ImageFolder, default_loader
from .listed import Loader
from .preparing import Remote, prepare
from .vision import OneTransform, PathLike, rooted

__all__ = ["EuroSAT"]


class EuroSAT(ImageFolder):
    """27,000 tiles of Sentinel-2, 64 x 64 pixels, of ten kinds of land.

    Args:
        root: the files lie in `root/eurosat/2750`.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the index of the kind.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: P. Helber et al. 2019, arXiv:1709.00029.
    """

    remote = Remote(
        "https://huggingface.co/datasets/torchgeo/eurosat/resolve/"
        "c877bcd43f099cd0196738f714544e355477f3fd/EuroSAT.zip",
        "c8fa014336c82ac7804f0398fcb19387",
        "eurosat",
    )

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader = default_loader,
    ) -> None:
        folder = rooted(root)
        prepare("EuroSAT", folder, {"eurosat/2750": None}, [self.remote], download=download)
        super().__init__(folder / "eurosat" / "2750", transform, target_transform, loader)
        self.root = folder
