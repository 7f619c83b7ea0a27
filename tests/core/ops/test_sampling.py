"""Draws with parameters and in-place draws: distributions by fixed seeds, edges and errors."""

import math

import numpy as np
import pytest
from scipy import stats

import triptych as tp

N = 20_000


def gen(seed=0):
    return tp.Generator().manual_seed(seed)


def blank(dtype=tp.float64):
    return tp.zeros(N, dtype=dtype)


CONTINUOUS = {
    "uniform_": (lambda g: blank().uniform_(-1.0, 3.0, generator=g), stats.uniform(-1, 4)),
    "normal_": (lambda g: blank().normal_(2.0, 0.5, generator=g), stats.norm(2, 0.5)),
    "log_normal_": (
        lambda g: blank().log_normal_(0.3, 0.5, generator=g),
        stats.lognorm(0.5, scale=math.exp(0.3)),
    ),
    "exponential_": (lambda g: blank().exponential_(2.0, generator=g), stats.expon(scale=0.5)),
    "cauchy_": (lambda g: blank().cauchy_(1.0, 2.0, generator=g), stats.cauchy(1, 2)),
}
DISCRETE = {
    "geometric_": (lambda g: blank().geometric_(0.3, generator=g), stats.geom(0.3)),
    "bernoulli_": (lambda g: blank().bernoulli_(0.3, generator=g), stats.bernoulli(0.3)),
    "random_": (lambda g: blank().random_(3, 9, generator=g), stats.randint(3, 9)),
    "poisson": (lambda g: tp.poisson(blank() + 3.5, generator=g), stats.poisson(3.5)),
    "binomial": (
        lambda g: tp.binomial(blank() + 9, tp.tensor([0.4]), generator=g),
        stats.binom(9, 0.4),
    ),
    "randint_like": (lambda g: tp.randint_like(blank(), 2, 6, generator=g), stats.randint(2, 6)),
}


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_draws(name):
    draw, expected = CONTINUOUS[name]
    assert stats.kstest(draw(gen()).numpy(), expected.cdf).pvalue > 0.01


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_draws(name):
    draw, expected = DISCRETE[name]
    found = draw(gen()).numpy()
    low, high = int(found.min()), int(found.max())
    counts = np.bincount((found - low).astype(int), minlength=high - low + 1)
    wanted = expected.pmf(np.arange(low, high + 1)) * N
    kept = wanted > 5
    assert ((counts - wanted)[kept] ** 2 / wanted[kept]).sum() < stats.chi2(kept.sum()).ppf(0.99)


@pytest.mark.parametrize("name", [*CONTINUOUS, *DISCRETE])
def test_a_seed_repeats_a_draw(name):
    draw = {**CONTINUOUS, **DISCRETE}[name][0]
    assert tp.equal(draw(gen(5)), draw(gen(5))) and not tp.equal(draw(gen(5)), draw(gen(6)))
    tp.manual_seed(1)
    one = draw(None)
    tp.manual_seed(1)
    assert tp.equal(draw(None), one)


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16, tp.float32, tp.int64])
def test_dtypes(dtype):
    x = tp.ones(200, dtype=dtype)
    if dtype.is_floating_point:
        for draw in (x.exponential_, x.cauchy_, x.log_normal_, x.uniform_, x.normal_):
            assert draw(generator=gen()) is x and x.dtype is dtype
        assert (x.exponential_(generator=gen()) > 0).all()
        assert tp.poisson(x.fill_(4), generator=gen()).dtype is dtype
    assert x.geometric_(0.5, generator=gen()).min() >= 1
    assert set(x.bernoulli_(generator=gen()).tolist()) == {0, 1}


def test_random_covers_what_the_dtype_counts():
    for dtype, top in ((tp.uint8, 256), (tp.bool, 2), (tp.float32, 2**24), (tp.bfloat16, 2**8)):
        x = tp.zeros(4000, dtype=dtype).random_(generator=gen()).double()
        assert top * 0.9 < x.max().item() + 1 <= top and x.min().item() < 0.1 * top
    assert tp.zeros(100, dtype=tp.int64).random_(generator=gen()).max().item() > 2**62
    assert set(tp.zeros(100).random_(3, generator=gen()).tolist()) == {0, 1, 2}


def test_poisson_of_extreme_rates():
    rates = tp.tensor([0.0, 1e-9, 1e6, 1e15], dtype=tp.float64)
    found = tp.poisson(rates, generator=gen()).tolist()
    assert found[:2] == [0, 0] and found[2] == pytest.approx(1e6, rel=0.01)
    assert found[3] == pytest.approx(1e15, rel=1e-6)
    assert tp.poisson(tp.zeros(0, 3)).shape == (0, 3) and tp.poisson(tp.tensor(4.0)).ndim == 0


def test_binomial_broadcasts():
    count, prob = tp.tensor([[0.0], [5.0]]), tp.tensor([0.0, 1.0, 0.5])
    found = tp.binomial(count, prob, generator=gen())
    assert found[0].tolist() == [0, 0, 0] and found[1, :2].tolist() == [0, 5]
    assert 0 <= found[1, 2].item() <= 5


def test_bernoulli_takes_a_tensor_of_probabilities():
    p = tp.tensor([0.0, 1.0, 0.5])
    found = tp.zeros(1000, 3, dtype=tp.int32).bernoulli_(p, generator=gen()).double().mean(0)
    assert found[:2].tolist() == [0, 1] and abs(found[2].item() - 0.5) < 0.06


def test_in_place_draws_need_no_gradient_of_the_old_value():
    x = tp.zeros(3, requires_grad=True)
    with pytest.raises(tp.GradError, match="a leaf that requires grad"):
        x.exponential_()
    with tp.no_grad():
        assert x.exponential_() is x


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: tp.poisson(tp.tensor([-1.0])), tp.DomainError, "rates from 0"),
        (lambda: tp.poisson(tp.tensor([math.nan])), tp.DomainError, "rates from 0"),
        (lambda: tp.poisson(tp.tensor([1])), tp.DTypeError, "wanted a floating tensor"),
        (lambda: tp.poisson(1.0), tp.DTypeError, "got float"),
        (
            lambda: tp.binomial(tp.ones(1), tp.tensor([1.5])),
            tp.DomainError,
            "probabilities from 0 to 1",
        ),
        (lambda: tp.binomial(-tp.ones(1), tp.tensor([0.5])), tp.DomainError, "counts from 0"),
        (lambda: tp.zeros(1).exponential_(0.0), tp.DomainError, "lambd > 0"),
        (lambda: tp.zeros(1).cauchy_(0.0, -1.0), tp.DomainError, "sigma > 0"),
        (lambda: tp.zeros(1).geometric_(1.0), tp.DomainError, "0 < p < 1"),
        (lambda: tp.zeros(1).log_normal_(0.0, 0.0), tp.DomainError, "std > 0"),
        (lambda: tp.zeros(1).normal_(0.0, -1.0), tp.DomainError, "std >= 0"),
        (lambda: tp.zeros(1).uniform_(2.0, 1.0), tp.DomainError, "is empty"),
        (lambda: tp.zeros(1).bernoulli_(1.5), tp.DomainError, "probability from 0 to 1"),
        (lambda: tp.zeros(1).bernoulli_(tp.tensor([2.0])), tp.DomainError, "probabilities"),
        (lambda: tp.zeros(2, dtype=tp.int32).exponential_(), tp.DTypeError, "not defined"),
        (lambda: tp.multinomial(tp.ones(3), 0), tp.ShapeError, "num_samples >= 1"),
        (lambda: tp.multinomial(tp.ones(1, 2, 3), 1), tp.ShapeError, r"wanted \(v,\) or"),
        (lambda: tp.multinomial(tp.ones(3).long(), 1), tp.DTypeError, "floating weights"),
    ],
)
def test_bad_arguments(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_multinomial_of_no_rows():
    found = tp.multinomial(tp.ones(0, 3), 2)
    assert found.shape == (0, 2) and found.dtype is tp.int64


def test_fork_rng_leaves_the_stream_as_it_was():
    tp.manual_seed(3)
    expected = tp.rand(2)
    tp.manual_seed(3)
    with tp.random.fork_rng():
        tp.rand(100)
        tp.manual_seed(9)
    assert tp.equal(tp.rand(2), expected) and tp.initial_seed() == 3
    before = tp.get_rng_state()
    with pytest.raises(tp.ShapeError), tp.random.fork_rng():
        tp.randint(tp.randint(9, ()).item(), -1, (2,))
    assert tp.equal(tp.get_rng_state(), before)
    again = tp.get_rng_state()
    with tp.random.fork_rng(enabled=False):
        tp.rand(1)
    assert not tp.equal(tp.get_rng_state(), again)


def test_one_generator_serves_all_devices():
    tp.cuda.manual_seed_all(11)
    assert tp.initial_seed() == tp.cuda.initial_seed() == 11
    state = tp.cuda.get_rng_state()
    one = tp.rand(2)
    tp.cuda.set_rng_state(state)
    assert tp.equal(tp.rand(2), one)
