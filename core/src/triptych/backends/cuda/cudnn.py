"""Convolution by cuDNN, in place of our own kernels, for who asks: TRIPTYCH_CUDNN=1.

UNTESTED: no cuDNN was at hand. What the graphs are made of was checked against cudnn-frontend
1.32, as far as that goes without a GPU; no number has come out of cuDNN yet, and no time. It needs
nvidia-cudnn-frontend, and cuDNN 9 for the CUDA that CuPy runs on.

A graph of one convolution is built for each set of shapes and kept. What cuDNN does not support
goes to the kernels of `convolution`.

Source: the documentation of cudnn-frontend, "Convolutions".
"""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ...errors import MissingDependencyError
from ...runtime import are_deterministic_algorithms_enabled, get_float32_matmul_precision
from .convolution import Shapes

DTYPES = {"float16": "HALF", "bfloat16": "BFLOAT16", "float32": "FLOAT"}

Ints = tuple[int, ...]
Options = dict[str, Any]


def wanted() -> bool:
    """Whether convolutions are to go to cuDNN: TRIPTYCH_CUDNN is 1."""
    return os.environ.get("TRIPTYCH_CUDNN") == "1"


class _Plan:
    """A convolution as cuDNN runs it: forward, or one of its gradients.

    Args:
        cudnn: the frontend.
        handle: of the device.
        kind: of the operation: ``conv_fprop``.
        dtype: of all arrays.
        inputs: shapes, by the names that the operation has for them.
        output: its shape.
        options: stride, padding as pairs, and dilation, for two axes.
        exact: whether products of float32 keep all bits.
        repeatable: whether the same inputs must give the same bits.
    """

    def __init__(
        self,
        cudnn: Any,
        handle: Any,
        kind: str,
        dtype: str,
        inputs: dict[str, Ints],
        output: Ints,
        options: Options,
        exact: bool,
        repeatable: bool,
    ) -> None:
        held, single = getattr(cudnn.data_type, DTYPES[dtype]), cudnn.data_type.FLOAT
        self.graph = graph = cudnn.pygraph(
            io_data_type=held,
            intermediate_data_type=single,
            compute_data_type=single,
            handle=handle,
        )
        tensors = {
            name: graph.tensor(name=name, dim=shape, stride=_steps(shape), data_type=held)
            for name, shape in inputs.items()
        }
        found = getattr(graph, kind)(
            **tensors,
            pre_padding=[before for before, _ in options["padding"]],
            post_padding=[after for _, after in options["padding"]],
            stride=list(options["stride"]),
            dilation=list(options["dilation"]),
        )
        found.set_output(True).set_data_type(held).set_dim(list(output)).set_stride(_steps(output))
        graph.validate()
        graph.build_operation_graph()
        graph.create_execution_plans([cudnn.heur_mode.A, cudnn.heur_mode.FALLBACK])
        notes = cudnn.numerical_note
        unwanted = [notes.TENSOR_CORE] if exact and dtype == "float32" else []
        unwanted += [notes.NONDETERMINISTIC] if repeatable else []
        if unwanted:
            graph.deselect_numeric_notes(unwanted)
        graph.check_support()
        graph.build_plans()
        self.uids = [t.get_uid() for t in (*tensors.values(), found)]
        self.space = graph.get_workspace_size()


def _steps(shape: Ints) -> list[int]:
    """Numbers between neighbours along each axis, in C order."""
    steps = [1]
    for n in reversed(shape[1:]):
        steps.insert(0, steps[0] * n)
    return steps


def _two(shape: Ints) -> Ints:
    """With two axes of space, as cuDNN wants."""
    return shape if len(shape) == 4 else (*shape[:2], 1, shape[2])


def _both(options: Options) -> Options:
    """The same for a convolution's options."""
    if len(options["stride"]) == 2:
        return options
    return {k: (((0, 0) if k == "padding" else 1), *v) for k, v in options.items()}


class _Library:
    """cuDNN for the current process: a handle for each device, and plans by shape."""

    def __init__(self, cupy: Any, cudnn: Any) -> None:
        self.cupy, self.cudnn = cupy, cudnn
        self.handles: dict[int, Any] = {}
        self.plans: dict[Any, _Plan | None] = {}
        self.lock = threading.Lock()  # a handle is for one thread at a time

    def run(self, kind: str, inputs: dict[str, Any], output: Ints, options: Options) -> Any:
        """The operation's result, or NotImplemented where cuDNN has none."""
        cupy, arrays = self.cupy, [self.cupy.ascontiguousarray(x) for x in inputs.values()]
        dtypes = {x.dtype.name for x in arrays}
        spaces = len(output) - 2
        if len(dtypes) > 1 or not dtypes <= set(DTYPES) or spaces not in (1, 2):
            return NotImplemented
        if not all(x.size for x in arrays) or 0 in output:
            return NotImplemented
        shapes = {name: _two(x.shape) for name, x in zip(inputs, arrays, strict=True)}
        with self.lock:
            handle = self._handle()
            plan = self._plan(handle, kind, dtypes.pop(), shapes, _two(output), _both(options))
            if plan is None:
                return NotImplemented
            found = cupy.empty(output, arrays[0].dtype)
            space = cupy.empty(max(plan.space, 1), "uint8")
            places = [x.data.ptr for x in (*arrays, found)]
            pack = dict(zip(plan.uids, places, strict=True))
            plan.graph.execute(pack, space.data.ptr, handle=handle)
        return found

    def _handle(self) -> Any:
        """Of the current device, set to the current stream."""
        device = self.cupy.cuda.Device().id
        if device not in self.handles:
            self.handles[device] = self.cudnn.create_handle()
        stream = self.cupy.cuda.get_current_stream().ptr
        self.cudnn.set_stream(handle=self.handles[device], stream=stream)
        return self.handles[device]

    def _plan(
        self, handle: Any, kind: str, dtype: str, shapes: dict[str, Ints], output: Ints, o: Options
    ) -> _Plan | None:
        exact = get_float32_matmul_precision() == "highest"
        repeatable = are_deterministic_algorithms_enabled()
        numbers = tuple(shapes.values()), output, *(tuple(v) for v in o.values())
        key = self.cupy.cuda.Device().id, kind, dtype, numbers, exact, repeatable
        if key not in self.plans:
            try:
                self.plans[key] = _Plan(
                    self.cudnn, handle, kind, dtype, shapes, output, o, exact, repeatable
                )
            except self.cudnn.cudnnGraphNotSupportedError:
                self.plans[key] = None
        return self.plans[key]


def _options(given: Options) -> Options:
    return {k: given[k] for k in ("stride", "padding", "dilation")}


def _forward(library: _Library, x: Any, w: Any, **given: Any) -> Any:
    shape = Shapes.of(x, w, **given).y
    return library.run("conv_fprop", {"image": x, "weight": w}, shape, _options(given))


def _of_input(library: _Library, g: Any, w: Any, *, shape: Ints, **given: Any) -> Any:
    return library.run("conv_dgrad", {"loss": g, "filter": w}, tuple(shape), _options(given))


def _of_weights(library: _Library, g: Any, x: Any, *, shape: Ints, **given: Any) -> Any:
    return library.run("conv_wgrad", {"image": x, "loss": g}, tuple(shape), _options(given))


def overrides(cupy: Any) -> dict[str, Callable[..., Any]]:
    """By primitive, the function that is tried before our own kernels.

    Raises:
        MissingDependencyError: nvidia-cudnn-frontend is not installed.
    """
    try:
        frontend = importlib.import_module("cudnn")
    except ImportError as error:
        raise MissingDependencyError(
            "TRIPTYCH_CUDNN=1 needs nvidia-cudnn-frontend; pip install nvidia-cudnn-frontend and "
            "nvidia-cudnn-cu12 (or -cu13), or unset TRIPTYCH_CUDNN"
        ) from error
    library = _Library(cupy, frontend)
    return {
        "conv": partial(_forward, library),
        "conv_dw": partial(_of_weights, library),
        "conv_dx": partial(_of_input, library),
    }
