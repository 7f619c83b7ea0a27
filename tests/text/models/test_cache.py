import numpy as np
import pytest

import triptych as tp
from triptych_text.models import KeyValueCache
from triptych_text.models.cache import LayerCache

RNG = np.random.default_rng(0)
PIECES = [1, 5, 40, 1, 1, 70, 3]


@pytest.mark.parametrize("inference", [False, True])
@pytest.mark.parametrize("window", [None, 1, 4, 50])
def test_what_is_kept(window, inference):
    """Against a list of all keys; windows forget what no later query sees."""
    with tp.inference_mode(inference):
        check_what_is_kept(window)


def check_what_is_kept(window):
    every = np.zeros((2, 3, 0, 4), np.float32)
    layer = LayerCache(window)
    for length in PIECES:
        new = RNG.standard_normal((2, 3, length, 4)).astype(np.float32)
        old = every if window is None else every[:, :, max(0, every.shape[2] - window + 1) :]
        keys, values = layer.append(tp.from_numpy(new), tp.from_numpy(new[..., :2] * 2))
        wanted = np.concatenate([old, new], 2)
        np.testing.assert_array_equal(keys.numpy(), wanted)
        np.testing.assert_array_equal(values.numpy(), wanted[..., :2] * 2)
        every = np.concatenate([every, new], 2)
        assert len(layer) == every.shape[2] if window is None else len(layer) <= window - 1


def test_rows_and_texts():
    cache = KeyValueCache([None, 3])
    x = tp.arange(3.0).reshape(3, 1, 1, 1)
    cache.layers[0].append(x, x)
    cache.layers[0].cross = (x, x)
    cache.reorder(tp.tensor([2, 2]), same_texts=True)
    assert cache.layers[0].append(x[:2], x[:2])[0][:, 0, :, 0].tolist() == [[2, 0], [2, 1]]
    assert cache.layers[0].cross[0].shape[0] == 3
    cache.reorder(tp.tensor([0]))
    assert cache.layers[0].cross[0].shape[0] == 1


def test_gradients_pass_through():
    layer = LayerCache(3)
    parts = [tp.ones(1, 1, 2, 1, requires_grad=True) for _ in range(2)]
    for part in parts:
        keys, _ = layer.append(part * 2, part * 3)
    assert keys.shape == (1, 1, 4, 1)
    keys.sum().backward()
    assert [part.grad.sum().item() for part in parts] == [4, 4]
