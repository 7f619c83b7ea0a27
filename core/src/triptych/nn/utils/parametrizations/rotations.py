"""Orthogonal and unitary weights."""

from __future__ import annotations

from typing import Any

from .... import linalg
from ....autograd.modes import no_grad
from ....dtypes import finfo
from ....errors import DTypeError, ShapeError, UnknownNameError
from ....ops.creation import eye, zeros_like
from ....ops.pointwise import where
from ....ops.random import randn
from ....ops.shape import cat
from ....tensor import Tensor
from ...module import Module
from .. import parametrize

__all__ = ["orthogonal"]

MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """From any matrix (..., n, k) to one with orthonormal columns, or rows if n < k."""

    def __init__(self, weight: Any, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        self.shape, self.orthogonal_map = tuple(weight.shape), orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Any) -> Any:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        q = self._reflected(x) if self.orthogonal_map == "householder" else self._rotated(x)
        if self.use_trivialization:
            q = self.base @ q
        return q.mT if wide else q

    def _rotated(self, x: Any) -> Any:
        """The first columns of a rotation made from the lower triangle."""
        n, k = x.shape[-2:]
        lower = x.tril()
        if n != k:
            lower = cat([lower, lower.new_zeros((*x.shape[:-1], n - k))], -1)
        skew = lower - lower.mT.conj()
        if self.orthogonal_map == "matrix_exp":
            q = linalg.matrix_exp(skew)
        else:  # Cayley: (I - A/2)^-1 (I + A/2)
            one = eye(n, dtype=x.dtype, device=x.device)
            q = linalg.solve(one - 0.5 * skew, one + 0.5 * skew)
        return q[..., :k] if n != k else q

    def _reflected(self, x: Any) -> Any:
        """The product of the reflections below the diagonal, with the signs of the diagonal."""
        below = x.tril(-1)
        tau = 2 / (1 + (below * below).sum(-2))
        q = linalg.householder_product(below, tau)
        return q * x.detach().diagonal(dim1=-2, dim2=-1).sign().unsqueeze(-2)

    def right_inverse(self, q: Any) -> Any:
        """What forward takes to give q, or the orthogonal matrix that QR makes of it."""
        if tuple(q.shape) != self.shape:
            raise ShapeError(f"orthogonal: wanted a tensor {self.shape}, got {tuple(q.shape)}")
        wide = q.shape[-2] < q.shape[-1]
        tall = q.mT if wide else q
        with no_grad():
            if self.use_trivialization:
                self.base = _completed(tall)
                start = zeros_like(q)
                start.diagonal(dim1=-2, dim2=-1).fill_(-1)  # gives the identity under every map
                return start
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    f"orthogonal: {self.orthogonal_map!r} cannot be assigned to without "
                    "use_trivialization=True"
                )
            found = _reflectors(tall)
            return found.mT if wide else found


def _completed(q: Any) -> Any:
    """An orthogonal (..., n, n) matrix that starts with q (..., n, k)."""
    n, k = q.shape[-2:]
    if n == k and _is_orthogonal(q):
        return q.clone()
    extra = randn(*q.shape[:-2], n, n - k, dtype=q.dtype, device=q.device)
    return _made_orthogonal(cat([q, extra], -1))


def _is_orthogonal(q: Any) -> bool:
    n, k = q.shape[-2:]
    guard = 10 * n * float(finfo(q.dtype).eps)
    error = q.mT.conj() @ q - eye(k, dtype=q.dtype, device=q.device)
    return bool((error.abs() < guard).all())


def _made_orthogonal(a: Any) -> Any:
    """The orthogonal factor of a, whose columns keep their directions where they can."""
    q, r = linalg.qr(a)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _reflectors(a: Any) -> Any:
    """Reflections whose product, times the signs on the diagonal, is the orthogonal factor of a.

    A column of the result holds below the diagonal v / v[0], where I - tau v v^T reflects what is
    left of that column of a onto its first axis.

    Source: Golub and Van Loan 2013, algorithm 5.1.1 and 5.2.1.
    """
    a, out = a.clone(), zeros_like(a)
    for j in range(a.shape[-1]):
        x = a[..., j:, j]
        head = x[..., :1]
        sign = where(head < 0, -1.0, 1.0).to(a.dtype)
        still = (x[..., 1:] == 0).all(-1, keepdim=True)  # v is the axis itself
        v = x / where(still, 1.0, head + sign * x.norm(2, -1, True)).to(a.dtype)
        v[..., :1] = 1
        out[..., j + 1 :, j] = v[..., 1:]
        tau = (2 / (v * v).sum(-1, keepdim=True)).unsqueeze(-1)
        part = a[..., j:, j:]
        a[..., j:, j:] = part - tau * v.unsqueeze(-1) * (v.unsqueeze(-2) @ part)
        out[..., j, j] = where(a[..., j, j] < 0, -1.0, 1.0).to(a.dtype)
    return out


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a matrix orthogonal, or unitary if complex: its columns are orthonormal, or its rows if
    they are fewer.

    Args:
        module: changed in place, and returned.
        name: the parameter, (..., n, k).
        orthogonal_map: "matrix_exp", "cayley" or "householder"; default matrix_exp for square and
            complex matrices, else householder.
        use_trivialization: learn a rotation that is applied to a fixed orthogonal matrix, which
            makes the parameter assignable under every map.

    Raises:
        ParametrizationError: there is no such parameter.
        ShapeError: it has fewer than two dims.
        UnknownNameError: there is no such map.
        DTypeError: householder for a complex matrix.

    Example:
        >>> layer = orthogonal(triptych.nn.Linear(4, 4))
        >>> eye = layer.weight @ layer.weight.mT
        >>> bool(triptych.allclose(eye, triptych.eye(4), atol=1e-5))
        True

    Source: Lezcano-Casado 2019, section 3, for trivializations.
    """
    weight: Any = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise parametrize.ParametrizationError(
            f"orthogonal: {type(module).__name__} has no parameter {name!r}"
        )
    if weight.ndim < 2:
        raise ShapeError(f"orthogonal: wanted at least 2 dims, got {tuple(weight.shape)}")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        raise UnknownNameError(
            f"orthogonal: orthogonal_map is one of {MAPS}, got {orthogonal_map!r}"
        )
    if orthogonal_map == "householder" and weight.is_complex():
        raise DTypeError("orthogonal: householder takes real matrices; use matrix_exp or cayley")
    made = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return parametrize.register_parametrization(module, name, made, unsafe=True)
