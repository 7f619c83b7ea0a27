"""Attention in windows, against a twin that looks at one pixel after the other."""

import itertools
import math

import numpy as np
import pytest

import triptych as tp
from triptych_vision.models.swin_transformer import ShiftedWindowAttention, ShiftedWindowAttentionV2
from triptych_vision.models.video.swin_transformer import ShiftedWindowAttention3d
from triptych_vision.models.window_attention import relative_position_index


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def twin(layer: ShiftedWindowAttention, image: np.ndarray, window: list[int]) -> np.ndarray:
    """(*sizes, c) to the same shape, pixel by pixel in 64 bits."""
    *sizes, c = image.shape
    padded = [-(-n // w) * w for n, w in zip(sizes, window, strict=True)]
    shift = [s if w < n else 0 for s, w, n in zip(layer.shift_size, window, padded, strict=True)]
    weight, bias = (p.detach().numpy().astype(float) for p in layer.qkv.parameters())
    table = layer.relative_position_bias_table.detach().numpy().astype(float)
    heads, d = layer.num_heads, c // layer.num_heads
    full = np.zeros((*padded, c))
    full[tuple(slice(n) for n in sizes)] = image
    qkv = (full @ weight.T + bias).reshape(*padded, 3, heads, d)
    places = list(itertools.product(*(range(n) for n in padded)))
    out = np.zeros((*padded, c))

    def rolled(place: tuple[int, ...]) -> list[int]:
        return [(p - s) % n for p, s, n in zip(place, shift, padded, strict=True)]

    def group(place: tuple[int, ...]) -> tuple[object, ...]:
        """The window, and for each axis whether the shift wrapped the pixel around."""
        at = rolled(place)
        wrapped = tuple(p < s for p, s in zip(place, shift, strict=True))
        return tuple(a // w for a, w in zip(at, window, strict=True)), wrapped

    sides = [2 * w - 1 for w in layer.window_size]
    for place in places:
        friends = [other for other in places if group(other) == group(place)]
        for head in range(heads):
            scores = []
            for other in friends:
                apart = [
                    a % w - b % w + w - 1
                    for a, b, w in zip(rolled(place), rolled(other), layer.window_size, strict=True)
                ]
                row = np.ravel_multi_index(apart, sides)
                score = qkv[place][0, head] @ qkv[other][1, head] / math.sqrt(d)
                scores.append(score + table[row, head])
            weights = softmax(np.array(scores))
            values = np.array([qkv[other][2, head] for other in friends])
            out[place][head * d : (head + 1) * d] = weights @ values
    proj, offset = (p.detach().numpy().astype(float) for p in layer.proj.parameters())
    return (out @ proj.T + offset)[tuple(slice(n) for n in sizes)]


@pytest.mark.parametrize(
    ("sizes", "window", "shift"),
    [
        ((4, 6), [2, 3], [0, 0]),
        ((4, 6), [2, 3], [1, 1]),
        ((5, 7), [2, 3], [1, 1]),  # padded
        ((2, 6), [2, 3], [1, 1]),  # one axis is a single window: no shift there
    ],
)
def test_equals_the_twin(sizes: tuple[int, ...], window: list[int], shift: list[int]) -> None:
    tp.manual_seed(0)
    layer = ShiftedWindowAttention(8, window, shift, num_heads=2).eval()
    with tp.no_grad():
        layer.relative_position_bias_table.normal_()
    x = tp.randn(1, *sizes, 8)
    np.testing.assert_allclose(
        layer(x)[0].detach().numpy(), twin(layer, x[0].numpy(), window), atol=1e-5
    )


def test_videos_equal_the_twin() -> None:
    tp.manual_seed(0)
    layer = ShiftedWindowAttention3d(4, [2, 2, 2], [1, 1, 1], num_heads=2).eval()
    with tp.no_grad():
        layer.relative_position_bias_table.normal_()
    x = tp.randn(1, 3, 4, 2, 4)
    np.testing.assert_allclose(
        layer(x)[0].detach().numpy(), twin(layer, x[0].numpy(), [2, 2, 2]), atol=1e-5
    )


def test_gradients_reach_the_table_of_biases() -> None:
    layer = ShiftedWindowAttention(4, [2, 2], [1, 1], num_heads=2)
    layer(tp.randn(1, 4, 4, 4)).square().sum().backward()
    assert float(layer.relative_position_bias_table.grad.abs().sum()) > 0


def test_cosines_do_not_feel_the_length_of_queries_and_keys() -> None:
    tp.manual_seed(0)
    layer = ShiftedWindowAttentionV2(4, [2, 2], [0, 0], num_heads=2).eval()
    x = tp.randn(1, 4, 4, 4)
    before = layer(x).detach().numpy()
    with tp.no_grad():
        layer.qkv.bias[:8].zero_()
        reference = layer(x).detach().numpy()
        layer.qkv.weight[:8].mul_(3.0)
    np.testing.assert_allclose(layer(x).detach().numpy(), reference, atol=1e-5)
    assert before.shape == reference.shape


def test_rows_of_distances_are_one_for_each_distance() -> None:
    index = relative_position_index([2, 3])
    assert index.shape == (6, 6)
    assert len(np.unique(index)) == 3 * 5
    assert (np.diag(index) == index[0, 0]).all()
    assert (index + index.T == 2 * index[0, 0]).all()  # opposite distances, opposite rows
