"""ImageNet 2012: archives that the user gets from the publisher, unpacked into one folder a class.

Needs SciPy once, to read the development kit.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import triptych as tp
from triptych_datasets.placing import unpack

from .folder import ImageFolder
from .preparing import optional_module, prepare
from .utils import verify_str_arg
from .vision import PathLike, rooted

__all__ = ["ImageNet"]

_BY_HAND = (
    "sign up at https://image-net.org/challenges/LSVRC/2012/2012-downloads.php and put the "
    "archive there"
)
_META = "meta.bin"


class ImageNet(ImageFolder):
    """1.28 million photographs of a thousand kinds of things to train, 50,000 to validate.

    Put ILSVRC2012_devkit_t12.tar.gz and ILSVRC2012_img_train.tar or ILSVRC2012_img_val.tar into the
    root; they are unpacked at the first use.

    Args:
        root: the files lie in `root/train` and `root/val`.
        split: "train" or "val".
        **kwargs: as for `ImageFolder`.

    Attributes:
        classes: a tuple of names for each kind.
        class_to_idx: index of each name.
        wnids: the kinds' ids in WordNet.
        wnid_to_idx: index of each.

    Raises:
        MissingDataError: folders and archives are missing, or an archive is damaged.

    Source: O. Russakovsky et al. 2015, arXiv:1409.0575.
    """

    archives = {
        "train": ("ILSVRC2012_img_train.tar", "1d675b47d978889d74fa0da5fadfb00e"),
        "val": ("ILSVRC2012_img_val.tar", "29b22e2961454d5413ddabcf34fc5622"),
        "devkit": ("ILSVRC2012_devkit_t12.tar.gz", "fa75699e90414af021442c21a62c3abf"),
    }

    def __init__(self, root: PathLike, split: str = "train", **kwargs: Any) -> None:
        self.split = verify_str_arg(split, "split", ("train", "val"))
        folder = rooted(root)
        if not (folder / _META).is_file():
            self._read_devkit(folder)
        names, val_wnids = tp.load(folder / _META)
        if not (folder / split).is_dir():
            self._unpack(folder, val_wnids)
        super().__init__(folder / split, **kwargs)
        self.root = folder
        self.wnids, self.wnid_to_idx = self.classes, self.class_to_idx
        self.classes: Any = [tuple(names[wnid]) for wnid in self.wnids]
        self.class_to_idx = {name: i for i, names in enumerate(self.classes) for name in names}

    @property
    def split_folder(self) -> Path:
        """Folder of this part's images."""
        return self.folder / self.split

    def _archive(self, folder: Path, key: str) -> Path:
        name, md5 = self.archives[key]
        prepare("ImageNet", folder, {name: md5}, by_hand=_BY_HAND)
        return folder / name

    def _read_devkit(self, folder: Path) -> None:
        archive = self._archive(folder, "devkit")
        loadmat = optional_module("scipy.io", "ImageNet").loadmat
        with tempfile.TemporaryDirectory() as place:
            unpack(archive, Path(place))
            data = Path(place) / "ILSVRC2012_devkit_t12" / "data"
            synsets = loadmat(data / "meta.mat", squeeze_me=True)["synsets"]
            truth = (data / "ILSVRC2012_validation_ground_truth.txt").read_text().split()
        # id, WordNet's id, names, description, number of children, ...; leaves are the classes
        leaves = [row for row in synsets.reshape(-1) if int(row[4]) == 0]
        wnids = {int(row[0]): str(row[1]) for row in leaves}
        names = {str(row[1]): tuple(str(row[2]).split(", ")) for row in leaves}
        tp.save((names, [wnids[int(number)] for number in truth]), folder / _META)

    def _unpack(self, folder: Path, val_wnids: list[str]) -> None:
        """Into a folder beside, so that a run that is broken off leaves no half of a part."""
        archive = self._archive(folder, self.split)
        with tempfile.TemporaryDirectory(prefix=f".{self.split}-", dir=folder) as place:
            staged = Path(place) / self.split
            unpack(archive, staged)
            if self.split == "train":
                for inner in sorted(staged.glob("*.tar")):
                    unpack(inner, inner.with_suffix(""))
                    inner.unlink()
            else:
                for wnid, path in zip(val_wnids, sorted(staged.iterdir()), strict=True):
                    (staged / wnid).mkdir(exist_ok=True)
                    path.rename(staged / wnid / path.name)
            staged.rename(folder / self.split)

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {self.split}"
