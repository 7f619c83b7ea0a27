"""Products: matmul in every combination of dims, einsum against NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


SHAPES = [
    ((3,), (3,)),
    ((3,), (3, 2)),
    ((2, 3), (3,)),
    ((2, 3), (3, 4)),
    ((5, 2, 3), (3,)),
    ((5, 2, 3), (3, 4)),
    ((3,), (5, 3, 2)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)),
    ((4, 1, 2, 3), (5, 3, 2)),
    ((0, 2, 3), (3, 4)),
    ((2, 0), (0, 3)),
    ((2, 3, 0), (0, 2)),
]


@pytest.mark.parametrize(("one", "two"), SHAPES)
def test_matmul(one, two):
    a, b = normal(*one), normal(*two)
    x, y = tp.tensor(a, requires_grad=True), tp.tensor(b, requires_grad=True)
    for got in (x @ y, tp.matmul(x, y), x.matmul(y)):
        np.testing.assert_allclose(got.detach().numpy(), a @ b, atol=1e-12)
    assert gradcheck(tp.matmul, [x, y])


def test_matmul_of_strided_and_complex_operands():
    a, b = normal(4, 6), normal(4, 6)
    x, y = tp.tensor(a), tp.tensor(b)
    np.testing.assert_allclose((x[::2, ::-1] @ y.T[:, 1:]).numpy(), a[::2, ::-1] @ b.T[:, 1:])
    z = a[:2, :2] + 1j * b[:2, :2]
    w = tp.tensor(z, requires_grad=True)
    np.testing.assert_allclose((w @ w.mT).detach().numpy(), z @ z.T)
    assert gradcheck(lambda w: w @ w.H, [w])


def test_integer_products():
    assert (tp.tensor([[1, 2]]) @ tp.tensor([[3], [4]])).tolist() == [[11]]
    assert (tp.tensor([2**40]) @ tp.tensor([2**20])).item() == 2**60


def test_named_products():
    a, b, c = normal(3, 2, 4), normal(3, 4, 5), normal(3, 2, 5)
    x, y, z = map(tp.tensor, (a, b, c))
    np.testing.assert_allclose(x.bmm(y).numpy(), a @ b)
    np.testing.assert_allclose(x[0].mm(y[0]).numpy(), a[0] @ b[0])
    np.testing.assert_allclose(x[0].mv(y[0, :, 0]).numpy(), a[0] @ b[0, :, 0])
    np.testing.assert_allclose(x[0, 0].dot(y[0, :, 0]).item(), a[0, 0] @ b[0, :, 0])
    np.testing.assert_allclose(x[0, 0].outer(y[0, 0]).numpy(), np.outer(a[0, 0], b[0, 0]))
    np.testing.assert_allclose(
        tp.addmm(z[0], x[0], y[0], beta=0.5, alpha=2).numpy(), 0.5 * c[0] + 2 * a[0] @ b[0]
    )
    np.testing.assert_allclose(tp.baddbmm(z, x, y, beta=2).numpy(), 2 * c + a @ b)


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda: tp.zeros(2, 3) @ tp.zeros(2, 3), tp.ShapeError, r"matmul: \(2, 3\) @ \(2, 3\)"),
        (lambda: tp.zeros(3) @ tp.zeros(2), tp.ShapeError, "matmul"),
        (lambda: tp.tensor(1.0) @ tp.zeros(2), tp.ShapeError, "at least 1 dim each"),
        (
            lambda: tp.zeros(2, 2, 3) @ tp.zeros(3, 3, 2),
            tp.ShapeError,
            "matmul: shapes .* broadcast",
        ),
        (
            lambda: tp.zeros(2).double() @ tp.zeros(2),
            tp.DTypeError,
            "float64.*float32|float32.*float64",
        ),
        (lambda: tp.zeros(2).mm(tp.zeros(2)), tp.ShapeError, "mm: wanted 2 dims each"),
        (lambda: tp.zeros(2, 1, 1).bmm(tp.zeros(3, 1, 1)), tp.ShapeError, "batches of 2 and 3"),
        (lambda: tp.zeros(2, 2).mv(tp.zeros(2, 2)), tp.ShapeError, "a matrix and a vector"),
        (lambda: tp.zeros(2).dot(tp.zeros(3)), tp.ShapeError, "two vectors of one length"),
    ],
)
def test_errors(call, kind, text):
    with pytest.raises(kind, match=text):
        call()


EQUATIONS = [
    "i,i->",
    "i,j->ij",
    "ij->ji",
    "ij->",
    "ij->i",
    "ii->i",
    "ii->",
    "ij,jk->ik",
    "ij,jk",
    "bij,bjk->bik",
    "bij,kj->bki",
    "ij,ij->ij",
    "ij,ij,j->i",
    "ijk,jil->kl",
    "ab,bc,cd->ad",
    "iij,j->i",
    "...ij,...jk->...ik",
    "b...,b...->...",
    "...i->...",
    "i...,...i",
    "ba,b",
    "ij,k->ijk",
    "bhqd,bhkd->bhqk",
]


@pytest.mark.parametrize("equation", EQUATIONS)
def test_einsum(equation):
    sizes = dict(zip("abcdefghijklmnopq", itertools.cycle([2, 3, 4]), strict=False)) | {
        "k": 2,
        "l": 3,
    }
    terms = equation.split("->")[0].split(",")
    arrays = []
    for term in terms:
        head, dots, tail = term.partition("...")
        shape = [sizes[c] for c in head] + ([2, 3] if dots else []) + [sizes[c] for c in tail]
        arrays.append(normal(*shape))
    tensors = [tp.tensor(a, requires_grad=True) for a in arrays]
    expected = np.einsum(equation, *arrays)
    np.testing.assert_allclose(tp.einsum(equation, *tensors).detach().numpy(), expected, atol=1e-12)
    np.testing.assert_allclose(tp.einsum(equation, tensors).detach().numpy(), expected, atol=1e-12)
    if sum(a.size for a in arrays) < 60:
        assert gradcheck(lambda *ts: tp.einsum(equation, *ts), tensors)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_einsum_of_random_equations(data):
    sizes = {c: data.draw(st.integers(0 if c == "e" else 1, 3)) for c in "abcde"}
    terms = data.draw(st.lists(st.text("abcde", min_size=0, max_size=4), min_size=1, max_size=3))
    used = sorted(set("".join(terms)))
    out = "".join(data.draw(st.permutations(used))[: data.draw(st.integers(0, len(used)))])
    equation = f"{','.join(terms)}->{out}"
    arrays = [normal(*(sizes[c] for c in term)) for term in terms]
    got = tp.einsum(equation, *map(tp.tensor, arrays))
    np.testing.assert_allclose(got.numpy(), np.einsum(equation, *arrays), atol=1e-10)


@pytest.mark.parametrize(
    ("equation", "shapes", "text"),
    [
        ("ij,jk->ik", [(2, 3)], "names 2 operands, got 1"),
        ("ij->i", [(2, 3, 4)], "does not name the 3 dims"),
        ("ijk->i", [(2, 3)], "does not name the 2 dims"),
        ("ij,jk->ik", [(2, 3), (4, 2)], "'j' has lengths 3 and 4"),
        ("ii->i", [(2, 3)], "'i' has lengths 2 and 3"),
        ("ij->k", [(2, 3)], "must name letters of the inputs"),
        ("ij->ii", [(2, 3)], "each once"),
    ],
)
def test_einsum_errors(equation, shapes, text):
    with pytest.raises(tp.ShapeError, match=f"einsum: .*{text}"):
        tp.einsum(equation, *(tp.zeros(*s) for s in shapes))


def test_tensordot():
    a, b = normal(2, 3, 4), normal(3, 4, 5)
    x, y = tp.tensor(a), tp.tensor(b)
    np.testing.assert_allclose(tp.tensordot(x, y).numpy(), np.tensordot(a, b))
    np.testing.assert_allclose(
        tp.tensordot(x, y, ([1], [0])).numpy(), np.tensordot(a, b, ([1], [0]))
    )
    assert tp.tensordot(x, y, 0).shape == (2, 3, 4, 3, 4, 5)


def test_cosine_similarity():
    a, b = normal(4, 3), normal(4, 3)
    expected = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    x, y = tp.tensor(a, requires_grad=True), tp.tensor(b)
    np.testing.assert_allclose(tp.cosine_similarity(x, y).detach().numpy(), expected)
    assert gradcheck(tp.cosine_similarity, [x, y])
    zero = tp.zeros(1, 3, dtype=tp.float64, requires_grad=True)
    tp.cosine_similarity(zero, zero).sum().backward()
    assert zero.grad.isfinite().all().item()


def cofactors(a):
    def minor(i, j):
        return np.linalg.det(np.delete(np.delete(a, i, 0), j, 1))

    return np.array([[(-1) ** (i + j) * minor(i, j) for j in range(len(a))] for i in range(len(a))])


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 2, 0], [2, 4, 0], [1, 0, 3]],
        [[1, 2, 3], [1, 2, 3], [-4, 5, 6]],
        [[1, 0, 0], [0, 0, 0], [0, 0, 0]],
        [[2, 1, 0], [1, 3, 1], [0, 1, 4]],
    ],
)
def test_the_gradient_of_a_determinant_is_the_cofactors(rows):
    a = np.array(rows, dtype=float)
    A = tp.tensor(a, requires_grad=True)
    y = tp.linalg.det(A)
    y.backward()
    np.testing.assert_allclose(y.item(), np.linalg.det(a), atol=1e-12)
    np.testing.assert_allclose(A.grad.numpy(), cofactors(a), atol=1e-12)


def test_determinants_of_a_stack_with_one_singular_matrix():
    a = np.stack([[[1.0, 2.0], [2.0, 4.0]], [[0.0, 1.0], [1.0, 3.0]]])
    A = tp.tensor(a, requires_grad=True)
    weight = tp.tensor([1.0, 2.0], dtype=tp.float64)
    y = tp.linalg.det(A)
    np.testing.assert_allclose(y.detach().numpy(), [0, -1], atol=1e-12)
    (y * weight).sum().backward()
    expected = np.stack([cofactors(a[0]), 2 * cofactors(a[1])])
    np.testing.assert_allclose(A.grad.numpy(), expected, atol=1e-12)


def test_the_second_derivative_of_a_singular_determinant():
    a = np.array([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [1.0, 0.0, 3.0]])
    assert gradgradcheck(tp.linalg.det, (tp.tensor(a, requires_grad=True),))
