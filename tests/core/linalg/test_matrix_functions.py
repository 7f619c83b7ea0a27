"""Exponentials and powers of matrices, chains of products, and smaller names."""

import numpy as np
import pytest
import scipy.linalg

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(6)


def normal(*shape):
    return RNG.normal(size=shape)


def complex_normal(*shape):
    return normal(*shape) + 1j * normal(*shape)


def constant(array):
    return tp.tensor(array, dtype=array.dtype)


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


@pytest.mark.parametrize("scale", [1e-8, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("make", [normal, complex_normal])
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (0, 0), (0, 2, 2), (1, 1)])
def test_matrix_exp(shape, make, scale):
    a = make(*shape) * scale
    wanted = scipy.linalg.expm(a)
    got = tp.matrix_exp(constant(a)).numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-9, atol=1e-11 * np.abs(wanted).max(initial=0))
    assert tp.equal(tp.linalg.matrix_exp(constant(a)), constant(a).matrix_exp())


def test_each_matrix_of_a_stack_is_scaled_on_its_own():
    a = np.stack([normal(3, 3) * s for s in (1e-3, 1.0, 30.0)])
    got = tp.matrix_exp(constant(a)).numpy()
    for i in range(3):
        np.testing.assert_allclose(got[i], scipy.linalg.expm(a[i]), rtol=1e-9)


def test_exponentials_with_known_values():
    turn = tp.tensor([[0.0, -np.pi / 2], [np.pi / 2, 0.0]], dtype=tp.float64)
    np.testing.assert_allclose(tp.matrix_exp(turn).numpy(), [[0, -1], [1, 0]], atol=1e-15)
    nilpotent = tp.tensor([[0.0, 1.0], [0.0, 0.0]])
    assert tp.matrix_exp(nilpotent).tolist() == [[1, 1], [0, 1]]
    for dtype in (tp.float16, tp.bfloat16):
        assert tp.matrix_exp(tp.zeros(2, 2, dtype=dtype)).dtype is dtype
    bad = tp.tensor([[[np.inf, 0], [0, 1]], [[0, 0], [0, 0]]])
    found = tp.matrix_exp(bad).numpy()
    assert np.isnan(found[0]).all()
    np.testing.assert_array_equal(found[1], np.eye(2))


@pytest.mark.parametrize("make", [normal, complex_normal])
def test_matrix_exp_derivatives(make):
    x = wanting(make(2, 2, 2) * np.array([0.5, 6.0])[:, None, None])
    assert gradcheck(tp.matrix_exp, [x])
    assert gradgradcheck(tp.matrix_exp, [wanting(make(2, 2))])


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 5, 10])
def test_matrix_power(n):
    a = normal(2, 3, 3) + 2 * np.eye(3)
    wanted = np.linalg.matrix_power(a, n)
    for call in (tp.matrix_power, tp.linalg.matrix_power, tp.Tensor.matrix_power):
        np.testing.assert_allclose(call(constant(a), n).numpy(), wanted, rtol=1e-8)
    assert gradcheck(lambda a: tp.matrix_power(a, n), [wanting(a[0])])


@pytest.mark.parametrize(
    "shapes",
    [
        [(2, 3), (3, 40), (40, 1), (1, 5)],
        [(3,), (3, 40), (40, 5), (5,)],
        [(3,), (3,)],
        [(4, 1), (1,)],
        [(0, 3), (3, 0), (0, 2)],
    ],
)
def test_multi_dot(shapes):
    arrays = [normal(*s) for s in shapes]
    wanted = arrays[0]
    for array in arrays[1:]:
        wanted = wanted @ array
    np.testing.assert_allclose(tp.linalg.multi_dot(list(map(constant, arrays))).numpy(), wanted)


def test_the_cheapest_order_is_taken():
    from triptych.linalg.products import _cheapest_splits

    # Cormen et al., section 15.2, figure 15.5: ((A1 (A2 A3)) ((A4 A5) A6))
    split = _cheapest_splits([30, 35, 15, 5, 10, 20, 25])
    assert (split[0, 5], split[0, 2], split[3, 5]) == (2, 0, 4)


def test_chain_matmul():
    a, b, c = normal(2, 3), normal(3, 4), normal(4, 2)
    got = tp.chain_matmul(*map(constant, (a, b, c))).numpy()
    np.testing.assert_allclose(got, a @ b @ c)
    assert tp.chain_matmul(constant(a)).numpy().tolist() == a.tolist()


def test_names_of_the_array_api():
    a = normal(2, 3, 4)
    x = constant(a)
    np.testing.assert_array_equal(tp.linalg.matrix_transpose(x).numpy(), a.swapaxes(-1, -2))
    for offset in (-1, 0, 2):
        got = tp.linalg.trace(x, offset=offset).numpy()
        np.testing.assert_allclose(got, np.trace(a, offset, -2, -1))
    assert tp.linalg.trace(x.float(), dtype=tp.float64).dtype is tp.float64
    np.testing.assert_allclose(
        tp.linalg.outer(x[0, 0], x[0, 1]).numpy(), np.outer(a[0, 0], a[0, 1])
    )
    np.testing.assert_allclose(
        tp.linalg.tensordot(x, x, ((1, 2), (1, 2))).numpy(), np.tensordot(a, a, ((1, 2), (1, 2)))
    )


def test_cross():
    a, b = normal(4, 3, 3), normal(1, 3, 3)
    wide = np.broadcast_to(b, a.shape)
    for dim, axis in ((1, 1), (-1, 2)):
        wanted = np.cross(a, wide, axis=axis)
        np.testing.assert_allclose(tp.cross(constant(a), constant(b), dim).numpy(), wanted)
        got = tp.linalg.cross(constant(a), constant(b), dim=dim).numpy()
        np.testing.assert_allclose(got, wanted)
    first = tp.cross(constant(a), constant(a[::-1])).numpy()
    np.testing.assert_allclose(first, np.cross(a, a[::-1], axis=1))
    assert gradcheck(tp.linalg.cross, [wanting(a[0]), wanting(b[0])])


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.matrix_exp(tp.ones(2, 3)), tp.ShapeError, "matrix_exp: wanted square"),
        (lambda: tp.matrix_exp(tp.ones(2, 2).int()), tp.DTypeError, "matrix_exp: wanted float"),
        (lambda: tp.matrix_power(tp.ones(2, 3), 2), tp.ShapeError, "square matrices"),
        (lambda: tp.matrix_power(tp.ones(2, 2), -1), tp.LinAlgError, "Singular"),
        (lambda: tp.linalg.multi_dot([tp.ones(2)]), tp.ShapeError, "at least 2 tensors"),
        (lambda: tp.linalg.multi_dot([tp.ones(2, 3)] * 2), tp.ShapeError, "do not form a chain"),
        (lambda: tp.linalg.matrix_transpose(tp.ones(2)), tp.ShapeError, "at least 2 dims"),
        (lambda: tp.cross(tp.ones(2), tp.ones(2)), tp.ShapeError, "no dim of length 3"),
        (lambda: tp.cross(tp.ones(3), tp.ones(2, 3)), tp.ShapeError, "as many dims each"),
        (lambda: tp.linalg.cross(tp.ones(2), tp.ones(2)), tp.ShapeError, "wanted length 3"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
