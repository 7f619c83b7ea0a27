"""The table of primitives: one record describes an operation, and everything else interprets it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Sequence
from typing import Any

from ..backends import backend_for, backend_of
from ..registry import Registry
from .cells import NA as NA
from .cuda_expressions import expression

INPUTS = "abcdef"  # what a derivative rule calls the inputs of its primitive, in order


RESTS = {"xs": 0, "bs": 1, "cs": 2}  # and all from one of them on, with the first index


class Rule:
    """A derivative rule and what it reads, taken from the names of its arguments.

    ``lambda g, b: mul(g, b)`` reads the gradient and the second input, so backward keeps that
    input and nothing else. Names: g the gradient; a b c ... the inputs; xs all inputs, bs those
    from b on, cs those from c on; y the output; rest all outputs but the first; shape, dtype those
    of the input the rule is for; shapes those of all inputs; keyword-only names are parameters of
    the call.
    """

    __slots__ = ("fn", "inputs", "output", "params", "reads", "sources", "start")

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn = fn
        kinds = inspect.signature(fn).parameters.values()
        names = [p.name for p in kinds if p.kind is p.POSITIONAL_OR_KEYWORD]
        if not names or names[0] != "g":
            raise ValueError(f"derivative rule {fn}: the first argument must be g, got {names}")
        self.reads = names[1:]
        self.params = [p.name for p in kinds if p.kind is p.KEYWORD_ONLY]
        self.inputs = frozenset(INPUTS.index(n) for n in self.reads if n in INPUTS)
        self.output: bool | str = "y" in self.reads or ("rest" if "rest" in self.reads else False)
        self.start = min((RESTS[n] for n in self.reads if n in RESTS), default=len(INPUTS))
        # Positions of inputs, or the name of what else is read: resolved once, walked at each call.
        self.sources = tuple(INPUTS.index(n) if n in INPUTS else n for n in self.reads)

    def __call__(self, g: Any, node: Any, index: int, xs: Sequence[Any], y: Any) -> Any:
        args = [
            xs[s] if type(s) is int else y if s == "y" else self._other(s, node, index, xs, y)
            for s in self.sources
        ]
        if not self.params:
            return self.fn(g, *args)
        return self.fn(g, *args, **{n: node.params[n] for n in self.params if n in node.params})

    @staticmethod
    def _other(name: Any, node: Any, index: int, xs: Sequence[Any], y: Any) -> Any:
        if name == "shape":
            return node.shapes[index]
        if name == "dtype":
            return node.dtypes[index]
        if name == "rest":
            return y[1:]
        return node.shapes if name == "shapes" else xs[RESTS[name] :]


class _Onward:
    """The indices from `start` on, and some before."""

    def __init__(self, start: int, before: frozenset[int]) -> None:
        self.start, self.before = start, before

    def __contains__(self, index: object) -> bool:
        return index in self.before or (isinstance(index, int) and index >= self.start)


class Prim:
    """One operation.

    Args:
        name: unique in the table.
        kind: the template it was made by; decides how inputs are treated.
        impl: the forward pass: the name of a function in the array namespace, or a function whose
            first argument is that namespace. Inputs are arrays or Python scalars.
        aval: shape and dtype rule over values with `.shape` and `.dtype`; raises the clear error
            that every backend gives for bad inputs.
        vjp: derivatives, written with primitives: a tuple with a rule or None per input; a single
            rule that returns a list with a gradient per input; or NA for none.
        partials: the rules multiply by a complex derivative; backward conjugates it.
        promote: brings inputs to a common dtype before impl; None when dtypes may differ.
        view: the output may share memory with the first input.
        check: "first" runs aval before impl; "late" only to explain an error of impl; "shapes late"
            is "late" for inputs of one dtype, and "first" otherwise.
        outputs: how many arrays impl gives.
        decomp: composites only: the same thing in smaller primitives.
        domain: elementwise only: the open interval where the derivative exists.
        effect: the result depends on more than the inputs (random numbers).
        jvp: forward derivative, read by `func.jvp` (see `forward`); default by the kind.
        vmap: batching rule, read by `func.vmap` (see `batching`); default by the kind.
        names: rule for named dimensions (see `naming`), applied when an input has names.
        amp: what autocast does with floating inputs.
        cuda: elementwise only: the same as one expression of CUDA C (see `cuda_expressions`).
    """

    COLUMNS = ("impl", "aval", "vjp", "decomp", "domain", "names", "amp", "jvp", "vmap", "cuda")

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        impl: Any,
        aval: Any,
        vjp: Any,
        partials: bool = False,
        promote: Callable[..., Any] | None = None,
        view: bool = False,
        check: str = "first",
        outputs: int = 1,
        decomp: Any = None,
        domain: Any = None,
        effect: bool = False,
        jvp: Any = None,
        vmap: Any = None,
        names: Any = None,
        amp: Any = None,
        cuda: Any = None,
    ) -> None:
        self.name, self.kind, self.impl, self.aval, self.vjp = name, kind, impl, aval, vjp
        self.partials = partials
        self.promote, self.view, self.check, self.outputs = promote, view, check, outputs
        self.decomp, self.domain, self.effect = decomp, domain, effect
        self.jvp, self.vmap, self.names, self.amp = jvp, vmap, names, amp
        self.cuda = expression(kind, impl) if cuda is None else cuda
        self.kernels: dict[type, Callable[..., Any]] = {}
        self._into: dict[type, Callable[..., Any] | None] = {}
        self.rules, self.joint = self._read_rules(vjp)
        self.differentiable = self.joint is not None or any(self.rules)
        self.needs_dtypes = any(r and "dtype" in r.reads for r in (*self.rules, self.joint))
        self._keeps: dict[int, tuple[Container[int], bool | str]] = {}
        TABLE.register(name, self)

    @staticmethod
    def _read_rules(vjp: Any) -> tuple[tuple[Rule | None, ...], Rule | None]:
        if isinstance(vjp, NA) or vjp is None:
            return (), None
        if callable(vjp):
            return (), Rule(vjp)
        return tuple(Rule(fn) if fn is not None else None for fn in vjp), None

    def kernel(self, array: Any) -> Callable[..., Any]:
        """The forward pass for arrays of this type, bound once per backend."""
        kind = type(array)
        if kind not in self.kernels:
            self.kernels[kind] = backend_of(array).bind(self)
        return self.kernels[kind]

    def into(self, array: Any) -> Callable[..., Any] | None:
        """``f(memory, *others)``, the kernel that writes over its first input; None if the backend
        has none."""
        kind = type(array)
        if kind not in self._into:
            self._into[kind] = backend_of(array).bind_into(self)
        return self._into[kind]

    def kernel_on(self, device: Any) -> Callable[..., Any]:
        """The kernel of a primitive without array inputs, for a device."""
        backend = backend_for(device)
        if backend.array_type not in self.kernels:
            self.kernels[backend.array_type] = backend.bind(self)
        return self.kernels[backend.array_type]

    def keep(self, needed: int) -> tuple[Container[int], bool | str]:
        """What backward reads when the inputs in the bit mask `needed` want gradients: the indices
        of inputs, and whether the output; "rest" for all outputs but the first.
        """
        if needed not in self._keeps:
            self._keeps[needed] = self._find_keep(needed)
        return self._keeps[needed]

    def _find_keep(self, needed: int) -> tuple[Container[int], bool | str]:
        chosen = [r for i, r in enumerate(self.rules) if r is not None and needed >> i & 1]
        rules = [self.joint] if self.joint is not None else chosen
        inputs: frozenset[int] = frozenset().union(*(r.inputs for r in rules))
        start = min((r.start for r in rules), default=len(INPUTS))
        kept = inputs if start == len(INPUTS) else _Onward(start, inputs)
        outputs = {r.output for r in rules}
        return kept, True in outputs or ("rest" if "rest" in outputs else False)

    call: Callable[..., Any]
    """Applies the primitive to tensors, arrays, scalars; set by `prims.dispatch.callable_for`."""

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"


TABLE: Registry[Prim] = Registry("primitive")
