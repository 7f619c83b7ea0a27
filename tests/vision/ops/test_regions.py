"""Pooling over regions, each kind against a twin that goes from bin to bin."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.autograd import gradcheck, gradgradcheck
from triptych_vision import ops

MAPS, SIZE = 2, (9, 11)
REGIONS = np.array(
    [
        [0, 1.2, 2.3, 7.9, 8.1],
        [1, -3.0, -2.0, 4.4, 5.0],
        [1, 6.0, 3.0, 30.0, 20.0],
        [0, 4.0, 4.0, 4.0, 4.0],
        [0, 2.5, 2.5, 3.0, 2.75],
        [1, 5.0, 6.0, 3.0, 2.0],
        [0, 40.0, 40.0, 50.0, 50.0],
    ]
)


def bilinear(plane: np.ndarray, y: float, x: float) -> float:
    height, width = plane.shape
    if not (-1 <= y <= height and -1 <= x <= width):
        return 0.0
    y, x = min(max(y, 0.0), height - 1), min(max(x, 0.0), width - 1)
    top, left = int(y), int(x)
    bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
    above = plane[top, left] * (1 - x + left) + plane[top, right] * (x - left)
    below = plane[bottom, left] * (1 - x + left) + plane[bottom, right] * (x - left)
    return above * (1 - y + top) + below * (y - top)


def points(start: float, length: float, bins: int, place: int, samples: int) -> list[float]:
    step = length / bins
    count = samples if samples > 0 else math.ceil(step)
    return [start + place * step + (i + 0.5) * step / count for i in range(max(count, 0))]


def aligned_twin(
    maps: np.ndarray, size: tuple[int, int], scale: float, samples: int, shift: float, least: float
) -> np.ndarray:
    out = np.zeros((len(REGIONS), maps.shape[1], *size))
    for k, (image, *corners) in enumerate(REGIONS):
        x1, y1, x2, y2 = (c * scale - shift for c in corners)
        width, height = max(x2 - x1, least), max(y2 - y1, least)
        for c, i, j in np.ndindex(maps.shape[1], *size):
            ys, xs = points(y1, height, size[0], i, samples), points(x1, width, size[1], j, samples)
            plane = maps[int(image), c]
            total = sum(bilinear(plane, y, x) for y in ys for x in xs)
            out[k, c, i, j] = total / max(len(ys) * len(xs), 1)
    return out


def round_half_away(x: float) -> int:
    return int(math.copysign(math.floor(abs(x) + 0.5), x))


def edges(first: int, length: int, bins: int, place: int, most: int) -> range:
    low = math.floor(place * length / bins) + first
    high = math.ceil((place + 1) * length / bins) + first
    return range(min(max(low, 0), most), min(max(high, 0), most))


def pooled_twin(maps: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    out = np.zeros((len(REGIONS), maps.shape[1], *size))
    for k, (image, *corners) in enumerate(REGIONS):
        x1, y1, x2, y2 = (round_half_away(c * scale) for c in corners)
        width, height = max(x2 - x1 + 1, 1), max(y2 - y1 + 1, 1)
        for c, i, j in np.ndindex(maps.shape[1], *size):
            ys = edges(y1, height, size[0], i, maps.shape[2])
            xs = edges(x1, width, size[1], j, maps.shape[3])
            cells = [maps[int(image), c, y, x] for y in ys for x in xs]
            out[k, c, i, j] = max(cells, default=0.0)
    return out


def own_channels(full: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Of (k, c * bins, rows, columns), for each bin its own channel."""
    regions = full.shape[0]
    parts = full.reshape(regions, -1, *size, *size)
    i, j = np.indices(size)
    return parts[:, :, i, j, i, j]


def mean_twin(maps: np.ndarray, size: tuple[int, int], scale: float) -> np.ndarray:
    channels = maps.shape[1] // (size[0] * size[1])
    out = np.zeros((len(REGIONS), channels, *size))
    for k, (image, *corners) in enumerate(REGIONS):
        x1, y1, x2, y2 = (round_half_away(c * scale) for c in corners)
        width, height = max(x2 - x1, 1), max(y2 - y1, 1)
        for c, i, j in np.ndindex(channels, *size):
            ys = edges(y1, height, size[0], i, maps.shape[2] - 1)
            xs = edges(x1, width, size[1], j, maps.shape[3] - 1)
            plane = maps[int(image), (c * size[0] + i) * size[1] + j]
            cells = [plane[y, x] for y in ys for x in xs]
            out[k, c, i, j] = np.mean(cells) if cells else 0.0
    return out


def maps_of(channels: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal((MAPS, channels, *SIZE))


@pytest.mark.parametrize("samples", [-1, 1, 3])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize(("size", "scale"), [((2, 3), 1.0), ((4, 1), 0.5)])
def test_roi_align(size: tuple[int, int], scale: float, samples: int, aligned: bool) -> None:
    maps = maps_of(3)
    least, shift = (-math.inf, 0.5) if aligned else (1.0, 0.0)
    wanted = aligned_twin(maps, size, scale, samples, shift, least)
    got = ops.roi_align(tp.tensor(maps), tp.tensor(REGIONS), size, scale, samples, aligned)
    np.testing.assert_allclose(got.numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize("samples", [0, 2])
def test_ps_roi_align(samples: int) -> None:
    maps, size = maps_of(12), (2, 3)
    full = aligned_twin(maps, size, 0.7, samples, 0.5, -math.inf)
    got = ops.ps_roi_align(tp.tensor(maps), tp.tensor(REGIONS), size, 0.7, samples)
    np.testing.assert_allclose(got.numpy(), own_channels(full, size), atol=1e-12)


@pytest.mark.parametrize(("size", "scale"), [((2, 3), 1.0), ((5, 4), 0.3)])
def test_roi_pool(size: tuple[int, int], scale: float) -> None:
    maps = maps_of(3)
    got = ops.roi_pool(tp.tensor(maps), tp.tensor(REGIONS), size, scale)
    np.testing.assert_array_equal(got.numpy(), pooled_twin(maps, size, scale))


@pytest.mark.parametrize(("size", "scale"), [((2, 3), 1.0), ((3, 2), 0.6)])
def test_ps_roi_pool(size: tuple[int, int], scale: float) -> None:
    maps = maps_of(12)
    got = ops.ps_roi_pool(tp.tensor(maps), tp.tensor(REGIONS), size, scale)
    np.testing.assert_allclose(got.numpy(), mean_twin(maps, size, scale), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "channels"),
    [("roi_align", 2), ("roi_pool", 2), ("ps_roi_align", 4), ("ps_roi_pool", 4)],
)
def test_gradients(name: str, channels: int) -> None:
    maps = tp.tensor(maps_of(channels)[:, :, :5, :6], requires_grad=True)
    rois = tp.tensor(REGIONS[:3])

    def pool(x: tp.Tensor) -> tp.Tensor:
        return getattr(ops, name)(x, rois, 2, 0.5)

    assert gradcheck(pool, (maps,))
    if name == "roi_align":
        assert gradgradcheck(pool, (maps,))


def test_forward_mode() -> None:
    maps, rois = tp.tensor(maps_of(2)), tp.tensor(REGIONS)
    direction = tp.tensor(maps_of(2)[:, ::-1].copy())
    pool = lambda x: ops.roi_align(x, rois, 2)  # noqa: E731
    _, tangent = tp.func.jvp(pool, (maps,), (direction,))
    np.testing.assert_allclose(tangent.numpy(), pool(direction).numpy())


def test_a_box_list_is_a_table() -> None:
    maps, table = tp.tensor(maps_of(2)), tp.tensor(REGIONS)
    order = np.argsort(REGIONS[:, 0], kind="stable")
    lists = [table[table[:, 0] == image][:, 1:] for image in range(MAPS)]
    np.testing.assert_array_equal(
        ops.roi_align(maps, lists, 3).numpy(), ops.roi_align(maps, table, 3).numpy()[order]
    )


def test_no_regions_and_half_precision() -> None:
    maps = tp.tensor(maps_of(2), dtype=tp.float16)
    assert ops.roi_align(maps, tp.zeros(0, 5), 3).shape == (0, 2, 3, 3)
    assert ops.roi_pool(maps, [tp.zeros(0, 4)] * 2, 3).shape == (0, 2, 3, 3)
    out = ops.roi_align(maps, tp.tensor(REGIONS), 3)
    assert out.dtype == tp.float16
    exact = ops.roi_align(maps.to(tp.float64), tp.tensor(REGIONS), 3)
    np.testing.assert_allclose(out.numpy(), exact.numpy(), atol=2e-3)


@pytest.mark.parametrize(
    ("layer", "channels"),
    [
        (ops.RoIAlign(2, 0.5, -1), 3),
        (ops.RoIPool(2, 0.5), 3),
        (ops.PSRoIAlign(2, 0.5, 2), 4),
        (ops.PSRoIPool(2, 0.5), 4),
    ],
)
def test_layers(layer: nn.Module, channels: int) -> None:
    assert layer(tp.tensor(maps_of(channels)), tp.tensor(REGIONS)).shape[2:] == (2, 2)
    assert "spatial_scale=0.5" in repr(layer)


@pytest.mark.parametrize(
    ("maps", "boxes", "text"),
    [
        (tp.zeros(2, 3, 4), tp.zeros(1, 5), r"input is \(n, c, h, w\)"),
        (tp.zeros(1, 3, 4, 4), tp.zeros(1, 4), r"boxes are \(k, 5\)"),
        (tp.zeros(1, 3, 4, 4), [tp.zeros(1, 5)], r"a list of \(l, 4\)"),
        (tp.zeros(1, 3, 4, 4), tp.ones(1, 5), "boxes name images 1 to 1, input has 1"),
        (tp.zeros(1, 3, 4, 4), "boxes", "boxes are a tensor or a list, got str"),
    ],
)
def test_errors(maps: tp.Tensor, boxes: object, text: str) -> None:
    with pytest.raises((ValueError, TypeError, IndexError), match=text):
        ops.roi_align(maps, boxes, 2)  # type: ignore[arg-type]


def test_channels_must_be_shared_out() -> None:
    with pytest.raises(ValueError, match=r"channels are a multiple of 2 \* 2 bins, got 6"):
        ops.ps_roi_align(tp.zeros(1, 6, 4, 4), tp.zeros(1, 5), 2)


@pytest.mark.parametrize("name", ["roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool"])
def test_no_regions_have_a_gradient(name: str) -> None:
    maps = tp.rand(2, 4, 5, 6, requires_grad=True)
    out = getattr(ops, name)(maps, tp.zeros(0, 5), 2)
    out.sum().backward()
    assert maps.grad is not None and not maps.grad.any().item()


@pytest.mark.parametrize("first", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("tracked", [False, True])
def test_bins_outside_are_zero_whatever_the_map_holds(first: float, tracked: bool) -> None:
    maps = tp.arange(20.0).reshape(1, 1, 4, 5)
    maps[0, 0, 0, 0] = first
    boxes = tp.tensor([[0.0, -8, -8, -5, -5], [0, 2, 2, 30, 30]])
    found = ops.roi_pool(maps.requires_grad_(tracked), boxes, 2).detach()
    assert not found[0].any() and found[1].flatten().tolist() == [19.0, 0.0, 0.0, 0.0]
