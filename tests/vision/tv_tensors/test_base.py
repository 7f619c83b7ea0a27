"""A kind of tensor computes as a plain one, and stays itself where only its place changes."""

import copy
import pickle

import pytest

import triptych as tp
from triptych_vision import tv_tensors
from triptych_vision.tv_tensors.base import plain, with_kind

BOXES = tv_tensors.BoundingBoxes([[1, 2, 3, 4]], format="XYXY", canvas_size=(8, 9))
KINDS = {
    "image": tv_tensors.Image(tp.arange(12.0).reshape(3, 2, 2)),
    "video": tv_tensors.Video(tp.arange(8.0).reshape(2, 1, 2, 2)),
    "mask": tv_tensors.Mask(tp.arange(4.0).reshape(2, 2)),
    "boxes": tv_tensors.BoundingBoxes(
        tp.ones(2, 5), format="CXCYWHR", canvas_size=(8, 9), clamping_mode="hard"
    ),
    "points": tv_tensors.KeyPoints(tp.ones(3, 2), canvas_size=(8, 9)),
}


class Depth(tv_tensors.TVTensor):
    metadata = ("unit",)


@pytest.mark.parametrize("name", KINDS)
def test_operations_give_plain_tensors(name: str) -> None:
    x = KINDS[name]
    for out in (x + 1, 1 + x, x * x, plain(x) * x, -x, x == x, x[0], x.sum(), x.float(), x.mT):
        assert type(out) is tp.Tensor
    assert type(tp.relu(x)) is tp.Tensor
    assert type(tp.stack([x, x])) is tp.Tensor
    assert type(x.unbind(0)[0]) is tp.Tensor
    assert (x + 1).tolist() == (plain(x) + 1).tolist()


@pytest.mark.parametrize("name", KINDS)
def test_moving_and_copying_keep_the_kind(name: str) -> None:
    x = KINDS[name]
    copies = [x.clone(), x.to(tp.float64), x.detach(), copy.copy(x), copy.deepcopy(x)]
    copies.append(pickle.loads(pickle.dumps(x)))
    for out in copies:
        assert type(out) is type(x)
        assert out.fields() == x.fields()
        assert out.tolist() == x.tolist()
    copies[0].zero_()
    assert x.tolist() != copies[0].tolist()


def test_operations_in_place_keep_the_object() -> None:
    image = KINDS["image"].clone()
    before = image
    image += 1
    image.mul_(2)
    assert image is before
    assert type(image) is tv_tensors.Image


def test_gradients_go_through() -> None:
    x = tp.ones(1, 2, 2, requires_grad=True)
    (tv_tensors.Image(x) * 3).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [[[3, 3], [3, 3]]]
    leaf = tv_tensors.Image(tp.ones(1, 2, 2), requires_grad=True)
    (leaf * leaf).sum().backward()
    assert leaf.is_leaf
    assert leaf.grad.tolist() == [[[2, 2], [2, 2]]]
    assert copy.deepcopy(leaf).requires_grad


def test_making_one_shares_memory_and_leaves_the_tensor_alone() -> None:
    x = tp.zeros(1, 2, 2)
    image = tv_tensors.Image(x)
    x[0, 0, 0] = 5
    assert image[0, 0, 0].item() == 5
    assert type(x) is tp.Tensor
    assert tv_tensors.Image(x, dtype=tp.float64).dtype is tp.float64
    assert type(with_kind(image, tp.Tensor)) is tp.Tensor


def test_wrap_copies_metadata_or_replaces_it() -> None:
    out = tv_tensors.wrap(tp.zeros(5, 4), like=BOXES)
    assert (out.format, out.canvas_size) == (BOXES.format, (8, 9))
    out = tv_tensors.wrap(tp.zeros(5, 4), like=BOXES, format="XYWH", canvas_size=(1, 2))
    assert (out.format.name, out.canvas_size, out.clamping_mode) == ("XYWH", (1, 2), "soft")
    assert BOXES.canvas_size == (8, 9)
    assert type(tv_tensors.wrap(BOXES, like=tp.zeros(1))) is tp.Tensor


def test_kinds_of_your_own_have_metadata() -> None:
    depth = Depth([1.0, 2.0], unit="m")
    assert depth.clone().unit == "m"
    assert repr(depth) == "Depth([1., 2.], unit=m)"
    with pytest.raises(TypeError, match=r"Depth: wanted the fields \['unit'\], got \[\]"):
        Depth([1.0])


def test_printing_says_the_kind() -> None:
    assert repr(BOXES) == (
        "BoundingBoxes([[1, 2, 3, 4]], format=XYXY, canvas_size=(8, 9), clamping_mode=soft)"
    )
