"""Transforms of shape and place: what they draw, and that they use it."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import ShapeError, UnknownNameError
from triptych_vision import transforms as T
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


@pytest.mark.parametrize(
    ("transform", "twin"),
    [
        (T.Resize(6), lambda x: F.resize(x, 6)),
        (T.Resize(6, "lanczos", max_size=7), lambda x: F.resize(x, 6, "lanczos", max_size=7)),
        (T.CenterCrop((4, 5)), lambda x: F.center_crop(x, (4, 5))),
        (T.Pad((1, 2), fill=3), lambda x: F.pad(x, (1, 2), 3)),
        (T.Pad(2, padding_mode="reflect"), lambda x: F.pad(x, 2, padding_mode="reflect")),
        (T.RandomHorizontalFlip(1.0), F.horizontal_flip),
        (T.RandomVerticalFlip(1.0), F.vertical_flip),
        (T.RandomVerticalFlip(0.0), lambda x: x),
        (T.Grayscale(3), lambda x: F.rgb_to_grayscale(x, 3)),
        (T.RandomGrayscale(1.0), lambda x: F.rgb_to_grayscale(x, 3)),
    ],
)
def test_class_is_its_function(
    transform: T.Transform, twin: Callable[[tp.Tensor], tp.Tensor], pixels: Pixels
) -> None:
    x = tp.from_numpy(pixels(3, 9, 12))
    assert np.array_equal(transform(x).numpy(), twin(x).numpy())


def test_five_and_ten_crops_stand_in_the_images_place() -> None:
    crops, label = T.FiveCrop(2)((tp.zeros(3, 4, 4), 1))
    assert [c.shape for c in crops] == [(3, 2, 2)] * 5
    assert label == 1
    assert len(T.TenCrop((2, 2))(Image.new("RGB", (4, 4)))) == 10


def test_random_crop_reaches_every_corner_evenly() -> None:
    x = tp.arange(16).reshape(1, 4, 4)
    crop = T.RandomCrop((3, 2), generator=tp.Generator().manual_seed(2))
    firsts = [int(crop(x)[0, 0, 0]) for _ in range(600)]
    assert set(firsts) == {0, 1, 2, 4, 5, 6}
    counts = np.bincount(firsts)[[0, 1, 2, 4, 5, 6]]
    assert abs(counts - 100).max() < 45  # five deviations


def test_random_crop_frames_first() -> None:
    x = tp.ones(1, 2, 2)
    framed = T.RandomCrop(6, padding=(1, 2), pad_if_needed=True, fill=0)(x)
    assert framed.shape == (1, 6, 6)
    assert float(framed.sum()) == 4
    with pytest.raises(ShapeError, match="pad_if_needed"):
        T.RandomCrop(6, padding=1)(x)
    edge = T.RandomCrop(6, pad_if_needed=True, padding_mode="edge")(x)
    assert float(edge.min()) == 1


def test_random_crop_of_a_pil_image_with_a_frame() -> None:
    image = Image.new("RGB", (3, 2), "red")
    assert T.RandomCrop(4, pad_if_needed=True)(image).size == (4, 4)


def test_random_resized_crop_keeps_to_its_bounds() -> None:
    height, width = 60, 90
    image = tp.zeros(1, height, width)
    draw = tp.Generator().manual_seed(0)
    areas, ratios = [], []
    for _ in range(300):
        top, left, h, w = T.RandomResizedCrop.get_params(
            image, (0.2, 0.6), (0.5, 2.0), generator=draw
        )
        assert 0 <= top <= height - h
        assert 0 <= left <= width - w
        areas.append(h * w / (height * width))
        ratios.append(math.log(w / h))
    assert min(areas) > 0.19
    assert max(areas) < 0.61
    assert min(ratios) > math.log(0.48)
    assert max(ratios) < math.log(2.1)
    assert abs(np.mean(areas) - 0.4) < 0.03  # uniform in area
    assert abs(np.mean(ratios)) < 0.1  # even between wide and tall


@pytest.mark.parametrize(
    ("size", "want"), [((10, 100), (0, 43, 10, 13)), ((100, 10), (43, 0, 13, 10))]
)
def test_random_resized_crop_falls_back_to_the_middle(
    size: tuple[int, int], want: tuple[int, int, int, int]
) -> None:
    # An area of the whole image with a ratio near one never fits into a strip.
    got = T.RandomResizedCrop.get_params(tp.zeros(1, *size), (1.0, 1.0), (3 / 4, 4 / 3))
    assert got == want


def test_random_resized_crop_result(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 30, 40))
    step = T.RandomResizedCrop((5, 7), generator=tp.Generator().manual_seed(3))
    rectangle = T.RandomResizedCrop.get_params(
        x, step.scale, step.ratio, generator=tp.Generator().manual_seed(3)
    )
    assert np.array_equal(step(x).numpy(), F.resized_crop(x, *rectangle, (5, 7)).numpy())


def test_random_crop_get_params() -> None:
    rectangle = T.RandomCrop.get_params(
        tp.zeros(1, 9, 9), (4, 5), generator=tp.Generator().manual_seed(0)
    )
    assert rectangle[2:] == (4, 5)
    assert 0 <= rectangle[0] <= 5
    assert 0 <= rectangle[1] <= 4


def test_sample_without_images_passes() -> None:
    for transform in (T.RandomCrop(3), T.RandomResizedCrop(3), T.Resize(3)):
        assert transform({"label": 3}) == {"label": 3}


def test_wrong_arguments_are_refused_when_made() -> None:
    for make in (T.CenterCrop, T.RandomCrop, T.RandomResizedCrop, T.Resize, T.FiveCrop):
        with pytest.raises(ShapeError, match=r"positive|got"):
            make(0)
    with pytest.raises(ShapeError, match="padding"):
        T.Pad((1, 2, 3))
    with pytest.raises(ValueError, match=r"scale is \(least, most\)"):
        T.RandomResizedCrop(3, scale=(1.0, 0.5))
    with pytest.raises(UnknownNameError, match="interpolation"):
        T.Resize(3, interpolation="cubist")


@pytest.mark.parametrize("size", [(5, 6), (4, 7), (6, 6)])
def test_quarter_turns(size: tuple[int, int]) -> None:
    pixels = np.arange(3 * size[0] * size[1], dtype=np.uint8).reshape(3, *size)
    row, column = 1, 4
    box = [[float(column), float(row), column + 1.0, row + 1.0]]
    sample = (
        tv_tensors.Image(tp.tensor(pixels)),
        tv_tensors.BoundingBoxes(box, format="XYXY", canvas_size=size),
        tv_tensors.KeyPoints([[column + 0.5, row + 0.5]], canvas_size=size),
    )
    turn, seen = T.RandomRotate90(p=1, generator=tp.Generator().manual_seed(0)), set()
    for _ in range(20):
        image, boxes, points = turn(sample)
        turned = [np.rot90(pixels, k, (1, 2)) for k in range(1, 4)]
        seen |= {k for k, want in enumerate(turned) if np.array_equal(want, image.numpy())}
        assert boxes.canvas_size == points.canvas_size == tuple(image.shape[1:])
        x1, y1, x2, y2 = boxes[0].tolist()
        assert (x2 - x1, y2 - y1) == (1, 1)  # exactly
        assert image[:, int(y1), int(x1)].tolist() == pixels[:, row, column].tolist()
        assert points.tolist() == [[x1 + 0.5, y1 + 0.5]]
    assert seen == {0, 1, 2}
    assert T.RandomRotate90(p=0)(sample)[0] is sample[0]
