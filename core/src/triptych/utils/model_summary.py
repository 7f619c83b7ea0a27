"""A table of a model's layers: output shapes, parameters, multiplications."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from ..autograd.modes import no_grad
from ..errors import ShapeError
from ..nn.module import Module
from ..ops.creation import zeros
from ..prims.table import Prim
from ..prims.trace import Trace
from ..profiler.flops import flops_of
from ..tensor import Tensor
from ..tree import flatten

__all__ = ["ModelSummary", "summary"]

_HEADS = ("Layer", "Output shape", "Parameters", "Mult-adds")


@dataclasses.dataclass
class Layer:
    """One call of a module.

    Attributes:
        name: in its parent; kind: the class.
        depth: 0 for the model itself.
        shapes: of the output tensors.
        parameters: elements of the module's own and inner parameters.
        mult_adds: multiplications with an addition, in matrix products and convolutions.
    """

    name: str
    kind: str
    depth: int
    shapes: list[tuple[int, ...]] = dataclasses.field(default_factory=list)
    parameters: int = 0
    mult_adds: int = 0


@dataclasses.dataclass
class ModelSummary:
    """What `summary` gives; prints as a table.

    Attributes:
        layers: in the order of the calls.
        total_params, trainable_params: elements of all parameters, and of those that are trained.
        total_mult_adds: of one forward pass.
        total_output_bytes: of the outputs of modules without inner modules.
        param_bytes: of parameters and buffers.
        depth: how many levels the table shows.
    """

    layers: list[Layer]
    total_params: int
    trainable_params: int
    total_mult_adds: int
    total_output_bytes: int
    param_bytes: int
    depth: int

    def __str__(self) -> str:
        lines: list[tuple[str, ...]] = [_HEADS]
        for layer in self.layers:
            if layer.depth <= self.depth:
                title = "  " * layer.depth + layer.kind + (f" ({layer.name})" if layer.name else "")
                shapes = ", ".join(str(list(s)) for s in layer.shapes) or "-"
                counts = (f"{n:,}" if n else "-" for n in (layer.parameters, layer.mult_adds))
                lines.append((title, shapes, *counts))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        texts = [
            "  ".join(
                cell.ljust(w) if i < 2 else cell.rjust(w)
                for i, (cell, w) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        ]
        rule = "-" * max(map(len, texts))
        frozen = self.total_params - self.trainable_params
        ends = [
            f"Parameters: {self.total_params:,} ({frozen:,} of them frozen)",
            f"Mult-adds: {self.total_mult_adds:,}",
            f"Memory: parameters and buffers {self.param_bytes / 2**20:.2f} MiB, outputs of layers "
            f"{self.total_output_bytes / 2**20:.2f} MiB",
        ]
        return "\n".join([texts[0], rule, *texts[1:], rule, *ends])


class _Watcher(Trace):
    """Notes which modules run and what they multiply."""

    alters = False

    def __init__(self, model: Module) -> None:
        self.names = {id(m): name.rpartition(".")[2] for name, m in model.named_modules()}
        self.layers: list[Layer] = []
        self.open: list[Layer] = []
        self.output_bytes = 0

    def before(self, module: Module, args: Any) -> None:
        layer = Layer(self.names.get(id(module), ""), type(module).__name__, len(self.open))
        layer.parameters = sum(p.numel() for p in module.parameters())
        self.layers.append(layer)
        self.open.append(layer)

    def after(self, module: Module, args: Any, output: Any) -> None:
        layer = self.open.pop()
        tensors = [x for x in flatten(output)[0] if isinstance(x, Tensor)]
        layer.shapes = [tuple(t.shape) for t in tensors]
        if next(module.children(), None) is None:
            self.output_bytes += sum(t.nbytes for t in tensors)

    def process(self, prim: Prim, raw: tuple[Any, ...], params: dict[str, Any]) -> Any:
        out = super().process(prim, raw, params)
        count = flops_of(prim, raw, params, out[0] if prim.outputs > 1 else out) // 2
        for layer in self.open:
            layer.mult_adds += count
        return out


def summary(
    model: Module,
    input_size: Sequence[int] | Sequence[Sequence[int]] | None = None,
    input_data: Any = None,
    *,
    depth: int = 3,
    dtypes: Sequence[Any] | None = None,
    device: Any = None,
    mode: str = "eval",
    **kwargs: Any,
) -> ModelSummary:
    """Run a model once and tell what its layers give and hold.

    Args:
        model: is put back into the mode it was in.
        input_size: shape of the input, batch included, or a list of shapes; zeros are given.
        input_data: a tensor, or a sequence of arguments, in place of input_size.
        depth: how many levels of modules to show.
        dtypes: of the inputs made from input_size; default the default dtype.
        device: of the inputs made from input_size; default that of the first parameter.
        mode: "eval" or "train".
        kwargs: go to the model.

    Returns:
        A `ModelSummary`; print it.

    Raises:
        ShapeError: neither or both of input_size and input_data are given.
        ValueError: mode is unknown.

    Example:
        >>> net = triptych.nn.Sequential(triptych.nn.Linear(4, 3), triptych.nn.ReLU())
        >>> found = summary(net, input_size=(2, 4))
        >>> found.total_params, found.total_mult_adds, found.layers[1].shapes
        (15, 24, [(2, 3)])
    """
    if mode not in ("eval", "train"):
        raise ValueError(f"summary: mode should be 'eval' or 'train', got {mode!r}")
    args = _inputs(model, input_size, input_data, dtypes, device)
    watcher, was_training = _Watcher(model), model.training
    handles = [
        hook
        for m in model.modules()
        for hook in (
            m.register_forward_pre_hook(watcher.before),
            m.register_forward_hook(watcher.after),
        )
    ]
    model.train(mode == "train")
    try:
        with no_grad(), watcher:
            model(*args, **kwargs)
    finally:
        for handle in handles:
            handle.remove()
        model.train(was_training)
    params = list(model.parameters())
    return ModelSummary(
        layers=watcher.layers,
        total_params=sum(p.numel() for p in params),
        trainable_params=sum(p.numel() for p in params if p.requires_grad),
        total_mult_adds=watcher.layers[0].mult_adds,
        total_output_bytes=watcher.output_bytes,
        param_bytes=sum(t.nbytes for t in [*params, *model.buffers()]),
        depth=depth,
    )


def _inputs(model: Module, size: Any, data: Any, dtypes: Any, device: Any) -> list[Any]:
    if (size is None) == (data is None):
        raise ShapeError("summary: give input_size or input_data, and not both")
    if data is not None:
        return list(data) if isinstance(data, (list, tuple)) else [data]
    sizes = [size] if all(isinstance(n, int) for n in size) else list(size)
    first = next(model.parameters(), None)
    device = device if device is not None or first is None else first.device
    kinds = dtypes or [None] * len(sizes)
    return [zeros(*s, dtype=d, device=device) for s, d in zip(sizes, kinds, strict=True)]
