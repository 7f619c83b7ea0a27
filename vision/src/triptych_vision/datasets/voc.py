"""PASCAL VOC: boxes around objects, and maps of what each pixel shows."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from triptych.errors import FileFormatError, UnsafeFileError

from .listed import opened, read_lines
from .preparing import Remote, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PairTransform, PathLike, VisionDataset

__all__ = ["VOCDetection", "VOCSegmentation"]

_URL = "https://thor.robots.ox.ac.uk/pascal/VOC/"


class _VOC(VisionDataset):
    """What both tasks share: years, lists and files."""

    remotes = {
        "2012": Remote(
            f"{_URL}voc2012/VOCtrainval_11-May-2012.tar", "6cd6e144f989b92b3379bac3b3de84fd"
        ),
        "2011": Remote(
            f"{_URL}voc2011/VOCtrainval_25-May-2011.tar", "6c3384ef61512963050cb5d687e5bf1e"
        ),
        "2010": Remote(
            f"{_URL}voc2010/VOCtrainval_03-May-2010.tar", "da459979d0c395079b5c75ee67908abb"
        ),
        "2009": Remote(
            f"{_URL}voc2009/VOCtrainval_11-May-2009.tar", "a3e00b113cfcfebf17e343f59da3caa1"
        ),
        "2008": Remote(
            f"{_URL}voc2008/VOCtrainval_14-Jul-2008.tar", "2629fa636546599198acfcfbfcf1904a"
        ),
        "2007": Remote(
            f"{_URL}voc2007/VOCtrainval_06-Nov-2007.tar", "c52e279531787c972589f7e41ab4ae64"
        ),
        "2007-test": Remote(
            f"{_URL}voc2007/VOCtest_06-Nov-2007.tar", "b6e924de25625d8de591ea690078ad9f"
        ),
    }
    _lists, _folder, _suffix = "", "", ""

    def __init__(
        self,
        root: PathLike,
        year: str = "2012",
        image_set: str = "train",
        download: bool = False,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        transforms: PairTransform | None = None,
    ) -> None:
        super().__init__(root, transforms, transform, target_transform)
        self.year = verify_str_arg(year, "year", [str(year) for year in range(2007, 2013)])
        sets = ("train", "trainval", "val") + ("test",) * (year == "2007")
        self.image_set = verify_str_arg(image_set, "image_set", sets)
        base = f"{'TrainVal/' * (year == '2011')}VOCdevkit/VOC{year}"
        names = f"{base}/ImageSets/{self._lists}/{image_set}.txt"
        files = {names: None, f"{base}/JPEGImages": None, f"{base}/{self._folder}": None}
        remote = self.remotes["2007-test" if image_set == "test" else year]
        prepare(type(self).__name__, self.folder, files, [remote], download=download)
        ids = read_lines(self.folder / names)
        self.images = [str(self.folder / base / "JPEGImages" / f"{id}.jpg") for id in ids]
        self.targets = [str(self.folder / base / self._folder / (id + self._suffix)) for id in ids]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)


class VOCSegmentation(_VOC):
    """Photographs, and maps of the 20 kinds of objects in them.

    Args:
        root: the files lie in `root/VOCdevkit/VOC<year>`; of 2011 in `root/TrainVal/...`.
        year: "2007" to "2012".
        image_set: "train", "trainval" or "val"; of 2007 "test", too.
        download: fetch the files when they are missing.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the map, a PIL image in mode P: 0 is background, 1 to 20 are
            the kinds, 255 is the edge, which does not count.
        transforms: called with image and map, gives both; in place of the other two.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: M. Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge".
    """

    _lists, _folder, _suffix = "Segmentation", "SegmentationClass", ".png"

    @property
    def masks(self) -> list[str]:
        """Path of each map."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, map)."""
        return self.sample(opened(self.images[index], "RGB"), opened(self.masks[index]))


class VOCDetection(_VOC):
    """Photographs, and boxes around the 20 kinds of objects in them.

    Args:
        root: the files lie in `root/VOCdevkit/VOC<year>`; of 2011 in `root/TrainVal/...`.
        year: "2007" to "2012".
        image_set: "train", "trainval" or "val"; of 2007 "test", too.
        download: fetch the files when they are missing.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the annotation, nested dicts of the XML file's texts;
            `target["annotation"]["object"]` is a list of objects.
        transforms: called with image and annotation, gives both; in place of the other two.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: M. Everingham et al. 2010, "The PASCAL Visual Object Classes (VOC) Challenge".
    """

    _lists, _folder, _suffix = "Main", "Annotations", ".xml"

    @property
    def annotations(self) -> list[str]:
        """Path of each annotation."""
        return self.targets

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, annotation)."""
        annotation = self.parse_voc_xml(_xml(Path(self.annotations[index])))
        return self.sample(opened(self.images[index], "RGB"), annotation)

    @staticmethod
    def parse_voc_xml(node: ElementTree.Element) -> dict[str, Any]:
        """Nested dicts of an annotation: a tag's text, or its tags; a list where one repeats."""
        children = list(node)
        if not children:
            return {node.tag: (node.text or "").strip()} if node.text else {}
        found: dict[str, list[Any]] = defaultdict(list)
        for child in map(VOCDetection.parse_voc_xml, children):
            for tag, value in child.items():
                found[tag].append(value)
        content: dict[str, Any] = {
            tag: values[0] if len(values) == 1 else values for tag, values in found.items()
        }
        if node.tag == "annotation":
            content["object"] = found.get("object", [])
        return {node.tag: content}


def _xml(path: Path) -> ElementTree.Element:
    """The root of an annotation; entities, which could fill the memory, are refused."""
    raw = path.read_bytes()
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise UnsafeFileError(f"{path}: declares a document type; an annotation needs none")
    try:
        return ElementTree.fromstring(raw)
    except ElementTree.ParseError as error:
        raise FileFormatError(f"{path}: is no XML file: {error}") from error
