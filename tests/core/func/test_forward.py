"""`jvp`, and how it nests with the other transforms."""

import numpy as np
import pytest

import triptych
from triptych.func import grad, hessian, jvp, vmap
from triptych.testing import assert_close


@pytest.fixture
def x():
    return triptych.from_numpy(np.random.default_rng(0).normal(size=(3,)))


@pytest.fixture
def v():
    return triptych.from_numpy(np.random.default_rng(2).normal(size=(3,)))


@pytest.fixture
def w():
    return triptych.from_numpy(np.random.default_rng(1).normal(size=(3, 3)))


def test_value_and_change(x, v, w):
    value, change = jvp(lambda a: (w @ a).sin(), (x,), (v,))
    assert_close([value, change], [(w @ x).sin(), (w @ x).cos() * (w @ v)])
    assert not change.requires_grad


def test_trees_and_aux(x, v):
    (value, change, aux) = jvp(
        lambda t, b: ([t["a"] * b, b], t["a"] * 3),
        ({"a": x}, v),
        ({"a": v}, x),
        has_aux=True,
    )
    assert_close(value, [x * v, v])
    assert_close(change, [v * v + x * x, x])
    assert_close(aux, x * 3)


def test_what_does_not_depend_changes_by_zero_or_is_refused(x, v, w):
    assert_close(jvp(lambda a: w * 2, (x,), (v,))[1], w * 0)
    with pytest.raises(triptych.GradError, match="result 0"):
        jvp(lambda a: w * 2, (x,), (v,), strict=True)


def test_branches_and_numbers_are_as_in_eager_mode(x, v):
    found = jvp(lambda a: a * 2 if a.sum().item() > -100 else a, (x,), (v,))
    assert_close(found[1], v * 2)


def test_integers_and_comparisons_do_not_change(x, v):
    value, change = jvp(lambda a: (a.sort().indices, (a > 0).to(a.dtype)), (x,), (v,))
    assert value[0].dtype is triptych.int64
    assert_close(change[1], x * 0)


def test_complex_values(x, v):
    z, dz = triptych.complex(x, v), triptych.complex(v, -x)
    step = 1e-6
    for fn in (lambda a: a.abs(), lambda a: (a * a.conj()).exp(), lambda a: a.real * a.imag):
        numeric = (fn(z + step * dz) - fn(z - step * dz)) / (2 * step)
        assert_close(jvp(fn, (z,), (dz,))[1], numeric, rtol=1e-6, atol=1e-7)


def test_writes_are_followed(x, v):
    def fn(a):
        y = triptych.zeros(3, dtype=triptych.float64)
        y[1:] = a[1:] * 2
        y.mul_(a)
        return y

    _, change = jvp(fn, (x,), (v,))
    expected = 4 * x * v
    expected[0] = 0
    assert_close(change, expected)
    outside = triptych.zeros(3, dtype=triptych.float64)
    with pytest.raises(triptych.TransformError, match="from outside"):
        jvp(lambda a: outside.add_(a), (x,), (v,))


def test_detach_stops_it(x, v):
    assert_close(jvp(lambda a: a * a.detach(), (x,), (v,))[1], x * v)


def test_forward_over_reverse_and_reverse_over_forward(x, v, w):
    def fn(a):
        return (w @ a).sin().square().sum()

    product = hessian(fn)(x) @ v
    assert_close(jvp(grad(fn), (x,), (v,))[1], product)
    assert_close(grad(lambda a: jvp(fn, (a,), (v,))[1])(x), product)


def test_the_tape_outside_goes_through(x, v, w):
    w.requires_grad_()
    jvp(lambda a: (w @ a).sin(), (x,), (v,))[1].sum().backward()
    twin = w.detach().clone().requires_grad_()
    ((twin @ x).cos() * (twin @ v)).sum().backward()
    assert_close(w.grad, twin.grad)


def test_in_a_batch(x, v, w):
    rows = triptych.stack([x, v, x + v])
    found = vmap(lambda t: jvp(lambda a: (w @ a).sin(), (x,), (t,))[1])(rows)
    assert_close(found, triptych.stack([(w @ x).cos() * (w @ r) for r in rows]))
    inner = jvp(lambda a: vmap(lambda r: (r * a).sin())(rows), (x,), (v,))[1]
    assert_close(inner, (rows * x).cos() * rows * v)


def test_twice_at_one_point(x, v):
    def first(a):
        return jvp(lambda b: (b**3).sum(), (a,), (v,))[1]

    assert_close(jvp(first, (x,), (v,))[1], (6 * x * v * v).sum())


def test_what_does_not_fit_is_refused(x, v):
    for primals, tangents in (((x,), (v[:2],)), ((x,), (v.float(),)), ((x,), ((v, v),))):
        with pytest.raises(triptych.ShapeError):
            jvp(triptych.sin, primals, tangents)
    for primals, tangents in ((x, v), ((), ()), ((2.0,), (1.0,))):
        with pytest.raises(triptych.DTypeError):
            jvp(triptych.sin, primals, tangents)


def test_values_that_escape(x, v):
    kept = []
    jvp(lambda a: (kept.append(a), a)[1], (x,), (v,))
    with pytest.raises(triptych.TransformError, match="inside jvp"):
        kept[0] + 1
    with pytest.raises(triptych.TransformError, match="inside jvp"):
        kept[0].sum().item()
