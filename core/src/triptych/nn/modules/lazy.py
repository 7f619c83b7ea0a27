"""Layers that learn the length of their input from the first one they see."""

from __future__ import annotations

from typing import Any, ClassVar

from ... import dtypes
from ...autograd.modes import no_grad
from ...errors import ShapeError
from ...ops.creation import tensor
from ...tensor import Tensor
from ..module import Module
from ..parameter import UninitializedBuffer, UninitializedParameter, is_lazy
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from .linear import Linear
from .normalization import (
    BatchNorm1d,
    BatchNorm2d,
    BatchNorm3d,
    InstanceNorm1d,
    InstanceNorm2d,
    InstanceNorm3d,
)

__all__ = [
    "LazyBatchNorm1d",
    "LazyBatchNorm2d",
    "LazyBatchNorm3d",
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
    "LazyInstanceNorm1d",
    "LazyInstanceNorm2d",
    "LazyInstanceNorm3d",
    "LazyLinear",
]


class LazyModuleMixin(Module):
    """Makes a layer lazy: its parameters get their shapes from the first input, or from a state
    dict.

    A subclass names the class it turns into in `cls_to_become` and defines
    ``initialize_parameters(*args, **kwargs)``, which is called with the first input.
    """

    cls_to_become: ClassVar[type[Module] | None] = None
    _ran = False  # whether the first input was seen, in a class that turns into no other

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._ran:
            return super().__call__(*args, **kwargs)
        self.initialize_parameters(*args, **kwargs)
        if self.has_uninitialized_params():
            raise ShapeError(
                f"{type(self).__name__}: initialize_parameters left some without a shape; call "
                "materialize(shape) on each"
            )
        if self.cls_to_become is None:
            self._ran = True
        else:
            self.__class__ = self.cls_to_become  # type: ignore[assignment]
        return self(*args, **kwargs)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give the parameters the shapes that fit the first input."""
        raise NotImplementedError(f"{type(self).__name__} does not define initialize_parameters()")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still waits for its shape."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def _materialize(self, **shapes: tuple[int, ...]) -> None:
        """Give shapes, and starting values, to what a state dict has not filled already."""
        waiting = dict(self._own_lazy())
        for name, own in waiting.items():
            own.materialize(shapes[name])
        if waiting:
            self.reset_parameters()

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        with no_grad():
            for name, own in (*self._parameters.items(), *self._buffers.items()):
                given = state_dict.get(prefix + name)
                if is_lazy(given) and not is_lazy(own):
                    raise ShapeError(
                        f"load_state_dict: {prefix + name} has no shape yet, the module's has; "
                        "save the module after its first run"
                    )
                if is_lazy(own) and given is not None and not is_lazy(given):
                    own.materialize(given.shape)  # type: ignore[union-attr]
        waiting = {prefix + n for n, t in self._own_lazy()}
        given = {k: v for k, v in state_dict.items() if k not in waiting or not is_lazy(v)}
        super()._load_from_state_dict(given, prefix, *rest)
        missing = rest[2]
        missing[:] = [key for key in missing if key not in waiting or key not in state_dict]

    def _own_lazy(self) -> list[tuple[str, Any]]:
        pairs = (*self._parameters.items(), *self._buffers.items())
        return [(name, t) for name, t in pairs if is_lazy(t)]


def _blank(device: Any, dtype: Any) -> UninitializedParameter:
    return UninitializedParameter(device=device, dtype=dtype)


class LazyLinear(LazyModuleMixin, Linear):
    """`Linear` whose in_features is the length of the last dim of the first input.

    Args:
        out_features, bias, device, dtype: as for `Linear`.

    Example:
        >>> layer = LazyLinear(3)
        >>> layer(triptych.zeros(2, 5)).shape, layer
        (Size([2, 3]), Linear(in_features=5, out_features=3, bias=True))
    """

    cls_to_become = Linear

    def __init__(
        self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(0, 0, False)
        self.out_features = out_features
        self.weight = _blank(device, dtype)
        self.bias = _blank(device, dtype) if bias else None

    def reset_parameters(self) -> None:
        """Draw starting values, once there are parameters to hold them."""
        if not self.has_uninitialized_params() and self.in_features:
            super().reset_parameters()

    def initialize_parameters(self, input: Tensor) -> None:
        self.in_features = input.shape[-1]
        shape = (self.out_features, self.in_features)
        self._materialize(weight=shape, bias=shape[:1])


class _LazyConvNd(LazyModuleMixin):
    """What lazy convolutions share: in_channels is the length of the input's channel axis."""

    def _postpone(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = _blank(device, dtype)
        self.bias = _blank(device, dtype) if bias else None

    def reset_parameters(self) -> None:
        """Draw starting values, once there are parameters to hold them."""
        if not self.has_uninitialized_params() and self.in_channels:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        ndim: int = self._ndim
        if input.ndim not in (ndim + 1, ndim + 2):
            raise ShapeError(
                f"{type(self).__name__}: wanted {ndim + 1} or {ndim + 2} dims, got input "
                f"{tuple(input.shape)}"
            )
        groups: int = self.groups
        self.in_channels = input.shape[-ndim - 1]
        if self.in_channels % groups:
            raise ShapeError(
                f"{type(self).__name__}: {self.in_channels} input channels cannot be split into "
                f"{groups} groups"
            )
        pair = (self.out_channels, self.in_channels)
        first, second = pair[::-1] if self._transposed else pair
        shape = (first, second // groups, *self.kernel_size)
        self._materialize(weight=shape, bias=(self.out_channels,))


class _LazyConv(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, dilation, groups, False, padding_mode)
        super().__init__(0, 0, *settings)  # type: ignore[call-arg]
        self._postpone(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConv, Conv1d):  # type: ignore[misc]
    """`Conv1d` that takes in_channels from the first input; its other arguments stay."""

    cls_to_become = Conv1d


class LazyConv2d(_LazyConv, Conv2d):  # type: ignore[misc]
    """`Conv2d` that takes in_channels from the first input; its other arguments stay.

    Example:
        >>> LazyConv2d(8, 3)(triptych.zeros(1, 3, 6, 6)).shape
        Size([1, 8, 4, 4])
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConv, Conv3d):  # type: ignore[misc]
    """`Conv3d` that takes in_channels from the first input; its other arguments stay."""

    cls_to_become = Conv3d


class _LazyConvTranspose(_LazyConvNd):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        settings = (kernel_size, stride, padding, output_padding, groups, False, dilation)
        super().__init__(0, 0, *settings, padding_mode)  # type: ignore[call-arg]
        self._postpone(out_channels, bias, device, dtype)


class LazyConvTranspose1d(_LazyConvTranspose, ConvTranspose1d):  # type: ignore[misc]
    """`ConvTranspose1d` that takes in_channels from the first input."""

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTranspose, ConvTranspose2d):  # type: ignore[misc]
    """`ConvTranspose2d` that takes in_channels from the first input."""

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTranspose, ConvTranspose3d):  # type: ignore[misc]
    """`ConvTranspose3d` that takes in_channels from the first input."""

    cls_to_become = ConvTranspose3d


class _LazyNorm(LazyModuleMixin):
    """What lazy batch and instance norm share: num_features is the number of channels."""

    _defaults: ClassVar[tuple[bool, bool]] = (True, True)

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool | None = None,
        track_running_stats: bool | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        given = zip((affine, track_running_stats), self._defaults, strict=True)
        affine, track = (default if value is None else value for value, default in given)
        super().__init__(0, eps, momentum, False, False)  # type: ignore[call-arg]
        self.affine, self.track_running_stats = affine, track
        if affine:
            self.weight, self.bias = _blank(device, dtype), _blank(device, dtype)
        if track:
            self.running_mean = UninitializedBuffer(device=device, dtype=dtype)
            self.running_var = UninitializedBuffer(device=device, dtype=dtype)
            self.num_batches_tracked = tensor(0, dtype=dtypes.int64, device=device)

    def reset_running_stats(self) -> None:
        """Forget what was seen, once there is room for it."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_running_stats()  # type: ignore[misc]

    def reset_parameters(self) -> None:
        """Scale 1 and shift 0, once they are there."""
        if not self.has_uninitialized_params() and self.num_features:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor) -> None:
        self._check_input_dim(input)
        unbatched = not self._defaults[0] and input.ndim == self._input_dims[0]
        self.num_features = input.shape[0 if unbatched else 1]
        self._materialize(**dict.fromkeys(dict(self._own_lazy()), (self.num_features,)))


class LazyBatchNorm1d(_LazyNorm, BatchNorm1d):  # type: ignore[misc]
    """`BatchNorm1d` that takes num_features from the first input."""

    cls_to_become = BatchNorm1d


class LazyBatchNorm2d(_LazyNorm, BatchNorm2d):  # type: ignore[misc]
    """`BatchNorm2d` that takes num_features from the first input.

    Args:
        eps, momentum, affine, track_running_stats, device, dtype: as for `BatchNorm2d`.
    """

    cls_to_become = BatchNorm2d


class LazyBatchNorm3d(_LazyNorm, BatchNorm3d):  # type: ignore[misc]
    """`BatchNorm3d` that takes num_features from the first input."""

    cls_to_become = BatchNorm3d


class LazyInstanceNorm1d(_LazyNorm, InstanceNorm1d):  # type: ignore[misc]
    """`InstanceNorm1d` that takes num_features from the first input."""

    cls_to_become, _defaults = InstanceNorm1d, (False, False)


class LazyInstanceNorm2d(_LazyNorm, InstanceNorm2d):  # type: ignore[misc]
    """`InstanceNorm2d` that takes num_features from the first input."""

    cls_to_become, _defaults = InstanceNorm2d, (False, False)


class LazyInstanceNorm3d(_LazyNorm, InstanceNorm3d):  # type: ignore[misc]
    """`InstanceNorm3d` that takes num_features from the first input."""

    cls_to_become, _defaults = InstanceNorm3d, (False, False)
