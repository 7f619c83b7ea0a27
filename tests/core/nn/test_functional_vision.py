"""Resizing, sampling and shuffling of images against loops and Pillow."""

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F
from triptych.nn.functional import vision

RNG = np.random.default_rng(0)


def cubic(x, a=-0.75):
    x = abs(x)
    if x <= 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * (x**3 - 5 * x**2 + 8 * x - 4) if x < 2 else 0


def linear(x):
    return max(0, 1 - abs(x))


def resized(line, out, kernel, reach, align, step=None):
    """One line resampled at each place by itself; ends repeat."""
    n = len(line)
    made = []
    for i in range(out):
        if align:
            at = i * (n - 1) / (out - 1) if out > 1 else 0
        else:
            at = (i + 0.5) * (step or n / out) - 0.5
            at = max(at, 0) if reach == 1 else at
        base = int(np.floor(at))
        near = range(base - reach + 1, base + reach + 1)
        made.append(sum(line[min(max(j, 0), n - 1)] * kernel(at - j) for j in near))
    return np.array(made)


KERNELS = {
    "linear": (linear, 1),
    "bilinear": (linear, 1),
    "trilinear": (linear, 1),
    "bicubic": (cubic, 2),
}


@pytest.mark.parametrize("align", [False, True])
@pytest.mark.parametrize(
    ("mode", "space", "out"),
    [
        ("linear", (7,), (10,)),
        ("bilinear", (5, 8), (9, 3)),
        ("bilinear", (5, 8), (1, 8)),
        ("trilinear", (3, 4, 5), (6, 2, 5)),
        ("bicubic", (6, 5), (4, 11)),
    ],
)
@pytest.mark.parametrize("dense", [True, False])
def test_smooth_modes(mode, space, out, align, dense, monkeypatch):
    monkeypatch.setattr(vision, "DENSE_LIMIT", 384 if dense else 0)
    kernel, reach = KERNELS[mode]
    x = RNG.standard_normal((2, 3, *space))
    want = x
    for axis, n in enumerate(out, start=2):
        want = np.apply_along_axis(resized, axis, want, n, kernel, reach, align)
    t = tp.tensor(x)
    got = F.interpolate(t, out, mode=mode, align_corners=align)
    np.testing.assert_allclose(got.numpy(), want, atol=1e-12)


def test_scale_factor_sets_positions_unless_recomputed():
    x = RNG.standard_normal((1, 1, 5))
    plain = F.interpolate(tp.tensor(x), scale_factor=1.5, mode="linear").numpy()
    assert plain.shape == (1, 1, 7)
    np.testing.assert_allclose(plain[0, 0], resized(x[0, 0], 7, linear, 1, False, 1 / 1.5))
    again = F.interpolate(
        tp.tensor(x), scale_factor=1.5, mode="linear", recompute_scale_factor=True
    ).numpy()
    np.testing.assert_allclose(again[0, 0], resized(x[0, 0], 7, linear, 1, False))


@pytest.mark.parametrize("size", [(10, 8), (5, 4), (3, 7), (1, 1), (20, 12)])
def test_nearest(size):
    x = RNG.standard_normal((2, 3, 5, 4))
    rows, cols = (np.arange(m) * n // m for n, m in zip((5, 4), size, strict=True))
    got = F.interpolate(tp.tensor(x), size).numpy()
    np.testing.assert_array_equal(got, x[:, :, rows][..., cols])
    rows, cols = (
        np.floor((np.arange(m) + 0.5) * n / m).astype(int)
        for n, m in zip((5, 4), size, strict=True)
    )
    got = F.interpolate(tp.tensor(x), size, mode="nearest-exact").numpy()
    np.testing.assert_array_equal(got, x[:, :, rows][..., cols])


@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
@pytest.mark.parametrize("size", [(9, 7), (40, 50), (13, 60)])
def test_antialias_is_pillows(mode, size):
    x = RNG.uniform(0, 1, (33, 29)).astype(np.float32)
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    want = np.asarray(Image.fromarray(x).resize(size[::-1], filters[mode]))
    got = F.interpolate(tp.tensor(x[None, None]), size, mode=mode, antialias=True).numpy()
    np.testing.assert_allclose(got[0, 0], want, atol=2e-6)


def test_uint8_is_rounded_and_kept_in_range():
    x = tp.tensor([[[[0, 255, 0, 255]]]], dtype=tp.uint8)
    y = F.interpolate(x, (1, 9), mode="bicubic")
    assert y.dtype == tp.uint8
    exact = F.interpolate(x.float(), (1, 9), mode="bicubic").numpy()
    np.testing.assert_allclose(y.numpy(), np.clip(exact, 0, 255), atol=0.51)
    with pytest.raises(tp.DTypeError, match="floating numbers or uint8"):
        F.interpolate(x.long(), (1, 9), mode="bilinear")


def test_uint8_is_torchs_to_the_last_bit():
    x = tp.tensor([[[[0, 255], [3, 8]]]], dtype=tp.uint8)
    linear = F.interpolate(x, (3, 5), mode="bilinear")
    assert linear.tolist()[0][0] == [[0, 25, 128, 230, 255], [2, 14, 67, 119, 132], [3, 3, 6, 8, 8]]
    cubic = F.interpolate(x, (3, 5), mode="bicubic")
    assert cubic.tolist()[0][0] == [[0, 23, 139, 254, 255], [1, 12, 67, 121, 132], [2, 1, 0, 0, 0]]


def test_bytes_with_antialias_are_nearly_pillows():
    x = RNG.integers(0, 256, (33, 29)).astype(np.uint8)
    want = np.asarray(Image.fromarray(x).resize((40, 9), Image.Resampling.BILINEAR)).astype(int)
    got = F.interpolate(tp.tensor(x[None, None]), (9, 40), mode="bilinear", antialias=True)
    assert np.abs(got.numpy()[0, 0] - want).max() <= 1  # weights have 16 bits here, 22 there


@pytest.mark.parametrize(
    "options",
    [
        {"size": (5, 3), "mode": "bilinear"},
        {"size": (5, 7), "mode": "bicubic", "align_corners": True},
        {"scale_factor": 2},
        {"size": (3, 2), "mode": "nearest-exact"},
        {"size": (2, 2), "mode": "area"},
        {"size": (2, 3), "mode": "bilinear", "antialias": True},
    ],
)
def test_derivatives(options):
    x = tp.tensor(RNG.standard_normal((1, 2, 4, 5)), requires_grad=True)
    assert gradcheck(lambda x: F.interpolate(x, **options), (x,))
    assert gradgradcheck(lambda x: F.interpolate(x, **options), (x,))


def test_old_names_and_area():
    x = tp.tensor(RNG.standard_normal((1, 2, 6, 4)))
    assert tp.equal(F.upsample(x, scale_factor=2), F.upsample_nearest(x, scale_factor=2))
    aligned = F.interpolate(x, (3, 3), mode="bilinear", align_corners=True)
    assert tp.equal(F.upsample_bilinear(x, (3, 3)), aligned)
    assert tp.equal(F.interpolate(x, (3, 2), mode="area"), F.adaptive_avg_pool2d(x, (3, 2)))


def test_interpolate_errors():
    x = tp.ones(1, 2, 4, 4)
    with pytest.raises(tp.ShapeError, match="give size or scale_factor"):
        F.interpolate(x)
    with pytest.raises(tp.ShapeError, match="mode is one of"):
        F.interpolate(x, 2, mode="lanczos")
    with pytest.raises(tp.ShapeError, match="'linear' wants"):
        F.interpolate(x, 2, mode="linear")
    with pytest.raises(tp.ShapeError, match="align_corners has no meaning"):
        F.interpolate(x, 2, align_corners=True)
    with pytest.raises(tp.ShapeError, match="antialias goes with"):
        F.interpolate(x, 2, antialias=True)
    with pytest.raises(tp.ShapeError, match="cannot become"):
        F.interpolate(x, scale_factor=0.1)
    with pytest.raises(tp.ShapeError, match="one number or 2"):
        F.interpolate(x, (1, 2, 3))


# Shuffles


def test_pixel_shuffle_and_back():
    x = RNG.standard_normal((2, 12, 3, 4))
    got = F.pixel_shuffle(tp.tensor(x), 2).numpy()
    for c, i, j in np.ndindex(3, 2, 2):
        np.testing.assert_array_equal(got[:, c, i::2, j::2], x[:, c * 4 + i * 2 + j])
    np.testing.assert_array_equal(F.pixel_unshuffle(tp.tensor(got), 2).numpy(), x)
    with pytest.raises(tp.ShapeError, match="pixel_shuffle: wanted"):
        F.pixel_shuffle(tp.tensor(x), 5)
    with pytest.raises(tp.ShapeError, match="pixel_unshuffle: wanted"):
        F.pixel_unshuffle(tp.tensor(x), 2)


def test_channel_shuffle():
    x = tp.arange(6).reshape(1, 6, 1)
    assert F.channel_shuffle(x, 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    with pytest.raises(tp.ShapeError, match="multiple of 4"):
        F.channel_shuffle(x, 4)


# Grids


def reflected(p, low, span):
    away, turns = abs(p - low), 0
    while away > span:
        away, turns = away - span, turns + 1
    return low + away if turns % 2 == 0 else low + span - away


def moved(p, n, padding, align):
    if padding == "reflection":
        p = reflected(p, 0.0, n - 1.0) if align else reflected(p, -0.5, float(n))
    return p if padding == "zeros" else min(max(p, 0), n - 1)


def read(plane, place):
    inside = all(0 <= i < n for i, n in zip(place, plane.shape, strict=True))
    return plane[tuple(place)] if inside else 0.0


def sampled(plane, place, mode, padding, align):
    """One place of one plane; place is (x, y) or (x, y, z)."""
    at = [
        (p + 1) / 2 * (n - 1) if align else ((p + 1) * n - 1) / 2
        for p, n in zip(place[::-1], plane.shape, strict=True)
    ]
    if mode == "bicubic":
        base = [int(np.floor(a)) for a in at]
        total = 0.0
        for i, j in np.ndindex(4, 4):
            spot = [base[0] + i - 1, base[1] + j - 1]
            near = [
                round(moved(float(s), n, padding, align))
                for s, n in zip(spot, plane.shape, strict=True)
            ]
            total += read(plane, near) * cubic(at[0] - spot[0]) * cubic(at[1] - spot[1])
        return total
    at = [moved(a, n, padding, align) for a, n in zip(at, plane.shape, strict=True)]
    if mode == "nearest":
        return read(plane, [round(a) for a in at])
    base = [int(np.floor(a)) for a in at]
    total = 0.0
    for side in np.ndindex(*[2] * len(at)):
        spot = [b + s for b, s in zip(base, side, strict=True)]
        weight = np.prod([linear(a - s) for a, s in zip(at, spot, strict=True)])
        total += read(plane, spot) * weight
    return total


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_grid_sample(mode, padding, align):
    x, grid = RNG.standard_normal((2, 2, 4, 5)), RNG.uniform(-1.8, 1.8, (2, 3, 4, 2))
    want = np.empty((2, 2, 3, 4))
    for n, c, i, j in np.ndindex(*want.shape):
        want[n, c, i, j] = sampled(x[n, c], grid[n, i, j], mode, padding, align)
    got = F.grid_sample(tp.tensor(x), tp.tensor(grid), mode, padding, align).numpy()
    np.testing.assert_allclose(got, want, atol=1e-12)
    if mode != "nearest":
        inputs = (tp.tensor(x, requires_grad=True), tp.tensor(grid, requires_grad=True))
        assert gradcheck(lambda x, g: F.grid_sample(x, g, mode, padding, align), inputs)


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_grid_sample_of_volumes(mode):
    x, grid = RNG.standard_normal((1, 2, 3, 4, 3)), RNG.uniform(-1.2, 1.2, (1, 2, 2, 3, 3))
    want = np.empty((1, 2, 2, 2, 3))
    for n, c, i, j, k in np.ndindex(*want.shape):
        want[n, c, i, j, k] = sampled(x[n, c], grid[n, i, j, k], mode, "zeros", False)
    got = F.grid_sample(tp.tensor(x), tp.tensor(grid), mode, align_corners=False).numpy()
    np.testing.assert_allclose(got, want, atol=1e-12)


@pytest.mark.parametrize("align", [True, False])
def test_the_identity_grid_reads_the_image_itself(align):
    x = tp.tensor(RNG.standard_normal((2, 3, 4, 5)))
    theta = tp.tensor([[[1.0, 0, 0], [0, 1, 0]]], dtype=tp.float64).expand(2, 2, 3)
    grid = F.affine_grid(theta, x.shape, align)
    np.testing.assert_allclose(F.grid_sample(x, grid, align_corners=align).numpy(), x.numpy())
    flipped = F.affine_grid(theta * tp.tensor([[-1.0], [1.0]]), x.shape, align)
    mirrored = F.grid_sample(x, flipped, align_corners=align).numpy()
    np.testing.assert_allclose(mirrored, x.numpy()[..., ::-1], atol=1e-12)


def test_affine_grid_of_volumes():
    theta = tp.tensor([[[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]]])
    grid = F.affine_grid(theta, (1, 1, 2, 3, 4), align_corners=True).numpy()
    assert grid.shape == (1, 2, 3, 4, 3)
    np.testing.assert_allclose(grid[0, 1, 2, 3], [1, 1, 1])
    np.testing.assert_allclose(grid[0, 0, 0, 0], [-1, -1, -1])


def test_grid_errors():
    x, grid = tp.ones(1, 2, 4, 4), tp.zeros(1, 3, 3, 2)
    with pytest.raises(tp.ShapeError, match="padding_mode of"):
        F.grid_sample(x, grid, padding_mode="wrap")
    with pytest.raises(tp.ShapeError, match="wanted input"):
        F.grid_sample(x, tp.zeros(1, 3, 3, 3))
    with pytest.raises(tp.ShapeError, match="not bicubic"):
        F.grid_sample(tp.ones(1, 1, 2, 2, 2), tp.zeros(1, 2, 2, 2, 3), "bicubic")
    with pytest.raises(tp.ShapeError, match="wanted theta"):
        F.affine_grid(tp.ones(1, 3, 3), (1, 1, 4, 4))
