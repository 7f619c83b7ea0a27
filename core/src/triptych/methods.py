"""Binds functions to `Tensor`: one table of methods, one of operators, one of in-place forms."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes, layouts, printing
from .autograd import api
from .autograd.hooks import Handle, Retain, hooks_of
from .autograd.node import Leaf
from .avals import normalize_axis
from .errors import CaptureError, DTypeError, GradError, ShapeError
from .ops import (
    compare,
    convert,
    coordinates,
    copies,
    creation,
    decompose,
    elements,
    factorizations,
    histograms,
    index,
    inplace,
    linalg,
    made,
    metadata,
    named,
    norms,
    pieces,
    pointwise,
    products,
    reduce,
    rules,
    sampling,
    scattering,
    search,
    shape,
    special,
    spectral,
    statistics,
    storage,
    strided,
)
from .ops import random as random_ops
from .prims import elementwise as ew
from .spelling import spelled
from .tensor import Symbol, Tensor, box, current_edge

Method = Callable[..., Any]

# Functions whose first argument is the tensor become methods under their own name.
METHODS: dict[Any, str] = {
    pointwise: (
        "abs absolute acos acosh add addcdiv addcmul angle arccos arccosh arcsin arcsinh arctan "
        "arctan2 arctanh asin asinh atan atan2 atanh bitwise_and bitwise_left_shift bitwise_not "
        "bitwise_or bitwise_right_shift bitwise_xor ceil clamp clip conj cos cosh div divide eq "
        "erf exp exp2 expm1 fix floor floor_divide fmod ge greater greater_equal gt isfinite isinf "
        "isnan le lerp less less_equal log log10 log1p log2 log_softmax logaddexp logical_and "
        "logical_not logical_or logical_xor lt gcd lcm maximum minimum mul multiply ne neg "
        "negative not_equal pow reciprocal relu remainder round rsqrt sigmoid sign sin sinh "
        "softmax sqrt square sub subtract tan tanh true_divide trunc"
    ),
    reduce: (
        "all amax amin any argmax argmin argsort count_nonzero cumsum logsumexp max mean min "
        "nansum norm prod sort std sum topk var"
    ),
    shape: (
        "broadcast_to chunk clone diag diag_embed diagonal expand expand_as flatten flip fliplr "
        "flipud moveaxis movedim narrow permute ravel repeat reshape reshape_as roll select split "
        "squeeze swapaxes swapdims t tile transpose tril triu unbind unflatten unfold unsqueeze "
        "view_as"
    ),
    index: (
        "gather index_add index_copy index_fill index_put index_select masked_fill masked_select "
        "nonzero argwhere scatter scatter_add take take_along_dim"
    ),
    pieces: (
        "diagflat diagonal_scatter dsplit hsplit repeat_interleave rot90 select_scatter "
        "slice_scatter split_with_sizes sum_to_size tensor_split trace vsplit"
    ),
    special: (
        "clamp_max clamp_min copysign deg2rad digamma erfc erfinv float_power fmax fmin frac "
        "heaviside hypot i0 igamma igammac isneginf isposinf isreal ldexp lgamma logaddexp2 logit "
        "mvlgamma nan_to_num nextafter positive rad2deg sgn signbit sinc xlogy"
    ),
    statistics: (
        "aminmax bincount corrcoef cov cummax cummin cumprod diff histc kthvalue logcumsumexp "
        "median mode msort nanmean nanmedian nanquantile quantile"
    ),
    scattering: "index_reduce masked_scatter put scatter_reduce",
    strided: "as_strided as_strided_scatter",
    elements: "apply_ fill_diagonal_ index map2_ map_",
    metadata: (
        "as_strided_ resize_ resize_as_ set_ squeeze_ swapaxes_ swapdims_ t_ transpose_ unsqueeze_"
    ),
    storage: "dim_order is_pinned is_set_to pin_memory storage_offset untyped_storage",
    norms: "renorm",
    spectral: "istft stft",
    rules: "is_inference is_nonzero is_same_size",
    decompose: "conj_physical frexp is_conj is_neg resolve_conj resolve_neg",
    histograms: "histogram",
    coordinates: "nonzero_static",
    copies: "narrow_copy unsafe_chunk unsafe_split unsafe_split_with_sizes",
    search: "isin unique unique_consecutive",
    linalg: "addmm adjoint baddbmm bmm dot matmul mm mv outer",
    products: "addbmm addmv addr cross dist ger inner kron vdot",
    factorizations: (
        "cholesky cholesky_inverse cholesky_solve det geqrf inverse logdet lu lu_solve matrix_exp "
        "matrix_power orgqr ormqr pinverse qr slogdet svd triangular_solve"
    ),
    compare: "allclose equal isclose",
    convert: "cpu cuda item numpy to to_device tolist type type_as",
    inplace: "copy_ detach detach_ fill_ zero_",
    named: "align_as align_to has_names refine_names rename rename_",
    random_ops: "bernoulli multinomial",
    sampling: ("bernoulli_ cauchy_ exponential_ geometric_ log_normal_ normal_ random_ uniform_"),
}

OPERATORS: dict[str, Method] = {
    "add": ew.add,
    "sub": ew.sub,
    "mul": ew.mul,
    "truediv": ew.div,
    "floordiv": ew.floor_divide,
    "mod": ew.remainder,
    "pow": ew.pow,
    "matmul": linalg.matmul,
    "and": ew.bitwise_and,
    "or": ew.bitwise_or,
    "xor": ew.bitwise_xor,
    "lshift": ew.left_shift,
    "rshift": ew.right_shift,
}
COMPARISONS = {"eq": ew.eq, "ne": ew.ne, "lt": ew.lt, "le": ew.le, "gt": ew.gt, "ge": ew.ge}

# ``x.exp_()`` for each of these is ``x.copy_(x.exp())`` with exp's history.
IN_PLACE = (
    "abs acos add addbmm addcdiv addcmul addmm addmv addr asin atan baddbmm bitwise_and "
    "bitwise_not bitwise_or bitwise_xor ceil clamp clip cos cosh digamma div erf erfc erfinv exp "
    "expm1 floor floor_divide fmod i0 igamma igammac index_add index_copy index_fill index_put "
    "lerp lgamma log log1p logical_and logical_not logical_or masked_fill mul multiply mvlgamma "
    "neg polygamma pow reciprocal relu remainder round rsqrt scatter scatter_add sigmoid sign sin "
    "sinc sinh sqrt square sub subtract tan tanh tril triu trunc xlogy "
    "absolute acosh arccos arccosh arcsin arcsinh arctan arctan2 arctanh asinh atan2 atanh "
    "bitwise_left_shift bitwise_right_shift clamp_max clamp_min conj_physical copysign cumprod "
    "cumsum deg2rad divide eq exp2 fix float_power frac gcd ge greater greater_equal gt heaviside "
    "hypot index_reduce lcm ldexp le less less_equal log10 log2 logical_xor logit lt "
    "masked_scatter nan_to_num ne negative nextafter not_equal put rad2deg renorm "
    "scatter_reduce sgn true_divide"
)
# Of these torch has a function, too: ``exp_(x)`` is ``x.exp_()``.
IN_PLACE_FUNCTIONS = (
    "abs acos acosh arccos arccosh arcsin arcsinh arctan arctanh asin asinh atan atanh ceil clamp "
    "clamp_max clamp_min clip conj_physical cos cosh deg2rad detach erf erfc exp exp2 expm1 fill "
    "fix floor frac gcd i0 index_put lcm ldexp log log10 log1p log2 logit nan_to_num neg negative "
    "rad2deg reciprocal relu resize_as round rsqrt sigmoid sin sinc sinh sqrt square tan tanh "
    "trunc xlogy zero"
)


def _operands(op: Method, name: str) -> tuple[Method, Method]:
    """The operator and its reflection; foreign types get NotImplemented: theirs can take over."""

    def forward(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            return op(self, other)
        return _foreign(op, self, other)

    def reflected(self: Tensor, other: Any) -> Any:
        if isinstance(other, _OPERANDS):
            return op(other, self)
        return _foreign(op, other, self)

    forward.__name__, reflected.__name__ = f"__{name}__", f"__r{name}__"
    return forward, reflected


_OPERANDS = (Tensor, bool, int, float, complex)


def _foreign(op: Method, a: Any, b: Any) -> Any:
    """An array of another library joins as a constant; anything else is not ours to handle."""
    pair = [x if isinstance(x, _OPERANDS) else _adopt(x) for x in (a, b)]
    return NotImplemented if any(x is None for x in pair) else op(*pair)


def _adopt(x: Any) -> Any:
    if isinstance(x, np.generic):
        return x.item()  # NumPy's scalars are as weak as Python's, as in torch
    if (
        hasattr(x, "__array__")
        or hasattr(x, "__dlpack__")
        or hasattr(x, "__cuda_array_interface__")
    ):
        return creation.as_tensor(x)
    return None


def _bind_operators() -> None:
    for name, op in OPERATORS.items():
        forward, reflected = _operands(op, name)
        setattr(Tensor, f"__{name}__", forward)
        setattr(Tensor, f"__r{name}__", reflected)
        setattr(Tensor, f"__i{name}__", inplace.inplace(f"{name}_", op))
    for name, op in COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _operands(op, name)[0])
    for name, op in (("neg", ew.neg), ("abs", ew.abs), ("invert", ew.bitwise_not)):
        setattr(Tensor, f"__{name}__", op)
    Tensor.__pos__ = lambda self: self


def _length(self: Tensor) -> int:
    if self.ndim == 0:
        raise TypeError("len(): a 0-d tensor has no length")
    return self._data.shape[0]


def _iterate(self: Tensor) -> Iterator[Tensor]:
    if self.ndim == 0:
        raise TypeError("iteration over a 0-d tensor; use .item()")
    return iter(shape.unbind(self, 0))


def _contains(self: Tensor, value: Any) -> bool:
    return bool(ew.eq(self, value).any())


def size(self: Tensor, dim: int | str | None = None) -> Any:
    """The shape, or the length of one dim."""
    if isinstance(dim, str):
        dim = normalize_axis("size", dim, self.ndim, self)
    return self.shape if dim is None else self.shape[dim]


class SizeInt(int):
    """The number of elements, as the array API has it; called, the shape or the length of one dim,
    as torch has it.
    """

    _tensor: Tensor

    def __call__(self, dim: int | str | None = None) -> Any:
        """The shape, or the length of one dim."""
        return size(self._tensor, dim)


def _size(self: Tensor) -> SizeInt:
    """How many elements there are; ``x.size()`` is the shape, ``x.size(dim)`` a length."""
    count = SizeInt(self._data.size)
    count._tensor = self
    return count


def _namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """The module with the functions of the array API standard, `triptych.array_api`.

    Raises:
        ValueError: api_version is one that the module does not follow.
    """
    from . import array_api

    if api_version not in (None, *array_api.VERSIONS):
        raise ValueError(
            f"__array_namespace__: wanted one of the versions {array_api.VERSIONS}, got "
            f"{api_version!r}"
        )
    return array_api


def view(self: Tensor, *sizes: Any) -> Tensor:
    """The same memory under another shape; with a dtype of the same width, under another dtype."""
    if len(sizes) == 1 and isinstance(sizes[0], dtypes.dtype):
        return _reinterpreted(self, sizes[0])
    return shape.view(self, *sizes)


def _reinterpreted(self: Tensor, dtype: dtypes.dtype) -> Tensor:
    if dtype.itemsize != self.itemsize:
        raise DTypeError(
            f"view: {self.dtype} and {dtype} differ in width; use .to({dtype}) to convert numbers"
        )
    if isinstance(self._data, Symbol):
        raise CaptureError("view(dtype): the bits of a traced tensor are not known; use .to(dtype)")
    out = box(self._data.view(dtype.dtype))
    out._cell = self._cell
    return named.with_names(out, self._names)


def stride(self: Tensor, dim: int | str | None = None) -> Any:
    """Steps in memory between neighbours along each axis, in elements."""
    steps = tuple(s // self._data.dtype.itemsize for s in self._data.strides)
    if isinstance(dim, str):
        dim = normalize_axis("stride", dim, self.ndim, self)
    return steps if dim is None else steps[dim]


def is_contiguous(self: Tensor, memory_format: Any = None) -> bool:
    """Whether memory holds the elements in row-major order without gaps."""
    if memory_format is not None:
        return layouts.ordered("is_contiguous", self, memory_format)
    data = self._data
    if isinstance(data, Symbol):
        return data.layout == "packed"
    return bool(data.flags.c_contiguous)


def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself if contiguous, else a contiguous copy."""
    if is_contiguous(self, memory_format):
        return self
    return shape.clone(self, memory_format=memory_format)


def register_hook(self: Tensor, hook: Callable[[Tensor], Tensor | None]) -> Handle:
    """Call hook with the gradient of this tensor whenever one is computed; what it returns, if
    anything, takes the gradient's place. Returns a handle with ``remove()``.

    Raises:
        GradError: the tensor does not require grad.
    """
    edge = current_edge(self)
    if edge is None:
        raise GradError(
            "register_hook: the tensor does not require grad; call requires_grad_() first"
        )
    hooks, place = hooks_of(edge)
    return Handle(hooks, (place, hook))


def register_post_accumulate_grad_hook(self: Tensor, hook: Callable[[Tensor], None]) -> Handle:
    """Call hook with this leaf after backward has added to its ``grad``.

    Raises:
        GradError: the tensor is no leaf that requires grad.
    """
    edge = current_edge(self)
    if not isinstance(edge, Leaf):
        raise GradError("register_post_accumulate_grad_hook: wanted a leaf that requires grad")
    edge.post_hooks = [] if edge.post_hooks is None else edge.post_hooks
    return Handle(edge.post_hooks, hook)


def retain_grad(self: Tensor) -> None:
    """Keep the gradient of a tensor that is no leaf in its ``grad``.

    Raises:
        GradError: the tensor does not require grad.
    """
    edge = current_edge(self)
    if edge is None:
        raise GradError(
            "retain_grad: the tensor does not require grad; call requires_grad_() first"
        )
    if not isinstance(edge, Leaf) and self._retained is None:
        self._retained = Retain(self)
        self._retained.move(edge)


def _backward(
    self: Tensor,
    gradient: Tensor | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """Add the gradients of this tensor to the ``grad`` of the leaves (see `autograd.backward`)."""
    api.backward([self], [gradient], retain_graph, create_graph, inputs)


def _new(function: Method) -> Method:
    function = spelled(function)

    def method(
        self: Tensor, *args: Any, dtype: Any = None, device: Any = None, **options: Any
    ) -> Tensor:
        dtype = self.dtype if dtype is None else dtype
        return function(
            *args, dtype=dtype, device=self.device if device is None else device, **options
        )

    method.__doc__ = f"`{function.__name__}` with this tensor's dtype and device."
    return method


def _copied(self: Tensor, memo: dict[int, Any]) -> Tensor:
    """copy.deepcopy: a leaf of its own."""
    if not self.is_leaf:
        raise GradError("deepcopy: only leaves can be copied; use .detach().clone()")
    if id(self) not in memo:
        twin = self.detach().clone()
        out = self.__class__._rebuild(twin, self.requires_grad)
        memo[id(self)] = out
        if self._grad is not None:
            out._grad = self._grad.detach().clone()
    return memo[id(self)]


def _rebuild(cls: type, data: Tensor, requires_grad: bool) -> Tensor:
    return data.requires_grad_(requires_grad)


def _reduced(self: Tensor) -> Any:
    """pickle: the numbers and whether a gradient is wanted; the device is not kept."""
    array = convert.numpy(self, force=True)
    return _unpickle, (type(self), array, self.requires_grad, self._names)


def _unpickle(kind: type[Tensor], array: Any, requires_grad: bool, names: Any = None) -> Tensor:
    out = kind._rebuild(creation.from_numpy(array), requires_grad)
    return out if names is None else named.set_names(out, names)


def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """The tensor itself, which is dense, or converted to a dtype."""
    return self if dtype is None else convert.to(self, dtype=dtype)


def _functional() -> Any:
    from .nn import functional

    return functional


OTHERS: dict[str, Any] = {
    "__array__": convert.to_array,
    "__array_namespace__": _namespace,
    "__array_ufunc__": convert.array_ufunc,
    "__bool__": convert.to_bool,
    "__complex__": convert.to_complex,
    "__contains__": _contains,
    "__deepcopy__": _copied,
    "__dlpack__": convert.dlpack,
    "__dlpack_device__": convert.dlpack_device,
    "__float__": convert.to_float,
    "__format__": printing.tensor_format,
    "__getitem__": index.getitem,
    "__index__": convert.to_index,
    "__int__": convert.to_int,
    "__iter__": _iterate,
    "__len__": _length,
    "__reduce__": _reduced,
    "__repr__": printing.tensor_repr,
    "__setitem__": index.setitem,
    "_rebuild": classmethod(_rebuild),
    "backward": _backward,
    "contiguous": contiguous,
    "data_ptr": strided.address_of,
    "dim": lambda self: self.ndim,
    "element_size": lambda self: self._data.dtype.itemsize,
    "get_device": lambda self: -1 if self.device.index is None else self.device.index,
    "is_complex": lambda self: self._data.dtype.kind == "c",
    "is_contiguous": is_contiguous,
    "is_floating_point": lambda self: dtypes.is_floating(self._data.dtype),
    "is_signed": lambda self: self.dtype.is_signed,
    "ndimension": lambda self: self.ndim,
    "nelement": lambda self: self._data.size,
    "new_empty": _new(creation.empty),
    "new_full": _new(creation.full),
    "new_ones": _new(creation.ones),
    "new_tensor": _new(creation.tensor),
    "new_zeros": _new(creation.zeros),
    "numel": lambda self: self._data.size,
    "hardshrink": lambda self, lambd=0.5: _functional().hardshrink(self, lambd),
    "polygamma": lambda self, n: special.polygamma(n, self),
    "new_empty_strided": _new(made.empty_strided),
    "prelu": lambda self, weight: _functional().prelu(self, weight),
    "register_hook": register_hook,
    "register_post_accumulate_grad_hook": register_post_accumulate_grad_hook,
    "retain_grad": retain_grad,
    "stride": stride,
    "view": view,
    "to_dense": to_dense,
    "where": lambda self, condition, other: pointwise.where(condition, self, other),
}


def _conjugate_transpose(self: Tensor) -> Tensor:
    """The conjugate transpose of a matrix, as a property; a 0-d tensor conjugated."""
    if self.ndim not in (0, 2):
        raise ShapeError(f"H: wanted a matrix, got shape {tuple(self.shape)}; use .mH for batches")
    return linalg.adjoint(self) if self.ndim else pointwise.conj(self)


PROPERTIES: dict[str, Method] = {
    "H": _conjugate_transpose,
    "T": lambda self: shape.permute(self, *reversed(range(self.ndim))),
    "__cuda_array_interface__": convert.cuda_array_interface,
    "imag": pointwise.imag,
    "is_cuda": lambda self: self.device.type == "cuda",
    "is_cpu": lambda self: self.device.type == "cpu",
    "layout": lambda self: layouts.strided,
    "mH": lambda self: linalg.adjoint(self),
    "mT": lambda self: shape.transpose(self, -2, -1),
    "real": lambda self: pointwise.real(self) if self._data.dtype.kind == "c" else self,
    "retains_grad": lambda self: self._retained is not None and not self.is_leaf,
    "size": _size,
}


# Kinds of tensors that torch has and that are none here.
ABSENT = (
    "is_ipu is_maia is_meta is_mkldnn is_mps is_mtia is_nested is_quantized is_sparse "
    "is_sparse_csr is_vulkan is_xla is_xpu"
)


def bind() -> None:
    """Give `Tensor` its methods; called once, when the package is imported."""
    for module, names in METHODS.items():
        for name in names.split():
            setattr(Tensor, name, spelled(getattr(module, name)))
    for name, method in {**convert.CONVERTERS, **OTHERS}.items():
        setattr(Tensor, name, method)
    for name, getter in PROPERTIES.items():
        setattr(Tensor, name, property(getter))
    for name in ABSENT.split():
        setattr(Tensor, name, False)
    _bind_operators()
    for name in IN_PLACE.split():
        setattr(Tensor, f"{name}_", inplace.inplace(f"{name}_", getattr(Tensor, name)))
    for name, (step, operand) in pointwise.LAST_STEPS.items():
        whole = getattr(Tensor, name)
        setattr(Tensor, f"{name}_", inplace.ending_in(step, f"{name}_", operand, whole))
        if name in OPERATORS:
            setattr(Tensor, f"__i{name}__", inplace.ending_in(step, f"{name}_", operand, whole))
