"""Random images that stay the same."""

import numpy as np
import pytest

from triptych_vision.datasets import FakeData


def test_samples_are_reproducible_and_differ() -> None:
    data = FakeData(size=6, image_size=(1, 9, 7), num_classes=3)
    first = [(np.asarray(image).tobytes(), label) for image, label in data]
    again = [(np.asarray(data[i][0]).tobytes(), data[i][1]) for i in range(len(data))]
    assert first == again
    assert len({image for image, _ in first}) == 6
    assert {label for _, label in FakeData(size=60, image_size=(1, 2, 2), num_classes=3)} == {
        0,
        1,
        2,
    }
    assert np.array_equal(data[-1][0], data[5][0])


def test_offset_shifts_the_samples() -> None:
    plain, shifted = FakeData(4, (3, 5, 5)), FakeData(4, (3, 5, 5), random_offset=1)
    assert np.array_equal(plain[2][0], shifted[1][0])


def test_kind_size_and_transforms() -> None:
    image, label = FakeData(2, (3, 5, 4), transform=lambda x: x.size, target_transform=str)[0]
    assert image == (4, 5)
    assert isinstance(label, str)
    assert "Number of datapoints: 2" in repr(FakeData(2))


@pytest.mark.parametrize("index", [2, -3])
def test_index_out_of_range(index: int) -> None:
    with pytest.raises(IndexError, match="out of range for 2"):
        FakeData(2)[index]
