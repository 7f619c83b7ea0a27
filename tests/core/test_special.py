"""triptych.special against SciPy over wide ranges, and its edge cases."""

import math

import numpy as np
import pytest
from scipy import special as sp

import triptych as tp
from triptych import special

SIGNED = np.concatenate(
    [
        np.linspace(-30, 30, 997),
        np.logspace(-300, 3, 400),
        -np.logspace(-300, 2, 300),
        [0.0, -0.0, 1.0, -1.0, 2.0, math.nan],
    ]
)
POSITIVE = np.concatenate([np.linspace(1e-3, 40, 997), np.logspace(-300, 2.8, 400)])
UNIT = np.concatenate(
    [np.linspace(0, 1, 501), np.logspace(-320, 0, 300), 1 - np.logspace(-16, 0), [2.0, math.nan]]
)

# name: (SciPy's function, inputs, absolute tolerance). Waves are compared absolutely at their
# zeros, where SciPy itself has an absolute error.
UNARY = {
    "airy_ai": (lambda x: sp.airy(x)[0], np.linspace(-20, 90, 1999), 1e-14),
    "bessel_j0": (sp.j0, np.linspace(-200, 200, 1999), 1e-14),
    "bessel_j1": (sp.j1, np.linspace(-200, 200, 1999), 1e-14),
    "bessel_y0": (sp.y0, np.linspace(1e-3, 200, 1999), 1e-14),
    "bessel_y1": (sp.y1, np.linspace(1e-3, 200, 1999), 1e-14),
    "digamma": (sp.digamma, np.abs(SIGNED), 0),
    "entr": (sp.entr, SIGNED, 0),
    "erf": (sp.erf, SIGNED, 0),
    "erfc": (sp.erfc, np.linspace(-8, 26, 997), 0),
    "erfcx": (sp.erfcx, SIGNED, 0),
    "erfinv": (sp.erfinv, np.concatenate([UNIT, -UNIT]), 1e-300),
    "gammaln": (sp.gammaln, np.abs(SIGNED), 0),
    "i0": (sp.i0, SIGNED, 0),
    "i0e": (sp.i0e, SIGNED, 0),
    "i1": (sp.i1, SIGNED, 0),
    "i1e": (sp.i1e, SIGNED, 0),
    "log_ndtr": (sp.log_ndtr, np.linspace(-200, 25, 997), 0),
    "modified_bessel_k0": (sp.k0, POSITIVE, 0),
    "modified_bessel_k1": (sp.k1, POSITIVE, 0),
    "ndtr": (sp.ndtr, np.linspace(-37, 10, 997), 0),
    "ndtri": (sp.ndtri, UNIT, 1e-300),
    "scaled_modified_bessel_k0": (sp.k0e, POSITIVE, 0),
    "scaled_modified_bessel_k1": (sp.k1e, POSITIVE, 0),
    "spherical_bessel_j0": (lambda x: np.sinc(x / np.pi), SIGNED, 1e-16),
}


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_number(name):
    reference, x, atol = UNARY[name]
    with np.errstate(all="ignore"):
        expected = reference(x)
    found = getattr(special, name)(tp.tensor(x)).numpy()
    np.testing.assert_allclose(found, expected, rtol=2e-13, atol=atol)


@pytest.mark.parametrize("name", UNARY)
def test_single_and_half_precision_round_once(name):
    reference, x, _ = UNARY[name]
    low, high = max(np.nanmin(x), -8), min(np.nanmax(x), 8)
    for dtype, slack in ((tp.float32, 4), (tp.float16, 1), (tp.bfloat16, 1)):
        inputs = tp.tensor(np.linspace(low, high, 301)).to(dtype)
        expected = reference(inputs.double().numpy())
        found = getattr(special, name)(inputs)
        assert found.dtype is dtype
        limits = tp.finfo(dtype)
        finite = np.abs(expected) < limits.max
        # erf, erfc and erfinv compute single precision in single precision
        atol = 4 * limits.eps if name in ("erf", "erfc", "erfinv") else limits.tiny
        np.testing.assert_allclose(
            found.double().numpy()[finite], expected[finite], rtol=slack * limits.eps, atol=atol
        )


def test_limits_at_infinity():
    inf = tp.tensor([math.inf, -math.inf], dtype=tp.float64)
    for name in ("bessel_j0", "bessel_j1", "spherical_bessel_j0", "airy_ai", "i0e", "i1e"):
        assert (getattr(special, name)(inf) == 0).all()
    assert special.i0(inf).tolist() == [math.inf, math.inf]
    assert special.i1(inf).tolist() == [math.inf, -math.inf]
    assert special.erfcx(inf).tolist() == [0, math.inf]
    assert special.log_ndtr(inf).tolist() == [0, -math.inf]
    for name in ("bessel_y0", "bessel_y1", "modified_bessel_k0", "modified_bessel_k1"):
        zero, below = getattr(special, name)(inf).tolist()
        assert zero == 0 and math.isnan(below)


def test_the_bessel_functions_keep_their_digits_far_out():
    # At 1e6, with 40 digits by mpmath 1.3.0. Rounding the phase once would cost five digits.
    x = tp.tensor([1e6], dtype=tp.float64)
    known = {
        "bessel_j0": 0.00033104301373987376,
        "bessel_j1": -0.000725968356813763,
        "bessel_y0": -0.0007259685223351791,
        "bessel_y1": -0.00033104337672417626,
    }
    for name, value in known.items():
        assert getattr(special, name)(x).item() == pytest.approx(value, rel=1e-13)


def test_gamma_family_at_poles_and_below_zero():
    x = tp.tensor([0.0, -0.0, -1.0, -2.0, -math.inf, -0.5, -3.7, -1e-300], dtype=tp.float64)
    expected = [math.inf] * 4 + [math.inf, *sp.gammaln([-0.5, -3.7, -1e-300])]
    np.testing.assert_allclose(special.gammaln(x).numpy(), expected, rtol=1e-13)
    slopes = special.digamma(x).numpy()
    assert slopes[:2].tolist() == [-math.inf, math.inf] and np.isnan(slopes[2:5]).all()
    np.testing.assert_allclose(slopes[5:], sp.digamma([-0.5, -3.7, -1e-300]), rtol=1e-13)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20])
def test_polygamma(n):
    x = np.concatenate([np.linspace(-8.3, -0.1, 41), np.logspace(-4, 9, 101)])
    np.testing.assert_allclose(special.polygamma(n, tp.tensor(x)), sp.polygamma(n, x), rtol=1e-12)
    assert special.polygamma(n, tp.tensor([-2.0])).abs().item() == math.inf


def test_polygamma_of_extreme_orders():
    found = special.polygamma(200, tp.tensor([30.0, 20.0], dtype=tp.float64))
    logs = [
        math.lgamma(201) + math.log(sp.zeta(201, 30)),
        math.lgamma(201) + math.log(sp.zeta(201, 20)),
    ]
    np.testing.assert_allclose(found, -np.exp(logs), rtol=1e-11)
    with pytest.raises(tp.DomainError, match="wanted n >= 0, got -1"):
        special.polygamma(-1, tp.ones(2))


@pytest.mark.parametrize("x", [1.001, 1.5, 2.0, 3.0, 7.3, 40.0, 2000.0])
def test_zeta(x):
    q = np.logspace(-3, 8, 300)
    with np.errstate(all="ignore"):
        expected = sp.zeta(x, q)
    np.testing.assert_allclose(special.zeta(x, tp.tensor(q)), expected, rtol=1e-13, atol=1e-290)


def test_zeta_at_its_edges():
    x = tp.tensor([1.0, 0.5, 2.0, 2.0, 3.0, 2.5, 2.0, math.nan], dtype=tp.float64)
    q = tp.tensor([3.0, 3.0, 0.0, -4.0, -2.5, -2.5, math.inf, 1.0], dtype=tp.float64)
    found = special.zeta(x, q).tolist()
    assert found[0] == found[2] == found[3] == math.inf and found[6] == 0
    assert math.isnan(found[1]) and math.isnan(found[5]) and math.isnan(found[7])
    assert found[4] == pytest.approx(sum((-2.5 + k) ** -3 for k in range(2000)), rel=1e-5)
    with pytest.raises(tp.GradError, match="the derivative with respect to the first argument"):
        special.zeta(x.requires_grad_(), q).sum().backward()


@pytest.mark.parametrize("kind", ["near the mean", "everywhere"])
def test_incomplete_gamma(kind):
    rng = np.random.default_rng(3)
    a = 10 ** rng.uniform(-3, 4, 3000)
    spread = a + np.sqrt(a) * rng.normal(size=a.size) * 3
    x = np.abs(spread) if kind == "near the mean" else a * 10 ** rng.uniform(-2, 1, a.size)
    p, q = (f(tp.tensor(a), tp.tensor(x)).numpy() for f in (tp.igamma, tp.igammac))
    np.testing.assert_allclose(p + q, 1, rtol=0, atol=1e-14)
    # SciPy loses digits where the density is steep; the comparison says how many.
    tail = np.minimum(sp.gammainc(a, x), sp.gammaincc(a, x))
    tight = tail > 1e-30
    np.testing.assert_allclose(p[tight], sp.gammainc(a, x)[tight], rtol=3e-12)
    np.testing.assert_allclose(q[tight], sp.gammaincc(a, x)[tight], rtol=3e-12)


# Computed with 50 digits by mpmath 1.3.0: a, x, P or Q, whichever is smaller.
FIFTY_DIGITS = [
    (43.8758, 0.0178522, 0, 1.1589082539287008e-131),
    (89.0631, 890.481, 1, 4.743579056610181e-262),
    (1000.0, 1000.0, 1, 0.4957947558197845),
    (1e4, 9.5e3, 0, 1.862454651795155e-07),
    (5411.6, 3239.9, 0, 4.1241978509077117e-265),
    (9038.92, 12838.8, 1, 2.1608600153500555e-275),
]


@pytest.mark.parametrize(("a", "x", "upper", "expected"), FIFTY_DIGITS)
def test_incomplete_gamma_far_in_the_tails(a, x, upper, expected):
    function = special.gammaincc if upper else special.gammainc
    assert function(a, x) == pytest.approx(expected, rel=2e-13)


def test_incomplete_gamma_at_its_edges():
    inf, nan = math.inf, math.nan
    a = np.array([0, 0, 0, -1, 1, 1, inf, inf, 2, 2, nan, 1.0, 0, inf])
    x = np.array([0, 1, inf, 1, -1, 0, 1, inf, inf, 0, 1, nan, nan, 0])
    np.testing.assert_array_equal(tp.igamma(tp.tensor(a), tp.tensor(x)), sp.gammainc(a, x))
    np.testing.assert_array_equal(tp.igammac(tp.tensor(a), tp.tensor(x)), sp.gammaincc(a, x))


POLYNOMIALS = {
    "chebyshev_polynomial_t": sp.eval_chebyt,
    "chebyshev_polynomial_u": sp.eval_chebyu,
    "shifted_chebyshev_polynomial_t": sp.eval_sh_chebyt,
    "shifted_chebyshev_polynomial_u": sp.eval_sh_chebyu,
    "hermite_polynomial_h": sp.eval_hermite,
    "hermite_polynomial_he": sp.eval_hermitenorm,
    "laguerre_polynomial_l": sp.eval_laguerre,
    "legendre_polynomial_p": sp.eval_legendre,
    "chebyshev_polynomial_v": lambda n, x: sp.eval_chebyu(n, x) - sp.eval_chebyu(n - 1, x),
    "chebyshev_polynomial_w": lambda n, x: sp.eval_chebyu(n, x) + sp.eval_chebyu(n - 1, x),
    "shifted_chebyshev_polynomial_v": lambda n, x: (
        sp.eval_sh_chebyu(n, x) - sp.eval_sh_chebyu(n - 1, x)
    ),
    "shifted_chebyshev_polynomial_w": lambda n, x: (
        sp.eval_sh_chebyu(n, x) + sp.eval_sh_chebyu(n - 1, x)
    ),
}


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    function = getattr(special, name)
    n, x = np.meshgrid(np.arange(1, 13), np.linspace(-1.4, 1.6, 21))
    expected = POLYNOMIALS[name](n, x)
    found = function(tp.tensor(x), tp.tensor(n))
    np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
    # below and at zero, with numbers on either side, and truncation of n
    x = tp.tensor([-0.3, 0.2])
    assert function(x, 0).tolist() == [1, 1] and function(x, -1).tolist() == [0, 0]
    assert tp.equal(function(x, 2.9), function(x, 2))
    assert function(0.5, tp.tensor([0, -3])).tolist() == [1, 0]
    assert function(tp.tensor([math.nan]), 3).isnan().all()


@pytest.mark.parametrize("shifted", ["", "shifted_"])
@pytest.mark.parametrize(
    ("kind", "at_one", "at_minus_one"),
    [
        ("t", lambda n: 1, lambda n: (-1) ** n),
        ("u", lambda n: n + 1, lambda n: (-1) ** n * (n + 1)),
        ("v", lambda n: 1, lambda n: (-1) ** n * (2 * n + 1)),
        ("w", lambda n: 2 * n + 1, lambda n: (-1) ** n),
    ],
)
def test_chebyshev_polynomials_of_high_degree(shifted, kind, at_one, at_minus_one):
    function = getattr(special, f"{shifted}chebyshev_polynomial_{kind}")
    ends = [0.0, 1.0] if shifted else [-1.0, 1.0]
    for n in (63, 64, 65, 66, 301):
        found = function(tp.tensor(ends, dtype=tp.float64), n).tolist()
        assert found == [at_minus_one(n), at_one(n)]
    # the recurrence holds across the switch from recurrence to closed form
    x = np.array([-1.02, -0.7, -0.01, 0.4, 0.99, 1.03])
    inner = tp.tensor((x + 1) / 2 if shifted else x)
    before, now, after = (function(inner, n).numpy() for n in (64, 65, 66))
    np.testing.assert_allclose(after, 2 * x * now - before, rtol=1e-10, atol=1e-9)


def test_hermite_polynomials_stop_at_degree_512():
    x = tp.tensor([0.5], dtype=tp.float64)
    assert special.hermite_polynomial_h(x, 200).isfinite().all()
    assert special.hermite_polynomial_he(x, 513).isnan().all()


def test_weighted_logarithms():
    x = tp.tensor([0.0, 0.0, 0.0, 2.0, 0.0], dtype=tp.float64, requires_grad=True)
    y = tp.tensor([0.0, -1.0, 3.0, 0.5, math.nan], dtype=tp.float64)
    np.testing.assert_array_equal(special.xlogy(x, y).detach(), sp.xlogy(x.detach(), y))
    np.testing.assert_array_equal(special.xlog1py(x, y).detach(), sp.xlog1py(x.detach(), y))
    special.xlogy(x, y)[:4].sum().backward()
    np.testing.assert_allclose(x.grad[:4], [0, 0, math.log(3), math.log(0.5)])
    assert special.xlogy(2, tp.tensor([1.0])).item() == 0 and special.xlog1py(0.0, 3.0) == 0


def test_derivatives_of_the_modified_bessel_functions_at_zero():
    x = tp.zeros(1, dtype=tp.float64, requires_grad=True)
    for name, slope in (("i0", 0.0), ("i1", 0.5), ("i1e", 0.5), ("i0e", 0.0)):
        (found,) = tp.autograd.grad(getattr(special, name)(x).sum(), [x])
        assert found.item() == slope


def test_functions_without_a_derivative_give_none():
    x = tp.ones(2, requires_grad=True)
    for name in ("bessel_j0", "airy_ai", "modified_bessel_k0"):
        assert not getattr(special, name)(x).requires_grad


def test_integers_and_numbers():
    assert special.bessel_j0(tp.tensor([0, 1])).dtype is tp.float32
    assert special.gammaln(3) == pytest.approx(math.log(2), rel=1e-15)
    assert special.zeta(2, 1) == pytest.approx(math.pi**2 / 6, rel=1e-15)
    assert tp.igamma(tp.tensor([1, 2]), tp.tensor([1.0, 2.0])).dtype is tp.float32


def test_methods_and_in_place_forms():
    x = tp.tensor([0.5, 2.0], dtype=tp.float64)
    assert tp.equal(x.i0(), special.i0(x)) and tp.equal(x.igamma(x), special.gammainc(x, x))
    assert tp.equal(x.polygamma(1), special.polygamma(1, x))
    y = x.clone()
    assert y.igammac_(x) is y and tp.equal(y, special.gammaincc(x, x))
    assert tp.equal(x.clone().polygamma_(2), special.polygamma(2, x))
    assert tp.equal(x.clone().lgamma_(), special.gammaln(x))


def test_every_name_is_there():
    assert special.__all__ == sorted(special.__all__) and len(special.__all__) == 56
    assert all(callable(getattr(special, name)) for name in special.__all__)
