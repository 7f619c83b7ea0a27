"""What holds for every primitive in the table, checked on its samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..autograd.modes import set_grad_enabled
from ..autograd.numerical import gradcheck, gradgradcheck
from ..graph import capture, replay
from ..prims import NA, TABLE, Prim
from ..prims.precision import CLASSES
from ..tensor import Tensor
from .close import assert_close
from .mixed import check_autocast
from .naming import check_names
from .samples import Sample, samples_for
from .transforms import check_batches, check_forward


def own_primitives() -> list[Prim]:
    """The records of the table but for custom operations, whose names have a namespace."""
    return [prim for prim in TABLE.values() if "::" not in prim.name]


def missing_cells() -> list[str]:
    """Cells of the table that are empty and do not say why: must be none."""
    return [
        f"{prim.name}.{column}"
        for prim in own_primitives()
        for column in Prim.COLUMNS
        if getattr(prim, column) is None
    ]


def support_matrix() -> str:
    """The table as Markdown: a row per primitive, with the reason where a column does not apply."""
    header = "| primitive | kind | " + " | ".join(Prim.COLUMNS) + " |"
    lines = [header, "|" + " --- |" * (2 + len(Prim.COLUMNS))]
    for prim in sorted(own_primitives(), key=lambda p: (p.kind, p.name)):
        cells = [_cell(getattr(prim, column)) for column in Prim.COLUMNS]
        lines.append(f"| {prim.name} | {prim.kind} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(value: Any) -> str:
    if isinstance(value, NA):
        return f"n/a: {value.reason}"
    if value in CLASSES:
        return str(value)
    interval = isinstance(value, tuple) and all(isinstance(v, float) for v in value)
    return f"{value[0]} to {value[1]}" if interval else "yes"


def _call(prim: Prim, sample: Sample) -> list[Tensor]:
    inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
    out = prim.call(*inputs, **sample.params)
    return list(out) if prim.outputs > 1 else [out]


def _shapes_depend_on_values(prim: Prim, sample: Sample) -> bool:
    masks = [x for x in sample.inputs if isinstance(x, Tensor) and x.dtype.name == "bool"]
    return prim.name == "nonzero" or (prim.kind == "index" and bool(masks))


def check_aval(prim: Prim) -> int:
    """aval equals impl: the rule gives the shape and dtype that the kernel gives."""
    count = 0
    for sample in samples_for(prim):
        if _shapes_depend_on_values(prim, sample):
            continue
        inputs = sample.inputs if sample.prepare is None else sample.prepare(*sample.inputs)
        raw = [x.detach().numpy() if isinstance(x, Tensor) else x for x in inputs]
        if prim.promote is not None:
            raw = prim.promote(prim.name, tuple(raw))
        avals = prim.aval(*raw, **sample.params)
        for aval, out in zip(
            avals if prim.outputs > 1 else [avals], _call(prim, sample), strict=True
        ):
            array = out.detach().numpy()
            if (aval.shape, aval.dtype) != (array.shape, array.dtype):
                raise AssertionError(
                    f"{prim.name}: aval says {aval}, impl gives {array.dtype}{array.shape}"
                )
        count += 1
    return count


def _grad_samples(prim: Prim) -> list[Sample]:
    found = []
    for sample in samples_for(prim):
        inputs = tuple(_wanting(x) for x in sample.inputs)
        if any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
            wanting = Sample(inputs, sample.params, sample.prepare)
            if any(o.requires_grad for o in _call(prim, wanting)):
                found.append(wanting)
    return found


def _wanting(x: Any) -> Any:
    if isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex()):
        return x.detach().clone().requires_grad_()
    return x


def _function(prim: Prim, sample: Sample) -> Callable[..., list[Tensor]]:
    return lambda *xs: _call(prim, Sample(xs, sample.params, sample.prepare))


def check_gradient(prim: Prim) -> int:
    """The derivative equals finite differences."""
    samples = _grad_samples(prim)
    for sample in samples:
        gradcheck(_function(prim, sample), sample.inputs)
    return len(samples)


def check_second_gradient(prim: Prim) -> int:
    """The derivative of the derivative equals finite differences."""
    samples = _grad_samples(prim)
    for sample in samples:
        gradgradcheck(_function(prim, sample), sample.inputs)
    return len(samples)


def _reseeded(sample: Sample) -> None:
    if "generator" in sample.params:
        sample.params["generator"].manual_seed(3)


def check_replay(prim: Prim) -> int:
    """Replay equals eager: forward, and the gradient when there is one."""
    count = 0
    for sample in samples_for(prim):
        if _shapes_depend_on_values(prim, sample):
            continue
        graph = capture(lambda *xs, s=sample: _forward_backward(prim, s, xs), *sample.inputs)
        _reseeded(sample)
        eager = _forward_backward(prim, sample, sample.inputs)
        _reseeded(sample)
        assert_close(replay(graph, *sample.inputs), eager, rtol=0, atol=0)
        count += 1
    return count


def _forward_backward(prim: Prim, sample: Sample, inputs: tuple[Any, ...]) -> list[Tensor]:
    leaves = [_leaf(x) for x in inputs]
    outs = _call(prim, Sample(tuple(leaves), sample.params, sample.prepare))
    wanted = [x for x in leaves if isinstance(x, Tensor) and x.requires_grad]
    starts = [o for o in outs if o.requires_grad]
    if not starts:
        return outs
    from ..autograd.api import grad

    found = grad(starts, wanted, [o.detach() * 0 + 0.5 for o in starts], materialize_grads=True)
    return [*(o.detach() for o in outs), *(g for g in found if g is not None)]


def _leaf(x: Any) -> Any:
    if isinstance(x, Tensor) and (x.is_floating_point() or x.is_complex()):
        return x.detach().requires_grad_()
    return x


def check_decomposition(prim: Prim) -> int:
    """A composite equals its decomposition, in value and, if it has one, gradient."""
    if prim.kind != "composite":
        return 0
    samples = samples_for(prim)
    inner: Any = _Inner(prim)
    for sample in samples:
        with set_grad_enabled(prim.differentiable):
            fused, made = (_forward_backward(p, sample, sample.inputs) for p in (prim, inner))
        assert_close(fused, made, rtol=1e-9, atol=1e-11)
    return len(samples)


class _Inner:
    """A composite whose call is its decomposition."""

    def __init__(self, prim: Prim) -> None:
        self.call, self.outputs = prim.decomp, prim.outputs


CHECKS: dict[str, Callable[[Prim], int]] = {
    "aval equals impl": check_aval,
    "gradient": check_gradient,
    "second gradient": check_second_gradient,
    "replay equals eager": check_replay,
    "composite equals decomposition": check_decomposition,
    "forward agrees with backward": check_forward,
    "batch equals loop": check_batches,
    "autocast equals conversion by hand": check_autocast,
    "names": check_names,
}
"""Name to check; each returns how many samples it looked at."""
