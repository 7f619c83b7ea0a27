"""Kernels are found by type."""

import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.dispatch import (
    functional,
    has_kernel,
    kind_kernel,
    register_kernel,
    tensor_kernel,
)


def test_own_types_and_their_subclasses() -> None:
    class Depth:
        pass

    class FineDepth(Depth):
        pass

    @register_kernel(F.vertical_flip, Depth)
    def flip(image: Depth) -> str:
        return "flipped"

    assert F.vertical_flip(Depth()) == "flipped"
    assert F.vertical_flip(FineDepth()) == "flipped"
    with pytest.raises(ValueError, match="has a kernel"):
        register_kernel(F.vertical_flip, Depth)(flip)


def test_types_by_name_and_a_kernel_added_later() -> None:
    @functional
    def twice(inpt: tp.Tensor) -> tp.Tensor:
        """Twice the values."""
        return inpt * 2

    class Late(int):
        pass

    with pytest.raises(DTypeError, match=r"twice: wanted a PIL image.*got Late"):
        twice(Late(3))
    register_kernel(twice, f"{Late.__module__}.{Late.__qualname__}")(lambda x: Late(x * 2))
    assert twice(Late(3)) == 6
    assert twice(inpt=tp.ones(1)).item() == 2
    assert tensor_kernel(twice)(tp.ones(1)).item() == 2
    assert twice.__doc__ == "Twice the values."


def test_only_functions_that_go_by_type_take_kernels() -> None:
    with pytest.raises(ValueError, match="does not go by the type"):
        register_kernel(print, int)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(DTypeError, match=r"resize: wanted a PIL image.*got str"):
        F.resize("cat.png", 3)


def test_kernels_of_kinds_get_what_they_name() -> None:
    @functional
    def shifted(inpt: tp.Tensor, x: float, y: float, fill: float = 0) -> tp.Tensor:
        """Moved."""
        return inpt + fill

    seen = []

    @kind_kernel(shifted, tv_tensors.BoundingBoxes)
    def shifted_boxes(
        boxes: tp.Tensor, canvas_size: tuple[int, int], y: float
    ) -> tuple[tp.Tensor, tuple[int, int]]:
        seen.append((type(boxes), canvas_size, y))
        return boxes + y, (7, 8)

    boxes = tv_tensors.BoundingBoxes([[1, 2, 3, 4]], format="XYWH", canvas_size=(5, 6))
    out = shifted(boxes, 1, 2, fill=9)
    assert seen == [(tp.Tensor, (5, 6), 2)]
    assert (out.tolist(), out.canvas_size, out.format.name) == ([[3, 4, 5, 6]], (7, 8), "XYWH")
    assert type(shifted(tv_tensors.Image([[1]]), 1, 2)) is tv_tensors.Image
    assert not has_kernel(shifted, tv_tensors.Mask([[1]]))
    with pytest.raises(DTypeError, match="shifted: has no kernel for Mask, only for PIL images"):
        shifted(tv_tensors.Mask([[1]]), 1, 2)
    with pytest.raises(ValueError, match="subclass it and register the subclass"):
        register_kernel(shifted, tv_tensors.Mask)


def test_functions_may_be_named() -> None:
    class Rows(list):
        pass

    register_kernel("crop", Rows)(lambda rows, *place: Rows(rows[:1]))
    assert F.crop(Rows([1, 2]), 0, 0, 1, 1) == [1]
    with pytest.raises(ValueError, match="'nothing' does not go by the type"):
        register_kernel("nothing", Rows)


def test_kernels_for_tensors_have_names() -> None:
    assert F.resize_image is F.resize_video is tensor_kernel(F.resize)
    assert F.get_num_channels_image(tp.zeros(3, 2, 2)) == 3
    for name in ("clamp_bounding_boxes_image", "nothing_image", "resize_picture"):
        with pytest.raises(AttributeError, match=name):
            getattr(F, name)


@pytest.mark.parametrize("name", ["inpt", "img", "image"])
def test_the_image_by_name(name: str) -> None:
    arguments: dict[str, object] = {name: tp.arange(4).reshape(1, 2, 2), "angle": 180}
    assert F.rotate(**arguments).tolist() == [[[3, 2], [1, 0]]]
    with pytest.raises(TypeError, match="rotate: the first argument, the image, is missing"):
        F.rotate(angle=180)  # type: ignore[call-arg]
