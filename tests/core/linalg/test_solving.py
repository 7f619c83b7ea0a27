"""Inverses and equations: against NumPy and SciPy, with derivatives of both orders."""

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.graph import capture, replay

RNG = np.random.default_rng(2)
KINDS = [np.float64, np.complex128]


def normal(kind, *shape):
    array = RNG.normal(size=shape)
    return array if kind is np.float64 else array + 1j * RNG.normal(size=shape)


def wanting(array):
    return tp.tensor(array, dtype=array.dtype, requires_grad=True)


def constant(array):
    return tp.tensor(array, dtype=array.dtype)


def adjoint(array):
    return array.swapaxes(-1, -2).conj()


SINGULAR = np.stack([np.eye(2), np.ones((2, 2)), np.zeros((2, 2))])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4), (0, 0), (0, 2, 2)])
def test_inverses(shape, kind):
    a = normal(kind, *shape)
    for call in (tp.inverse, tp.linalg.inv, lambda a: tp.linalg.inv_ex(a).inverse):
        np.testing.assert_allclose(call(constant(a)).numpy(), np.linalg.inv(a))
    assert tp.linalg.inv_ex(constant(a)).info.shape == shape[:-2]


def test_singular_matrices_are_reported():
    a = constant(SINGULAR)
    inverse, info = tp.linalg.inv_ex(a)
    assert info.tolist() == [0, 2, 1] and info.dtype is tp.int32
    np.testing.assert_array_equal(inverse[0].numpy(), np.eye(2))
    assert not np.isfinite(inverse[1:].numpy()).all(axis=(1, 2)).any()
    x, info = tp.linalg.solve_ex(a, a)
    assert info.tolist() == [0, 2, 1]
    np.testing.assert_array_equal(x[0].numpy(), np.eye(2))
    for call in (tp.linalg.inv, lambda a: tp.linalg.solve(a, a)):
        with pytest.raises(tp.LinAlgError, match=r"\(Batch element 1\) Singular matrix"):
            call(a)
    for call in (tp.linalg.inv_ex, lambda a, **flag: tp.linalg.solve_ex(a, a, **flag)):
        with pytest.raises(tp.LinAlgError, match=r"\(Batch element 1\) .*pivot 2"):
            call(a, check_errors=True)


def test_a_captured_inverse_of_a_singular_matrix_raises_when_it_runs():
    graph = capture(tp.linalg.inv, tp.eye(2))
    with pytest.raises(tp.LinAlgError, match="inv: Singular"):
        replay(graph, tp.ones(2, 2))


SYSTEMS = [
    ((3, 3), (3, 2)),
    ((3, 3), (3,)),
    ((2, 3, 3), (2, 3)),
    ((2, 3, 3), (3,)),
    ((2, 1, 3, 3), (4, 3, 1)),
    ((3, 3), (2, 3, 0)),
    ((0, 0), (0, 2)),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("a_shape", "b_shape"), SYSTEMS)
def test_solve(a_shape, b_shape, kind):
    a, b = normal(kind, *a_shape), normal(kind, *b_shape)
    vector = len(b_shape) == 1 or b_shape == a_shape[:-1]
    columns = b[..., None] if vector else b
    wanted = np.linalg.solve(a, columns)
    got = tp.linalg.solve(constant(a), constant(b)).numpy()
    np.testing.assert_allclose(got, wanted[..., 0] if vector else wanted, atol=1e-12)
    if not vector:
        got = tp.linalg.solve(constant(a), constant(adjoint(b).conj()), left=False).numpy()
        np.testing.assert_allclose(got @ a, np.broadcast_to(b.swapaxes(-1, -2), got.shape))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("upper", [True, False])
@pytest.mark.parametrize("unit", [True, False])
@pytest.mark.parametrize("n", [0, 1, 4, 150])
def test_solve_triangular(n, unit, upper, left, kind):
    a = normal(kind, 2, n, n) / max(n, 1) + np.eye(n)
    b = normal(kind, n, 3) if left else normal(kind, 3, n)
    half = np.triu(a) if upper else np.tril(a)
    if unit:
        half = half - half * np.eye(n) + np.eye(n)
    got = tp.linalg.solve_triangular(
        constant(a), constant(b), upper=upper, left=left, unitriangular=unit
    ).numpy()
    product = half @ got if left else got @ half
    np.testing.assert_allclose(product, np.broadcast_to(b, product.shape), atol=1e-10)


@pytest.mark.parametrize(
    "options", [{}, {"upper": False}, {"transpose": True}, {"unitriangular": True}]
)
def test_triangular_solve_under_its_older_name(options):
    a, b = normal(float, 2, 3, 3), normal(float, 3, 2)
    x, copy = tp.triangular_solve(constant(b), constant(a), **options)
    assert copy.numpy().tolist() == a.tolist()
    choices = {"upper": True, "transpose": False, "unitriangular": False, **options}
    for i in range(2):
        wanted = scipy.linalg.solve_triangular(
            a[i],
            b,
            trans=int(choices["transpose"]),
            lower=not choices["upper"],
            unit_diagonal=choices["unitriangular"],
        )
        np.testing.assert_allclose(x[i].numpy(), wanted)


def test_a_zero_on_the_diagonal_of_a_triangle_gives_infinity():
    a = tp.tensor([[1.0, 2.0], [0.0, 0.0]])
    assert tp.linalg.solve_triangular(a, tp.ones(2, 1), upper=True).tolist() == [
        [-np.inf],
        [np.inf],
    ]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turn", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_lu_solve(left, turn, kind):
    a = normal(kind, 2, 1, 4, 4)
    b = normal(kind, 3, 4, 2) if left else normal(kind, 3, 2, 4)
    factors = tp.linalg.lu_factor(constant(a))
    got = tp.linalg.lu_solve(*factors, constant(b), left=left, adjoint=turn).numpy()
    matrix = adjoint(a) if turn else a
    product = matrix @ got if left else got @ matrix
    np.testing.assert_allclose(product, np.broadcast_to(b, product.shape), atol=1e-10)
    if left and not turn:
        np.testing.assert_array_equal(tp.lu_solve(constant(b), *factors).numpy(), got)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 6), st.integers(0, 3), st.integers(0, 2**31))
def test_factors_solve_as_the_matrix_does(n, k, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=(n, n)) + 3 * np.eye(n)
    b = rng.normal(size=(n, k))
    wanted = tp.linalg.solve(tp.tensor(a), tp.tensor(b)).numpy()
    got = tp.linalg.lu_solve(*tp.linalg.lu_factor(tp.tensor(a)), tp.tensor(b)).numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-6, atol=1e-8)


def _by_factors(turn, left):
    def through(a, b):
        return tp.linalg.lu_solve(*tp.linalg.lu_factor(a), b, adjoint=turn, left=left)

    return through


FUNCTIONS = {
    "inv_ex": lambda a, b: tp.linalg.inv_ex(a).inverse @ b,
    "solve right": lambda a, b: tp.linalg.solve(a, b.mT, left=False),
    "solve_ex": lambda a, b: tp.linalg.solve_ex(a, b).result,
    "upper": lambda a, b: tp.linalg.solve_triangular(a, b, upper=True),
    "unit": lambda a, b: tp.linalg.solve_triangular(
        a, b.mT, upper=False, left=False, unitriangular=True
    ),
    "lu_solve": _by_factors(False, True),
    "lu_solve adjoint": _by_factors(True, True),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives(name, kind):
    inputs = [wanting(normal(kind, 3, 3) + 3 * np.eye(3)), wanting(normal(kind, 2, 3, 1))]
    assert gradcheck(FUNCTIONS[name], inputs)
    assert gradgradcheck(FUNCTIONS[name], inputs)


def test_tensors_as_matrices():
    a, b = normal(float, 2, 3, 6), normal(float, 2, 3)
    np.testing.assert_allclose(
        tp.linalg.tensorsolve(constant(a), constant(b)).numpy(), np.linalg.tensorsolve(a, b)
    )
    c = normal(float, 3, 4, 4, 3)
    d = normal(float, 3, 4)
    np.testing.assert_allclose(
        tp.linalg.tensorsolve(constant(c), constant(d), (0, 2)).numpy(),
        np.linalg.tensorsolve(c, d, (0, 2)),
    )
    e = normal(float, 4, 6, 8, 3)
    for ind, array in ((2, e), (1, e.reshape(24, 8, 3))):
        np.testing.assert_allclose(
            tp.linalg.tensorinv(constant(array), ind).numpy(), np.linalg.tensorinv(array, ind)
        )


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.linalg.solve(tp.eye(2), tp.ones(3, 1)), tp.ShapeError, "B needs 2 rows"),
        (lambda: tp.linalg.inv(tp.ones(2, 3)), tp.ShapeError, "inv: wanted square matrices"),
        (lambda: tp.linalg.inv(tp.eye(2, dtype=tp.int64)), tp.DTypeError, "float32, float64"),
        (
            lambda: tp.linalg.solve_triangular(tp.eye(2), tp.ones(3, 1), upper=True),
            tp.ShapeError,
            "B needs 2 rows",
        ),
        (
            lambda: tp.linalg.lu_solve(tp.eye(2), tp.tensor([1, 2]), tp.ones(2, 1)),
            tp.DTypeError,
            "int32 pivots",
        ),
        (
            lambda: tp.linalg.ldl_solve(tp.eye(2), tp.tensor([1]).int(), tp.ones(2, 1)),
            tp.ShapeError,
            r"wanted pivots of shape \(2,\)",
        ),
        (lambda: tp.linalg.tensorinv(tp.ones(2, 3)), tp.ShapeError, "must be equal"),
        (lambda: tp.linalg.tensorinv(tp.ones(2, 2), 0), tp.ShapeError, "ind > 0"),
        (
            lambda: tp.linalg.tensorsolve(tp.ones(2, 3), tp.ones(2)),
            tp.ShapeError,
            "as many unknowns",
        ),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()
