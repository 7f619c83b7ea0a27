"""Omniglot: 1,623 characters of fifty alphabets, each drawn by twenty people."""

from __future__ import annotations

from functools import partial

from .listed import ListedDataset, Loader, opened
from .preparing import Remote, prepare
from .utils import list_dir, list_files
from .vision import OneTransform, PathLike, rooted

__all__ = ["Omniglot"]

_URL = "https://raw.githubusercontent.com/brendenlake/omniglot/master/python/"


class Omniglot(ListedDataset):
    """Handwritten characters, 105 x 105 pixels, to learn from a few examples.

    Args:
        root: the files lie in `root/omniglot-py`.
        background: the thirty alphabets to learn from, or the twenty to evaluate on.
        transform: called with the image, a PIL image in mode L.
        target_transform: called with the index of the character.
        download: fetch the files when they are missing.
        loader: called with a path, gives the image.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: B. Lake, R. Salakhutdinov and J. Tenenbaum 2015, "Human-level concept learning through
    probabilistic program induction".
    """

    remotes = {
        True: Remote(f"{_URL}images_background.zip", "68d2efa1b9178cc56df9314c21c6e718"),
        False: Remote(f"{_URL}images_evaluation.zip", "6b91aef0f799c5bb55b94e3f2daec811"),
    }

    def __init__(
        self,
        root: PathLike,
        background: bool = True,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
        loader: Loader | None = None,
    ) -> None:
        root = rooted(root) / "omniglot-py"
        super().__init__(root, transform, target_transform, loader or partial(opened, mode="L"))
        self.background = background
        part = "images_background" if background else "images_evaluation"
        remote = self.remotes[bool(background)]
        prepare("Omniglot", root, {part: None}, [remote], download=download)
        base = root / part
        characters = [
            base / alphabet / name
            for alphabet in list_dir(base)
            for name in list_dir(base / alphabet)
        ]
        self.samples = [
            (path, index)
            for index, folder in enumerate(characters)
            for path in list_files(folder, ".png", prefix=True)
        ]
