"""The base of transforms: invertible maps with the logarithm of their volume change.

`Transform.domain` and `codomain` are constraints. `log_abs_det_jacobian(x, y)` is that of the map
at x with value y, one number per event of the domain's or codomain's event_dim, the larger.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from ..errors import DomainError, ShapeError
from ..ops.creation import as_tensor
from ..tensor import Tensor

__all__ = ["InverseTransform", "Transform"]


class Transform:
    """A map y = t(x), invertible unless `bijective` is False. ``t(x)`` applies it, ``t.inv`` is its
    inverse. With ``cache_size=1`` the last pair is kept, so that ``t.inv(t(x))`` is x itself.

    Subclasses set `domain`, `codomain`, `bijective`, and `sign` where it is monotone, and write
    `_call`, `_inverse` and `log_abs_det_jacobian`.
    """

    bijective = False
    domain: Any
    codomain: Any

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise DomainError(f"{type(self).__name__}: cache_size is 0 or 1, got {cache_size}")
        self._cache_size = cache_size
        self._inv: Any = None
        self._cached: tuple[Any, Any] = (None, None)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_inv": None, "_cached": (None, None)}

    @property
    def event_dim(self) -> int:
        """How many dims one event has on both sides, where they agree."""
        if self.domain.event_dim == self.codomain.event_dim:
            return int(self.domain.event_dim)
        raise ShapeError(f"{self!r}: its two sides have events of different dims; use .domain")

    @property
    def inv(self) -> Transform:
        """The inverse map."""
        found = None if self._inv is None else self._inv()
        if found is None:
            found = InverseTransform(self)
            self._inv = weakref.ref(found)
        return found

    @property
    def sign(self) -> Any:
        """1 where increasing, -1 where decreasing; for monotone maps of numbers only."""
        raise NotImplementedError(f"{self!r} is not monotone, or does not say which way")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """The same map with another cache size."""
        if self._cache_size == cache_size:
            return self
        if type(self).__init__ is Transform.__init__:
            return type(self)(cache_size=cache_size)
        raise NotImplementedError(f"{type(self).__name__} cannot change its cache size")

    def __call__(self, x: Tensor) -> Tensor:
        """t(x)."""
        if self._cache_size == 0:
            return self._call(x)
        if self._cached[0] is x:
            return self._cached[1]
        y = self._call(x)
        self._cached = x, y
        return y

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size == 0:
            return self._inverse(y)
        if self._cached[1] is y:
            return self._cached[0]
        x = self._inverse(y)
        self._cached = x, y
        return x

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} does not say how to apply it")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """log |det dy/dx|."""
        raise NotImplementedError(f"{type(self).__name__} does not say its change of volume")

    def forward_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of t(x) for x of this shape."""
        return tuple(shape)

    def inverse_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of t.inv(y) for y of this shape."""
        return tuple(shape)

    def _settings(self) -> tuple[Any, ...]:
        """What tells maps of one class apart."""
        return ()

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return type(self) is type(other) and _same(self._settings(), other._settings())

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return a is b or bool((as_tensor(a) == as_tensor(b)).all())
    return bool(a == b)


class InverseTransform(Transform):
    """The inverse of another map; made by ``t.inv``."""

    def __init__(self, transform: Transform) -> None:
        super().__init__(transform._cache_size)
        self._inv_of = transform

    @property
    def domain(self) -> Any:
        return self._inv_of.codomain

    @property
    def codomain(self) -> Any:
        return self._inv_of.domain

    @property
    def bijective(self) -> bool:  # type: ignore[override]
        return self._inv_of.bijective

    @property
    def sign(self) -> Any:
        return self._inv_of.sign

    @property
    def inv(self) -> Transform:
        return self._inv_of

    def with_cache(self, cache_size: int = 1) -> Transform:
        return self._inv_of.with_cache(cache_size).inv

    def _settings(self) -> tuple[Any, ...]:
        return (self._inv_of,)

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv_of._inv_call(x)

    def _inv_call(self, y: Tensor) -> Tensor:
        return self._inv_of(y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv_of.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return self._inv_of.inverse_shape(shape)

    def inverse_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        return self._inv_of.forward_shape(shape)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._inv_of!r})"
