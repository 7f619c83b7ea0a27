"""Counting the floating-point operations of matrix products and convolutions."""

from __future__ import annotations

from collections import Counter, defaultdict
from types import TracebackType
from typing import Any

from ..prims.table import Prim
from ..prims.trace import Trace
from ..profiler.flops import flops_of

__all__ = ["FlopCounterMode"]


class FlopCounterMode(Trace):
    """Inside, matrix products and convolutions are counted, backward passes included.

    A multiplication and an addition are two operations.

    Args:
        mods: accepted for compatibility: modules are told apart by being called.
        depth: how many levels of modules the table shows.
        display: print the table at the end.

    Example:
        >>> with FlopCounterMode(display=False) as counter:
        ...     _ = triptych.ones(3, 4) @ triptych.ones(4, 5)
        >>> counter.get_total_flops()
        120
    """

    alters = False

    def __init__(self, mods: Any = None, depth: int = 2, display: bool = True) -> None:
        self.depth, self.display = depth, display
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._inside, self._hooks = ["Global"], list[Any]()

    def __enter__(self) -> FlopCounterMode:
        from ..nn.modules.module import (
            register_module_forward_hook,
            register_module_forward_pre_hook,
        )

        super().__enter__()
        self._hooks = [
            register_module_forward_pre_hook(self._enter_module),
            register_module_forward_hook(self._leave_module, always_call=True),
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for handle in self._hooks:
            handle.remove()
        super().__exit__(kind, error, traceback)
        if self.display and kind is None:
            print(self.get_table())

    def _enter_module(self, module: Any, args: Any) -> None:
        self._inside.append(f"{self._inside[-1]}.{type(module).__name__}")

    def _leave_module(self, module: Any, args: Any, output: Any) -> None:
        self._inside.pop()

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """Count a primitive for every module that is being called."""
        out = super().process(prim, raw, params)
        count = flops_of(prim, raw, params, out[0] if prim.outputs > 1 else out)
        if count:
            for place in self._inside:
                self._counts[place][prim.name] += count
        return out

    def get_total_flops(self) -> int:
        """Everything that was counted."""
        return sum(self._counts["Global"].values())

    def get_flop_counts(self) -> dict[str, dict[str, int]]:
        """For each module, the count of each primitive."""
        return {place: dict(counts) for place, counts in self._counts.items() if counts}

    def get_table(self, depth: int | None = None) -> str:
        """The counts as text: modules down to a depth, and their primitives."""
        depth = self.depth if depth is None else depth
        total = self.get_total_flops() or 1
        lines = [f"{'Module':<48}{'FLOP':>18}{'% of total':>12}"]
        for place, counts in self.get_flop_counts().items():
            level = place.count(".")
            if level > depth:
                continue
            entries = [(place.rpartition(".")[2], sum(counts.values()))]
            entries += [(f" - {name}", n) for name, n in counts.items()]
            for name, n in entries:
                lines.append(f"{'  ' * level + name:<48}{n:>18,}{n / total:>12.1%}")
        return "\n".join(lines)
