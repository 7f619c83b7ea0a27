"""SBU: a million photographs that people wrote a sentence about."""

from __future__ import annotations

import warnings

from triptych_datasets import FetchError, UnverifiedWarning
from triptych_datasets.placing import name_in

from .folder import default_loader
from .listed import ListedDataset, Loader
from .preparing import Remote, prepare
from .utils import download_url
from .vision import OneTransform, PathLike

__all__ = ["SBU"]

_URLS = "dataset/SBU_captioned_photo_dataset_urls.txt"
_CAPTIONS = "dataset/SBU_captioned_photo_dataset_captions.txt"


class SBU(ListedDataset):
    """Photographs on Flickr with their owners' sentences; those that are in the folder.

    Args:
        root: the files lie in `root/dataset`.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the sentence.
        download: fetch the lists when they are missing, and then every photograph that is still
            there, one after the other: days.
        loader: called with a path, gives the image.

    Attributes:
        photos: name of each photograph.
        captions: sentence of each.

    Raises:
        MissingDataError: the lists are missing and download is False.

    Source: V. Ordonez, G. Kulkarni and T. Berg 2011, "Im2Text".
    """

    remote = Remote(
        "https://www.cs.rice.edu/~vo9/sbucaptions/SBUCaptionedPhotoDataset.tar.gz",
        "9aec147b3488753cf758b4d493422285",
    )

    def __init__(
        self,
        root: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = True,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        lists = {_URLS: None, _CAPTIONS: None}
        fresh = download and not (self.folder / _URLS).is_file()
        prepare("SBU", self.folder, lists, [self.remote], download=download)
        urls, captions = (
            (self.folder / name).read_text(encoding="utf-8").splitlines() for name in lists
        )
        base = self.folder / "dataset"
        if fresh:
            self._download_photos(urls)
        pairs = [(name_in(u.strip()), c.strip()) for u, c in zip(urls, captions, strict=False)]
        present = {path.name for path in base.iterdir()}
        found = [(name, caption) for name, caption in pairs if name in present]
        self.photos = [name for name, _ in found]
        self.captions = [caption for _, caption in found]
        self.samples = [(str(base / name), caption) for name, caption in found]

    def _download_photos(self, urls: list[str]) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnverifiedWarning)  # no photograph has a hash
            for url in urls:
                try:
                    download_url(url.strip(), self.folder / "dataset")
                except FetchError:  # many owners took theirs away; those are left out
                    continue
