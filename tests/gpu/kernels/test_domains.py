"""Functions of the vision package on a GPU: by own kernels, and as on the CPU."""

from functools import partial

import numpy as np
import pytest
from gpu.fixtures import compiles

import triptych as tp
from triptych.backends import cuda
from triptych.library import by_device

ops = pytest.importorskip("triptych_vision.ops")
F = pytest.importorskip("triptych_vision.transforms.v2.functional")
pytestmark = [compiles, pytest.mark.usefixtures("cupy")]


def taken(name, call):
    """What call() gives, after a look at whether the kernel was launched."""
    before = cuda.calls().get(name, 0)
    found = call()
    assert cuda.calls().get(name, 0) > before, f"{name} was not taken"
    return found


def boxes(count, size=40.0):
    rng = np.random.default_rng(count)
    corners, extents = rng.uniform(0, size, (count, 2)), rng.uniform(1, size / 2, (count, 2))
    return tp.from_numpy(np.hstack([corners, corners + extents]).astype(np.float32))


def images(dtype, *shape):
    numbers = np.random.default_rng(0).random(shape)
    return tp.from_numpy(
        (numbers * 255).astype(np.uint8) if dtype == "uint8" else numbers.astype(dtype)
    )


@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 200])
def test_suppression(count):
    scores = tp.from_numpy(np.random.default_rng(1).integers(0, 50, count) / np.float32(50))
    want = ops.nms(boxes(count), scores, 0.4)
    got = taken("nms", lambda: ops.nms(boxes(count).cuda(), scores.cuda(), 0.4))
    assert got.device.type == "cuda" and got.tolist() == want.tolist()
    classes = tp.arange(count) % 3
    many = ops.batched_nms(boxes(count).cuda(), scores.cuda(), classes.cuda(), 0.4)
    assert many.tolist() == ops.batched_nms(boxes(count), scores, classes, 0.4).tolist()


def test_suppression_of_nothing():
    none = ops.nms(tp.zeros(0, 4, device="cuda"), tp.zeros(0, device="cuda"), 0.5)
    assert none.shape == (0,) and none.device.type == "cuda"


POOLS = {
    "roi_align": (partial(ops.roi_align, output_size=(3, 2), sampling_ratio=2), "roi_pool"),
    "roi_align, aligned": (partial(ops.roi_align, output_size=2, aligned=True), "roi_pool"),
    "roi_pool": (partial(ops.roi_pool, output_size=(3, 2)), "roi_largest"),
}


@pytest.mark.parametrize("name", POOLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pooling_of_regions(name, dtype):
    pool, kernel = POOLS[name]
    maps = images(dtype, 2, 3, 11, 13)
    table = tp.cat([tp.tensor([[0.0], [1.0], [1.0]]), boxes(3, 10.0)], 1).to(maps.dtype)
    want = pool(maps, table)
    got = taken(kernel, lambda: pool(maps.cuda(), table.cuda()))
    assert got.device.type == "cuda"
    tp.testing.assert_close(got.cpu(), want, rtol=1e-5, atol=1e-6)
    grads = []
    for x in (maps, maps.cuda()):
        x.requires_grad_()
        y = pool(x, table.to(x.device))
        (y * y).sum().backward()
        grads.append(x.grad.cpu())
    tp.testing.assert_close(grads[1], grads[0], rtol=1e-5, atol=1e-6)


COLOURS = {
    "color_scale": partial(F.adjust_brightness, brightness_factor=1.3),
    "color_contrast": partial(F.adjust_contrast, contrast_factor=0.6),
    "color_saturation": partial(F.adjust_saturation, saturation_factor=1.7),
    "color_grey": partial(F.rgb_to_grayscale, num_output_channels=3),
}


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_colours(name, dtype):
    x = images(dtype, 2, 3, 17, 9)
    got = taken(name, lambda: COLOURS[name](x.cuda()))
    assert got.device.type == "cuda" and got.dtype is x.dtype
    want, near = COLOURS[name](x).numpy().astype(float), 1 if dtype == "uint8" else 1e-6
    np.testing.assert_allclose(got.cpu().numpy().astype(float), want, atol=near)


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(5, 7), (40, 11), (20, 30)])
def test_bytes_in_another_size(mode, size):
    x = images("uint8", 2, 3, 20, 30)
    resize = partial(F.resize, size=size, interpolation=getattr(F.InterpolationMode, mode.upper()))
    got = resize(x.cuda()) if size == (20, 30) else taken("resize_bytes", lambda: resize(x.cuda()))
    assert got.device.type == "cuda"
    np.testing.assert_array_equal(got.cpu().numpy(), resize(x).numpy())


def test_gradients_are_left_to_operations():
    x = images("float32", 3, 5, 4).cuda().requires_grad_()
    F.adjust_brightness(x, 0.5).sum().backward()
    assert x.grad.cpu().tolist() == tp.full((3, 5, 4), 0.5).tolist()


def test_by_device_says_when_there_is_none():
    x = images("float32", 3, 5, 4)
    assert by_device("color_scale", x, 0.5) is None
    assert by_device("no kernel", x.cuda(), 0.5) is None
    assert by_device("color_scale", x.cuda().double(), 0.5) is None
    with tp.no_grad():
        assert by_device("color_scale", x.cuda().requires_grad_(), 0.5) is not None
