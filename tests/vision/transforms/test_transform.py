"""Samples: one draw for all images, everything else untouched, the same containers back."""

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors

Pixels = Callable[..., np.ndarray]
Pair = namedtuple("Pair", "image label")


class Negative(T.Transform):
    """Counts how often parameters are made."""

    def __init__(self) -> None:
        super().__init__()
        self.made = 0

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        self.made += 1
        return {"count": len(flat_inputs)}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return -inpt


@pytest.mark.parametrize(
    "wrap",
    [
        lambda image, label: (image, label),
        lambda image, label: [image, label],
        lambda image, label: {"image": image, "label": label},
        lambda image, label: OrderedDict(image=image, label=label),
        lambda image, label: Pair(image, label),
        lambda image, label: ([image], {"deep": (label, None, "name")}),
    ],
)
def test_containers_come_back(wrap: Callable[[Any, Any], Any]) -> None:
    image, label = tp.ones(1, 2, 2), tp.tensor([3])
    assert repr(Negative()(wrap(image, label))) == repr(wrap(-image, label))


def test_several_arguments_are_one_sample() -> None:
    negative = Negative()
    first, second, label = negative(tp.ones(1, 2, 2), tv_tensors.Mask([[1]]), 7)
    assert (first.min().item(), second.item(), label) == (-1, -1, 7)
    assert negative.made == 1


CHW, HWC = tp.ones(3, 2, 2), np.ones((2, 2, 3))
PIL = Image.new("L", (2, 2))
KIND = tv_tensors.Image(tp.ones(1, 2, 2))
BOXES = tv_tensors.BoundingBoxes([[0, 0, 1, 1]], format="XYXY", canvas_size=(2, 2))
CHOSEN = {  # rule: sample, which parts are changed
    "first": [
        ((tp.ones(4), CHW, CHW, 3), [0, 1, 0, 0]),
        ((HWC, CHW), [1, 0]),
        ((CHW, PIL), [0, 1]),
        ((CHW, KIND, BOXES, HWC), [0, 1, 1, 0]),
        ((CHW, BOXES, "cat"), [1, 1, 0]),
        ((tp.ones(2, 2), BOXES), [0, 1]),
    ],
    "all": [((tp.ones(4), CHW, PIL, HWC, BOXES), [0, 1, 1, 1, 1])],
    "none": [((CHW, HWC, BOXES), [0, 0, 1]), ((CHW, PIL), [0, 1])],
}


@pytest.mark.parametrize("rule", CHOSEN)
def test_which_parts_are_changed(rule: str) -> None:
    transform = Negative()
    transform.plain_arrays = rule  # type: ignore[misc]
    for sample, expected in CHOSEN[rule]:
        assert transform.chosen(list(sample)) == [bool(e) for e in expected]


def test_another_rule_is_refused() -> None:
    transform = Negative()
    transform.plain_arrays = "second"  # type: ignore[misc]
    with pytest.raises(UnknownNameError, match="plain_arrays is 'first', 'all' or 'none'"):
        transform((CHW, 1))


def test_image_alone_may_have_two_axes() -> None:
    assert Negative()(tp.ones(2, 2)).tolist() == [[-1, -1], [-1, -1]]
    kept = Negative()((tp.ones(2, 2), tp.ones(1, 1, 1)))
    assert kept[0].tolist() == [[1, 1], [1, 1]]  # in a sample, two axes may be boxes


def test_one_draw_for_all_images_of_a_sample(
    pixels: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(T.Transform, "plain_arrays", "all")
    hwc = pixels(20, 30, 3)
    sample = {
        "tensor": tp.from_numpy(hwc.transpose(2, 0, 1).copy()),
        "pil": Image.fromarray(hwc),
        "numpy": hwc,
    }
    steps = T.Compose(
        [T.RandomCrop(12, padding=3), T.RandomHorizontalFlip(), T.RandomResizedCrop(8)]
    )
    tp.manual_seed(0)
    seen = set()
    for _ in range(8):
        out = steps(sample)
        want = np.asarray(out["pil"])
        assert np.array_equal(out["numpy"], want)
        assert np.array_equal(out["tensor"].numpy(), want.transpose(2, 0, 1))
        seen.add(want.tobytes())
    assert len(seen) == 8  # and another one for each sample


@pytest.mark.parametrize(
    "make",
    [
        lambda g: T.RandomCrop(5, generator=g),
        lambda g: T.RandomResizedCrop(5, generator=g),
        lambda g: T.RandomHorizontalFlip(generator=g),
        lambda g: T.RandomVerticalFlip(generator=g),
        lambda g: T.RandomGrayscale(0.5, generator=g),
        lambda g: T.RandomRotation(30, generator=g),
        lambda g: T.RandomAffine(30, (0.2, 0.1), (0.5, 2), (5, 9, -9, 0), generator=g),
        lambda g: T.RandomPerspective(0.5, generator=g),
        lambda g: T.ElasticTransform(sigma=1.0, generator=g),
        lambda g: T.RandomZoomOut(generator=g),
        lambda g: T.ScaleJitter((20, 20), generator=g),
        lambda g: T.RandomShortestSize([5, 6, 7], generator=g),
        lambda g: T.RandomResize(5, 9, generator=g),
        lambda g: T.RandomApply([T.Resize(3)], generator=g),
        lambda g: T.RandomChoice([T.Resize(3), T.Resize(4)], generator=g),
        lambda g: T.RandomOrder([T.Resize(8), T.CenterCrop(4)], generator=g),
    ],
)
def test_generator_decides(make: Callable[[tp.Generator], T.Transform], pixels: Pixels) -> None:
    image = tp.from_numpy(pixels(3, 16, 17))
    runs = []
    for _ in range(2):
        transform = make(tp.Generator().manual_seed(5))
        tp.rand(3)  # the default generator plays no part
        runs.append([transform(image).numpy() for _ in range(12)])
    assert all(np.array_equal(a, b) for a, b in zip(*runs, strict=True))
    assert len({a.tobytes() for a in runs[0]}) > 1


def test_selects_may_say_otherwise() -> None:
    class Second(Negative):
        def selects(self, part: Any) -> bool:
            return isinstance(part, int)

    image = tp.ones(1, 2, 2)
    assert Second()((image, 4)) == (image, -4)


def test_check_inputs_sees_everything() -> None:
    class Strict(Negative):
        def check_inputs(self, flat_inputs: list[Any]) -> None:
            if "label" not in flat_inputs:
                raise ValueError("no label")

    assert Strict()((tp.ones(1, 1, 1), "label"))[1] == "label"
    with pytest.raises(ValueError, match="no label"):
        Strict()((tp.ones(1, 1, 1), "x"))


def test_transforms_are_modules() -> None:
    steps = nn.Sequential(T.Resize(8), T.CenterCrop(4))
    assert steps(tp.zeros(3, 10, 12)).shape == (3, 4, 4)
    assert repr(T.Resize(8, "bicubic")) == (
        "Resize(size=8, interpolation=bicubic, max_size=None, antialias=True)"
    )
    with pytest.raises(NotImplementedError, match=r"Transform\.transform"):
        T.Transform()(tp.zeros(1, 1, 1))


def test_v2_is_the_same_module_again() -> None:
    import triptych_vision.transforms.v2.functional as F2
    from triptych_vision.transforms import functional, v2

    assert v2.Resize is T.Resize
    assert v2.functional.resize is F2.resize is functional.resize
    assert v2.__all__ == T.__all__


def test_each_sample_of_a_batch_has_its_draw(pixels: Pixels) -> None:
    images = tp.from_numpy(pixels(32, 3, 6, 7))
    masks = tv_tensors.Mask(images[:, 0])
    flip = T.RandomHorizontalFlip(per_sample=True, generator=tp.Generator().manual_seed(0))
    out = flip({"image": images, "mask": masks, "labels": tp.arange(32), "name": "batch"})
    assert type(out["mask"]) is tv_tensors.Mask
    mirrored = images.flip(-1)
    same = [np.array_equal(a, b) for a, b in zip(out["image"].numpy(), images.numpy(), strict=True)]
    assert 5 < sum(same) < 27
    for i, unchanged in enumerate(same):
        want = images[i] if unchanged else mirrored[i]
        assert np.array_equal(out["image"][i].numpy(), want.numpy())
        assert np.array_equal(out["mask"][i].numpy(), want[0].numpy())
    hwc = pixels(8, 5, 6, 3)
    crops = T.RandomCrop(4, per_sample=True)(hwc)
    assert isinstance(crops, np.ndarray)
    assert crops.shape == (8, 4, 4, 3)


def test_batches_that_are_none_are_refused() -> None:
    flip = T.RandomHorizontalFlip(per_sample=True)
    with pytest.raises(ShapeError, match="wanted a batch of Tensors, 4 axes or more"):
        flip(tp.zeros(3, 4, 4))
    with pytest.raises(DTypeError, match="BoundingBoxes holds no batch"):
        flip((tp.zeros(2, 3, 4, 4), BOXES))
    with pytest.raises(ShapeError, match="several shapes"):
        T.RandomResize(3, 30, per_sample=True)(tp.zeros(16, 1, 4, 4))


def test_kinds_without_a_kernel_pass() -> None:
    class Depth(tv_tensors.TVTensor):
        pass

    depth = Depth([[1.0]])
    assert T.Resize(2)((CHW, depth))[1] is depth
    with pytest.raises(DTypeError, match="resize: has no kernel for Depth"):
        T.functional.resize(depth, 2)
