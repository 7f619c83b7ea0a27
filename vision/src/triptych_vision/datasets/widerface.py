"""WIDER FACE: boxes around faces, large and tiny."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import FileFormatError

from .listed import opened, read_lines
from .preparing import Remote, drive, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset, rooted

__all__ = ["WIDERFace"]

_FIELDS = ("blur", "expression", "illumination", "occlusion", "pose", "invalid")


class WIDERFace(VisionDataset):
    """32,203 photographs of 393,703 faces.

    Args:
        root: the files lie in `root/widerface`.
        split: "train", "val" or "test".
        transform: called with the image, a PIL image.
        target_transform: called with the target, a dict of int64 tensors with one row for each
            face: "bbox" (n, 4), left, top, width and height, and "blur", "expression",
            "illumination", "occlusion", "pose" and "invalid" (n,). None for the test part.
        download: fetch the files when they are missing.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: S. Yang, P. Luo, C. C. Loy and X. Tang 2016, arXiv:1511.06523.
    """

    remotes = {
        "train": drive(
            "15hGDLhsx8bLgLcIRD5DhYt5iBxnjNF1M",
            "WIDER_train.zip",
            "3fedf70df600953d25982bcd13d91ba2",
        ),
        "val": drive(
            "1GUCogbp16PMGa39thoMMeWxp7Rp5oM8Q", "WIDER_val.zip", "dfa7d7e790efa35df3788964cf0bbaea"
        ),
        "test": drive(
            "1HIfDbVEWKmsYKJZm4lchTBDLW5N7dY5T",
            "WIDER_test.zip",
            "e5d8f4248ed24c334bbd12f49c29dd40",
        ),
        "annotations": Remote(
            "http://shuoyang1213.me/WIDERFACE/support/bbx_annotation/wider_face_split.zip",
            "0e3767bcf0e326556d407bf5bff5d27c",
        ),
    }

    def __init__(
        self,
        root: PathLike,
        split: str = "train",
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        download: bool = False,
    ) -> None:
        root = rooted(root) / "widerface"
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", ("train", "val", "test"))
        name = "test_filelist" if split == "test" else f"{split}_bbx_gt"
        listed, images = f"wider_face_split/wider_face_{name}.txt", f"WIDER_{split}/images"
        remotes = [self.remotes[split], self.remotes["annotations"]]
        prepare("WIDERFace", root, {listed: None, images: None}, remotes, download=download)
        self.img_info = self._read(root / listed, root / images)

    def _read(self, listed: Path, images: Path) -> list[dict[str, Any]]:
        lines = read_lines(listed)
        if self.split == "test":
            return [{"img_path": str(images / line)} for line in lines]
        found, at = [], 0
        try:
            while at < len(lines):  # a name, the number of faces, a line for each; one if none
                end = at + 2 + max(1, int(lines[at + 1]))
                table = np.array([line.split() for line in lines[at + 2 : end]], np.int64)
                path = str(images / lines[at])
                found.append({"img_path": path, "annotations": _annotations(table)})
                at = end
        except (ValueError, IndexError) as error:
            raise FileFormatError(f"{listed}: line {at + 1}: {error}") from error
        return found

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, dict of tensors)."""
        info = self.img_info[index]
        return self.sample(opened(info["img_path"]), info.get("annotations"))

    def __len__(self) -> int:
        """Number of images."""
        return len(self.img_info)

    def extra_repr(self) -> str:
        """The split."""
        return f"Split: {self.split}"


def _annotations(table: np.ndarray) -> dict[str, tp.Tensor]:
    columns = {name: np.ascontiguousarray(table[:, 4 + i]) for i, name in enumerate(_FIELDS)}
    boxes = np.ascontiguousarray(table[:, :4])
    return {name: tp.from_numpy(values) for name, values in {"bbox": boxes, **columns}.items()}
