"""Special functions under the names of torch.special. All are elementwise unless they take a dim.

Inputs broadcast and are brought to one floating dtype; float16 and bfloat16 are computed in higher
precision and rounded once. Functions that PyTorch does not differentiate give no gradient here.
"""

from __future__ import annotations

from typing import Any

from .ops.pointwise import _public, erf, exp2, expm1, log1p, round
from .ops.pointwise import log_softmax as log_softmax
from .ops.pointwise import sigmoid as expit
from .ops.pointwise import softmax as softmax
from .ops.reduce import logsumexp
from .ops.special import (
    digamma,
    erfc,
    erfinv,
    i0,
    igamma,
    igammac,
    lgamma,
    logit,
    mvlgamma,
    polygamma,
    sinc,
    xlogy,
)
from .prims import airy, bessel, entropy, modified_bessel, normal, polynomials
from .prims import zeta as zeta_family

__all__ = [
    "airy_ai",
    "bessel_j0",
    "bessel_j1",
    "bessel_y0",
    "bessel_y1",
    "chebyshev_polynomial_t",
    "chebyshev_polynomial_u",
    "chebyshev_polynomial_v",
    "chebyshev_polynomial_w",
    "digamma",
    "entr",
    "erf",
    "erfc",
    "erfcx",
    "erfinv",
    "exp2",
    "expit",
    "expm1",
    "gammainc",
    "gammaincc",
    "gammaln",
    "hermite_polynomial_h",
    "hermite_polynomial_he",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "laguerre_polynomial_l",
    "legendre_polynomial_p",
    "log1p",
    "log_ndtr",
    "log_softmax",
    "logit",
    "logsumexp",
    "modified_bessel_i0",
    "modified_bessel_i1",
    "modified_bessel_k0",
    "modified_bessel_k1",
    "multigammaln",
    "ndtr",
    "ndtri",
    "polygamma",
    "psi",
    "round",
    "scaled_modified_bessel_k0",
    "scaled_modified_bessel_k1",
    "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u",
    "shifted_chebyshev_polynomial_v",
    "shifted_chebyshev_polynomial_w",
    "sinc",
    "softmax",
    "spherical_bessel_j0",
    "xlog1py",
    "xlogy",
    "zeta",
]

gammaln, psi, multigammaln = lgamma, digamma, mvlgamma
gammainc, gammaincc = igamma, igammac

erfcx = _public(normal.erfcx, "exp(x ** 2) * erfc(x), finite where erfc alone would vanish.")
ndtr = _public(normal.ndtr, "The distribution function of the standard normal distribution.")
log_ndtr = _public(normal.log_ndtr, "log(ndtr(x)), exact far out in the lower tail.")
ndtri = _public(normal.ndtri, "The x whose ndtr is the input; infinite at 0 and 1.")
entr = _public(
    entropy.entr, "-x log(x) for x > 0, zero at zero and minus infinity below: terms of an entropy."
)
xlog1py = _public(entropy.xlog1py, "input * log1p(other), and zero where input is zero.")
zeta = _public(
    zeta_family.zeta,
    "Hurwitz' zeta function: the sum of (other + k) ** -input over k = 0, 1, 2, ... for input > 1. "
    "Differentiable by other only.",
)

bessel_j0 = _public(bessel.bessel_j0, "The Bessel function of the first kind of order zero.")
bessel_j1 = _public(bessel.bessel_j1, "The Bessel function of the first kind of order one.")
bessel_y0 = _public(
    bessel.bessel_y0, "The Bessel function of the second kind of order zero; NaN below zero."
)
bessel_y1 = _public(
    bessel.bessel_y1, "The Bessel function of the second kind of order one; NaN below zero."
)
spherical_bessel_j0 = _public(
    bessel.spherical_bessel_j0, "sin(x) / x, and one at zero: a spherical Bessel function."
)
i0e = _public(modified_bessel.i0e, "exp(-|x|) * i0(x), which does not overflow.")
i1 = _public(modified_bessel.i1, "The modified Bessel function of the first kind of order one.")
i1e = _public(modified_bessel.i1e, "exp(-|x|) * i1(x), which does not overflow.")
modified_bessel_i0, modified_bessel_i1 = i0, i1
modified_bessel_k0 = _public(
    modified_bessel.modified_bessel_k0,
    "The modified Bessel function of the second kind of order zero; NaN below zero.",
)
modified_bessel_k1 = _public(
    modified_bessel.modified_bessel_k1,
    "The modified Bessel function of the second kind of order one; NaN below zero.",
)
scaled_modified_bessel_k0 = _public(
    modified_bessel.scaled_modified_bessel_k0, "exp(x) * modified_bessel_k0(x)."
)
scaled_modified_bessel_k1 = _public(
    modified_bessel.scaled_modified_bessel_k1, "exp(x) * modified_bessel_k1(x)."
)
airy_ai = _public(airy.airy_ai, "Airy's function Ai, the solution of y'' = x y that vanishes.")


def _polynomial(primitive: Any, what: str) -> Any:
    return _public(primitive, f"{what} of degree n at input; n is truncated, and n < 0 gives zero.")


chebyshev_polynomial_t = _polynomial(
    polynomials.chebyshev_polynomial_t, "The Chebyshev polynomial of the first kind, cos(n acos x),"
)
chebyshev_polynomial_u = _polynomial(
    polynomials.chebyshev_polynomial_u, "The Chebyshev polynomial of the second kind"
)
chebyshev_polynomial_v = _polynomial(
    polynomials.chebyshev_polynomial_v, "The Chebyshev polynomial of the third kind"
)
chebyshev_polynomial_w = _polynomial(
    polynomials.chebyshev_polynomial_w, "The Chebyshev polynomial of the fourth kind"
)
shifted_chebyshev_polynomial_t = _polynomial(
    polynomials.shifted_chebyshev_polynomial_t,
    "The Chebyshev polynomial of the first kind for 2 x - 1, shifted to [0, 1],",
)
shifted_chebyshev_polynomial_u = _polynomial(
    polynomials.shifted_chebyshev_polynomial_u,
    "The Chebyshev polynomial of the second kind for 2 x - 1, shifted to [0, 1],",
)
shifted_chebyshev_polynomial_v = _polynomial(
    polynomials.shifted_chebyshev_polynomial_v,
    "The Chebyshev polynomial of the third kind for 2 x - 1, shifted to [0, 1],",
)
shifted_chebyshev_polynomial_w = _polynomial(
    polynomials.shifted_chebyshev_polynomial_w,
    "The Chebyshev polynomial of the fourth kind for 2 x - 1, shifted to [0, 1],",
)
hermite_polynomial_h = _polynomial(
    polynomials.hermite_polynomial_h, "The physicists' Hermite polynomial, 2 x for n = 1,"
)
hermite_polynomial_he = _polynomial(
    polynomials.hermite_polynomial_he, "The probabilists' Hermite polynomial, x for n = 1,"
)
laguerre_polynomial_l = _polynomial(
    polynomials.laguerre_polynomial_l, "The Laguerre polynomial, 1 - x for n = 1,"
)
legendre_polynomial_p = _polynomial(
    polynomials.legendre_polynomial_p, "The Legendre polynomial, x for n = 1,"
)
