"""Where a module's tensors are and what they are made of: devices, dtypes, memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from .. import dtypes
from ..autograd.modes import no_grad
from ..errors import DTypeError
from ..ops.convert import _targets
from ..ops.creation import empty_like
from ..tensor import Tensor
from .parameter import Parameter, is_lazy

M = TypeVar("M", bound="Movable")


class Movable:
    """The part of `Module` that converts all parameters and buffers at once."""

    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]

    if TYPE_CHECKING:

        def children(self) -> Iterator[Any]: ...

    def _apply(self: M, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> M:
        """Put fn(tensor) in the place of every parameter, gradient and buffer."""
        for module in self.children() if recurse else ():
            module._apply(fn)
        with no_grad():
            for param in self._parameters.values():
                if param is None:
                    continue
                moved = fn(param)
                if moved is not param:
                    param.data = moved
                if param.grad is not None:
                    param.grad = fn(param.grad)
            for name, buffer in self._buffers.items():
                if buffer is not None:
                    self._buffers[name] = fn(buffer)
        return self

    def to(
        self: M,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: bool = False,
        memory_format: Any = None,
    ) -> M:
        """Move all parameters and buffers to a device, and those that hold floating numbers to a
        dtype; returns self.

        ``m.to("cuda")``, ``m.to(triptych.float64)``, ``m.to(other_tensor)``.

        Raises:
            DTypeError: the dtype is neither floating nor complex.
        """
        dtype, device = _targets(args, dtype, device)
        if dtype is not None and not dtypes.is_inexact(dtypes.to_numpy_dtype(dtype)):
            raise DTypeError(f"Module.to: wanted a floating or complex dtype, got {dtype}")
        return self._apply(
            lambda t: t.to(
                device=device, dtype=dtype if _inexact(t) else None, non_blocking=non_blocking
            )
        )

    def cpu(self: M) -> M:
        """Move everything to main memory; returns self."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: M, device: Any = None) -> M:
        """Move everything to a CUDA device; returns self."""
        return self._apply(lambda t: t.cuda(device))

    def type(self: M, dst_type: Any) -> M:
        """Convert all parameters and buffers, integers too, to a dtype; returns self."""
        return self._apply(lambda t: t.to(dtype=dst_type))

    def _floating_to(self: M, dtype: Any) -> M:
        return self._apply(lambda t: t.to(dtype=dtype) if t.is_floating_point() else t)

    def float(self: M) -> M:
        """Convert floating parameters and buffers to float32; returns self."""
        return self._floating_to(dtypes.float32)

    def double(self: M) -> M:
        """Convert floating parameters and buffers to float64; returns self."""
        return self._floating_to(dtypes.float64)

    def half(self: M) -> M:
        """Convert floating parameters and buffers to float16; returns self."""
        return self._floating_to(dtypes.float16)

    def bfloat16(self: M) -> M:
        """Convert floating parameters and buffers to bfloat16; returns self."""
        return self._floating_to(dtypes.bfloat16)

    def to_empty(self: M, *, device: Any, recurse: bool = True) -> M:
        """Move to a device without the numbers, which are to be loaded or drawn there; returns
        self.

        Args:
            device: where to.
            recurse: move all modules below this one, too.
        """
        return self._apply(
            lambda t: t.to(device) if is_lazy(t) else empty_like(t, device=device), recurse
        )

    def share_memory(self: M) -> M:
        """Does nothing; here for code written for torch. Processes get copies."""
        return self


def _inexact(t: Tensor) -> bool:
    return bool(t.is_floating_point() or t.is_complex())
