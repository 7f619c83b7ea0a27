"""The fast ways through memory, compared with their twins: tensor operations and whole matrices."""

import numpy as np
import PIL
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych_vision.transforms import InterpolationMode
from triptych_vision.transforms import functional as F
from triptych_vision.transforms.filters import filter_matrix
from triptych_vision.transforms.functional.resizing import resize_bytes_exactly, rows_first
from triptych_vision.transforms.functional.resizing_arrays import filter_passes, filtered

PILLOW = int(PIL.__version__.partition(".")[0])
FILTERED = [m for m in InterpolationMode if not m.value.startswith("nearest")]
# NumPy's sines and those of C, which Pillow takes, may differ in the last bit.
WITH_SINES = (InterpolationMode.HAMMING, InterpolationMode.LANCZOS)
LAYOUTS = {
    "rows": lambda x: x,
    "pixels": lambda x: np.moveaxis(np.moveaxis(x, -3, -1).copy(), -1, -3),
    "every second": lambda x: np.repeat(np.repeat(x, 2, -1), 2, -2)[..., ::2, ::2],
    "backwards": lambda x: x[..., ::-1].copy()[..., ::-1],
    "cut": lambda x: np.pad(x, [(0, 0)] * (x.ndim - 1) + [(1, 2)])[..., 1:-2],
}


def check_twins(
    size: tuple[int, int], mode: InterpolationMode, antialias: bool, x: tp.Tensor
) -> None:
    got = F.resize(x, list(size), mode, antialias=antialias)
    want = resize_bytes_exactly(x, size, mode, antialias)
    assert got.dtype is tp.uint8
    assert got.shape == want.shape
    difference = np.abs(got.numpy().astype(int) - want.numpy())
    assert difference.max(initial=0) <= (mode in WITH_SINES and antialias)


@given(
    st.tuples(*[st.integers(1, 40)] * 4),
    st.sampled_from([(1,), (2,), (3,), (4,), (5,), (2, 3), (2, 1, 3), (0, 3)]),
    st.sampled_from(FILTERED),
    st.booleans(),
    st.sampled_from(list(LAYOUTS)),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=300, deadline=None)
def test_bytes_equal_the_tensor_operations(
    sizes: tuple[int, int, int, int],
    leading: tuple[int, ...],
    mode: InterpolationMode,
    antialias: bool,
    layout: str,
    seed: int,
) -> None:
    assume(PILLOW >= 13 or not rows_first(sizes[:2], sizes[2:]))
    rng = np.random.default_rng(seed)
    image = rng.choice(np.array([0, 1, 127, 254, 255], np.uint8), (*leading, *sizes[:2]))
    x = tp.from_numpy(LAYOUTS[layout](image))
    assert np.array_equal(x.numpy(), image)
    check_twins(sizes[2:], mode, antialias, x)


@pytest.mark.parametrize("mode", FILTERED)
@pytest.mark.parametrize("antialias", [True, False])
@pytest.mark.parametrize("size", [(60, 90), (300, 300), (120, 77), (31, 160)])
def test_bytes_of_photos_equal_the_tensor_operations(
    mode: InterpolationMode, antialias: bool, size: tuple[int, int], pixels
) -> None:
    image = np.stack([pixels(120, 160, 3).transpose(2, 0, 1)] * 2)
    check_twins(size, mode, antialias, tp.from_numpy(image))


@pytest.mark.parametrize("channels", [3, 4])
def test_pixels_side_by_side_stay_so(channels: int) -> None:
    x = np.random.default_rng(0).integers(0, 256, (20, 30, channels), dtype=np.uint8)
    got = F.resize(tp.from_numpy(x).permute(2, 0, 1), [7, 9])
    assert got.permute(1, 2, 0).is_contiguous()
    assert np.array_equal(got.permute(1, 2, 0).numpy(), F.resize(x, [7, 9]))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(33, 120), (120, 33), (33, 34), (120, 200), (50, 90), (70, 20)])
def test_floats_equal_whole_matrices(dtype: str, layout: str, size: tuple[int, int]) -> None:
    image = np.random.default_rng(0).normal(size=(2, 3, 70, 90)).astype(dtype)
    mode = InterpolationMode.BICUBIC
    got = filtered(LAYOUTS[layout](image), size, filter_passes((70, 90), size, mode, True, dtype))
    want = filter_matrix(70, size[0], mode) @ image @ filter_matrix(90, size[1], mode).T
    assert got.dtype == dtype
    np.testing.assert_allclose(got, want, atol=5e-6 if dtype == "float32" else 1e-12)


@pytest.mark.parametrize(
    ("old", "new", "order"),
    [
        ((400, 500), (224, 224), [-2, -1]),  # a product over rows is the faster one
        ((400, 1600), (390, 100), [-1, -2]),
        ((224, 224), (384, 384), [-1, -2]),
        ((224, 224), (384, 224), [-2]),
        ((224, 224), (224, 100), [-1]),
    ],
)
def test_the_order_of_the_axes(
    old: tuple[int, int], new: tuple[int, int], order: list[int]
) -> None:
    passes = filter_passes(old, new, InterpolationMode.BILINEAR, True, "float32")
    assert [axis for axis, _ in passes] == order


def test_floats_with_a_history_get_the_same_numbers() -> None:
    x = tp.from_numpy(np.random.default_rng(0).normal(size=(3, 50, 40)))
    for size in ([20, 30], [80, 70]):
        tracked = F.resize(x.clone().requires_grad_(), size)
        assert tracked.requires_grad
        np.testing.assert_allclose(tracked.detach().numpy(), F.resize(x, size).numpy(), atol=1e-12)
