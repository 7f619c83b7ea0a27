"""PatchCamelyon: is there tumour tissue in this patch?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .preparing import Remote, drive, optional_module, prepare
from .utils import verify_str_arg
from .vision import OneTransform, PathLike, VisionDataset

__all__ = ["PCAM"]

_NAME = "camelyonpatch_level_2_split_{}_{}.h5"


def _file(part: str, what: str, file_id: str, md5: str) -> Remote:
    return drive(file_id, _NAME.format(part, what) + ".gz", md5, "pcam")


class PCAM(VisionDataset):
    """Patches of lymph nodes under the microscope, 96 x 96 pixels; 1 where the centre has tumour.

    Needs h5py, which reads the files.

    Args:
        root: the files lie in `root/pcam`.
        split: "train" with 262,144 patches, "val" or "test" with 32,768 each.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the label.
        download: fetch the files when they are missing.

    Raises:
        MissingDataError: files are missing and download is False.
        MissingDependencyError: h5py is not installed.

    Source: B. Veeling et al. 2018, arXiv:1806.03962.
    """

    remotes = {
        "train": (
            _file(
                "train",
                "x",
                "1Ka0XfEMiwgCYPdTI-vv6eUElOBnKFKQ2",
                "1571f514728f59376b705fc836ff4b63",
            ),
            _file(
                "train",
                "y",
                "1269yhu3pZDP8UYFQs-NYs3FPwuK-nGSG",
                "35c2d7259d906cfc8143347bb8e05be7",
            ),
        ),
        "test": (
            _file(
                "test", "x", "1qV65ZqZvWzuIVthK8eVDhIwrbnsJdbg_", "d8c2d60d490dbd479f8199bdfa0cf6ec"
            ),
            _file(
                "test", "y", "17BHrSrwWKjYsOgTMmoqrIjDy6Fa2o_gP", "60a7035772fbdb7f34eb86d4420cf66a"
            ),
        ),
        "val": (
            _file(
                "valid",
                "x",
                "1hgshYGWK8V-eGRy8LToWJJgDU_rXWVJ3",
                "d5b63470df7cfa627aeec8b9dc0c066e",
            ),
            _file(
                "valid",
                "y",
                "1bH8ZRbhSVAhScTS0p9-ZzGnX91cHT3uO",
                "2b85f58b927af9964a4c15b8f7e8f179",
            ),
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
        optional_module("h5py", "PCAM")  # before anything is fetched
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.split = verify_str_arg(split, "split", ("train", "test", "val"))
        part = "valid" if split == "val" else split
        names = [f"pcam/{_NAME.format(part, what)}" for what in "xy"]
        remotes = self.remotes[split]
        prepare("PCAM", self.folder, dict.fromkeys(names), remotes, download=download)
        self._images, self._labels = (self.folder / name for name in names)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        """(image, label). Files are opened anew each time: workers must not share them."""
        from PIL import Image

        with _opened(self._images) as images, _opened(self._labels) as labels:
            image = Image.fromarray(images["x"][index]).convert("RGB")
            return self.sample(image, int(labels["y"][index, 0, 0, 0]))

    def __len__(self) -> int:
        """Number of patches."""
        with _opened(self._images) as images:
            return int(images["x"].shape[0])


def _opened(path: Path) -> Any:
    return optional_module("h5py", "PCAM").File(path)
