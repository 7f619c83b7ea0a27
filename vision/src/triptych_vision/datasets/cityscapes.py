"""Cityscapes: streets of fifty cities, pixel by pixel."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from triptych_datasets.placing import unpack

from .listed import joined, opened
from .preparing import prepare
from .utils import iterable_to_str, verify_str_arg
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["Cityscapes"]

_SUFFIXES = {
    "instance": "instanceIds.png",
    "semantic": "labelIds.png",
    "polygon": "polygons.json",
    "color": "color.png",
}
_SPLITS = {"fine": ("train", "test", "val"), "coarse": ("train", "train_extra", "val")}
_FOLDERS = {"fine": "gtFine", "coarse": "gtCoarse"}
_ARCHIVES = {"fine": "gtFine_trainvaltest.zip", "coarse": "gtCoarse.zip"}
# name, id, id to train on, group, id of the group, objects counted, left out of results, colour
_CLASSES = """
unlabeled            |  0 255 void 0 0 1   0   0   0
ego vehicle          |  1 255 void 0 0 1   0   0   0
rectification border |  2 255 void 0 0 1   0   0   0
out of roi           |  3 255 void 0 0 1   0   0   0
static               |  4 255 void 0 0 1   0   0   0
dynamic              |  5 255 void 0 0 1 111  74   0
ground               |  6 255 void 0 0 1  81   0  81
road                 |  7   0 flat 1 0 0 128  64 128
sidewalk             |  8   1 flat 1 0 0 244  35 232
parking              |  9 255 flat 1 0 1 250 170 160
rail track           | 10 255 flat 1 0 1 230 150 140
building             | 11   2 construction 2 0 0  70  70  70
wall                 | 12   3 construction 2 0 0 102 102 156
fence                | 13   4 construction 2 0 0 190 153 153
guard rail           | 14 255 construction 2 0 1 180 165 180
bridge               | 15 255 construction 2 0 1 150 100 100
tunnel               | 16 255 construction 2 0 1 150 120  90
pole                 | 17   5 object 3 0 0 153 153 153
polegroup            | 18 255 object 3 0 1 153 153 153
traffic light        | 19   6 object 3 0 0 250 170  30
traffic sign         | 20   7 object 3 0 0 220 220   0
vegetation           | 21   8 nature 4 0 0 107 142  35
terrain              | 22   9 nature 4 0 0 152 251 152
sky                  | 23  10 sky 5 0 0  70 130 180
person               | 24  11 human 6 1 0 220  20  60
rider                | 25  12 human 6 1 0 255   0   0
car                  | 26  13 vehicle 7 1 0   0   0 142
truck                | 27  14 vehicle 7 1 0   0   0  70
bus                  | 28  15 vehicle 7 1 0   0  60 100
caravan              | 29 255 vehicle 7 1 1   0   0  90
trailer              | 30 255 vehicle 7 1 1   0   0 110
train                | 31  16 vehicle 7 1 0   0  80 100
motorcycle           | 32  17 vehicle 7 1 0   0   0 230
bicycle              | 33  18 vehicle 7 1 0 119  11  32
license plate        | -1  -1 vehicle 7 0 1   0   0 142
"""


class CityscapesClass(NamedTuple):
    """One kind of thing in a street."""

    name: str
    id: int
    train_id: int
    category: str
    category_id: int
    has_instances: bool
    ignore_in_eval: bool
    color: tuple[int, int, int]


def _class(line: str) -> CityscapesClass:
    name, _, rest = line.partition("|")
    id, train_id, category, group, counted, ignored, *color = rest.split()
    r, g, b = map(int, color)
    flags = counted == "1", ignored == "1"
    return CityscapesClass(
        name.strip(), int(id), int(train_id), category, int(group), *flags, (r, g, b)
    )


class Cityscapes(VisionDataset):
    """5,000 photographs of streets with fine annotations, and 20,000 with coarse ones.

    Sign up at https://www.cityscapes-dataset.com and put the archives, or what they hold, into the
    root.

    Args:
        root: has the folders leftImg8bit and gtFine or gtCoarse, or their archives.
        split: "train", "val" and, of fine ones, "test"; of coarse ones, "train_extra".
        mode: "fine" or "coarse".
        target_type: "instance", "semantic" or "color", PIL images, or "polygon", what the JSON
            file holds; a list for a tuple.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the target.
        transforms: called with image and target, gives both; in place of the other two.

    Attributes:
        classes: what each id means.
        images: path of each image.
        targets: paths of the targets of each.

    Raises:
        MissingDataError: folders and archives are missing.

    Source: M. Cordts et al. 2016, arXiv:1604.01685; the classes are those of its scripts.
    """

    CityscapesClass = CityscapesClass
    classes = [_class(line) for line in _CLASSES.strip().splitlines()]

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        mode: str = "fine",
        target_type: Sequence[str] | str = "instance",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        verify_str_arg(mode, "mode", tuple(_SPLITS))
        valid = _SPLITS[mode]
        text = (
            f"unknown value {split!r} for argument split if mode is {mode!r}; valid values are "
            f"{{{iterable_to_str(valid)}}}"
        )
        self.split = verify_str_arg(split, "split", valid, text)
        wanted = [target_type] if isinstance(target_type, str) else list(target_type)
        self.target_type = [verify_str_arg(k, "target_type", tuple(_SUFFIXES)) for k in wanted]
        self.mode = _FOLDERS[mode]
        parts = (f"leftImg8bit/{split}", f"{self.mode}/{split}")
        self._unpack(parts, mode)
        by_hand = "sign up at https://www.cityscapes-dataset.com and put the archives there"
        prepare("Cityscapes", self.folder, dict.fromkeys(parts), by_hand=by_hand)
        self.images_dir, self.targets_dir = (str(self.folder / part) for part in parts)
        images = sorted(Path(self.images_dir).glob("*/*"))
        self.images = [str(path) for path in images]
        self.targets = [[self._target(path, kind) for kind in wanted] for path in images]

    def _unpack(self, parts: Sequence[str], mode: str) -> None:
        images = "trainextra" if self.split == "train_extra" else "trainvaltest"
        archives = [self.folder / name for name in (f"leftImg8bit_{images}.zip", _ARCHIVES[mode])]
        missing = not all((self.folder / part).is_dir() for part in parts)
        if missing and all(path.is_file() for path in archives):
            for path in archives:
                unpack(path, self.folder)

    def _target(self, image: Path, kind: str) -> str:
        name = f"{image.name.partition('_leftImg8bit')[0]}_{self.mode}_{_SUFFIXES[kind]}"
        return str(Path(self.targets_dir) / image.parent.name / name)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, target)."""
        targets = [
            json.loads(Path(path).read_text(encoding="utf-8"))
            if kind == "polygon"
            else opened(path)
            for kind, path in zip(self.target_type, self.targets[index], strict=True)
        ]
        return self.sample(opened(self.images[index], "RGB"), joined(targets))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    def extra_repr(self) -> str:
        """Split, mode and kinds of target."""
        return f"Split: {self.split}\nMode: {self.mode}\nType: {self.target_type}"
