"""Normalisation: over the batch, a sample, groups of channels, or the last dims."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ... import dtypes
from ...errors import ShapeError, UnknownNameError
from ...ops.creation import empty, ones, tensor, zeros
from ...tensor import Tensor
from .. import functional as F
from .. import init
from ..module import Module
from ..parameter import Parameter

__all__ = [
    "BatchNorm1d",
    "BatchNorm2d",
    "BatchNorm3d",
    "GroupNorm",
    "InstanceNorm1d",
    "InstanceNorm2d",
    "InstanceNorm3d",
    "LayerNorm",
    "LocalResponseNorm",
    "RMSNorm",
    "SyncBatchNorm",
]


class _RunningNorm(Module):
    """Per-channel parameters and running statistics, shared by batch and instance norm."""

    _version = 2  # 2 added num_batches_tracked
    _input_dims: tuple[int, ...]
    weight: Parameter | None
    bias: Parameter | None
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor | None

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name in ("weight", "bias"):
            param = Parameter(empty(num_features, device=device, dtype=dtype)) if affine else None
            self.register_parameter(name, param)
        track = track_running_stats
        mean = zeros(num_features, device=device, dtype=dtype) if track else None
        var = ones(num_features, device=device, dtype=dtype) if track else None
        count = tensor(0, device=device, dtype=dtypes.int64) if track else None
        self.register_buffer("running_mean", mean)
        self.register_buffer("running_var", var)
        self.register_buffer("num_batches_tracked", count)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget what was seen: mean 0, variance 1."""
        if self.track_running_stats:
            self.running_mean.zero_()  # type: ignore[union-attr]
            self.running_var.fill_(1)  # type: ignore[union-attr]
            self.num_batches_tracked.zero_()  # type: ignore[union-attr]

    def reset_parameters(self) -> None:
        """Scale 1, shift 0, and no statistics."""
        self.reset_running_stats()
        if self.affine:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], *rest: Any
    ) -> None:
        key = f"{prefix}num_batches_tracked"
        version = local_metadata.get("version")
        if (version is None or version < 2) and self.track_running_stats and key not in state_dict:
            state_dict[key] = self.num_batches_tracked
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    def extra_repr(self) -> str:
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
            f"track_running_stats={self.track_running_stats}"
        )

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim not in self._input_dims:
            wanted = " or ".join(map(str, self._input_dims))
            raise ShapeError(
                f"{type(self).__name__}: wanted {wanted} dims, got shape {tuple(input.shape)}"
            )


class _BatchNorm(_RunningNorm):
    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        update = self.training and self.track_running_stats
        counted = self.num_batches_tracked if update else None
        factor = 0.0 if self.momentum is None else self.momentum
        if counted is not None and self.momentum is None:  # the average of all batches so far
            factor = 1 / (float(counted) + 1)
        use_batch = self.training or self.running_mean is None
        keep = not self.training or self.track_running_stats
        out = F.batch_norm(
            input,
            self.running_mean if keep else None,
            self.running_var if keep else None,
            self.weight,
            self.bias,
            use_batch,
            factor,
            self.eps,
        )
        if counted is not None:  # only a batch that went through
            counted.add_(1)
        return out


class BatchNorm1d(_BatchNorm):
    """Batch normalisation of (n, c) or (n, c, t); as `BatchNorm2d`."""

    _input_dims = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalise each channel of (n, c, h, w) over the batch and the image, then scale and shift.

    In training the batch's own mean and (biased) variance are used, and running averages of them
    kept; in evaluation the running averages are used.

    Args:
        num_features: c.
        eps: added to the variance.
        momentum: weight of the newest batch in the running averages; None takes the plain average
            of all batches.
        affine: learn a scale and a shift per channel.
        track_running_stats: keep running averages; False always uses the batch's own.
        device, dtype: of parameters and averages.

    Attributes:
        weight, bias: (c,), 1 and 0 at first.
        running_mean, running_var: (c,) buffers, 0 and 1 at first; the variance is the unbiased one.
        num_batches_tracked: () int64, how many batches went into the averages.

    Example:
        >>> BatchNorm2d(3)(triptych.randn(4, 3, 8, 8)).shape
        Size([4, 3, 8, 8])

    Source: Ioffe and Szegedy 2015, algorithm 1.
    """

    _input_dims = (4,)


class BatchNorm3d(_BatchNorm):
    """Batch normalisation of (n, c, d, h, w); as `BatchNorm2d`."""

    _input_dims = (5,)


class SyncBatchNorm(_BatchNorm):
    """Batch normalisation of (n, c, ...) with any number of space axes, over the batch of this
    process.

    Args:
        num_features, eps, momentum, affine, track_running_stats, device, dtype: as for
            `BatchNorm2d`.
        process_group: None; statistics are not shared between processes.

    Raises:
        UnknownNameError: a process group is given.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        process_group: Any = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)
        if process_group is not None:
            raise UnknownNameError(
                f"SyncBatchNorm: process_group is None in a single process, got {process_group!r}"
            )
        self.process_group = None

    def _check_input_dim(self, input: Tensor) -> None:
        if input.ndim < 2:
            raise ShapeError(
                f"SyncBatchNorm: wanted at least 2 dims, got shape {tuple(input.shape)}"
            )

    @classmethod
    def convert_sync_batchnorm(cls, module: Module, process_group: Any = None) -> Module:
        """A module with every batch norm in it replaced by this class; parameters and statistics
        are shared with the old ones.

        Args:
            module: changed in place, and returned unless it is a batch norm itself.
            process_group: None.
        """
        out = module
        if isinstance(module, _BatchNorm) and not isinstance(module, cls):
            settings = (module.num_features, module.eps, module.momentum)
            out = cls(*settings, module.affine, module.track_running_stats, process_group)
            out._parameters.update(module._parameters)
            out._buffers.update(module._buffers)
            out.training = module.training
        for name, child in module.named_children():
            out.add_module(name, cls.convert_sync_batchnorm(child, process_group))
        return out


class _InstanceNorm(_RunningNorm):
    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(num_features, eps, momentum, affine, track_running_stats, device, dtype)

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        batched = input.ndim == self._input_dims[1]
        channels = input.shape[1 if batched else 0]
        if channels != self.num_features and self.affine:
            raise ShapeError(
                f"{type(self).__name__}: wanted {self.num_features} channels, got {channels} "
                f"(input is {tuple(input.shape)})"
            )
        out = F.instance_norm(
            input if batched else input.unsqueeze(0),
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training or not self.track_running_stats,
            0.0 if self.momentum is None else self.momentum,
            self.eps,
        )
        return out if batched else out.squeeze(0)


class InstanceNorm1d(_InstanceNorm):
    """Instance normalisation of (n, c, t) or (c, t); as `InstanceNorm2d`."""

    _input_dims = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image of (n, c, h, w) or (c, h, w) by its own mean and
    variance.

    Args:
        num_features: c.
        eps: added to the variance.
        momentum: weight of the newest batch in the running averages.
        affine: learn a scale and a shift per channel.
        track_running_stats: keep running averages and use them in evaluation.
        device, dtype: of parameters and averages.

    Source: Ulyanov et al. 2016, eq. 7.
    """

    _input_dims = (3, 4)


class InstanceNorm3d(_InstanceNorm):
    """Instance normalisation of (n, c, d, h, w) or (c, d, h, w); as `InstanceNorm2d`."""

    _input_dims = (4, 5)


class LayerNorm(Module):
    """Normalise the last dims to mean 0 and variance 1, then scale and shift.

    Args:
        normalized_shape: lengths of the last dims, or one int.
        eps: added to the variance.
        elementwise_affine: learn a scale per element.
        bias: learn a shift per element as well.
        device, dtype: of the parameters.

    Attributes:
        weight, bias: of shape normalized_shape, 1 and 0 at first.

    Example:
        >>> LayerNorm(16)(triptych.randn(2, 5, 16)).shape
        Size([2, 5, 16])

    Source: Ba et al. 2016, eq. 4.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, wanted in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            param = (
                Parameter(empty(*self.normalized_shape, device=device, dtype=dtype))
                if wanted
                else None
            )
            self.register_parameter(name, param)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class RMSNorm(Module):
    """Divide the last dims by their root mean square, then scale.

    Args:
        normalized_shape: lengths of the last dims, or one int.
        eps: added to the mean square; default the machine epsilon of the input's dtype.
        elementwise_affine: learn a scale per element.
        device, dtype: of the parameter.

    Attributes:
        weight: of shape normalized_shape, 1 at first.

    Source: Zhang and Sennrich 2019, eq. 4.
    """

    weight: Parameter | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.normalized_shape = _shape(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        weight = (
            empty(*self.normalized_shape, device=device, dtype=dtype)
            if elementwise_affine
            else None
        )
        self.register_parameter("weight", None if weight is None else Parameter(weight))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """Split the channels of (n, c, ...) into groups and normalise each group of each sample.

    Args:
        num_groups: how many groups.
        num_channels: c, a multiple of num_groups.
        eps: added to the variance.
        affine: learn a scale and a shift per channel.
        device, dtype: of the parameters.

    Attributes:
        weight, bias: (c,), 1 and 0 at first.

    Raises:
        ShapeError: c is no multiple of num_groups.

    Source: Wu and He 2018, eq. 7.
    """

    weight: Parameter | None
    bias: Parameter | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if num_channels % num_groups:
            raise ShapeError(
                f"GroupNorm: {num_channels} channels cannot be split into {num_groups} groups"
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        for name in ("weight", "bias"):
            param = Parameter(empty(num_channels, device=device, dtype=dtype)) if affine else None
            self.register_parameter(name, param)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Scale 1, shift 0."""
        if self.affine:
            init.ones_(self.weight)
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"


class LocalResponseNorm(Module):
    """Divide each channel by a power of the mean square of its neighbours.

    Args:
        size: how many neighbouring channels.
        alpha, beta, k: the divisor is (k + alpha · mean square)^beta.

    Source: Krizhevsky et al. 2012, section 3.3.
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def _shape(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    return (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
