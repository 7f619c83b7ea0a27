"""Rendered SST2: sentences about films, as pictures."""

from __future__ import annotations

from .folder import default_loader, make_dataset
from .listed import ListedDataset, Loader, index_of
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike

__all__ = ["RenderedSST2"]

_FOLDERS = {"train": "train", "val": "valid", "test": "test"}


class RenderedSST2(ListedDataset):
    """Pictures of sentences of the Stanford Sentiment Treebank: does the writer like the film?

    Args:
        root: the files lie in `root/rendered-sst2`.
        split: "train" with 6,920 pictures, "val" with 872 or "test" with 1,821.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with 0, negative, or 1, positive.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: A. Radford et al. 2021, arXiv:2103.00020, appendix A.
    """

    remote = Remote(
        "https://openaipublic.azureedge.net/clip/data/rendered-sst2.tgz",
        "2384d08e9dcfa4bd55b324e610496ee5",
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
        super().__init__(root, transform, target_transform, loader)
        self.split = verify_str_arg(split, "split", tuple(_FOLDERS))
        self.classes = ["negative", "positive"]
        self.class_to_idx = index_of(self.classes)
        part = f"rendered-sst2/{_FOLDERS[split]}"
        files = {f"{part}/{name}": None for name in self.classes}
        prepare("RenderedSST2", self.folder, files, [self.remote], download=download)
        self.samples = make_dataset(self.folder / part, self.class_to_idx, (".png",))

    def extra_repr(self) -> str:
        """The split."""
        return f"split={self.split}"
