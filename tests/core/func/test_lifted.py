"""Transforms together with what else may be active, and values from outside."""

import numpy as np
import pytest

import triptych
from triptych import autograd
from triptych.func import grad, jvp, vmap
from triptych.testing import assert_close


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(4, 3)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(3, 3)))


@pytest.fixture
def expected(x, w):
    return (x @ w.T).cos() @ w


def inside(context, fn):
    def run(a):
        with context():
            return fn(a)

    return run


def same(t):
    return t


CONTEXTS = [
    autograd.detect_anomaly,
    lambda: autograd.graph.saved_tensors_hooks(same, same),
    triptych.enable_grad,
]


@pytest.mark.parametrize("context", CONTEXTS)
def test_contexts_around_and_inside(x, w, expected, context):
    fn = grad(lambda a: (w @ a).sin().sum())
    with context():
        assert_close(vmap(fn)(x), expected)
    assert_close(vmap(inside(context, fn))(x), expected)


def test_anomaly_mode_finds_a_nan_in_a_batch(x):
    with (
        autograd.detect_anomaly(),
        pytest.raises(triptych.GradError, match=r"sqrt, called at .*test_lifted"),
    ):
        vmap(grad(lambda a: ((a * 0).sqrt() * 0).sum()))(x)


def test_autocast_inside_a_batch(x, w):
    def fn(a):
        with triptych.autocast("cpu", dtype=triptych.bfloat16):
            return w.float() @ a

    assert vmap(fn)(x.float()).dtype is triptych.bfloat16
    assert vmap(grad(lambda a: fn(a).float().sum()))(x.float()).dtype is triptych.float32


def test_checkpoint_in_a_batch(x, w, expected):
    from triptych.utils.checkpoint import checkpoint

    def fn(a):
        return checkpoint(lambda b: (w @ b).sin().sum(), a, use_reentrant=False)

    assert_close(vmap(grad(fn))(x), expected)
    assert_close(grad(lambda rows: vmap(fn)(rows).sum())(x), expected)


def test_a_view_from_outside_sees_a_write_inside(x, w):
    row = w[0]

    def fn(a):
        w[0] = 1.0
        return a * row

    assert_close(vmap(fn)(x), x)
    assert_close(row, triptych.ones(3, dtype=triptych.float64))


def test_a_view_from_outside_keeps_its_history(x):
    leaf = triptych.ones(3, dtype=triptych.float64, requires_grad=True)
    base = leaf * 2
    part = base[1:]
    base.mul_(3)
    vmap(lambda a: a[1:] * part)(x).sum().backward()
    assert_close(leaf.grad, triptych.cat([x[:, :1].sum(0) * 0, 6 * x[:, 1:].sum(0)]))


def test_a_value_of_an_outer_transform_is_a_constant_inside(x, w):
    def outer(a):
        return vmap(lambda row: grad(lambda b: (a * b * b).sum())(row))(w)

    assert_close(vmap(outer)(x)[1], 2 * x[1] * w)
    change = jvp(outer, (x[0],), (x[1],))[1]
    assert_close(change, 2 * x[1] * w)


def test_detach_inside_cuts_the_tape_outside(x, w):
    w.requires_grad_()
    assert not vmap(lambda a: w.detach() @ a)(x).requires_grad
    assert vmap(lambda a: w @ a.detach())(x).requires_grad


def test_setting_data_inside(x, w):
    def fn(a):
        y = a * 1
        y.data = a * 3
        return y

    assert_close(vmap(fn)(x), x * 3)
    with pytest.raises(triptych.TransformError, match="cannot set"):
        vmap(lambda a: setattr(w, "data", a))(x)


def test_tensors_can_be_printed_inside(x, w):
    seen = []
    vmap(lambda a: (seen.extend([repr(a), repr(w)]), a)[1])(x)
    assert seen == ["tensor(traced, shape=(3,), dtype=triptych.float64)", repr(w)]


def test_boolean_masks_that_are_the_same_for_all_samples(x):
    mask = triptych.tensor([True, False, True])
    assert_close(vmap(lambda a: a[mask])(x), x[:, [0, 2]])
    places = triptych.tensor([1, 0, 2, 1])
    table = triptych.arange(12.0).reshape(4, 3)
    found = vmap(lambda i: table[i][mask])(places)
    assert_close(found, table[places][:, [0, 2]])


@pytest.mark.parametrize("on", [(0, None, None), (None, 0, None), (None, 0, 0), (0, 0, 0)])
def test_indices_that_are_apart(on):
    table = triptych.arange(120.0).reshape(2, 3, 4, 5)
    rows, columns = triptych.tensor([[0, 1], [1, 1]]), triptych.tensor([[2, 0], [3, 1]])
    batch = [triptych.stack([table, table * 2]), rows, columns]
    args = [
        b if d == 0 else o for b, d, o in zip(batch, on, (table, rows[0], columns[0]), strict=True)
    ]

    def fn(t, i, j):
        return t[:, i, j], t[i, :, j], t[0, :, j]

    found = vmap(fn, in_dims=on)(*args)
    for k in range(2):
        alone = fn(*(a[k] if d == 0 else a for a, d in zip(args, on, strict=True)))
        for one, two in zip(found, alone, strict=True):
            assert_close(one[k], two)


def test_weighted_draws(x):
    draws = vmap(lambda a: triptych.multinomial(a.softmax(0), 3), randomness="different")(x)
    assert_close(draws.sort(-1).values, triptych.arange(3).expand(4, 3))
