"""Suppression and regions by the native kernels, beside the way over NumPy."""

import numpy as np
import pytest

import triptych as tp

pytestmark = pytest.mark.native
suppression = pytest.importorskip("triptych_vision.ops.suppression")
regions = pytest.importorskip("triptych_vision.ops.regions")


def boxes(count, size=200.0, seed=0):
    """(count, 4) xyxy, half of them on whole pixels, so that many overlaps are equal."""
    rng = np.random.default_rng(seed)
    corner = rng.random((count, 2)) * size
    x = np.concatenate((corner, corner + rng.random((count, 2)) * 40 + 1), 1).astype(np.float32)
    x[::2] = np.rint(x[::2])
    return x


@pytest.mark.parametrize("count", [0, 1, 5, 16, 127, 128, 129, 1000])
@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.3, 0.5, 1 / 3, 0.9, 1.0])
def test_the_same_boxes_are_kept(count, threshold, taken):
    greedy, given = suppression._greedy, boxes(count)
    kept, times = taken("nms", lambda: greedy(given, threshold))
    assert times == 1
    assert kept.dtype == np.int64
    np.testing.assert_array_equal(kept, greedy.plain(given, threshold))


def test_boxes_that_are_no_boxes():
    rng = np.random.default_rng(1)
    given = boxes(300)
    given[rng.integers(0, 300, 20), rng.integers(0, 4, 20)] = np.nan
    given[rng.integers(0, 300, 20), rng.integers(0, 4, 20)] = np.inf
    given[::7, 2:] = given[::7, :2]  # of no area
    given[::11, :2], given[::11, 2:] = given[::11, 2:].copy(), given[::11, :2].copy()  # turned
    with np.errstate(invalid="ignore"):
        want = suppression._greedy.plain(given, 0.4)
    np.testing.assert_array_equal(suppression._greedy(given, 0.4), want)


def test_what_the_kernel_is_not_for(taken):
    given = boxes(50)
    for other, threshold in ((given.astype(np.float64), 0.5), (given[::2], 0.5), (given, -0.1)):
        kept, times = taken("nms", lambda a=other, t=threshold: suppression._greedy(a, t))
        assert times == 0
        np.testing.assert_array_equal(kept, suppression._greedy.plain(other, threshold))


def made(channels=20, size=(13, 17), count=9, bins=(3, 4), samples=2, dtype=np.float32):
    """Maps (2, c, h, w) and regions in them, some beyond the edges."""
    rng = np.random.default_rng(0)
    maps = rng.standard_normal((2, channels, *size)).astype(dtype)
    start = rng.random((2, count)) * 16 - 3
    extent = rng.random((2, count)) * 9
    rows = regions.sample_weights(start[0], extent[0], bins[0], samples, size[0])
    columns = regions.sample_weights(start[1], extent[1], bins[1], samples, size[1])
    where = rng.integers(0, 2, count)
    return tp.from_numpy(maps), regions.Regions(maps.shape, where, rows, columns)


@pytest.mark.parametrize("channels", [1, 3, 16, 20, 33])
@pytest.mark.parametrize("bins", [(1, 1), (3, 4), (7, 7)])
@pytest.mark.parametrize("samples", [0, 1, 2])
def test_regions(channels, bins, samples, taken):
    maps, where = made(channels, bins=bins, samples=samples)
    pooled, times = taken("roi_pool", lambda: where.pool(maps))
    assert times == 1
    assert tp.allclose(pooled, where._pool_shared(maps), atol=1e-5)
    g = tp.randn(*pooled.shape)
    spread, times = taken("roi_spread", lambda: where.spread(g))
    assert times == 1
    assert tp.allclose(spread, where._spread_shared(g), atol=1e-5)


def test_regions_of_no_image_and_of_other_dtypes(taken):
    maps, where = made(count=0)
    assert where.pool(maps).shape == (0, 20, 3, 4)
    maps, where = made(dtype=np.float64)
    pooled, times = taken("roi_pool", lambda: where.pool(maps))
    assert times == 0
    assert pooled.dtype == tp.float64


def test_threads_do_not_matter():
    maps, where = made(64, (40, 50), 30)
    before = tp.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            tp.set_num_threads(threads)
            found.append((where.pool(maps), where.spread(where.pool(maps))))
    finally:
        tp.set_num_threads(before)
    assert all(tp.equal(a, b) for a, b in zip(*found, strict=True))


@pytest.mark.parametrize("size", [(7, 7), (3, 20), (1, 1)])
def test_maxima_of_bins(size, taken):
    ops = pytest.importorskip("triptych_vision.ops")
    rng = np.random.default_rng(0)
    maps = tp.from_numpy(np.rint(rng.normal(0, 2, (2, 5, 13, 37))).astype(np.float32))  # many equal
    corner = rng.uniform(-9, 40, (11, 2))
    rois = np.concatenate(
        (rng.integers(0, 2, (11, 1)), corner, corner + rng.uniform(0, 30, (11, 2))), 1
    )
    given = tp.from_numpy(rois.astype(np.float32))
    exact = maps.double().requires_grad_()
    want = ops.roi_pool(exact, given.double(), size)
    got, times = taken("roi_largest", lambda: ops.roi_pool(maps, given, size))
    assert times == 1
    np.testing.assert_array_equal(got.numpy(), want.detach().numpy())
    tracked = maps.clone().requires_grad_()
    out, times = taken("roi_largest", lambda: ops.roi_pool(tracked, given, size))
    assert times == 1
    np.testing.assert_array_equal(out.detach().numpy(), want.detach().numpy())
    out.sum().backward(), want.sum().backward()
    np.testing.assert_allclose(tracked.grad.numpy(), exact.grad.numpy(), rtol=1e-6)
