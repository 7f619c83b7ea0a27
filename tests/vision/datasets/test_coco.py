"""COCO's index, targets and masks."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from triptych.errors import FileFormatError
from triptych_vision.datasets import CocoCaptions, CocoDetection, CocoIndex, MissingDataError
from triptych_vision.datasets.coco_masks import (
    mask_of_polygons,
    mask_of_runs,
    segmentation_mask,
    unpacked_runs,
)

CONTENT = {
    "images": [
        {"id": 9, "file_name": "b.jpg", "height": 4, "width": 6},
        {"id": 4, "file_name": "a.jpg", "height": 4, "width": 6},
        {"id": 7, "file_name": "a.jpg", "height": 4, "width": 6},
    ],
    "annotations": [
        {"id": 1, "image_id": 4, "category_id": 3, "bbox": [1, 1, 2, 2], "area": 4.0, "iscrowd": 0,
         "segmentation": [[1, 1, 3, 1, 3, 3, 1, 3]], "caption": "a square"},
        {"id": 2, "image_id": 4, "category_id": 5, "bbox": [0, 0, 6, 4], "area": 24.0, "iscrowd": 1,
         "segmentation": {"counts": [0, 24], "size": [4, 6]}, "caption": "all"},
        {"id": 3, "image_id": 9, "category_id": 3, "bbox": [0, 0, 1, 1], "area": 1.0, "iscrowd": 0,
         "segmentation": [], "caption": "a dot"},
    ],
    "categories": [
        {"id": 3, "name": "cat", "supercategory": "animal"},
        {"id": 5, "name": "cup", "supercategory": "kitchen"},
    ],
}  # fmt: skip


@pytest.fixture
def tree(tmp_path: Path, files: Any) -> Path:
    listed = json.dumps(CONTENT).encode()
    names = {"val2017/a.jpg": files.image(shade=1), "val2017/b.jpg": files.image(shade=2)}
    return files.write(tmp_path / "coco", {**names, "annotations/instances_val2017.json": listed})


def test_samples(tree: Path) -> None:
    listed = tree / "annotations" / "instances_val2017.json"
    data = CocoDetection(tree / "val2017", listed)
    assert data.ids == [4, 7, 9]
    image, annotations = data[0]
    assert (image.mode, image.size) == ("RGB", (6, 4))
    assert annotations == CONTENT["annotations"][:2]
    assert data[1][1] == []
    captions = CocoCaptions(tree / "val2017", listed, transforms=lambda x, y: (y, x.size))
    assert captions[0] == (["a square", "all"], (6, 4))


def test_index_answers_as_pycocotools(tree: Path) -> None:
    coco = CocoIndex(tree / "annotations" / "instances_val2017.json")
    assert coco.getAnnIds(imgIds=4) == [1, 2]
    assert coco.getAnnIds(imgIds=[4, 9], catIds=[3]) == [1, 3]
    assert coco.getAnnIds(areaRng=(2, 30), iscrowd=False) == [1]
    assert coco.getCatIds(catNms="cup") == coco.getCatIds(supNms=["kitchen"]) == [5]
    assert coco.getImgIds(catIds=3) == [4, 9]
    assert coco.getImgIds(catIds=[3, 5]) == [4]
    assert coco.loadImgs(9)[0]["file_name"] == "b.jpg"
    assert [c["name"] for c in coco.loadCats([5, 3])] == ["cup", "cat"]
    assert coco.annToMask(coco.loadAnns(1)[0]).sum() == 4
    assert coco.annToMask(coco.loadAnns([2])[0]).all()


def test_missing_and_broken(tree: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="called train2017 or val2017"):
        CocoDetection(tmp_path / "pictures", tree / "annotations" / "instances_val2017.json")
    with pytest.raises(MissingDataError, match=r"none\.json not found; download=True"):
        CocoDetection(tree / "val2017", tree / "annotations" / "none.json")
    (tree / "x.json").write_text("[1]")
    with pytest.raises(FileFormatError, match="is no COCO file"):
        CocoIndex(tree / "x.json")


def test_download(tree: Path, tmp_path: Path, publisher: Any, files: Any) -> None:
    content = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file()
    }
    root = tmp_path / "new"
    publisher.publish(root, content)
    images = {n: c for n, c in content.items() if n.endswith(".jpg")}
    publisher.archives["val2017.zip"] = files.packed("val2017.zip", images)
    listed = root / "annotations" / "instances_val2017.json"
    assert len(CocoDetection(root / "val2017", listed, download=True)) == 3
    assert len(publisher.asked) == 2


def packed_runs(runs: list[int]) -> str:
    """What the COCO API writes: "rleToString"."""
    text = ""
    for i, run in enumerate(runs):
        value = run - runs[i - 2] if i > 2 else run
        while True:
            bits = value & 0x1F
            value >>= 5
            done = value == (-1 if bits & 0x10 else 0)
            text += chr((bits if done else bits | 0x20) + 48)
            if done:
                break
    return text


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_packed_runs_round_trip(runs: list[int]) -> None:
    assert unpacked_runs(packed_runs(runs)) == runs


def test_runs() -> None:
    mask = mask_of_runs([1, 2, 3], 2, 3)
    assert mask.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert np.array_equal(segmentation_mask({"counts": packed_runs([1, 2, 3])}, 2, 3), mask)
    with pytest.raises(FileFormatError, match="cover 5 pixels of 2 x 3"):
        mask_of_runs([5], 2, 3)
    with pytest.raises(FileFormatError, match="end within a number"):
        unpacked_runs("o")
    with pytest.raises(FileFormatError, match="got a str"):
        segmentation_mask("runs", 2, 3)


@given(st.tuples(*[st.integers(0, 9)] * 4))
@settings(max_examples=60)
def test_upright_rectangles_are_exact(box: tuple[int, int, int, int]) -> None:
    x0, x1, y0, y1 = min(box[:2]), max(box[:2]), min(box[2:]), max(box[2:])
    mask = mask_of_polygons([[x0, y0, x1, y0, x1, y1, x0, y1]], 10, 10)
    wanted = np.zeros((10, 10), np.uint8)
    wanted[y0:y1, x0:x1] = 1
    assert np.array_equal(mask, wanted)


def test_polygons_cover_their_area_and_unite() -> None:
    disk = np.stack([50 + 30 * np.cos(t := np.linspace(0, 2 * np.pi, 200)), 40 + 30 * np.sin(t)], 1)
    mask = mask_of_polygons([disk.reshape(-1).tolist()], 80, 100)
    rows, columns = np.mgrid[:80, :100] + 0.5
    distance = np.hypot(columns - 50, rows - 40)
    assert mask[distance < 29].all()
    assert not mask[distance > 31].any()
    two = mask_of_polygons([[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 3, 1, 3, 3, 1, 3]], 4, 4)
    assert two.sum() == 7
