"""Products: matmul in every combination of dims, einsum against NumPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import triptych as tp
from triptych.autograd import gradcheck

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
        (lambda: tp.outer(tp.zeros(2, 1), tp.zeros(3)), tp.ShapeError, "outer: wanted two vectors"),
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


# Products with an addend


ADDENDS = {
    "addmv": ((3,), (3, 4), (4,), lambda a, b: a @ b),
    "addmm": ((3, 2), (3, 4), (4, 2), lambda a, b: a @ b),
    "addr": ((3, 2), (3,), (2,), np.outer),
    "addbmm": ((3, 2), (5, 3, 4), (5, 4, 2), lambda a, b: (a @ b).sum(0)),
    "baddbmm": ((5, 3, 2), (5, 3, 4), (5, 4, 2), lambda a, b: a @ b),
}


@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0.5, -2), (0, 1), (1, 0)])
@pytest.mark.parametrize("name", ADDENDS)
def test_products_with_an_addend(name, beta, alpha):
    *shapes, product = ADDENDS[name]
    for first in (shapes[0], shapes[0][-1:], (*shapes[0][:-1], 1), ()):
        c, a, b = normal(*first), normal(*shapes[1]), normal(*shapes[2])
        wanted = beta * c + alpha * product(a, b)
        tensors = [tp.tensor(t, requires_grad=True) for t in (c, a, b)]
        options = {"beta": beta, "alpha": alpha}
        np.testing.assert_allclose(
            getattr(tp, name)(*tensors, **options).detach().numpy(), wanted, atol=1e-12
        )
        assert gradcheck(lambda *ts, o=options: getattr(tp, name)(*ts, **o), tensors)
        if first == shapes[0]:
            target = tp.tensor(c)
            out = getattr(target, f"{name}_")(*(t.detach() for t in tensors[1:]), **options)
            assert out is target
            np.testing.assert_allclose(target.numpy(), wanted, atol=1e-12)


@pytest.mark.parametrize("name", ADDENDS)
def test_with_beta_zero_the_addend_is_not_read(name):
    *shapes, _ = ADDENDS[name]
    c, a, b = tp.full(shapes[0], np.nan), tp.ones(*shapes[1]), tp.ones(*shapes[2])
    assert getattr(tp, name)(c, a, b, beta=0).isfinite().all().item()
    with pytest.raises(tp.ShapeError, match="does not broadcast"):
        getattr(tp, name)(tp.ones(2, *shapes[0]), a, b)


def test_vector_products():
    a, b, c = normal(2, 3), normal(4, 5, 3), normal(3)
    x, y, z = map(tp.tensor, (a, b, c))
    np.testing.assert_allclose(tp.inner(x, y).numpy(), np.inner(a, b))
    np.testing.assert_allclose(x.inner(z).numpy(), np.inner(a, c))
    np.testing.assert_allclose(tp.inner(tp.tensor(2.0).double(), x).numpy(), 2 * a)
    assert tp.inner(tp.zeros(2, 0), tp.zeros(3, 0)).tolist() == [[0, 0, 0]] * 2
    w = c + 1j * a[0]
    got = tp.vdot(tp.tensor(w, dtype=tp.complex128), tp.tensor(w[::-1].copy(), dtype=tp.complex128))
    np.testing.assert_allclose(got.item(), np.vdot(w, w[::-1]))
    np.testing.assert_allclose(tp.ger(x[0], z).numpy(), np.outer(a[0], c))
    for function in (tp.inner, lambda a, b: tp.vdot(a[0], b[0])):
        assert gradcheck(
            function, [tp.tensor(t, requires_grad=True) for t in (a, a[:, ::-1].copy())]
        )
    with pytest.raises(tp.ShapeError, match="equal last dims"):
        tp.inner(x, tp.zeros(2))


@pytest.mark.parametrize(
    ("one", "two"),
    [((2, 3), (4, 5)), ((3,), (2, 2)), ((2, 2, 2), (3,)), ((), (2,)), ((0, 2), (2, 3))],
)
def test_kron(one, two):
    a, b = normal(*one), normal(*two)
    x, y = tp.tensor(a, requires_grad=True), tp.tensor(b, requires_grad=True)
    np.testing.assert_allclose(tp.kron(x, y).detach().numpy(), np.kron(a, b))
    assert gradcheck(tp.kron, [x, y])


# Einsum by numbers, and in which order


@pytest.mark.parametrize(
    ("numbers", "equation"),
    [
        (([0, 1], [1, 2], [0, 2]), "ij,jk->ik"),
        (([0, 1], [1, 2]), "ij,jk"),
        (([5, 2], [2, 1]), "zb,ba->az"),  # without an output list, in the order of the numbers
        (([..., 0, 1], [1, 2], [..., 0, 2]), "...ij,jk->...ik"),
        (([30, 51], [51, 7], []), "ij,jk->"),
    ],
)
def test_einsum_by_numbers(numbers, equation):
    a, b = normal(2, 3), normal(3, 4)
    got = tp.einsum(tp.tensor(a), numbers[0], tp.tensor(b), *numbers[1:]).numpy()
    np.testing.assert_allclose(got, np.einsum(equation, a, b))


@pytest.mark.parametrize("numbers", [[0, 52], [0, -1], "ij", None, [0, 1.0]])
def test_einsum_by_bad_numbers(numbers):
    with pytest.raises(tp.ShapeError, match="numbers from 0 to 51"):
        tp.einsum(tp.ones(2, 3), numbers)


def test_operands_are_multiplied_in_a_cheap_order():
    """From left to right the first product has 64 ** 4 elements; the test would not end."""
    a, b = tp.ones(64, 64), tp.ones(64, 64)
    thin = tp.ones(64)
    out = tp.einsum("ij,kl,j,l->ik", a, b, thin, thin)
    assert out.shape == (64, 64) and out[0, 0].item() == 64 * 64
    arrays = [normal(3, 4), normal(4, 5), normal(5, 2), normal(2, 3)]
    got = tp.einsum("ab,bc,cd,de->ae", *map(tp.tensor, arrays))
    np.testing.assert_allclose(got.numpy(), arrays[0] @ arrays[1] @ arrays[2] @ arrays[3])
