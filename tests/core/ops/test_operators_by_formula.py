"""Operators beyond the everyday ones, against NumPy and their definitions."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.autograd import gradcheck

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("edge_order", [1, 2])
@pytest.mark.parametrize("dim", [None, 0, -1, (1, 0)])
def test_gradient_is_numpys(dim, edge_order):
    array = RNG.normal(size=(4, 5))
    axes = (0, 1) if dim is None else (dim,) if isinstance(dim, int) else dim
    got = tp.gradient(tp.tensor(array), dim=dim, edge_order=edge_order)
    for axis, part in zip(axes, got, strict=True):
        np.testing.assert_allclose(
            part.numpy(), np.gradient(array, axis=axis, edge_order=edge_order)
        )


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_over_uneven_coordinates(edge_order):
    array, x, y = RNG.normal(size=(4, 3)), np.array([0.0, 1, 3, 4.5]), np.array([0.0, 0.5, 2])
    got = tp.gradient(tp.tensor(array), spacing=(tp.tensor(x), tp.tensor(y)), edge_order=edge_order)
    expected = np.gradient(array, x, y, edge_order=edge_order)
    for part, wanted in zip(got, expected, strict=True):
        np.testing.assert_allclose(part.numpy(), wanted)
    (half,) = tp.gradient(tp.tensor(array), spacing=0.5, dim=0)
    np.testing.assert_allclose(half.numpy(), np.gradient(array, 0.5, axis=0))
    leaf = tp.tensor(array, requires_grad=True)
    assert gradcheck(lambda t: tp.gradient(t, spacing=[1.0, 2.0], edge_order=edge_order), (leaf,))


def test_gradient_of_integers_and_of_too_little():
    assert tp.gradient(tp.tensor([0, 1, 4]))[0].tolist() == [1, 2, 3]
    assert tp.gradient(tp.tensor(1.0)) == ()
    for call, text in (
        (lambda: tp.gradient(tp.ones(1)), "at least 2 elements along dim 0"),
        (lambda: tp.gradient(tp.ones(3), edge_order=3), "edge_order is 1 or 2"),
        (lambda: tp.gradient(tp.ones(3, 3), spacing=[1.0]), "1 spacings for 2 dims"),
        (lambda: tp.gradient(tp.ones(3), spacing=(tp.ones(2),)), "wanted 3 coordinates"),
        (lambda: tp.gradient(tp.ones(3, 3), dim=(0, 0)), "name one axis twice"),
    ):
        with pytest.raises(tp.TriptychError, match=text):
            call()


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", [4, np.array([-1.0, 0.0, 0.5, 2.0])])
def test_histogram_is_numpys(bins, density, weighted):
    data, weight = RNG.normal(size=(5, 4)), RNG.random((5, 4))
    wanted, edges = np.histogram(data, bins, density=density, weights=weight if weighted else None)
    got = tp.histogram(
        tp.tensor(data),
        bins if isinstance(bins, int) else tp.tensor(bins),
        density=density,
        weight=tp.tensor(weight) if weighted else None,
    )
    np.testing.assert_allclose(got.hist.numpy(), wanted)
    np.testing.assert_allclose(got.bin_edges.numpy(), edges)


def test_histogramdd_is_numpys():
    points, weight = RNG.normal(size=(30, 3)), RNG.random(30)
    wanted, edges = np.histogramdd(points, [2, 3, 4], weights=weight, density=True)
    got = tp.histogramdd(tp.tensor(points), [2, 3, 4], weight=tp.tensor(weight), density=True)
    np.testing.assert_allclose(got.hist.numpy(), wanted)
    for mine, theirs in zip(got.bin_edges, edges, strict=True):
        np.testing.assert_allclose(mine.numpy(), theirs)
    spans = tp.histogramdd(tp.tensor(points), 2, range=(0.0, 1.0, -1.0, 1.0, 0.0, 2.0))
    assert spans.bin_edges[1].tolist() == [-1, 0, 1]


def test_histograms_at_their_edges():
    assert tp.histogram(tp.tensor([2.0, 2.0]), 4).bin_edges.tolist() == [1.5, 1.75, 2, 2.25, 2.5]
    assert tp.histogram(tp.zeros(0), 2).hist.tolist() == [0, 0]
    with_nan = tp.tensor([1.0, float("nan"), 3.0])
    assert tp.histogram(with_nan, 3, range=(0.0, 3.0)).hist.tolist() == [0, 1, 1]
    for call, text in (
        (lambda: tp.histogram(with_nan, 3), "a finite, rising range"),
        (lambda: tp.histogram(tp.ones(2), tp.tensor([3.0, 2.0])), "rising bin edges"),
        (lambda: tp.histogram(tp.ones(2), 0), "at least one bin"),
        (lambda: tp.histogram(tp.tensor([1, 2]), 2), "wanted real floating elements"),
        (lambda: tp.histogram(tp.ones(2), 2, weight=tp.ones(3)), "weight has shape"),
        (lambda: tp.histogramdd(tp.ones(2, 2), [2]), "1 bins for points with 2"),
    ):
        with pytest.raises(tp.TriptychError, match=text):
            call()


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16, tp.float32, tp.float64])
def test_frexp_takes_numbers_apart(dtype):
    x = tp.tensor([0.0, 1.0, -6.0, 0.1, float("inf")]).to(dtype)
    mantissa, exponent = tp.frexp(x)
    assert mantissa.dtype is dtype and exponent.dtype is tp.int32
    assert tp.equal(mantissa * 2.0 ** exponent.to(dtype), x)
    assert exponent[-1].item() == 0
    with pytest.raises(tp.DTypeError, match="frexp: wanted real floating"):
        tp.frexp(tp.tensor([1]))


def test_nonzero_static_has_the_shape_that_is_asked_for():
    array = np.array([[0, 3, 0], [4, 0, 5]])
    for size in range(6):
        got = tp.nonzero_static(tp.tensor(array), size=size, fill_value=-7).numpy()
        found = np.argwhere(array)[:size]
        np.testing.assert_array_equal(got[: len(found)], found)
        assert got.shape == (size, 2) and (got[len(found) :] == -7).all()
    assert tp.nonzero_static(tp.tensor(1), size=2).shape == (2, 0)
    with pytest.raises(tp.ShapeError, match="size must not be negative"):
        tp.nonzero_static(tp.ones(2), size=-1)


def test_unravel_index_and_vander_are_numpys():
    places = np.array([[0, 5], [11, 7]])
    got = tp.unravel_index(tp.tensor(places), (3, 4))
    for mine, theirs in zip(got, np.unravel_index(places, (3, 4)), strict=True):
        np.testing.assert_array_equal(mine.numpy(), theirs)
    with pytest.raises(tp.BoundsError, match="index 12 is outside"):
        tp.unravel_index(tp.tensor([12]), (3, 4))
    x = np.array([2, 3, 5])
    for count, rising in itertools.product((None, 0, 2, 4), (False, True)):
        wanted = np.vander(x, count, increasing=rising)
        got = tp.vander(tp.tensor(x), count, increasing=rising)
        np.testing.assert_array_equal(got.numpy(), wanted)


def test_combinations_of_too_few_are_none_but_differentiable():
    x = tp.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for r in range(1, 5):
        got = tp.combinations(x, r)
        wanted = list(itertools.combinations([1.0, 2.0, 3.0], r))
        assert got.shape == (len(wanted), r) and got.tolist() == [list(w) for w in wanted]
    none = tp.combinations(x, 4)
    none.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
    assert tp.combinations(x, 0).shape == (0,)


def test_fill_gives_its_gradient_to_the_value():
    x, value = tp.ones(2, 3, requires_grad=True), tp.tensor(4.0, requires_grad=True)
    out = tp.fill(x, value)
    out.backward(tp.arange(6.0).reshape(2, 3))
    assert out.tolist() == [[4] * 3] * 2 and value.grad.item() == 15
    assert x.grad.tolist() == [[0] * 3] * 2
    assert tp.fill(tp.zeros(2, dtype=tp.int64), 7).tolist() == [7, 7]
    with pytest.raises(tp.ShapeError, match="a 0-d tensor, got shape"):
        tp.fill(x, tp.ones(2))


@pytest.mark.parametrize("p", [1, 2, float("inf")])
def test_renorm_shortens_the_long_slices_only(p):
    array = RNG.normal(size=(3, 4, 2))
    size = np.array([np.linalg.norm(array[:, i].ravel(), p) for i in range(4)])
    limit = float(np.sort(size)[1])
    wanted = array * np.where(size > limit, limit / (size + 1e-7), 1)[:, None]
    np.testing.assert_allclose(tp.renorm(tp.tensor(array), p, 1, limit).numpy(), wanted)
    with pytest.raises(tp.ShapeError, match="renorm: wanted two axes"):
        tp.renorm(tp.ones(3), 2, 0, 1.0)


def test_greatest_common_divisors_and_least_common_multiples():
    a, b = np.array([12, -18, 0, 7]), np.array([18, 12, 5, 0])
    np.testing.assert_array_equal(tp.gcd(tp.tensor(a), tp.tensor(b)).numpy(), np.gcd(a, b))
    np.testing.assert_array_equal(tp.lcm(tp.tensor(a), tp.tensor(b)).numpy(), np.lcm(a, b))
    with pytest.raises(tp.DTypeError, match="gcd: not defined for float32"):
        tp.gcd(tp.ones(2), 2)


def test_the_native_norms_give_what_they_computed_with():
    x, w = tp.tensor(RNG.normal(size=(2, 6, 3))), tp.tensor(RNG.normal(size=6))
    out, mean, scale = tp.native_batch_norm(x, w, None, None, None, True, 0.1, 1e-5)
    array = x.numpy()
    np.testing.assert_allclose(mean.numpy(), array.mean((0, 2)))
    np.testing.assert_allclose(scale.numpy(), 1 / np.sqrt(array.var((0, 2)) + 1e-5))
    rebuilt = (array - mean.numpy()[:, None]) * (scale * w).numpy()[:, None]
    np.testing.assert_allclose(out.numpy(), rebuilt)
    _, mean, scale = tp.native_layer_norm(x, (3,), None, None, 1e-5)
    assert mean.shape == scale.shape == (2, 6, 1)
    np.testing.assert_allclose(mean.numpy(), array.mean(2, keepdims=True))
    _, mean, scale = tp.native_group_norm(x, None, None, 2, 6, 3, 2, 1e-5)
    np.testing.assert_allclose(mean.numpy(), array.reshape(2, 2, 9).mean(2))
    np.testing.assert_allclose(scale.numpy(), (array.reshape(2, 2, 9).var(2) + 1e-5) ** -0.5)
    tp.manual_seed(0)
    dropped, kept = tp.native_dropout(tp.ones(1000), 0.25, True)
    assert 650 < kept.sum().item() < 850
    np.testing.assert_allclose(dropped.numpy(), kept.numpy() / 0.75, rtol=1e-6)
    padded = tp.constant_pad_nd(tp.ones(2, 3), (1, -1), 5)
    assert padded.tolist() == [[5, 1, 1]] * 2


def test_grid_samplers_by_number():
    image, grid = (
        tp.tensor(RNG.normal(size=(1, 2, 4, 4))),
        tp.tensor(RNG.uniform(-1, 1, (1, 3, 3, 2))),
    )
    for i, mode in enumerate(("bilinear", "nearest", "bicubic")):
        for j, padding in enumerate(("zeros", "border", "reflection")):
            got = tp.grid_sampler_2d(image, grid, i, j, True)
            assert tp.equal(got, tp.nn.functional.grid_sample(image, grid, mode, padding, True))
    with pytest.raises(tp.ShapeError, match="interpolation_mode is 0, 1 or 2"):
        tp.grid_sampler_2d(image, grid, 3, 0, True)


def test_operations_on_lists_are_those_of_each():
    xs, ys = [tp.ones(2), tp.full((3,), 2.0)], [tp.full((2,), 3.0), tp.ones(3)]
    assert [t.tolist() for t in tp._foreach_add(xs, ys, alpha=2)] == [[7, 7], [4, 4, 4]]
    assert [t.tolist() for t in tp._foreach_mul(xs, [2, 3])] == [[2, 2], [6, 6, 6]]
    assert tp._foreach_addcdiv(xs, ys, ys, [1.0, 2.0])[1].tolist() == [4, 4, 4]
    assert [n.item() for n in tp._foreach_norm(xs, 1)] == [2, 6]
    tp._foreach_neg_(xs)
    tp._foreach_zero_(ys)
    assert xs[0].tolist() == [-1, -1] and ys[0].sum().item() == 0
    with pytest.raises(tp.ShapeError, match=r"_foreach_add: 2 tensors, but a list of 1"):
        tp._foreach_add(xs, [1])


def test_a_file_as_a_tensor(tmp_path):
    file = tmp_path / "numbers"
    np.arange(4, dtype="f4").tofile(file)
    private = tp.from_file(file, size=4)
    private[0] = 9
    shared = tp.from_file(file, shared=True, size=5)
    shared[1] = 7
    assert shared.tolist() == [0, 7, 2, 3, 0]
    del shared
    np.testing.assert_array_equal(np.fromfile(file, "f4"), [0, 7, 2, 3, 0])
    with pytest.raises(tp.FileFormatError, match=r"has 20 bytes, 9 elements .* need 36"):
        tp.from_file(file, size=9)
