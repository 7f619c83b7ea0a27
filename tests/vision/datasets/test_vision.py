"""What all data sets of images share."""

from typing import Any

import pytest

from triptych_vision.datasets import StandardTransform, VisionDataset


class Numbers(VisionDataset):
    """0, 1, 2 with their squares."""

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.sample(index, index**2)

    def __len__(self) -> int:
        return 3

    def extra_repr(self) -> str:
        return "Split: all"


def test_transforms_are_applied() -> None:
    assert Numbers()[2] == (2, 4)
    assert Numbers(transform=str)[2] == ("2", 4)
    assert Numbers(target_transform=float)[2] == (2, 4.0)
    assert Numbers(transforms=lambda x, y: (y, x))[2] == (4, 2)


def test_both_kinds_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="not both"):
        Numbers(transforms=lambda x, y: (x, y), transform=str)


def test_printing() -> None:
    text = repr(Numbers("some/where", transform=str))
    assert text.splitlines() == [
        "Dataset Numbers",
        "    Number of datapoints: 3",
        "    Root location: some/where",
        "    Split: all",
        "    StandardTransform",
        "    Transform: <class 'str'>",
    ]
    assert repr(StandardTransform()) == "StandardTransform"


def test_base_is_abstract() -> None:
    with pytest.raises(NotImplementedError, match="__len__"):
        len(VisionDataset())
    with pytest.raises(NotImplementedError, match="__getitem__"):
        VisionDataset()[0]
