import numpy as np
import pytest

import triptych as tp
from triptych.errors import TransformError
from triptych_text.models.arrays import arrays_of


def test_memory_is_shared_in_inference_alone():
    x = tp.zeros(2)
    assert arrays_of(x) is None
    with tp.inference_mode():
        (array,) = arrays_of(x)
        array[0] = 1
        assert arrays_of(x, tp.zeros(2, dtype=tp.bfloat16)) is None
    assert x.tolist() == [1, 0]


def test_not_where_values_are_unknown():
    def double(x):
        arrays = arrays_of(x)
        return x * 2 if arrays is None else tp.from_numpy(arrays[0] * 2)

    with tp.inference_mode():
        np.testing.assert_array_equal(tp.vmap(double)(tp.ones(3, 2)).numpy(), 2)
        compiled = tp.compile(double)
        assert [compiled(tp.full((1,), by)).item() for by in (1.0, 3.0)] == [2, 6]
        with pytest.raises(TransformError):
            tp.vmap(lambda x: tp.from_numpy(x.numpy()))(tp.ones(3, 2))
