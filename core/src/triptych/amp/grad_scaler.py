"""Loss scaling: gradients of float16 stay above its smallest numbers, and steps with infinite ones
are left out.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

from .. import dtypes
from ..errors import DTypeError, GradError
from ..prims import elementwise as ew
from ..prims import reduce as rd
from ..state import state
from ..tensor import Tensor
from ..tree import tree_map
from .autocast_mode import is_autocast_available

__all__ = ["GradScaler"]

READY, UNSCALED, STEPPED = "ready", "unscaled", "stepped"


class GradScaler:
    """Multiplies a loss so that small gradients survive float16, and divides the gradients before
    the optimizer sees them.

    The factor adapts: it shrinks when a gradient is infinite or NaN, and that step is skipped; it
    grows when there was none for a while. bfloat16 has the range of float32 and needs no scaling.

    Args:
        device: type of the devices the gradients are on, "cpu" or "cuda".
        init_scale: the first factor.
        growth_factor: what the factor grows by; above 1.
        backoff_factor: what it shrinks by; between 0 and 1.
        growth_interval: steps without an infinite gradient before it grows.
        enabled: False makes `scale` and `unscale_` do nothing and `step` a plain step.

    Example:
        >>> w = triptych.ones(1, requires_grad=True)
        >>> optimizer, scaler = triptych.optim.SGD([w], lr=0.5), GradScaler("cpu", init_scale=8.0)
        >>> scaler.scale((w * w).sum()).backward()
        >>> scaler.step(optimizer)
        >>> scaler.update()
        >>> w.detach()
        tensor([0.])

    Source: Micikevicius et al. 2018, section 3.2.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device, self._enabled = device, enabled
        if enabled and not is_autocast_available(device):
            warnings.warn(f"GradScaler: no {device} device was found; it is off", stacklevel=2)
            self._enabled = False
        self._scale = float(init_scale)
        self.set_growth_factor(growth_factor)
        self.set_backoff_factor(backoff_factor)
        self.set_growth_interval(growth_interval)
        self._growth_tracker = 0
        self._stages: dict[int, tuple[str, bool]] = {}  # per optimizer: stage, infinite gradients
        self._held: list[Any] = []  # optimizers whose id is a key above

    def scale(self, outputs: Any) -> Any:
        """Outputs times the factor.

        Args:
            outputs: a tensor, or tensors nested in lists, tuples and dicts.

        Raises:
            DTypeError: something among them is no tensor.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return self._scaled(outputs)
        if isinstance(outputs, (list, tuple, dict)):
            return tree_map(self._scaled, outputs)
        if isinstance(outputs, Iterable):
            return map(self.scale, outputs)
        return self._scaled(outputs)

    def _scaled(self, t: Any) -> Tensor:
        if not isinstance(t, Tensor):
            raise DTypeError(f"GradScaler.scale: wanted tensors, got {type(t).__name__}")
        scaled: Tensor = ew.mul(t, self._scale)
        return scaled

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients that an optimizer holds by the factor, in place; call it before
        clipping them. `step` does it if nobody else has.

        Raises:
            GradError: they were divided since the last `update`, or `step` was called.
            DTypeError: a gradient is float16: the parameters must stay in float32.
        """
        if not self._enabled:
            return
        stage, _ = self._stages.get(id(optimizer), (READY, False))
        if stage != READY:
            done = "unscale_" if stage == UNSCALED else "step"
            raise GradError(
                f"GradScaler.unscale_: {done}() was called for this optimizer since the last "
                "update(); call update() after every step"
            )
        grads = [p.grad for g in optimizer.param_groups for p in g["params"] if p.grad is not None]
        infinite = self._divide(grads)
        self._note(optimizer, UNSCALED, infinite)

    def _divide(self, grads: list[Tensor]) -> bool:
        """Divide gradients in place; whether one was infinite or NaN."""
        for grad in grads:
            if grad.dtype is dtypes.float16:
                raise DTypeError(
                    "GradScaler.unscale_: a gradient is float16; keep the parameters in float32 "
                    "and let autocast convert them"
                )
        infinite = False
        before, state.grad = state.grad, False
        try:
            for grad in grads:
                finite = rd.all(ew.isfinite(grad), axes=tuple(range(grad.ndim)))
                infinite = infinite or not bool(finite)
                grad.mul_(1.0 / self._scale)
        finally:
            state.grad = before
        return infinite

    def _note(self, optimizer: Any, stage: str, infinite: bool) -> None:
        if id(optimizer) not in self._stages:
            self._held.append(optimizer)
        self._stages[id(optimizer)] = stage, infinite

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """``optimizer.step(...)``, unless a gradient is infinite or NaN.

        Returns:
            What the optimizer's step gives; None for a step left out.

        Raises:
            GradError: `step` was called for this optimizer since the last `update`, or with a
                closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs or any(map(callable, args)):
            raise GradError("GradScaler.step: closures are not supported while scaling is enabled")
        stage, _ = self._stages.get(id(optimizer), (READY, False))
        if stage == STEPPED:
            raise GradError(
                "GradScaler.step: called for this optimizer before; call update() after every step"
            )
        if stage == READY:
            self.unscale_(optimizer)
        _, infinite = self._stages[id(optimizer)]
        result = None if infinite else optimizer.step(*args, **kwargs)
        self._note(optimizer, STEPPED, infinite)
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Adapt the factor; call it once per iteration, after every `step`.

        Args:
            new_scale: set the factor to this number instead.

        Raises:
            GradError: no step was taken since the last update.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            if not self._stages:
                raise GradError("GradScaler.update: no step() was called since the last update()")
            self._adapt(any(infinite for _, infinite in self._stages.values()))
        self._stages, self._held = {}, []

    def _adapt(self, infinite: bool) -> None:
        if infinite:
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
            return
        self._growth_tracker += 1
        if self._growth_tracker == self._growth_interval:
            grown = self._scale * self._growth_factor
            self._scale = grown if grown < float("inf") else self._scale
            self._growth_tracker = 0

    def get_scale(self) -> float:
        """The factor; 1 when not enabled."""
        return self._scale if self._enabled else 1.0

    def get_growth_factor(self) -> float:
        """What the factor grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the factor grows by.

        Raises:
            GradError: not above 1.
        """
        if not new_factor > 1.0:
            raise GradError(f"GradScaler: wanted a growth factor above 1, got {new_factor}")
        self._growth_factor = float(new_factor)

    def get_backoff_factor(self) -> float:
        """What the factor shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the factor shrinks by.

        Raises:
            GradError: not between 0 and 1.
        """
        if not 0.0 < new_factor < 1.0:
            raise GradError(f"GradScaler: wanted a backoff factor in (0, 1), got {new_factor}")
        self._backoff_factor = float(new_factor)

    def get_growth_interval(self) -> int:
        """Steps without an infinite gradient before the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set the steps without an infinite gradient before the factor grows.

        Raises:
            GradError: not positive.
        """
        if new_interval < 1:
            raise GradError(f"GradScaler: wanted a growth interval above 0, got {new_interval}")
        self._growth_interval = int(new_interval)

    def is_enabled(self) -> bool:
        """Whether losses are scaled."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` restores: factor, counter and settings; empty when not enabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a `state_dict` was taken, also one of torch's.

        Raises:
            GradError: it is empty: the scaler it was taken from was not enabled.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise GradError(
                "GradScaler.load_state_dict: the state is empty, it was taken from a scaler that "
                "was not enabled"
            )
        self._scale = float(state_dict["scale"])
        self._growth_factor = float(state_dict["growth_factor"])
        self._backoff_factor = float(state_dict["backoff_factor"])
        self._growth_interval = int(state_dict["growth_interval"])
        self._growth_tracker = int(state_dict["_growth_tracker"])
