"""Warps read each new pixel where the geometry says; PIL images are warped by Pillow."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

import triptych as tp
from triptych.errors import DTypeError, ShapeError, UnknownNameError
from triptych_vision import tv_tensors
from triptych_vision.transforms import functional as F

Pixels = Callable[..., np.ndarray]
AFFINE = {"angle": 20.0, "translate": [3, -2], "scale": 1.2, "shear": [5.0, -8.0]}
START, END = [[0, 0], [19, 0], [19, 14], [0, 14]], [[2, 1], [16, 3], [18, 12], [1, 13]]
OPERATIONS: dict[str, Callable[..., Any]] = {
    "affine": lambda x, **k: F.affine(x, **AFFINE, **k),
    "affine about": lambda x, **k: F.affine(x, **AFFINE, center=[4, 5], **k),
    "rotate": lambda x, **k: F.rotate(x, 33.0, **k),
    "rotate about": lambda x, **k: F.rotate(x, -50.0, center=[4, 5], **k),
    "perspective": lambda x, **k: F.perspective(x, START, END, **k),
}


def smooth(height: int = 15, width: int = 20) -> np.ndarray:
    """(h, w, 3) bytes that change slowly, so that a place off by little shows little."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 4), np.cos(y / 3), np.sin((x + y) / 5)]
    return (np.stack(waves, -1) * 100 + 128).astype(np.uint8)


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize(("mode", "fill"), [("nearest", None), ("nearest", 9), ("bilinear", None)])
def test_tensors_and_pil_images_agree(name: str, mode: str, fill: Any) -> None:
    hwc = smooth()
    x = tp.from_numpy(hwc.transpose(2, 0, 1).copy())
    got = OPERATIONS[name](x, interpolation=mode, fill=fill).numpy().astype(int)
    pil = OPERATIONS[name](Image.fromarray(hwc), interpolation=mode, fill=fill)
    away = np.abs(got - np.asarray(pil).transpose(2, 0, 1).astype(int))
    inside = np.asarray(OPERATIONS[name](Image.new("L", (20, 15), 1), fill=0)) > 0
    core = inside.copy()  # Pillow treats the border otherwise
    for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
        core &= np.roll(inside, step, axis)
    core[[0, -1]] = core[:, [0, -1]] = False
    assert core.sum() > 80
    assert np.percentile(away[:, core], 98) <= 2
    outside = ~inside
    if mode == "nearest":
        assert (away[:, outside] == 0).mean() > 0.9


@pytest.mark.parametrize("name", OPERATIONS)
def test_floats_and_bytes_agree(name: str, pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(2, 3, 15, 20))
    got = OPERATIONS[name](x, interpolation="bilinear", fill=[1, 2, 3])
    wide = OPERATIONS[name](x.to(tp.float32), interpolation="bilinear", fill=[1, 2, 3])
    assert got.dtype is tp.uint8
    assert (got.to(tp.float32) - wide).abs().max().item() <= 0.5
    one = OPERATIONS[name](x[1], interpolation="bilinear", fill=[1, 2, 3])
    assert np.array_equal(got[1].numpy(), one.numpy())


@pytest.mark.parametrize("angle", [0, 90, 180, 270, -90])
def test_quarter_turns_lose_nothing(angle: int, pixels: Pixels) -> None:
    chw = pixels(3, 6, 9)
    got = F.rotate(tp.from_numpy(chw), angle, expand=True)
    want = np.rot90(chw, angle // 90, (1, 2))
    assert np.array_equal(got.numpy(), want)
    pil = Image.fromarray(chw.transpose(1, 2, 0).copy())
    assert np.array_equal(np.asarray(F.rotate(pil, angle, expand=True)), want.transpose(1, 2, 0))
    square = tp.from_numpy(chw[:, :6, :6].copy())
    assert np.array_equal(
        F.rotate(square, angle).numpy(), np.rot90(square.numpy(), angle // 90, (1, 2))
    )


def test_expand_holds_all() -> None:
    x = tp.full((1, 20, 30), 1.0)
    out = F.rotate(x, 30, expand=True)
    cos, sin = math.cos(math.pi / 6), math.sin(math.pi / 6)
    for got, want in zip(out.shape[1:], (30 * sin + 20 * cos, 30 * cos + 20 * sin), strict=True):
        assert want <= got <= want + 2
    assert out.sum().item() == pytest.approx(600, rel=0.02)


def test_no_change_is_no_change(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 8, 11))
    corners = [[0, 0], [10, 0], [10, 7], [0, 7]]
    for mode in ("nearest", "bilinear"):
        for out in (
            F.affine(x, 0, [0, 0], 1, 0, interpolation=mode),
            F.perspective(x, corners, corners, interpolation=mode),
            F.elastic(x, tp.zeros(1, 8, 11, 2), interpolation=mode),
        ):
            assert np.array_equal(out.numpy(), x.numpy())


def test_translation_is_a_shift(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 8, 11))
    out = F.affine(x, 0, [2, -3], 1, 0, fill=7)
    assert np.array_equal(out[:, :5, 2:].numpy(), x[:, 3:, :9].numpy())
    assert (out[:, 5:].numpy() == 7).all()
    assert (out[:, :, :2].numpy() == 7).all()
    moved = tp.zeros(1, 8, 11, 2)
    moved[..., 0] = 2 * 3 / 11  # three pixels to the right of its place
    assert np.array_equal(F.elastic(x, moved)[..., :8].numpy(), x[..., 3:].numpy())


def test_places_that_are_no_numbers_are_outside() -> None:
    x = tp.ones(1, 4, 4)
    moved = tp.zeros(1, 4, 4, 2)
    moved[0, 1, 2, 0] = math.nan
    for mode in ("nearest", "bilinear"):
        assert F.elastic(x, moved, mode, fill=5).flatten().tolist() == [1] * 6 + [5] + [1] * 9


def test_gradient_reaches_the_pixels() -> None:
    x = tp.rand(1, 6, 6, dtype=tp.float64).requires_grad_()
    F.rotate(x, 30, interpolation="bilinear").sum().backward()
    weights = x.grad
    assert weights is not None
    assert weights[0, 3, 3].item() == pytest.approx(1.0, abs=0.2)


def test_gradient_reaches_the_displacement() -> None:
    """By central differences, at places away from the kinks."""
    x = tp.rand(1, 6, 7, dtype=tp.float64)
    moved = tp.full((1, 6, 7, 2), 0.05, dtype=tp.float64).requires_grad_()
    F.elastic(x, moved).sum().backward()
    assert moved.grad is not None
    step = tp.zeros(1, 6, 7, 2, dtype=tp.float64)
    step[0, 2, 3, 1] = 1e-6
    high, low = (F.elastic(x, moved.detach() + sign * step).sum() for sign in (1, -1))
    slope = (high - low).item() / 2e-6
    assert moved.grad[0, 2, 3, 1].item() == pytest.approx(slope, rel=1e-6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_inside_of_compile_and_vmap(name: str, pixels: Pixels) -> None:
    batch = tp.from_numpy(pixels(4, 3, 15, 20)).to(tp.float32)
    warp = OPERATIONS[name]
    compiled = tp.compile(lambda x: warp(x, interpolation="bilinear"))
    for _ in range(3):
        np.testing.assert_allclose(
            compiled(batch).numpy(), warp(batch, interpolation="bilinear").numpy(), rtol=1e-5
        )
    mapped = tp.func.vmap(warp)(batch)
    assert np.array_equal(mapped.numpy(), warp(batch).numpy())


def test_elastic_of_a_pil_image_keeps_its_mode(pixels: Pixels) -> None:
    for mode, shape in (("L", (8, 9)), ("RGB", (8, 9, 3))):
        image = Image.fromarray(pixels(*shape))
        out = F.elastic(image, tp.zeros(1, 8, 9, 2))
        assert out.mode == mode
        assert np.array_equal(np.asarray(out), np.asarray(image))


def test_what_is_refused(pixels: Pixels) -> None:
    x = tp.from_numpy(pixels(3, 8, 9))
    refusals: list[tuple[type[Exception], str, Callable[[], Any]]] = [
        (ValueError, "scale is above zero", lambda: F.affine(x, 0, [0, 0], 0, 0)),
        (ShapeError, r"translate is \(x, y\)", lambda: F.affine(x, 0, [0], 1, 0)),
        (ShapeError, r"shear is one angle", lambda: F.affine(x, 0, [0, 0], 1, [1, 2, 3])),
        (ShapeError, "fill is one value or one per", lambda: F.rotate(x, 5, fill=[1, 2])),
        (UnknownNameError, "rotate: .* got bicubic", lambda: F.rotate(x, 5, "bicubic")),
        (ValueError, "in place of both", lambda: F.perspective(x, None, None)),
        (ShapeError, "eight", lambda: F.perspective(x, None, None, coefficients=[1])),
        (ShapeError, "four startpoints", lambda: F.perspective(x, START[:3], END)),
        (DTypeError, "displacement is a tensor", lambda: F.elastic(x, 3)),
        (ShapeError, r"\(1, 8, 9, 2\)", lambda: F.elastic(x, tp.zeros(1, 9, 8, 2))),
    ]
    for error, text, call in refusals:
        with pytest.raises(error, match=text):
            call()


def test_films_are_warped_frame_by_frame(pixels: Pixels) -> None:
    film = tv_tensors.Video(tp.from_numpy(pixels(2, 3, 15, 20)))
    for operation in OPERATIONS.values():
        out = operation(film)
        assert type(out) is tv_tensors.Video
        assert np.array_equal(out[1].numpy(), operation(film[1]).numpy())
