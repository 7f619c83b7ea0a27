"""Kernels are found by type."""

import pytest

import triptych as tp
from triptych.errors import DTypeError
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.dispatch import functional, register_kernel, tensor_kernel


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
