"""Maps of coordinates, against SciPy, and where boxes and points go."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import triptych as tp
from triptych.errors import ShapeError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]


def lens(height: int, width: int, strength: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.mgrid[:height, :width].astype(float)
    u, v = (x + 0.5) / width - 0.5, (y + 0.5) / height - 0.5
    factor = 1 + strength * (u * u + v * v)
    return (u * factor + 0.5) * width - 0.5, (v * factor + 0.5) * height - 0.5


def test_images_are_read_where_scipy_reads_them(pixels: Pixels) -> None:
    image = np.random.default_rng(0).random((3, 14, 17))
    map_x, map_y = (m[:9, 2:] for m in lens(14, 17))
    out = F.remap(tp.from_numpy(image), map_x, map_y).numpy()
    for plane, old in zip(out, image, strict=True):
        wanted = ndimage.map_coordinates(old, [map_y, map_x], order=1, mode="grid-constant")
        assert np.allclose(plane, wanted)
    photo = pixels(14, 17, 3)
    of_array = F.remap(photo, map_x, map_y)
    assert of_array.shape == (9, 15, 3)
    assert of_array.dtype == np.uint8
    assert (np.asarray(F.remap(Image.fromarray(photo), map_x, map_y)) == of_array).all()
    with pytest.raises(ShapeError, match="map_x and map_y"):
        F.remap(photo, map_x, map_y[1:])


@pytest.mark.parametrize("strength", [-0.4, 0.4])
def test_points_boxes_and_masks_follow_the_image(strength: float) -> None:
    size = (60, 80)
    map_x, map_y = lens(*size, strength)
    spots = [(20, 30), (40, 15), (62, 45)]
    image = tp.zeros(1, *size)
    for x, y in spots:
        image[0, y, x] = 1.0
    points = tv_tensors.KeyPoints([[float(a) for a in s] for s in spots], canvas_size=size)
    moved = F.remap(points, map_x, map_y)
    for x, y in moved.tolist():  # the map at the new place is the old place
        at = [ndimage.map_coordinates(m, [[y], [x]], order=1)[0] for m in (map_x, map_y)]
        assert min(np.hypot(at[0] - a, at[1] - b) for a, b in spots) < 1e-3
    mask = tv_tensors.Mask(tp.zeros(*size, dtype=tp.uint8))
    mask[10:50, 12:64] = 1
    boxes = tv_tensors.BoundingBoxes([[12.0, 10, 64, 50]], format="XYXY", canvas_size=size)
    rows, columns = np.nonzero(F.remap(mask, map_x, map_y).numpy())
    around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    out = F.remap(boxes, map_x, map_y)
    assert np.abs(np.array(out.tolist()[0]) - around).max() <= 1.01
    assert out.canvas_size == size


def test_homographies_of_images_and_points() -> None:
    image = tp.from_numpy(np.random.default_rng(1).random((1, 20, 24)))
    matrix = np.array([[1.1, 0.1, 2], [-0.05, 0.9, 1], [0.001, 0.002, 1]])
    out = F.warp_perspective(image, matrix, (18, 22)).numpy()[0]
    y, x = np.mgrid[:18, :22]
    old = np.einsum("ij,jhw->ihw", np.linalg.inv(matrix), np.stack((x, y, np.ones_like(x))))
    wanted = ndimage.map_coordinates(
        image[0].numpy(), [old[1] / old[2], old[0] / old[2]], order=1, mode="grid-constant"
    )
    assert np.allclose(out, wanted)
    points = tv_tensors.KeyPoints([[3.0, 4.0], [15.0, 11.0]], canvas_size=(20, 24))
    moved = F.warp_perspective(points, matrix, (18, 22))
    new = matrix @ np.array([[3, 15], [4, 11], [1, 1]])
    assert np.allclose(moved.numpy(), (new[:2] / new[2]).T, atol=1e-2)
    assert moved.canvas_size == (18, 22)


def test_affine_maps_and_batches() -> None:
    image = tp.from_numpy(np.random.default_rng(2).random((2, 3, 8, 9)))
    shift = np.array([[1.0, 0, 2], [0, 1, -1]])
    out = F.warp_affine(image, shift)
    assert np.allclose(out[..., :7, 2:].numpy(), image[..., 1:, :7].numpy())
    assert not out[..., 7, :].any()
    both = F.warp_affine(image, np.stack((shift, np.eye(2, 3))))
    assert both[0].equal(out[0])
    assert np.allclose(both[1].numpy(), image[1].numpy())
    with pytest.raises(ShapeError, match=r"\(2, 3\)"):
        F.warp_affine(image, np.eye(3))
    with pytest.raises(ValueError, match="no inverse"):
        F.warp_affine(image, np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="as many images"):
        F.warp_affine(image[0], np.stack((shift, shift)))


def test_gradients_reach_the_pixels() -> None:
    image = tp.rand(1, 6, 6).requires_grad_()
    F.warp_affine(image, np.array([[1.0, 0, 0.5], [0, 1, 0]])).sum().backward()
    assert image.grad[0, 2, 2].item() == pytest.approx(1.0)
