"""Tables of bytes against indexing."""

from collections.abc import Callable

import numpy as np
import pytest

import triptych as tp
from triptych_vision.transforms.functional import lookup

Pixels = Callable[..., np.ndarray]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_one_table_for_any_layout(order: tuple[int, int, int], pixels: Pixels) -> None:
    array = pixels(3, 7, 11).transpose(order)
    table = pixels(256, seed=1)
    out = lookup.looked_up(tp.from_numpy(array), table).numpy()
    assert np.array_equal(out, table[array])
    assert out.strides == array.strides
    cut = array[::2, 1:, :3]
    assert np.array_equal(lookup.looked_up(tp.from_numpy(cut), table).numpy(), table[cut])


def test_a_table_for_each_plane(pixels: Pixels) -> None:
    array, tables = pixels(2, 3, 4, 5), pixels(2, 3, 256, seed=1)
    want = np.take_along_axis(tables, array.reshape(2, 3, -1).astype(int), -1).reshape(array.shape)
    assert np.array_equal(lookup.looked_up(tp.from_numpy(array), tables).numpy(), want)


def test_tabulated_bytes_equal_the_function_itself(pixels: Pixels) -> None:
    calls = []

    def halved(x: tp.Tensor) -> tp.Tensor:
        calls.append(x.numel())
        return x // 2

    array = pixels(3, 20, 20)
    assert np.array_equal(lookup.tabulated(tp.from_numpy(array), halved).numpy(), array // 2)
    assert calls == [256]
    wide = tp.from_numpy(array.astype(np.int16))
    assert np.array_equal(lookup.tabulated(wide, halved).numpy(), array // 2)
    assert calls == [256, 1200]
    assert lookup.tabulated(tp.zeros(0, 3, dtype=tp.uint8), halved).shape == (0, 3)


def test_the_memory_of_a_tensor_where_numpy_may_have_it() -> None:
    x = tp.zeros(2, 3)
    array = lookup.array_of(x)
    assert array is not None
    array[0, 1] = 5
    assert x[0, 1] == 5
    assert lookup.array_of(x.requires_grad_()) is None
