"""Images read between their pixels by the native kernels, beside the way over NumPy."""

import numpy as np
import pytest

import triptych as tp
from triptych.backends import native

pytestmark = pytest.mark.native
blockwise = pytest.importorskip("triptych_vision.transforms.blockwise")
F = pytest.importorskip("triptych_vision.transforms.functional")

AFFINE = (15.5, 9.0, 0.06, -0.02, 0.1, 0.03, 0.09, -0.2)
PROJECTIVE = (-0.5, -0.5, 0.9, 0.1, 2.0, -0.2, 1.1, 1.5, 0.004, -0.003, 20.0, 14.0)


def images(dtype, *shape, seed=0):
    drawn = np.random.default_rng(seed).integers(0, 256, shape)
    return drawn.astype(dtype) if dtype == np.uint8 else (drawn / 255).astype(dtype)


def maps(kind, size):
    if kind != "given":
        return {"affine": AFFINE, "projective": PROJECTIVE}[kind]
    rng = np.random.default_rng(1)
    x, y = rng.uniform(-1.6, 1.6, (2, *size)).astype(np.float32)
    x[0, 0], y[-1, -1] = np.nan, np.inf
    return x, y


def taken(call):
    before = native.calls()["sample_places"]
    found = call()
    return found, native.calls()["sample_places"] - before


@pytest.mark.parametrize("kind", ["affine", "projective", "given"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("bilinear", [False, True])
@pytest.mark.parametrize("fill", [None, [0.0], [3.0, 250.0, 0.25]])
@pytest.mark.parametrize(
    ("old", "new"), [((28, 40), (19, 31)), ((1, 1), (3, 5)), ((1, 2), (2, 17)), ((37, 3), (40, 33))]
)
def test_equals_numpys_way(kind, dtype, bilinear, fill, old, new):
    for shape in ((3, *old), (2, 2, 3, *old)):
        given = (images(dtype, *shape), kind, maps(kind, new), new, bilinear, fill, "float32")
        got, times = taken(lambda given=given: blockwise.sample_blocks(*given))
        assert times == 1
        np.testing.assert_array_equal(got, blockwise.sample_blocks.plain(*given))


def test_parts_of_images_and_of_maps():
    x, y = maps("given", (8, 30))
    for image in (
        images(np.uint8, 3, 9, 9)[:, ::-1],
        images(np.float32, 9, 9, 3).transpose(2, 0, 1),
    ):
        given = (image, "given", (x[:, ::2], y[:, ::2]), (8, 15), True, None, "float32")
        got, times = taken(lambda given=given: blockwise.sample_blocks(*given))
        assert times == 1
        np.testing.assert_array_equal(got, blockwise.sample_blocks.plain(*given))


@pytest.mark.parametrize(
    "change",
    [
        {"image": images(np.float64, 3, 9, 9), "dtype": "float64"},
        {"image": images(np.int16, 3, 9, 9)},
        {"fill": [-1.0]},  # no byte
        {"fill": [300.0]},
    ],
    ids=["float64", "int16", "below", "above"],
)
def test_what_is_left_to_numpy(change):
    given = {
        "image": images(np.uint8, 3, 9, 9),
        "kind": "affine",
        "numbers": AFFINE,
        "size": (9, 9),
        "bilinear": True,
        "fill": None,
        "dtype": "float32",
    } | change
    image = given.pop("image")
    assert blockwise.sample_blocks.fast(image, **given) is NotImplemented


@pytest.mark.parametrize("dtype", [tp.uint8, tp.float32])
def test_transforms_take_it(dtype):
    x = tp.from_numpy(images(np.uint8, 3, 30, 44)).to(dtype)
    bend = tp.from_numpy(np.random.default_rng(0).normal(0, 0.1, (1, 30, 44, 2)).astype(np.float32))
    grid = tp.rand(20, 20) * 40
    calls = {
        "rotate": lambda: F.rotate(x, 30, "bilinear"),
        "affine": lambda: F.affine(x, 10, [1, 2], 1.1, [3, 4], "bilinear", fill=7),
        "perspective": lambda: F.perspective(x, None, None, coefficients=list(PROJECTIVE[2:10])),
        "elastic": lambda: F.elastic(x, bend, fill=[1, 2, 3]),
        "remap": lambda: F.remap(x, grid, grid),
    }
    for name, call in calls.items():
        out, times = taken(call)
        assert (times, out.dtype) == (1, dtype), name


def test_threads_agree():
    given = (images(np.uint8, 4, 3, 300, 200), "affine", AFFINE, (300, 200), True, [9.0], "float32")
    before = tp.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            tp.set_num_threads(threads)
            found.append(blockwise.sample_blocks(*given))
    finally:
        tp.set_num_threads(before)
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)
