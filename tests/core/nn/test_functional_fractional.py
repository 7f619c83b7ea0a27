"""Fractional max pooling against loops over windows."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.autograd import gradcheck
from triptych.nn import functional as F

RNG = np.random.default_rng(0)


def starts(u, n, size, out):
    """Graham 2014: differences of floor((i + u) alpha), and the last window at the end."""
    if out == 1:
        return [n - size]
    alpha = (n - size) / (out - 1)
    return [int((i + u) * alpha) - int(u * alpha) for i in range(out - 1)] + [n - size]


def naive(x, size, out, draws):
    """Maxima and flat indices; draws are for (width, height) in images, (d, h, w) in volumes."""
    space = x.shape[2:]
    order = (1, 0) if len(space) == 2 else range(len(space))
    best, where = np.empty((*x.shape[:2], *out)), np.empty((*x.shape[:2], *out), int)
    for n, c in np.ndindex(*x.shape[:2]):
        axes = [starts(draws[n, c, d], space[i], size[i], out[i]) for i, d in enumerate(order)]
        for at in np.ndindex(*out):
            low = [axes[i][a] for i, a in enumerate(at)]
            window = x[n, c][tuple(slice(s, s + k) for s, k in zip(low, size, strict=True))]
            top = np.unravel_index(window.argmax(), window.shape)
            place = [s + t for s, t in zip(low, top, strict=True)]
            best[n, c][at], where[n, c][at] = window.max(), np.ravel_multi_index(place, space)
    return best, where


CASES = [
    ((2, 2, 7, 6), (2, 2), (4, 3)),
    ((1, 2, 9, 8), (3, 2), (1, 7)),
    ((1, 2, 5, 4, 6), (2, 3, 1), (3, 1, 4)),
]


@pytest.mark.parametrize(("shape", "size", "out"), CASES)
def test_windows_and_indices(shape, size, out):
    x, draws = RNG.standard_normal(shape), RNG.random((*shape[:2], len(size)))
    pool = (F.fractional_max_pool2d, F.fractional_max_pool3d)[len(size) - 2]
    given = {"return_indices": True, "_random_samples": tp.tensor(draws)}
    values, indices = pool(tp.tensor(x), size, out, **given)
    expected = naive(x, size, out, draws)
    np.testing.assert_array_equal(values.numpy(), expected[0])
    np.testing.assert_array_equal(indices.numpy(), expected[1])
    assert gradcheck(
        lambda t: pool(t, size, out, _random_samples=tp.tensor(draws)),
        tp.tensor(x).requires_grad_(),
    )


def test_ratio_one_sample_and_the_gradient_of_the_maximum():
    x = tp.tensor(RNG.standard_normal((3, 10, 9))).requires_grad_()
    out, indices = F.fractional_max_pool2d(x, 2, output_ratio=(0.5, 0.7), return_indices=True)
    assert out.shape == (3, 5, 6)
    out.sum().backward()
    counts = [np.bincount(i.ravel(), minlength=90) for i in indices.numpy()]
    np.testing.assert_array_equal(x.grad.numpy().reshape(3, 90), counts)


def test_draws_differ_and_can_be_repeated():
    x = tp.tensor(RNG.standard_normal((1, 1, 30, 30)))
    layer = nn.FractionalMaxPool2d(2, output_size=9)
    tp.manual_seed(1)
    one, two = layer(x).numpy(), layer(x).numpy()
    tp.manual_seed(1)
    np.testing.assert_array_equal(layer(x).numpy(), one)
    assert not np.array_equal(one, two)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "not both"),
        ({"output_size": 3, "output_ratio": 0.5}, "not both"),
        ({"output_ratio": 1.5}, "between 0 and 1"),
        ({"output_size": 9}, "do not fit"),
        ({"output_size": 3, "_random_samples": tp.zeros(1, 2)}, "_random_samples"),
    ],
)
def test_errors(options, text):
    with pytest.raises(tp.ShapeError, match=text):
        F.fractional_max_pool2d(tp.zeros(1, 1, 9, 9), 2, **options)
    if text == "not both":
        with pytest.raises(tp.ShapeError, match=text):
            nn.FractionalMaxPool2d(2, **options)
