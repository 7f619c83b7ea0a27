"""Random numbers: reproducible, independent, and of the right distribution."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import triptych as tp

DRAWS = {
    "rand": lambda g: tp.rand(50, generator=g),
    "randn": lambda g: tp.randn(5, 10, generator=g),
    "randint": lambda g: tp.randint(-5, 90, (50,), generator=g),
    "randperm": lambda g: tp.randperm(50, generator=g),
    "rand_like": lambda g: tp.rand_like(tp.zeros(50, dtype=tp.float64), generator=g),
    "randn_like": lambda g: tp.randn_like(tp.zeros(50), generator=g),
    "bernoulli": lambda g: tp.bernoulli(tp.full((50,), 0.5), generator=g),
    "normal": lambda g: tp.normal(1.0, 2.0, (50,), generator=g),
    "multinomial": lambda g: tp.multinomial(tp.ones(50), 20, generator=g),
    "multinomial with replacement": lambda g: tp.multinomial(tp.ones(50), 20, True, generator=g),
    "uniform_": lambda g: tp.zeros(50).uniform_(generator=g),
    "normal_": lambda g: tp.zeros(50).normal_(generator=g),
}


@pytest.fixture(autouse=True)
def _default_generator():
    state = tp.get_rng_state()
    yield
    tp.set_rng_state(state)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_and_a_state_repeat_a_draw(draw):
    g = tp.Generator().manual_seed(7)
    one = draw(g)
    state = g.get_state()
    two, twin = draw(g), g.clone_state()
    assert not tp.equal(one, two)
    assert tp.equal(draw(g.manual_seed(7)), one) and tp.equal(draw(g), two)
    assert tp.equal(draw(g.set_state(state)), two)
    assert tp.equal(draw(twin), draw(g))


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_without_a_generator_the_default_one_draws(draw):
    tp.manual_seed(3)
    one = draw(None)
    two = draw(None)
    tp.manual_seed(3)
    assert tp.equal(draw(None), one) and tp.equal(draw(None), two) and not tp.equal(one, two)
    assert tp.initial_seed() == 3


def test_generators_do_not_disturb_each_other():
    tp.manual_seed(1)
    expected = tp.rand(3)
    tp.manual_seed(1)
    tp.rand(100, generator=tp.Generator())
    assert tp.equal(tp.rand(3), expected)


def test_states():
    g = tp.Generator().manual_seed(-1)
    assert g.initial_seed() == 2**64 - 1
    tp.rand(1, generator=g)
    state = g.get_state()
    assert state.tolist() == [-1, 1] and repr(g) == f"Generator(seed={2**64 - 1}, draws=1)"
    other = tp.Generator().set_state(state)
    assert tp.equal(tp.rand(2, generator=other), tp.rand(2, generator=g))
    with pytest.raises(tp.ShapeError, match=r"wanted the \(2,\) tensor of get_state\(\)"):
        g.set_state(tp.zeros(3))
    assert tp.seed() == tp.initial_seed() != tp.seed()


def test_different_seeds_and_draws_are_uncorrelated():
    g = tp.Generator()
    rows = [tp.randn(2000, generator=g.manual_seed(s)) for s in range(8)]
    g.manual_seed(0)
    rows += [tp.randn(2000, generator=g) for _ in range(8)][1:]
    correlations = np.corrcoef(tp.stack(rows).numpy())
    off = correlations[~np.eye(len(rows), dtype=bool)]
    assert np.abs(off).max() < 0.1


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16, tp.float32, tp.float64])
def test_uniform_numbers(dtype):
    x = tp.rand(40_000, dtype=dtype, generator=tp.Generator().manual_seed(0))
    assert x.dtype is dtype
    numbers = x.double().numpy()
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.01 and abs(numbers.var() - 1 / 12) < 0.003
    counts = np.histogram(numbers, 8, (0, 1))[0]
    assert ((counts - 5000) ** 2 / 5000).sum() < 30  # chi squared, 7 degrees of freedom


@pytest.mark.parametrize("dtype", [tp.float16, tp.bfloat16, tp.float32, tp.float64])
def test_normal_numbers(dtype):
    numbers = (
        tp.randn(40_000, dtype=dtype, generator=tp.Generator().manual_seed(1)).double().numpy()
    )
    assert abs(numbers.mean()) < 0.02 and abs(numbers.std() - 1) < 0.02
    assert abs((numbers**4).mean() - 3) < 0.15 and abs((numbers**3).mean()) < 0.1


@pytest.mark.parametrize("dtype", [tp.complex64, tp.complex128])
def test_complex_numbers(dtype):
    g = tp.Generator().manual_seed(1)
    z = tp.randn(20_000, dtype=dtype, generator=g).numpy()
    assert abs((np.abs(z) ** 2).mean() - 1) < 0.03 and abs(z.real.var() - 0.5) < 0.02
    assert abs(np.corrcoef(z.real, z.imag)[0, 1]) < 0.03
    u = tp.rand(1000, dtype=dtype, generator=g).numpy()
    assert u.real.min() >= 0 and u.imag.max() < 1 and u.imag.std() > 0.2


def test_integers():
    x = tp.randint(3, 6, (3000,), generator=tp.Generator())
    assert x.dtype is tp.int64 and sorted(x.unique().tolist()) == [3, 4, 5]
    assert abs(x.double().mean().item() - 4) < 0.06
    assert tp.randint(4, (2, 3), dtype=tp.uint8).dtype is tp.uint8
    assert tp.randint(10, (4,), dtype=tp.float32).dtype is tp.float32
    assert abs(tp.randint(-(2**62), 2**62, (10,))).max().item() > 2**50
    with pytest.raises(tp.ShapeError, match="the range from 3 to 3 is empty"):
        tp.randint(3, 3, (2,))


def test_permutations():
    x = tp.randperm(200, generator=tp.Generator())
    assert sorted(x.tolist()) == list(range(200)) != x.tolist()
    assert tp.randperm(0).shape == (0,) and tp.randperm(3, dtype=tp.int32).dtype is tp.int32


def test_bernoulli():
    p = tp.tensor([0.0, 0.25, 1.0]).expand(4000, 3)
    means = tp.bernoulli(p, generator=tp.Generator()).mean(0).tolist()
    assert means[0] == 0 and means[2] == 1 and abs(means[1] - 0.25) < 0.03


def test_normal_takes_tensors():
    mean, std = tp.tensor([0.0, 100.0]), tp.tensor([[1.0], [0.0]])
    x = tp.normal(mean, std)
    assert x.shape == (2, 2) and x[1].tolist() == [0.0, 100.0]
    assert tp.normal(mean, 0.0).tolist() == [0.0, 100.0]
    assert tp.normal(0.0, tp.zeros(3)).tolist() == [0.0] * 3


def test_multinomial():
    g = tp.Generator().manual_seed(2)
    weights = tp.tensor([0.0, 1.0, 3.0, 0.0])
    x = tp.multinomial(weights, 8000, replacement=True, generator=g)
    counts = np.bincount(x.numpy(), minlength=4)
    assert counts[0] == counts[3] == 0 and abs(counts[2] / 8000 - 0.75) < 0.02
    rows = tp.multinomial(tp.ones(2, 5), 5, generator=g)
    assert [sorted(row) for row in rows.tolist()] == [[0, 1, 2, 3, 4]] * 2
    firsts = [tp.multinomial(weights, 1, generator=g).item() for _ in range(500)]
    assert set(firsts) == {1, 2} and abs(np.mean(np.array(firsts) == 2) - 0.75) < 0.08
    big = tp.multinomial(tp.ones(50_000), 50_000, replacement=True, generator=g)
    assert big.max().item() < 50_000


@pytest.mark.parametrize(
    ("weights", "count", "text"),
    [
        (tp.tensor([1.0, 0.0]), 2, "2 samples without replacement"),
        (tp.tensor([1.0, -1.0]), 1, "finite weights >= 0"),
        (tp.tensor([0.0, 0.0]), 1, "at least one above zero"),
        (tp.tensor([1.0, float("nan")]), 1, "finite weights"),
        (tp.tensor([float("inf"), 1.0]), 1, "finite weights"),
    ],
)
def test_multinomial_refuses_bad_weights(weights, count, text):
    with pytest.raises(tp.ShapeError, match=text):
        tp.multinomial(weights, count)


@pytest.mark.parametrize("call", [tp.rand, tp.randn])
def test_random_integers_are_drawn_by_randint_only(call):
    with pytest.raises(tp.DTypeError, match="random numbers of int64 are not defined"):
        call(3, dtype=tp.int64)
    with pytest.raises(tp.DTypeError, match="random numbers of bool"):
        tp.randint(2, (3,), dtype=tp.bool)


def test_shapes_and_requires_grad():
    for call in (tp.rand, tp.randn):
        assert call(()).shape == () and call(0, 2).shape == (0, 2) and call((2, 3)).shape == (2, 3)
        assert call(2, requires_grad=True).is_leaf and call(2, requires_grad=True).requires_grad
    assert tp.rand_like(tp.zeros(2), dtype=tp.float64, requires_grad=True).requires_grad


def test_normal_has_the_dtype_of_its_mean():
    assert tp.normal(tp.ones(3, dtype=tp.bfloat16), 1.0).dtype is tp.bfloat16
    assert tp.normal(tp.ones(3, dtype=tp.float16), tp.ones(3)).dtype is tp.float16
    assert tp.normal(0.0, tp.ones(3, dtype=tp.float64)).dtype is tp.float64
    made = tp.normal(5.0, 0.0, (2, 3), dtype=tp.float64, device="cpu", requires_grad=True)
    assert (made.dtype, made.shape, made.requires_grad) == (tp.float64, (2, 3), True)
    assert made.tolist() == [[5.0] * 3] * 2


def test_draws_like_a_tensor_take_a_device():
    x = tp.zeros(2, 3)
    assert tp.rand_like(x, device="cpu").shape == tp.randn_like(x, device="cpu").shape == (2, 3)


def test_a_draw_is_that_of_a_source_of_its_own() -> None:
    seed = (1 << 64) - 3
    g = tp.Generator().manual_seed(seed)
    for offset in range(5):
        own = np.random.Generator(np.random.Philox(key=seed, counter=[0, offset, 0, 0]))
        if offset % 2:  # half a word is left over, which the next draw must not see
            wanted = own.integers(0, 9, (1,), dtype=np.int64)
            drawn = tp.randint(0, 9, (1,), generator=g)
        else:
            wanted = own.random((3,), dtype=np.float32)
            drawn = tp.rand(3, generator=g)
        np.testing.assert_array_equal(drawn.numpy(), wanted)


def test_threads_draw_as_one_alone_does() -> None:
    def draws(seed: int) -> list[float]:
        g = tp.Generator().manual_seed(seed)
        return [tp.rand(1, generator=g).item() for _ in range(200)]

    alone = [draws(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(draws, range(4))) == alone
