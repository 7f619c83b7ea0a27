"""Suppression and regions in CUDA C, against plain loops and products over NumPy."""

import numpy as np
import pytest
from gpu.fixtures import compiles

from triptych.backends import Device, backend_for

pytestmark = compiles
KINDS = [np.float32, np.float64]


def kernel(name):
    return backend_for(Device("cuda")).fast[name]


def boxes(count, dtype=np.float32, size=100.0):
    """(count, 4) xyxy, half of them on whole pixels, so that many overlaps are equal."""
    rng = np.random.default_rng(count)
    corner = rng.random((count, 2)) * size
    x = np.concatenate((corner, corner + rng.random((count, 2)) * 40 + 1), 1).astype(dtype)
    x[::2] = np.rint(x[::2])
    return x


def suppressed(x, threshold):
    """Places of what is kept, one box after the other."""
    with np.errstate(all="ignore"):
        area = (x[:, 2] - x[:, 0]) * (x[:, 3] - x[:, 1])
        low, high = np.maximum(x[:, None, :2], x[:, :2]), np.minimum(x[:, None, 2:], x[:, 2:])
        common = np.maximum(high - low, 0).prod(-1, dtype=x.dtype)
        clash = (common / (area[:, None] + area - common)).astype(np.float64) > threshold
    free = np.ones(len(x), bool)
    for i in range(len(x)):
        if free[i]:
            free[i + 1 :] &= ~clash[i, i + 1 :]
    return np.flatnonzero(free)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("count", [1, 5, 63, 64, 65, 128, 257])
@pytest.mark.parametrize("threshold", [0.0, 0.1, 1 / 3, 0.5, 1.0])
def test_the_same_boxes_are_kept(cupy, dtype, count, threshold):
    x = boxes(count, dtype)
    kept = kernel("nms")(cupy.asarray(x), threshold)
    assert kept.dtype == np.int64
    np.testing.assert_array_equal(kept.get(), suppressed(x, threshold))


def test_boxes_that_are_no_boxes(cupy):
    x, rng = boxes(300), np.random.default_rng(1)
    x[rng.integers(0, 300, 20), rng.integers(0, 4, 20)] = np.nan
    x[rng.integers(0, 300, 20), rng.integers(0, 4, 20)] = np.inf
    x[::7, 2:] = x[::7, :2]
    x[::11, :2], x[::11, 2:] = x[::11, 2:].copy(), x[::11, :2].copy()
    np.testing.assert_array_equal(kernel("nms")(cupy.asarray(x), 0.4).get(), suppressed(x, 0.4))


def test_what_they_are_not_for(cupy):
    x = cupy.asarray(boxes(8))
    for other, limit in ((x[::2], 0.5), (x[:0], 0.5), (x, -0.1), (x.astype(np.float16), 0.5)):
        assert kernel("nms")(other, limit) is NotImplemented
    maps, images, rows, columns = regions(np.float32, (3, 4), (9, 11), 5)
    on_device = moved(cupy, images, rows, columns)
    assert kernel("roi_pool")(None, *on_device) is NotImplemented
    assert kernel("roi_pool")(cupy.asarray(maps).astype(np.float64), *on_device) is NotImplemented
    assert kernel("roi_pool")(cupy.asarray(maps)[:, :0], *on_device) is NotImplemented


def axis(rng, regions, bins, size, dtype):
    """First and last rows of windows, and weights with zeros between."""
    first = rng.integers(0, size, regions)
    stop = np.minimum(first + rng.integers(0, 6, regions), size)  # some are empty
    weights = rng.random((regions, bins, 5)).astype(dtype)
    weights[weights < 0.3] = 0
    weights *= np.arange(5) < (stop - first)[:, None, None]
    return first.astype(np.int64), stop.astype(np.int64), weights


def regions(dtype, bins, size, count, channels=3):
    rng = np.random.default_rng([*bins, *size, count])
    maps = rng.standard_normal((2, channels, *size)).astype(dtype)
    rows, columns = (axis(rng, count, b, s, dtype) for b, s in zip(bins, size, strict=True))
    return maps, rng.integers(0, 2, count), rows, columns


def moved(cupy, images, *axes):
    return cupy.asarray(images), *(tuple(map(cupy.asarray, a)) for a in axes)


def spread_out(axis, size):
    """Weights (regions, bins, size) of all rows of a map."""
    first, stop, weights = axis
    full = np.zeros((*weights.shape[:2], size))
    for k, (low, high) in enumerate(zip(first, stop, strict=True)):
        full[k, :, low:high] = weights[k, :, : high - low]
    return full


SIZES = [((1, 1), (1, 1), 1), ((3, 4), (9, 11), 5), ((7, 7), (16, 13), 11), ((2, 2), (8, 8), 4)]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize(("bins", "size", "count"), SIZES)
def test_means_of_bins(cupy, dtype, bins, size, count):
    maps, images, rows, columns = regions(dtype, bins, size, count)
    given = moved(cupy, images, rows, columns)
    across, along = spread_out(rows, size[0]), spread_out(columns, size[1])
    near = {"rtol": 1e-4, "atol": 1e-5} if dtype is np.float32 else {"rtol": 1e-12, "atol": 1e-13}
    want = np.einsum("kiy,kcyx,kjx->kcij", across, maps[images].astype(np.float64), along)
    got = kernel("roi_pool")(cupy.asarray(maps), *given)
    np.testing.assert_allclose(got.get(), want, **near)
    g = np.random.default_rng(0).standard_normal(want.shape).astype(dtype)
    want = np.zeros(maps.shape)
    np.add.at(want, images, np.einsum("kiy,kcij,kjx->kcyx", across, g.astype(np.float64), along))
    got = kernel("roi_spread")(cupy.asarray(g), *given, maps.shape)
    np.testing.assert_allclose(got.get(), want, **near)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize(("bins", "size", "count"), SIZES)
def test_maxima_of_bins(cupy, dtype, bins, size, count):
    rng = np.random.default_rng(3)
    maps = np.rint(rng.normal(0, 2, (2, 5, *size))).astype(dtype)  # many are equal
    maps[0, 0, 0, 0] = np.nan
    images = rng.integers(0, 2, count)
    edges = []
    for b, s in zip(bins, size, strict=True):
        low = rng.integers(0, s + 1, (count, b))
        edges += [low, np.minimum(low + rng.integers(0, 4, (count, b)), s)]
    values, places = np.zeros((count, 5, *bins), dtype), np.zeros((count, 5, *bins), np.int64)
    numbers = np.arange(maps.size).reshape(maps.shape)
    for k, c, i, j in np.ndindex(values.shape):
        rows = slice(edges[0][k, i], edges[1][k, i])
        window = (images[k], c, rows, slice(edges[2][k, j], edges[3][k, j]))
        if maps[window].size:
            values[k, c, i, j] = maps[window].max()
            places[k, c, i, j] = numbers[window].ravel()[maps[window].argmax()]
    given = [cupy.asarray(x) for x in (maps, images, *edges)]
    np.testing.assert_array_equal(kernel("roi_largest")(*given, True).get(), values)
    np.testing.assert_array_equal(kernel("roi_largest")(*given, False).get(), places)
