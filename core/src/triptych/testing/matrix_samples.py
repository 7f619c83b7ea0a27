"""Sample inputs for the primitives of linear algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.creation import tensor
from ..tensor import Tensor
from .samples import Sample, complexes, reals, sampled


def spread(rng: np.random.Generator, n: int, complex_: bool = False) -> Tensor:
    """A well-conditioned matrix with distinct singular values."""
    a = rng.standard_normal((n, n)) + (1j * rng.standard_normal((n, n)) if complex_ else 0)
    return tensor(a + n * np.diag(np.arange(1, n + 1)))


def hermitian(a: Tensor) -> tuple[Tensor]:
    """A Hermitian matrix from any."""
    return ((a + a.mT.conj()) / 2,)


def symmetric(a: Tensor) -> tuple[Tensor]:
    """A symmetric matrix from any, complex ones, too."""
    return ((a + a.mT) / 2,)


def positive(a: Tensor) -> tuple[Tensor]:
    """A Hermitian positive definite matrix from any that has an inverse."""
    return (a @ a.mT.conj(),)


@sampled("solve")
def _solve(rng: np.random.Generator) -> list[Sample]:
    return [
        Sample((spread(rng, 3), reals(rng, 3, 2))),
        Sample((spread(rng, 2), reals(rng, 3, 2, 1))),
        Sample((spread(rng, 2, True), complexes(rng, 2, 2))),
    ]


@sampled("solve_ex")
def _solve_ex(rng: np.random.Generator) -> list[Sample]:
    return _solve(rng)


@sampled("solve_triangular")
def _solve_triangular(rng: np.random.Generator) -> list[Sample]:
    choices = [{"upper": u, "unitriangular": one} for u in (False, True) for one in (False, True)]
    return [Sample(s.inputs, choice) for s in _solve(rng) for choice in choices]


def _register_square() -> None:
    for name in ("inv", "inv_ex", "slogdet", "det", "cofactors"):
        sampled(name)(lambda rng: [Sample((spread(rng, 3, c),)) for c in (False, True)])
    for name in ("cholesky", "cholesky_ex"):
        sampled(name)(
            lambda rng: [Sample((spread(rng, 3, c),), prepare=positive) for c in (False, True)]
        )
    sampled("eigh")(lambda rng: [Sample((spread(rng, 3),), prepare=hermitian)])
    # Near a diagonal matrix eigenvalues are real; complex eigenvectors' phase is LAPACK's choice.
    sampled("eig")(lambda rng: [Sample((reals(rng, 3, 3) * 0.2 + tensor(np.diag([1.0, 4, 8])),))])
    sampled("matrix_exp")(
        lambda rng: [Sample((reals(rng, 2, 3, 3),)), Sample((complexes(rng, 2, 2) * 9,))]
    )


def _shapes(rng: np.random.Generator, **params: Any) -> list[Sample]:
    return [Sample((reals(rng, *s),), params) for s in ((3, 3), (4, 2), (2, 3))]


def _register_any_shape() -> None:
    sampled("qr")(lambda rng: [*_shapes(rng), Sample((reals(rng, 2, 3),), {"complete": True})])
    sampled("svd")(_shapes)
    sampled("geqrf")(_shapes)
    sampled("lu")(
        lambda rng: [
            *_shapes(rng, pivot=True),
            Sample((spread(rng, 2),), {"pivot": False}),
            Sample((spread(rng, 3, True),), {"pivot": True}),
        ]
    )


@sampled("row_order")
def _row_order(rng: np.random.Generator) -> list[Sample]:
    return [Sample((tensor([[2, 3, 3], [1, 2, 3]]).int(),), {"size": 4})]


@sampled("ldl_layout")
def _ldl_layout(rng: np.random.Generator) -> list[Sample]:
    return [Sample((tensor([[1, -4, -4, 4], [-3, -3, 4, 4]]).int(),))]


@sampled("ldl_factor")
def _ldl_factor(rng: np.random.Generator) -> list[Sample]:
    blocks = tensor(np.array([[0.1, 3, 1, 0], [3, 0.2, 1, 2], [1, 1, 0.3, 5], [0, 2, 5, 0.1]]))
    turned = spread(rng, 3, True)
    return [
        Sample((spread(rng, 3),), {"hermitian": False}, symmetric),
        Sample((blocks,), {"hermitian": False}, symmetric),
        Sample((turned,), {"hermitian": True}, hermitian),
        Sample((turned,), {"hermitian": False}, symmetric),
    ]


@sampled("pinv")
def _pinv(rng: np.random.Generator) -> list[Sample]:
    none, some = tensor(0.0, dtype=reals(rng, 1).dtype), tensor(1e-9, dtype=reals(rng, 1).dtype)
    return [
        *(Sample((reals(rng, *s), none, some), {"hermitian": False}) for s in ((2, 3), (3, 2))),
        Sample((complexes(rng, 2, 3), none, some), {"hermitian": False}),
        Sample(
            (spread(rng, 3), none, some),
            {"hermitian": True},
            lambda a, atol, rtol: (*hermitian(a), atol, rtol),
        ),
    ]


@sampled("cdist")
def _cdist(rng: np.random.Generator) -> list[Sample]:
    a, b = reals(rng, 3, 2), reals(rng, 2, 4, 2)
    return [Sample((a, b), {"p": p}) for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf"))]


_register_square()
_register_any_shape()
