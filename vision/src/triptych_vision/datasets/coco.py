"""COCO: objects and captions, listed in one JSON file. pycocotools is not needed."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from triptych.errors import FileFormatError

from .coco_masks import segmentation_mask
from .listed import opened
from .preparing import Remote, prepare
from .vision import OneTransform, PairTransform, PathLike, VisionDataset, rooted

__all__ = ["CocoCaptions", "CocoDetection", "CocoIndex"]

Ids = int | Iterable[int]
_URL = "http://images.cocodataset.org/"


def _ids(ids: Ids) -> list[int]:
    return list(ids) if isinstance(ids, Iterable) else [ids]


class CocoIndex:
    """What a COCO file lists, by id, under the names of pycocotools' `COCO`.

    Args:
        annotation_file: the JSON file.

    Attributes:
        dataset: what the file holds.
        imgs, anns, cats: images, annotations and categories by id.
        imgToAnns: annotations of each image.
        catToImgs: ids of the images of each category.

    Raises:
        FileFormatError: the file is no COCO file.
    """

    def __init__(self, annotation_file: PathLike) -> None:
        try:
            self.dataset: dict[str, Any] = json.loads(Path(annotation_file).read_bytes())
            self.imgs = {image["id"]: image for image in self.dataset["images"]}
        except (ValueError, KeyError, TypeError) as error:
            raise FileFormatError(
                f"CocoIndex: {annotation_file}: is no COCO file: it lacks "
                f'{{"images": [{{"id": ...}}]}} ({type(error).__name__}: {error})'
            ) from error
        listed = self.dataset.get("annotations", [])
        self.anns = {annotation["id"]: annotation for annotation in listed}
        self.cats = {category["id"]: category for category in self.dataset.get("categories", [])}
        self.imgToAnns: dict[int, list[dict[str, Any]]] = defaultdict(list)
        self.catToImgs: dict[int, list[int]] = defaultdict(list)
        for annotation in listed:
            self.imgToAnns[annotation["image_id"]].append(annotation)
            if "category_id" in annotation:
                self.catToImgs[annotation["category_id"]].append(annotation["image_id"])

    def getAnnIds(
        self,
        imgIds: Ids = (),
        catIds: Ids = (),
        areaRng: tuple[float, float] | None = None,
        iscrowd: bool | None = None,
    ) -> list[int]:
        """Ids of annotations of these images, these categories, this area and kind."""
        images, categories = _ids(imgIds), set(_ids(catIds))
        found = (
            [a for id in images for a in self.imgToAnns.get(id, [])]
            if images
            else self.dataset.get("annotations", [])
        )
        return [
            a["id"]
            for a in found
            if (not categories or a["category_id"] in categories)
            and (not areaRng or areaRng[0] < a["area"] < areaRng[1])
            and (iscrowd is None or bool(a["iscrowd"]) is bool(iscrowd))
        ]

    def getCatIds(
        self,
        catNms: str | Iterable[str] = (),
        supNms: str | Iterable[str] = (),
        catIds: Ids = (),
    ) -> list[int]:
        """Ids of categories of these names, these groups and these ids."""
        wanted: list[tuple[str, set[Any]]] = [
            ("name", {catNms} if isinstance(catNms, str) else set(catNms)),
            ("supercategory", {supNms} if isinstance(supNms, str) else set(supNms)),
            ("id", set(_ids(catIds))),
        ]
        return [
            category["id"]
            for category in self.cats.values()
            if all(not values or category[key] in values for key, values in wanted)
        ]

    def getImgIds(self, imgIds: Ids = (), catIds: Ids = ()) -> list[int]:
        """Ids of images among these that show all of these categories."""
        found = set(_ids(imgIds)) or set(self.imgs)
        for category in _ids(catIds):
            found &= set(self.catToImgs.get(category, []))
        return sorted(found)

    def loadAnns(self, ids: Ids = ()) -> list[dict[str, Any]]:
        """Annotations of these ids."""
        return [self.anns[id] for id in _ids(ids)]

    def loadCats(self, ids: Ids = ()) -> list[dict[str, Any]]:
        """Categories of these ids."""
        return [self.cats[id] for id in _ids(ids)]

    def loadImgs(self, ids: Ids = ()) -> list[dict[str, Any]]:
        """Images of these ids."""
        return [self.imgs[id] for id in _ids(ids)]

    def annToMask(self, ann: dict[str, Any]) -> np.ndarray:
        """Mask of an annotation, (h, w) uint8, 0 and 1."""
        image = self.imgs[ann["image_id"]]
        return segmentation_mask(ann["segmentation"], image["height"], image["width"])


class CocoDetection(VisionDataset):
    """Photographs, and what is in them: boxes, outlines and categories.

    Args:
        root: folder of the images.
        annFile: the JSON file that lists them, such as `annotations/instances_val2017.json`.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the list of the image's annotations, dicts with "bbox" (left,
            top, width, height), "category_id", "segmentation" and more.
        transforms: called with image and annotations, gives both; in place of the other two.
        download: fetch the parts of 2017 when they are missing: name root `.../train2017` or
            `.../val2017`, and annFile `.../annotations/<kind>_<part>.json`.

    Attributes:
        coco: the file's index.
        ids: of the images, sorted.

    Raises:
        MissingDataError: files are missing and download is False.
        FileFormatError: annFile is no COCO file.

    Source: T.-Y. Lin et al. 2014, arXiv:1405.0312.
    """

    remotes = {
        "train2017": Remote(f"{_URL}zips/train2017.zip", "cced6f7f71b7629ddf16f17bbcfab6b2"),
        "val2017": Remote(f"{_URL}zips/val2017.zip", "442b8da7639aecaf257c1dceb8ba8c80"),
        "annotations": Remote(
            f"{_URL}annotations/annotations_trainval2017.zip", "f4bbac642086de4f52a3fdda2de5fa2c"
        ),
    }

    def __init__(
        self,
        root: PathLike,
        annFile: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        transforms: PairTransform | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        listed, name = rooted(annFile), type(self).__name__
        images = [self.remotes[self.folder.name]] if self.folder.name in self.remotes else []
        cure = "" if images else "download=True needs a root called train2017 or val2017"
        prepare(
            name,
            self.folder.parent,
            {self.folder.name: None},
            images,
            download=download,
            by_hand=cure,
        )
        base = listed.parent.parent
        files = {f"{listed.parent.name}/{listed.name}": None}
        prepare(name, base, files, [self.remotes["annotations"]], download=download)
        self.coco = CocoIndex(listed)
        self.ids = sorted(self.coco.imgs)

    def _target(self, id: int) -> list[Any]:
        return self.coco.imgToAnns.get(id, [])

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, annotations)."""
        id = self.ids[index]
        image = opened(self.folder / self.coco.imgs[id]["file_name"], "RGB")
        return self.sample(image, list(self._target(id)))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.ids)


class CocoCaptions(CocoDetection):
    """Photographs, each with some sentences about it. Arguments are those of `CocoDetection`.

    Example:
        >>> CocoCaptions("val2017", "annotations/captions_val2017.json")[0][1]  # doctest: +SKIP
        ['A woman stands in the dining area at the table.', ...]
    """

    def _target(self, id: int) -> list[Any]:
        return [annotation["caption"] for annotation in super()._target(id)]
