"""Folders in YOLO's format."""

from pathlib import Path
from typing import Any

import pytest

from triptych.errors import FileFormatError
from triptych_vision.datasets import MissingDataError, YOLODetection
from triptych_vision.tv_tensors import BoundingBoxes


@pytest.fixture
def root(tmp_path: Path, files: Any) -> Path:
    tree = {
        "classes.txt": b"cat\ndog\n",
        "images/val/a.jpg": files.image(size=(20, 10)),
        "images/val/deep/b.png": files.image("png"),
        "images/val/c.jpg": files.image(),
        "labels/val/a.txt": b"1 0.5 0.5 0.2 0.4\n0 0.1 0.2 0.3 0.2 0.3 0.6\n",
        "labels/val/c.txt": b"1 0.5 0.5\n",
    }
    return files.write(tmp_path, tree)


def test_boxes_in_pixels(root: Path) -> None:
    data = YOLODetection(root, "val")
    assert len(data) == 3
    assert data.class_to_idx == {"cat": 0, "dog": 1}
    image, target = data[0]
    assert image.size == (20, 10)
    boxes = target["boxes"]
    assert isinstance(boxes, BoundingBoxes)
    assert boxes.canvas_size == (10, 20)
    wanted = [[8, 3, 12, 7], [2, 2, 6, 6]]
    assert [pytest.approx(row, abs=1e-5) for row in wanted] == boxes.tolist()
    assert target["labels"].tolist() == [1, 0]
    nothing = data[2][1]  # deep/b.png
    assert nothing["boxes"].shape == (0, 4)
    assert YOLODetection(root, "val", classes=["x"]).classes == ["x"]


def test_what_is_wrong_is_said(root: Path) -> None:
    with pytest.raises(MissingDataError, match=r"images/train.*wanted images/<split>"):
        YOLODetection(root)
    with pytest.raises(FileFormatError, match=r"c\.txt: line 1: wanted a class and a box"):
        YOLODetection(root, "val")[1]
    (root / "labels" / "val" / "c.txt").write_text("dog 1 2 3 4")
    with pytest.raises(FileFormatError, match=r"line 1: invalid literal"):
        YOLODetection(root, "val")[1]
