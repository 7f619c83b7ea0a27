"""Custom operations: functions of the user's own that become primitives of the table.

The record's `impl` is the user's kernel, its `aval` the user's fake function; the derivative is an
`autograd.Function` around the primitive. So the operation works in eager mode, under capture and
compile, in `func.vmap` and with backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ..autograd.function import Function
from ..avals import Aval
from ..backends import Device, backend_of
from ..errors import GradError
from ..ops.inplace import overwrite
from ..prims.batching import batched
from ..prims.dispatch import callable_for
from ..prims.kinds import NOT_ELEMENTWISE, PRIMITIVE
from ..prims.table import NA, TABLE, Prim
from ..prims.trace import is_lifting
from ..registry import Registry
from ..state import _quiet_runner, state
from ..tensor import Symbol, Tensor, box
from ..tree import LEAF, TreeSpec, flatten, unflatten
from .schema import CustomOpError, infer_schema, parse

Call = Callable[..., Any]

OPERATIONS: Registry[CustomOpDef] = Registry("custom operation")


class VmapInfo:
    """What a vmap rule is told: the length of the batch, and what random numbers do."""

    def __init__(self, batch_size: int, randomness: str) -> None:
        self.batch_size, self.randomness = batch_size, randomness

    def __repr__(self) -> str:
        return f"VmapInfo(batch_size={self.batch_size}, randomness={self.randomness!r})"


class Layout:
    """The arguments of a call with the tensors taken out.

    Args:
        values: the arguments in the order of the signature.
    """

    def __init__(self, values: Sequence[Any]) -> None:
        leaves, self.spec = flatten(list(values), lambda x: not isinstance(x, (list, tuple)))
        self.tensors = [x for x in leaves if isinstance(x, Tensor)]
        self.fixed = tuple(None if isinstance(x, Tensor) else (x,) for x in leaves)

    def filled(self, tensors: Iterable[Any]) -> list[Any]:
        """The arguments, with other things in the places of the tensors."""
        source = iter(tensors)
        made: list[Any] = unflatten(
            self.spec, [next(source) if held is None else held[0] for held in self.fixed]
        )
        return made

    def __repr__(self) -> str:
        return f"Layout({self.filled('%' * len(self.fixed))})"


class CustomOpDef:
    """A custom operation; call it like the function it was made from. See `custom_op`."""

    def __init__(self, name: str, schema: str) -> None:
        namespace, colons, short = name.partition("::")
        if not (colons and namespace.isidentifier() and short.replace(".", "_").isidentifier()):
            raise CustomOpError(f"custom_op: wanted a name like 'mylib::scaled', got {name!r}")
        self._name, self._schema = short, parse(schema)
        self._namespace, self._qualname = namespace, name
        self._kernels: dict[str | None, Call] = {}
        self._fake: Call | None = None
        self._backward: Call | None = None
        self._setup: Call | None = None
        self._vmap: Call | None = None
        self.__name__ = short
        self._prim = self._record()
        self._function: type[Function] = type(f"{namespace}_{short}", (_Recorded,), {})
        OPERATIONS.register(name, self)

    def _record(self) -> Prim:
        outputs = self._schema.outputs + len(self._schema.mutates)
        if not outputs:
            raise CustomOpError(
                f"{self._qualname}: neither gives a tensor nor writes to one; name what it writes "
                "to in mutates_args"
            )
        prim = Prim(
            self._qualname,
            "custom",
            impl=self._impl,
            aval=self._aval,
            vjp=NA("the derivative is that of the autograd.Function around it"),
            decomp=PRIMITIVE,
            domain=NOT_ELEMENTWISE,
            check="late",
            outputs=outputs,
            jvp=NA("a custom operation has a rule for backward only"),
            vmap=self._batched,
            names=NA("a custom operation knows nothing of names"),
            amp="as is",
        )
        callable_for(prim)
        return prim

    def __repr__(self) -> str:
        return f"<custom operation {self._qualname}{self._schema.text}>"

    # Calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the operation."""
        bound = self._schema.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        layout = Layout(tuple(bound.arguments.values()))
        if not layout.tensors:
            raise CustomOpError(f"{self._qualname}: wanted at least one tensor among the arguments")
        if state.grad and any(t.requires_grad for t in layout.tensors):
            if any(t.requires_grad for t in self._targets(layout, layout.tensors)):
                raise GradError(
                    f"{self._qualname}: writes to an argument that requires grad, and an operation "
                    "that writes has no derivative; call it under no_grad(), or on a detach()"
                )
            return self._function.apply(self, layout, *layout.tensors)
        if is_lifting() and not self._schema.mutates:  # the world outside may want derivatives
            return self._function.apply(self, layout, *layout.tensors)
        return self._run(layout, layout.tensors)

    def _run(self, layout: Layout, tensors: Sequence[Tensor]) -> Any:
        """Apply the primitive, then write what it changed where it belongs."""
        found = self._prim.call(*tensors, layout=layout)
        outs = list(found) if self._prim.outputs > 1 else [found]
        count = self._schema.outputs
        for target, value in zip(self._targets(layout, tensors), outs[count:], strict=True):
            overwrite(target, value, self._qualname)
        if self._schema.several:
            return tuple(outs[:count]) if count else None
        return outs[0]

    def _targets(self, layout: Layout, tensors: Sequence[Any]) -> list[Any]:
        """The values of the arguments that are written to."""
        values = dict(zip(self._schema.signature.parameters, layout.filled(tensors), strict=True))
        found = [values[name] for name in self._schema.mutates]
        if any(not hasattr(t, "shape") for t in found):
            raise CustomOpError(
                f"{self._qualname}: an argument in mutates_args is no tensor in this call"
            )
        return found

    def _impl(self, xp: Any, *arrays: Any, layout: Layout) -> Any:
        """The kernel: the user's function on tensors of its own; written ones are copies."""
        tensors = [box(a) for a in arrays]
        targets = self._targets(layout, tensors)
        for t in targets:
            t._data = t._data.copy()
        with _outside():
            given = self._call(self._kernel(tensors[0].device.type), layout, tensors)
        outs = self._listed(given)
        for out in outs:
            if any(out._data is t._data for t in tensors):
                raise CustomOpError(
                    f"{self._qualname}: gave one of its arguments back; return a clone() of it"
                )
        raw = tuple(t._data for t in (*outs, *targets))
        return raw if len(raw) > 1 else raw[0]

    def _kernel(self, device_type: str) -> Call:
        kernel = self._kernels.get(device_type, self._kernels.get(None))
        if kernel is None:
            known = ", ".join(map(str, self._kernels)) or "none"
            raise CustomOpError(
                f"{self._qualname}: no kernel for {device_type} tensors (kernels: {known}); add "
                "one with register_kernel"
            )
        return kernel

    def _call(self, fn: Call, layout: Layout, tensors: Sequence[Any]) -> Any:
        parameters = self._schema.signature.parameters.values()
        args, kwargs = [], {}
        for p, value in zip(parameters, layout.filled(tensors), strict=True):
            if p.kind is p.KEYWORD_ONLY:
                kwargs[p.name] = value
            else:
                args.append(value)
        return fn(*args, **kwargs)

    def _listed(self, given: Any) -> list[Any]:
        """The outputs, checked against the schema."""
        outs = list(given) if isinstance(given, (tuple, list)) else [] if given is None else [given]
        if len(outs) != self._schema.outputs or not all(isinstance(t, Tensor) for t in outs):
            came = ", ".join(type(t).__name__ for t in outs) or "nothing"
            raise CustomOpError(
                f"{self._qualname}: wanted {self._schema.outputs} tensor(s) as the schema "
                f"{self._schema.text} says, got {came}"
            )
        return outs

    def _aval(self, *xs: Any, layout: Layout) -> Any:
        """Shapes and dtypes, by the fake function on tensors without numbers."""
        from ..graph.capture import Capture

        if self._fake is None:
            if not any(isinstance(x, Symbol) for x in xs):
                return None  # the kernel has failed, and there is nothing to add
            raise CustomOpError(
                f"{self._qualname}: shapes are not known without running it; give them with "
                "register_fake"
            )
        trace = Capture()
        with trace:
            tensors = [box(trace.symbol(x.shape, x.dtype, _device(x))) for x in xs]
            outs = self._listed(self._call(self._fake, layout, tensors))
            targets = self._targets(layout, tensors)
        avals = tuple(Aval(tuple(t.shape), t._data.dtype) for t in (*outs, *targets))
        return avals if len(avals) > 1 else avals[0]

    def _batched(self, prim: Prim, size: int, xs: Any, on: Sequence[bool], params: Any) -> Any:
        """The `vmap` column: the registered rule, or a loop over the batch."""
        if self._schema.mutates:
            raise CustomOpError(f"{self._qualname}: vmap of an operation that writes to arguments")
        layout: Layout = params["layout"]
        if self._vmap is None:
            return self._looped(size, xs, on, layout)
        dims = tuple(layout.filled(0 if flag else None for flag in on))
        dims = tuple(
            d if isinstance(d, (list, tuple)) or held else None
            for d, held in zip(dims, _holds_tensors(layout), strict=True)
        )
        fn, info = self._vmap, VmapInfo(size, "error")
        found, out_dims = self._call(lambda *a, **k: fn(info, dims, *a, **k), layout, xs)
        outs = self._listed(found)
        places = out_dims if isinstance(out_dims, (tuple, list)) else [out_dims] * len(outs)
        moved = [_to_front(t, d, size) for t, d in zip(outs, places, strict=True)]
        return tuple(moved) if len(moved) > 1 else moved[0]

    def _looped(self, size: int, xs: Any, on: Sequence[bool], layout: Layout) -> Any:
        from ..ops.shape import stack

        rows = []
        for i in range(size):
            picked = [x[i] if flag else x for x, flag in zip(xs, on, strict=True)]
            found = self._prim.call(*picked, layout=layout)
            rows.append(found if self._prim.outputs > 1 else (found,))
        columns = tuple(stack(column) for column in zip(*rows, strict=True))
        return columns if len(columns) > 1 else columns[0]

    # Registrations

    def register_kernel(
        self, device_types: str | Sequence[str] | None, fn: Call | None = None, /
    ) -> Any:
        """Another implementation for "cpu" or "cuda" tensors, or both; also as a decorator."""

        def register(kernel: Call) -> Call:
            several = device_types is None or isinstance(device_types, str)
            for kind in (device_types,) if several else tuple(device_types or ()):
                if kind not in (None, "cpu", "cuda"):
                    raise CustomOpError(f"register_kernel: no device type is named {kind!r}")
                self._kernels[kind] = kernel
            return kernel

        return register if fn is None else register(fn)

    def register_fake(self, fn: Call, /) -> Call:
        """A function of the same arguments that gives empty tensors of the right shapes and dtypes:
        what capture and compile run. It must not read the numbers of its arguments.
        """
        self._fake = fn
        return fn

    def register_autograd(self, backward: Call, /, *, setup_context: Call | None = None) -> None:
        """A derivative.

        Args:
            backward: ``backward(ctx, *grads)`` gives a gradient, or None, per argument; a list of
                them for an argument that is a list of tensors.
            setup_context: ``setup_context(ctx, inputs, output)`` saves what backward needs; with
                ``keyword_only_inputs`` before output if there are keyword-only arguments.

        Raises:
            CustomOpError: the operation writes to arguments.
        """
        if self._schema.mutates:
            raise CustomOpError(
                f"register_autograd: {self._qualname} writes to arguments; only an operation that "
                "does not can have a derivative"
            )
        self._backward, self._setup = backward, setup_context

    def register_vmap(self, func: Call | None = None, /) -> Any:
        """A rule ``func(info, in_dims, *args)`` for a batch of inputs, which gives the outputs and
        where their batch axis is; also as a decorator.
        """

        def register(fn: Call) -> Call:
            self._vmap = fn
            return fn

        return register if func is None else register(func)


class _Recorded(Function):
    """A custom operation on the tape."""

    @staticmethod
    def forward(op: CustomOpDef, layout: Layout, *tensors: Tensor) -> Any:
        return op._run(layout, tensors)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        op, layout, *tensors = inputs
        ctx.custom_op, ctx.layout = op, layout
        values = layout.filled(tensors)
        ctx.needs_input_grad = tuple(layout.filled(ctx.needs_input_grad[2:]))
        ctx.needs_input_grad = tuple(
            flag if held else False
            for flag, held in zip(ctx.needs_input_grad, _holds_tensors(layout), strict=True)
        )
        if op._setup is not None:
            parameters = op._schema.signature.parameters.values()
            named = {
                p.name: v
                for p, v in zip(parameters, values, strict=True)
                if p.kind is p.KEYWORD_ONLY
            }
            given = tuple(values[: len(values) - len(named)])
            if named:
                op._setup(ctx, given, named, output)
            else:
                op._setup(ctx, given, output)
        layout.tensors = []  # what backward needs is saved; the node must not hold the rest

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        op: CustomOpDef = ctx.custom_op
        if op._backward is None:
            raise GradError(
                f"{op._qualname}: there is no derivative; give one with register_autograd"
            )
        found = op._backward(ctx, *grads)
        listed = list(found) if isinstance(found, tuple) else [found]
        return (None, None, *op_gradients(op, ctx.layout, listed))


def op_gradients(op: CustomOpDef, layout: Layout, found: list[Any]) -> list[Any]:
    """A gradient per tensor, from one per argument.

    Raises:
        GradError: their number or nesting is not that of the arguments.
    """
    children = layout.spec.children
    found += [None] * (len(_keyword_only(op)) if len(found) < len(children) else 0)
    if len(found) != len(children):
        raise GradError(
            f"{op._qualname}: backward gave {len(found)} gradients for {len(children)} arguments"
        )
    places, grads = iter(layout.fixed), []
    for spec, given in zip(children, found, strict=True):
        count = _leaves(spec)
        parts = [given] if spec is LEAF else [None] * count if given is None else list(given)
        if len(parts) != count:
            raise GradError(
                f"{op._qualname}: backward gave {len(parts)} gradients for a list of {count}"
            )
        grads += [part for part in parts if next(places) is None]
    return grads


def _keyword_only(op: CustomOpDef) -> list[str]:
    parameters = op._schema.signature.parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def _leaves(spec: TreeSpec) -> int:
    return 1 if spec is LEAF else sum(map(_leaves, spec.children))


def _holds_tensors(layout: Layout) -> list[bool]:
    """For each argument, whether there is a tensor in it."""
    places = iter(layout.fixed)
    counts = [
        sum(next(places) is None for _ in range(_leaves(spec))) for spec in layout.spec.children
    ]
    return [count > 0 for count in counts]


def _to_front(t: Any, dim: int | None, size: int) -> Any:
    from ..ops.shape import movedim

    return batched(t, size, False) if dim is None else movedim(t, dim, 0)


def _device(x: Any) -> Device:
    return x.device if isinstance(x, Symbol) else backend_of(x).device_of(x)


@contextmanager
def _outside() -> Iterator[None]:
    """No trace, no recording, and a context of its own for kernels: a kernel is running."""
    before = state.trace, state.run, state.grad, state.quiet
    state.trace, state.grad = None, False
    state.run = state.quiet = _quiet_runner()
    try:
        yield
    finally:
        state.trace, state.run, state.grad, state.quiet = before


def custom_op(
    name: str,
    fn: Call | None = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: str | Sequence[str] | None = None,
    schema: str | None = None,
) -> Any:
    """Make an operation of a function; also as a decorator.

    What the function does stays hidden from autograd and capture: give a derivative with
    `register_autograd` and shapes with `register_fake`. A name that is taken is given anew.

    Args:
        name: ``"namespace::name"``.
        fn: the function; annotated, unless a schema is given. It must not give back one of its
            arguments or a view of one.
        mutates_args: names of the arguments it writes to; () for none.
        device_types: "cpu" or "cuda" if it is for tensors there only.
        schema: such as ``"(Tensor x, float by=2.0) -> Tensor"``; default `infer_schema` of fn.

    Returns:
        The `CustomOpDef`.

    Raises:
        CustomOpError: the name or the schema cannot be read, or an annotation is missing.

    Example:
        >>> @custom_op("docs::scaled", mutates_args=())
        ... def scaled(x: triptych.Tensor, by: float) -> triptych.Tensor:
        ...     return triptych.from_numpy(x.numpy() * by)
        >>> scaled.register_autograd(
        ...     lambda ctx, g: (g * ctx.by, None),
        ...     setup_context=lambda ctx, inputs, output: setattr(ctx, "by", inputs[1]),
        ... )
        >>> x = triptych.ones(2, requires_grad=True)
        >>> scaled(x, 3.0).sum().backward()
        >>> x.grad
        tensor([3., 3.])
    """

    def define(function: Call) -> CustomOpDef:
        text = schema or infer_schema(function, mutates_args=mutates_args)
        _forget(name)
        op = CustomOpDef(name, text)
        op.__doc__ = function.__doc__
        op.register_kernel(device_types, function)
        return op

    return define if fn is None else define(fn)


def _forget(name: str) -> None:
    """Take an operation out of the registries."""
    for table in (OPERATIONS, TABLE):
        if name in table:
            table.remove(name)
