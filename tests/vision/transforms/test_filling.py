"""The fill of a kind is that of its nearest class, or of the others."""

import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms.filling import checked_fill_by_kind, fill_for


def test_by_class() -> None:
    fill = {tv_tensors.Mask: 255, tv_tensors.TVTensor: 1, Image.Image: [3, 4, 5], "others": 2}
    found = [
        fill_for(fill, inpt)
        for inpt in (tv_tensors.Mask([[1]]), tv_tensors.Image([[1]]), Image.new("L", (1, 1)), 7)
    ]
    assert found == [255, 1, [3, 4, 5], 2]
    assert fill_for({tv_tensors.Mask: 255}, tp.zeros(1)) is None
    assert fill_for(7, tp.zeros(1)) == 7


def test_in_a_sample() -> None:
    frame = T.Pad(1, fill={tv_tensors.Mask: 9, "others": 2})
    image, mask = frame((tv_tensors.Image([[0]]), tv_tensors.Mask([[0]])))
    assert (image[0, 0, 0].item(), mask[0, 0].item()) == (2, 9)


@pytest.mark.parametrize("fill", ["black", {"others": "black"}, [1, "a"]])
def test_what_is_no_fill(fill: object) -> None:
    with pytest.raises(DTypeError, match="Pad: fill is a number"):
        checked_fill_by_kind("Pad", fill)  # type: ignore[arg-type]
