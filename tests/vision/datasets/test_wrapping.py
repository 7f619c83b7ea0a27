"""Targets as tv_tensors."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import triptych as tp
import triptych_vision.datasets as datasets
from triptych_vision.datasets import (
    VisionDataset,
    wrap_dataset_for_transforms_v2,
)
from triptych_vision.tv_tensors import BoundingBoxes, Mask, Video

wrap = wrap_dataset_for_transforms_v2


def fake(name: str, sample: Any, **attributes: Any) -> Any:
    """An instance of a data set that gives one sample, without files."""
    kind = getattr(datasets, name)
    own = type(name, (kind,), {"__getitem__": lambda self, i: sample, "__len__": lambda self: 1})
    own.__module__ = __name__
    made = own.__new__(own)
    VisionDataset.__init__(made)
    vars(made).update(attributes)
    return made


@pytest.fixture
def image() -> Any:
    from PIL import Image

    return Image.new("RGB", (6, 4))


@pytest.fixture
def mask() -> Any:
    from PIL import Image

    pixels = np.zeros((4, 6), np.uint8)
    pixels[1:3, 2:5] = 7
    return Image.fromarray(pixels)


ANNOTATIONS = [
    {"image_id": 5, "bbox": [1, 1, 2, 2], "category_id": 3, "area": 4, "iscrowd": 0, "id": 1,
     "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]]},
    {"image_id": 5, "bbox": [0, 0, 6, 4], "category_id": 8, "area": 24, "iscrowd": 1, "id": 2,
     "segmentation": {"counts": [0, 24], "size": [4, 6]}},
]  # fmt: skip


def test_coco(image: Any) -> None:
    data = fake("CocoDetection", (image, ANNOTATIONS), ids=[5])
    _, target = wrap(data)[0]
    assert target.keys() == {"image_id", "boxes", "labels"}
    boxes = target["boxes"]
    assert isinstance(boxes, BoundingBoxes)
    assert (boxes.format.value, boxes.canvas_size) == ("XYXY", (4, 6))
    assert boxes.tolist() == [[1, 1, 3, 3], [0, 0, 6, 4]]
    assert (target["labels"].tolist(), target["labels"].dtype) == ([3, 8], tp.int64)
    _, target = wrap(data, target_keys="all")[0]
    assert isinstance(target["masks"], Mask)
    assert target["masks"].sum((1, 2)).tolist() == [4, 24]
    assert target["iscrowd"] == [0, 1]
    assert wrap(data, target_keys={"area"})[0][1] == {"area": [4, 24]}
    empty = fake("CocoDetection", (image, []), ids=[5])
    assert wrap(empty)[0][1] == {"image_id": 5}
    with pytest.raises(ValueError, match=r"no target key \['colour'\]"):
        wrap(data, target_keys=["colour"])


def test_voc(image: Any, mask: Any) -> None:
    box = {"xmin": "1", "ymin": "2", "xmax": "3", "ymax": "4"}
    annotation = {"annotation": {"object": [{"name": "dog", "bndbox": box}]}}
    _, target = wrap(fake("VOCDetection", (image, annotation)))[0]
    assert target["boxes"].tolist() == [[1, 2, 3, 4]]
    assert target["labels"].tolist() == [12]
    _, both = wrap(fake("VOCDetection", (image, annotation)), "all")[0]
    assert both.keys() == {"annotation", "boxes", "labels"}
    _, found = wrap(fake("VOCSegmentation", (image, mask)))[0]
    assert isinstance(found, Mask)
    assert found.max() == 7


def test_kitti_and_wider_face(image: Any) -> None:
    rows = [{"type": "Van", "bbox": [1.0, 2.0, 3.0, 4.0], "alpha": 0.5}]
    _, target = wrap(fake("Kitti", (image, rows)))[0]
    assert (target["labels"].tolist(), target["boxes"].tolist()) == ([1], [[1, 2, 3, 4]])
    assert wrap(fake("Kitti", (image, None)))[0][1] is None
    faces = {"bbox": tp.tensor([[1, 1, 2, 3]]), "blur": tp.tensor([2])}
    _, target = wrap(fake("WIDERFace", (image, faces)), ["bbox"])[0]
    assert target["bbox"].tolist() == [[1, 1, 3, 4]]


def test_cityscapes(image: Any, mask: Any) -> None:
    from PIL import Image

    instances = np.full((4, 6), 7, np.int32)
    instances[0] = 26001
    picture = Image.fromarray(instances)
    data = fake("Cityscapes", (image, (picture, mask)), target_type=["instance", "semantic"])
    _, (objects, classes) = wrap(data)[0]
    assert objects["labels"].tolist() == [7, 26]
    assert objects["masks"].sum((1, 2)).tolist() == [18, 6]
    assert isinstance(classes, Mask)


def test_single_targets(image: Any, mask: Any) -> None:
    celeba = fake("CelebA", (image, tp.tensor([1, 1, 2, 3])), target_type=["bbox"])
    assert wrap(celeba)[0][1].tolist() == [[1, 1, 3, 4]]
    pets = fake("OxfordIIITPet", (image, (3, mask)), target_types=["category", "segmentation"])
    category, outline = wrap(pets)[0][1]
    assert category == 3
    assert isinstance(outline, Mask)
    sbd = fake("SBDataset", (image, mask), mode="segmentation")
    assert isinstance(wrap(sbd)[0][1], Mask)


def test_films() -> None:
    class Clips:
        output_format = "TCHW"

    sample = (tp.zeros((2, 3, 4, 4)), tp.zeros((1, 0)), 5)
    data = fake("UCF101", sample, video_clips=Clips())
    video, _, label = wrap(data)[0]
    assert isinstance(video, Video)
    assert label == 5
    data.transform = lambda film: film.shape[0]
    assert wrap(data)[0][0] == 2


@pytest.mark.parametrize(
    ("name", "attributes", "text"),
    [
        ("CelebA", {"target_type": ["attr"]}, "attr"),
        ("Caltech101", {"target_type": ["annotation"]}, "annotation"),
        ("Cityscapes", {"target_type": ["polygon"]}, "polygon"),
        ("SBDataset", {"mode": "boundaries"}, "boundaries"),
        ("HMDB51", {"video_clips": type("Clips", (), {"output_format": "THWC"})}, "TCHW"),
    ],
)
def test_what_has_no_kind_is_refused(name: str, attributes: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        wrap(fake(name, None, **attributes))


def test_transforms_come_after_wrapping(image: Any, mask: Any) -> None:
    data = fake("VOCSegmentation", (image, mask))
    seen = []

    def change(*sample: Any) -> Any:
        seen.append(type(sample[1]))
        return sample

    data.transforms = change
    wrapped = wrap(data)
    wrapped[0]
    assert seen == [Mask]
    assert data.transforms is change  # the data set itself stays as it was


def test_wrapped_sets_are_instances_with_all_attributes(tmp_path: Path, files: Any) -> None:
    files.write(tmp_path, {"cat/a.png": files.image("png"), "dog/b.png": files.image("png")})
    folder = datasets.ImageFolder(tmp_path, transform=str, target_transform=float)
    wrapped = wrap(folder)
    assert isinstance(wrapped, datasets.ImageFolder)
    assert wrapped.classes == ["cat", "dog"]
    assert (len(wrapped), wrapped[1][1]) == (2, 1.0)
    assert "WrappedImageFolder" in repr(wrapped)
    again = pickle.loads(pickle.dumps(wrapped))
    assert again[1][1] == 1.0
    with pytest.raises(AttributeError, match="nothing"):
        wrapped.nothing  # noqa: B018
    with pytest.raises(ValueError, match="has no target_keys"):
        wrap(folder, target_keys="all")


def test_what_cannot_be_wrapped() -> None:
    class Own(VisionDataset): ...

    with pytest.raises(TypeError, match="nothing is known about targets of Own"):
        wrap(Own())
    with pytest.raises(TypeError, match="got a list"):
        wrap([1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="None, 'all' or several names"):
        wrap(datasets.FakeData(), target_keys=[1])  # type: ignore[list-item]


def test_transform_may_be_set_later() -> None:
    data = datasets.FakeData(2, (3, 4, 4))
    data.transform = lambda image: image.size
    assert data[0][0] == (4, 4)
    data.target_transform = lambda label: "label"
    assert data[0] == ((4, 4), "label")
    data.transform = data.target_transform = None
    assert data.transforms is None


def test_coco_from_files(tmp_path: Path, files: Any) -> None:
    listed = {"images": [{"id": 5, "file_name": "a.jpg", "height": 4, "width": 6}]}
    content = json.dumps({**listed, "annotations": ANNOTATIONS}).encode()
    files.write(tmp_path, {"images/a.jpg": files.image(), "ann/all.json": content})
    data = wrap(datasets.CocoDetection(tmp_path / "images", tmp_path / "ann/all.json"), "all")
    assert data[0][1]["masks"].shape == (2, 4, 6)
