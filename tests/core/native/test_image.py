"""Images of bytes by the native kernels, beside Pillow and the way over NumPy."""

import numpy as np
import pytest

import triptych as tp

pytestmark = pytest.mark.native
Image = pytest.importorskip("PIL.Image")
vision = pytest.importorskip("triptych_vision")
arrays = pytest.importorskip("triptych_vision.transforms.functional.resizing_arrays")
conversion = pytest.importorskip("triptych_vision.transforms.functional.conversion")
transforms = pytest.importorskip("triptych_vision.transforms")

MODES = ["box", "bilinear", "hamming", "bicubic", "lanczos"]
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def pixels(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((40, 50), (20, 31)),
        ((40, 50), (57, 120)),
        ((40, 50), (40, 22)),
        ((40, 50), (9, 50)),
        ((300, 40), (7, 39)),  # rows first
        ((17, 15), (5, 3)),  # rows shorter than a window
        ((1, 200), (3, 1)),
        ((90, 400), (45, 3)),
        ((129, 131), (64, 67)),
    ],
)
def test_resizing_is_exact(mode, antialias, old, new, taken):
    x = pixels(3, *old)
    got, times = taken("resize_bytes", lambda: arrays.resized_bytes(x, new, mode, antialias))
    assert times == 1
    np.testing.assert_array_equal(got, arrays.resized_bytes.plain(x, new, mode, antialias))


def test_resizing_parts_of_images_and_batches(taken):
    whole = pixels(2, 3, 60, 80)
    for x in (whole[..., 5:50, 7:71], whole[:, ::-1], whole[1:, :, ::-1], whole[..., 3:4, :]):
        got, times = taken(
            "resize_bytes", lambda x=x: arrays.resized_bytes(x, (19, 23), MODES[1], True)
        )
        assert times == 1
        np.testing.assert_array_equal(got, arrays.resized_bytes.plain(x, (19, 23), MODES[1], True))


def test_channels_side_by_side(taken):
    for x in (pixels(30, 40, 3), pixels(30, 40, 4)[3:, 2:]):
        x = x.transpose(2, 0, 1)
        got, times = taken(
            "resize_bytes", lambda x=x: arrays.resized_bytes(x, (19, 23), MODES[1], True)
        )
        assert times == 1
        planar = np.ascontiguousarray(x)
        np.testing.assert_array_equal(
            got, arrays.resized_bytes.plain(planar, (19, 23), MODES[1], True)
        )


def test_columns_apart_take_numpys_path(taken):
    x = pixels(3, 30, 80)[..., ::2]
    _, times = taken("resize_bytes", lambda: arrays.resized_bytes(x, (19, 23), MODES[1], True))
    assert times == 0


def test_threads_do_not_matter():
    x = pixels(3, 200, 300)
    before = tp.get_num_threads()
    try:
        found = []
        for threads in (1, 2):
            tp.set_num_threads(threads)
            found.append(arrays.resized_bytes(x, (110, 120), "bicubic", True))
    finally:
        tp.set_num_threads(before)
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (17, 33), (64, 100)])
@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_to_planes(size, channels, taken):
    x = pixels(*size, channels)
    picture = Image.fromarray(x)
    got, times = taken("planes_of_pixels", lambda: conversion.pil_to_tensor(picture).numpy())
    assert times == hasattr(picture, "__arrow_c_array__")
    np.testing.assert_array_equal(got, x.transpose(2, 0, 1))
    picture.putpixel((0, 0), tuple(255 - int(v) for v in x[0, 0]))
    np.testing.assert_array_equal(got, x.transpose(2, 0, 1))  # it is a copy
    got, times = taken("planes_of_pixels", lambda: conversion.to_image(x).numpy())
    assert times == 1
    np.testing.assert_array_equal(got, x.transpose(2, 0, 1))
    assert got.flags.c_contiguous
    assert not np.shares_memory(got, x)


def test_a_file_is_read_before_its_memory_is_taken(tmp_path):
    x = pixels(20, 30, 3)
    Image.fromarray(x).save(tmp_path / "image.png")
    with Image.open(tmp_path / "image.png") as picture:
        np.testing.assert_array_equal(conversion.pil_to_tensor(picture), x.transpose(2, 0, 1))


@pytest.mark.parametrize(
    "x",
    [
        pixels(3, 20, 33),
        pixels(2, 3, 50, 60)[..., 4:40, 1:58],
        pixels(3, 1, 1)[..., ::-1, :],
        pixels(9, 8, 3).transpose(2, 0, 1),
    ],
    ids=["whole", "part", "pixel", "channels side by side"],
)
@pytest.mark.parametrize(("mean", "std"), [(MEAN, STD), ((0.5,), (0.2,)), (MEAN, (0.25,))])
def test_normalising_in_one_pass(x, mean, std, taken):
    image = tp.from_numpy(x)
    got, times = taken("normalize_bytes", lambda: conversion.scale_and_normalize(image, mean, std))
    assert times == 1
    want = conversion.normalize(conversion.to_dtype(image, tp.float32, True), mean, std)
    assert tp.equal(got, want)
    divided = conversion.normalized_bytes(image, 1.0, 255.0, mean, std)
    assert tp.equal(divided, conversion.normalize(image.to(tp.float32) / 255, mean, std))


def test_pipelines_join_scaling_and_normalising(taken):
    steps = [transforms.ToDtype(tp.float32, scale=True), transforms.Normalize(MEAN, STD)]
    both = transforms.Compose(steps)
    image = transforms.ToImage()(pixels(20, 30, 3))
    for given in (image, tp.from_numpy(pixels(3, 9, 9)), image.float() / 255):
        got, want = both(given), steps[1](steps[0](given))
        assert type(got) is type(want)
        assert tp.equal(got, want)
    mask = vision.tv_tensors.Mask(pixels(20, 30))
    got = both({"image": image, "mask": mask, "label": 3})
    assert tp.equal(got["image"], both(image))
    assert got["mask"].dtype is tp.uint8
    assert got["label"] == 3
    _, times = taken("normalize_bytes", lambda: both(image))
    assert times == 1
    with pytest.raises(tp.errors.DTypeError, match="PIL image"):
        both(Image.fromarray(pixels(4, 4, 3)))


def test_a_watched_step_runs_by_itself():
    steps = [transforms.ToDtype(tp.float32, scale=True), transforms.Normalize(MEAN, STD)]
    seen = []
    steps[1].register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].dtype))
    transforms.Compose(steps)(tp.from_numpy(pixels(3, 9, 9)))
    assert seen == [tp.float32]
