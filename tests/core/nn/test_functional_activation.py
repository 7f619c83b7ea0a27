"""Activations against their formulas in NumPy and SciPy, and their derivatives."""

import inspect

import numpy as np
import pytest
from scipy import special

import triptych as tp
from triptych.autograd import gradcheck, gradgradcheck
from triptych.nn import functional as F

ALPHA, SCALE = 1.6732632423543772, 1.0507009873554805


def softplus(x, beta=1.0):
    return np.logaddexp(0, beta * x) / beta


# name, options, the same thing in NumPy
TWINS = [
    ("relu", {}, lambda x: np.maximum(x, 0)),
    ("relu6", {}, lambda x: np.clip(x, 0, 6)),
    ("hardtanh", {"min_val": -0.5, "max_val": 2.0}, lambda x: np.clip(x, -0.5, 2)),
    ("hardsigmoid", {}, lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    ("hardswish", {}, lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    ("gelu", {}, lambda x: x * special.ndtr(x)),
    (
        "gelu",
        {"approximate": "tanh"},
        lambda x: x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    ),
    ("silu", {}, lambda x: x * special.expit(x)),
    ("mish", {}, lambda x: x * np.tanh(softplus(x))),
    ("leaky_relu", {"negative_slope": 0.2}, lambda x: np.where(x > 0, x, 0.2 * x)),
    ("leaky_relu", {"negative_slope": 1.5}, lambda x: np.where(x > 0, x, 1.5 * x)),
    ("leaky_relu", {"negative_slope": -0.5}, lambda x: np.where(x > 0, x, -0.5 * x)),
    ("elu", {"alpha": 0.7}, lambda x: np.where(x > 0, x, 0.7 * np.expm1(x))),
    ("selu", {}, lambda x: SCALE * np.where(x > 0, x, ALPHA * np.expm1(x))),
    ("celu", {"alpha": 2.0}, lambda x: np.where(x > 0, x, 2 * np.expm1(x / 2))),
    ("sigmoid", {}, special.expit),
    ("tanh", {}, np.tanh),
    ("softplus", {}, softplus),
    ("softplus", {"beta": 3.0}, lambda x: softplus(x, 3.0)),
    ("softsign", {}, lambda x: x / (1 + np.abs(x))),
    ("logsigmoid", {}, lambda x: -np.logaddexp(0, -x)),
    ("tanhshrink", {}, lambda x: x - np.tanh(x)),
    ("hardshrink", {"lambd": 0.4}, lambda x: np.where(np.abs(x) <= 0.4, 0, x)),
    ("softshrink", {"lambd": 0.4}, lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.4, 0)),
    ("threshold", {"threshold": 0.3, "value": -2.0}, lambda x: np.where(x > 0.3, x, -2.0)),
    ("rrelu", {"lower": 0.1, "upper": 0.3}, lambda x: np.where(x > 0, x, 0.2 * x)),
]
IDS = [f"{name}-{'-'.join(map(str, options.values()))}" for name, options, _ in TWINS]
IN_PLACE = [row for row in TWINS if row[0] not in {"gelu", "sigmoid", "tanh", "softplus"}]
EDGES = np.array([-1e4, -200.0, -3.0, -0.5, -0.4, -0.0, 0.0, 0.3, 0.4, 2.0, 3.0, 6.0, 30.0, 1e4])
SMOOTH = np.array([-4.1, -2.3, -1.2, -0.45, -0.2, 0.1, 0.35, 0.8, 1.9, 4.7])  # off all kinks


def call(name, x, options):
    return getattr(F, name)(x, **options)


@pytest.mark.parametrize(("name", "options", "twin"), TWINS, ids=IDS)
def test_values(name, options, twin):
    x = np.concatenate([EDGES, np.linspace(-7, 7, 57)])
    got = call(name, tp.tensor(x), options).numpy()
    with np.errstate(over="ignore"):
        np.testing.assert_allclose(got, twin(x), rtol=1e-9, atol=1e-12)
    assert call(name, tp.tensor(x).float(), options).dtype == tp.float32


@pytest.mark.parametrize(("name", "options", "twin"), TWINS, ids=IDS)
def test_derivatives(name, options, twin):
    x = tp.tensor(SMOOTH, requires_grad=True)
    assert gradcheck(lambda x: call(name, x, options), (x,))
    assert gradgradcheck(lambda x: call(name, x, options), (x,))


@pytest.mark.parametrize(("name", "options", "twin"), TWINS, ids=IDS)
def test_large_inputs_have_finite_gradients(name, options, twin):
    x = tp.tensor([-3e4, -150.0, 150.0, 3e4], requires_grad=True)
    (g,) = tp.autograd.grad(call(name, x, options).sum(), [x])
    assert np.isfinite(g.numpy()).all()


@pytest.mark.parametrize(("name", "options", "twin"), TWINS, ids=IDS)
def test_nan_stays_nan(name, options, twin):
    assert np.isnan(call(name, tp.tensor([np.nan]), options).numpy()).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        (n, o)
        for n, o, _ in IN_PLACE
        if n in {"relu", "relu6", "hardswish", "leaky_relu", "elu", "mish"}
    ],
)
def test_inplace_writes_into_the_input(name, options):
    x = tp.tensor(SMOOTH)
    want = call(name, x, options)
    out = call(name, x, {**options, "inplace": True})
    assert out is x
    np.testing.assert_array_equal(x.numpy(), want.numpy())


def test_inplace_gradient():
    x = tp.tensor(SMOOTH, requires_grad=True)
    F.relu(x * 2, inplace=True).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2.0 * (SMOOTH > 0))


@pytest.mark.parametrize(
    ("name", "options"),
    [(n, o) for n, o, _ in TWINS if "inplace" in inspect.signature(getattr(F, n)).parameters],
)
def test_inplace_gradient_is_that_of_the_plain_form(name, options):
    x = tp.tensor(SMOOTH, requires_grad=True)
    plain, written = (
        tp.autograd.grad(call(name, x * 2, {**options, "inplace": inplace}).sum(), [x])[0]
        for inplace in (False, True)
    )
    np.testing.assert_array_equal(written.numpy(), plain.numpy())


def test_gradients_at_kinks_are_torchs():
    def slope(f, at):
        x = tp.tensor([at], requires_grad=True)
        return tp.autograd.grad(f(x).sum(), [x])[0].item()

    assert slope(F.relu, 0.0) == 0
    assert slope(F.relu6, 6.0) == 0
    assert slope(F.hardtanh, 1.0) == slope(F.hardtanh, -1.0) == 0
    assert slope(F.leaky_relu, 0.0) == pytest.approx(0.01)
    assert slope(F.elu, 0.0) == 1
    assert slope(F.logsigmoid, 0.0) == 0.5


def test_prelu():
    x = np.random.default_rng(0).standard_normal((2, 3, 4))
    w = np.array([0.1, -0.2, 1.5])
    got = F.prelu(tp.tensor(x), tp.tensor(w)).numpy()
    np.testing.assert_allclose(got, np.where(x > 0, x, w[:, None] * x))
    inputs = (tp.tensor(x, requires_grad=True), tp.tensor(w, requires_grad=True))
    assert gradcheck(F.prelu, inputs)
    with pytest.raises(tp.ShapeError, match="3 channels"):
        F.prelu(tp.tensor(x), tp.ones(2, dtype=tp.float64))


def test_glu():
    x = np.random.default_rng(1).standard_normal((4, 6))
    got = F.glu(tp.tensor(x), 1).numpy()
    np.testing.assert_allclose(got, x[:, :3] * special.expit(x[:, 3:]))
    assert gradgradcheck(F.glu, (tp.tensor(x, requires_grad=True),))
    with pytest.raises(tp.ShapeError, match="halves"):
        F.glu(tp.ones(3))


def test_rrelu_draws_slopes_in_the_range():
    x = -tp.ones(2000)
    g = tp.Generator().manual_seed(3)
    slopes = -F.rrelu(x, 0.1, 0.4, training=True, generator=g).numpy()
    assert slopes.min() >= 0.1
    assert slopes.max() < 0.4
    assert slopes.mean() == pytest.approx(0.25, abs=0.01)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_family(dim):
    x = np.random.default_rng(2).standard_normal((3, 4, 5)) * 20
    t = tp.tensor(x)
    np.testing.assert_allclose(F.softmax(t, dim).numpy(), special.softmax(x, dim))
    np.testing.assert_allclose(F.log_softmax(t, dim).numpy(), special.log_softmax(x, dim))
    np.testing.assert_allclose(F.softmin(t, dim).numpy(), special.softmax(-x, dim))


def test_softmax_without_a_dim_warns_and_guesses():
    x = tp.randn(2, 3)
    with pytest.warns(UserWarning, match="give dim="):
        assert tp.equal(F.softmax(x), F.softmax(x, 1))
    assert F.softmax(tp.arange(3), 0, dtype=tp.float64).dtype == tp.float64


def test_gumbel_softmax_samples_its_categories():
    logits = tp.tensor([[0.0, 1.0, 2.0]]).expand(6000, 3)
    g = tp.Generator().manual_seed(0)
    hard = F.gumbel_softmax(logits, hard=True, generator=g).numpy()
    assert set(np.unique(hard.round(6))) == {0.0, 1.0}
    np.testing.assert_allclose(hard.mean(0), special.softmax([0.0, 1.0, 2.0]), atol=0.03)
    x = tp.zeros(5, 3, requires_grad=True)
    weights = tp.tensor([1.0, 2.0, 3.0])
    (F.gumbel_softmax(x, hard=True, generator=g) * weights).sum().backward()
    assert np.abs(x.grad.numpy()).max() > 0


def test_errors_say_what_to_pass():
    with pytest.raises(tp.ShapeError, match="'none' or 'tanh'"):
        F.gelu(tp.ones(2), approximate="fast")
    with pytest.raises(tp.ShapeError, match="lambd >= 0"):
        F.softshrink(tp.ones(2), -1.0)
    with pytest.raises(tp.DTypeError, match="floating logits"):
        F.gumbel_softmax(tp.ones(2, dtype=tp.int64))


def test_limits_of_integers_are_integers():
    x = tp.tensor([-3, 7, 2])
    for got, want in (
        (F.relu6(x), [0, 6, 2]),
        (F.hardtanh(x, -2.5, 5.5), [-2, 5, 2]),
        (F.relu6(x.abs().byte()), [3, 6, 2]),
    ):
        assert got.tolist() == want
        assert not got.is_floating_point()


@pytest.mark.parametrize("size", [1, 40, 4000])
@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16])
@pytest.mark.parametrize(
    ("function", "exact"),
    [
        (tp.sigmoid, special.expit),
        (F.silu, lambda x: x * special.expit(x)),
        (F.mish, lambda x: x * np.tanh(np.log1p(np.exp(x)))),
        (F.logsigmoid, special.log_expit),
        (F.gelu, lambda x: x * special.ndtr(x)),
    ],
)
def test_halves_keep_small_results(function, exact, dtype, size):
    x = tp.linspace(-17, 10, 40).to(dtype).repeat(100)[:size]
    step = 2.0**-10 if dtype == tp.float16 else 2.0**-7
    want = exact(x.double().numpy())
    np.testing.assert_allclose(function(x).double().numpy(), want, rtol=step, atol=2.0**-24)


@pytest.mark.parametrize("size", [2, 37, 5000])
def test_signs_of_zero_and_the_ends_of_the_table_for_gelu(size):
    """On AVX-512, gelu reads polynomials from a table that ends at 5.612."""
    zeros = F.gelu(tp.full((size,), -0.0)).numpy()
    assert (zeros == 0).all() and np.signbit(zeros).all()
    assert np.signbit(F.gelu(tp.full((size,), -40.0)).numpy()).all()  # -0, never +0
    edge = np.float32(5.612)
    near = np.concatenate([np.nextafter(edge, s * np.inf, dtype="f4")[None] for s in (-1, 1)])
    x = np.resize(np.concatenate([near, -near, [edge, -edge]]), size).astype("f4")
    got = F.gelu(tp.from_numpy(x)).numpy().astype(np.float64)
    wide = x.astype(np.float64)
    np.testing.assert_allclose(got, wide * special.ndtr(wide), rtol=3e-7)


@pytest.mark.parametrize("size", [2, 37, 5000])
@pytest.mark.parametrize("function", [F.relu, F.relu6, F.hardtanh, F.hardswish, F.hardsigmoid])
def test_nan_passes_through_pieces(function, size):
    x = tp.full((size,), 3.0)
    x[size // 2] = float("nan")
    assert np.flatnonzero(np.isnan(function(x).numpy())).tolist() == [size // 2]


@pytest.mark.parametrize("size", [1, 5000])
@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_of_the_largest_numbers(size, approximate):
    x = tp.full((size,), 3e38)
    assert F.gelu(x, approximate=approximate).equal(x)
    assert not F.gelu(-x, approximate=approximate).any()
