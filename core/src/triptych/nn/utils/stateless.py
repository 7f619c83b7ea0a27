"""Calling a module with other parameters, under torch's older name."""

from __future__ import annotations

from typing import Any

from ..module import Module

__all__ = ["functional_call"]


def functional_call(
    module: Module,
    parameters_and_buffers: Any,
    args: Any = None,
    kwargs: dict[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`triptych.func.functional_call`.

    Args:
        module: to call.
        parameters_and_buffers: tensors to use for its own, by full name.
        args, kwargs: of the call.
        tie_weights: replace tied tensors together.
        strict: every tensor of the module must be given.
    """
    from ...func import functional_call as call

    return call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
