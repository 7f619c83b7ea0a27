"""Transforms of a batch that mix its samples: MixUp, CutMix, copy and paste."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError

from .. import tv_tensors
from .dispatch import functional, tensor_kernel
from .draws import dirichlet
from .kinds import is_array, is_image, is_pil, via_dlpack
from .queries import query_chw
from .samples import LabelsGetter, labels_getter
from .transform import RandomTransform

__all__ = ["CutMix", "MixUp"]

_UNMIXABLE = (tv_tensors.BoundingBoxes, tv_tensors.Mask, tv_tensors.KeyPoints)


class _Mixing(RandomTransform):
    """Each sample of a batch mixed with the one before it, and so are their labels.

    Args:
        alpha: of the beta distribution that the share of the sample itself is from.
        num_classes: for labels that are class numbers.
        labels_getter: see `labels_getter`.
        generator: of the draws.
        per_sample: a share of its own for each sample, instead of one for the batch.
    """

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        num_classes: int | None = None,
        labels_getter: LabelsGetter = "default",
        generator: tp.Generator | None = None,
        per_sample: bool = False,
    ) -> None:
        super().__init__(generator=generator, per_sample=per_sample)
        if alpha <= 0:
            raise ValueError(f"{type(self).__name__}: alpha is above zero, got {alpha}")
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self.labels_getter = labels_getter
        self._labels: Any = None

    def selects(self, part: Any) -> bool:
        """Images, films, and the labels of the batch at hand."""
        return part is self._labels or is_image(part)

    def chosen(self, parts: list[Any]) -> list[bool]:
        """The images of the batch and its labels."""
        without = [None if part is self._labels else part for part in parts]
        images = super().chosen(without)
        return [image or part is self._labels for image, part in zip(images, parts, strict=True)]

    def check_inputs(self, flat_inputs: list[Any]) -> None:
        """Raise for what cannot be mixed."""
        for part in flat_inputs:
            if is_pil(part) or isinstance(part, _UNMIXABLE):
                raise DTypeError(
                    f"{type(self).__name__}: mixes batches of images (n, c, h, w) and films "
                    f"(n, t, c, h, w), got {type(part).__name__}"
                )

    def forward(self, *inputs: Any) -> Any:
        """The batch with mixed images and labels (n, classes)."""
        self._labels = labels_getter(self.labels_getter)(inputs if len(inputs) > 1 else inputs[0])
        self._check_labels(self._labels)
        try:
            return super().forward(*inputs)
        finally:
            self._labels = None

    def _check_labels(self, labels: Any) -> None:
        name = type(self).__name__
        if not is_array(labels):
            raise DTypeError(f"{name}: labels are a tensor, got {type(labels).__name__}")
        if labels.ndim not in (1, 2):
            raise ShapeError(
                f"{name}: labels are class numbers (n,) or shares (n, classes), got shape "
                f"{tuple(labels.shape)}"
            )
        if labels.ndim == 1 and self.num_classes is None:
            raise ValueError(f"{name}: class numbers need num_classes=")
        if labels.ndim == 2 and self.num_classes not in (None, labels.shape[1]):
            raise ShapeError(
                f"{name}: labels {tuple(labels.shape)} do not have {self.num_classes} classes"
            )

    def change(self, images: list[Any]) -> list[Any]:
        """All images by the same draws, and the labels by the shares that came out."""
        pictures = [image for image in images if image is not self._labels]
        for picture in pictures:
            self._check_batch(picture)
        count = self._labels.shape[0] if self.per_sample else 1
        draws = [self.make_params(pictures) for _ in range(count)]
        params = {name: [draw[name] for draw in draws] for name in draws[0]}
        return [self.transform(image, params) for image in images]

    def _check_batch(self, image: Any) -> None:
        axes = 5 if isinstance(image, tv_tensors.Video) else 4
        if image.ndim != axes or image.shape[0] != self._labels.shape[0]:
            raise ShapeError(
                f"{type(self).__name__}: wanted a batch of {axes} axes and as many samples as "
                f"labels, got {tuple(image.shape)} and {tuple(self._labels.shape)} labels"
            )

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """One batch of images, or the labels, mixed."""
        if inpt is not self._labels:
            return self.mixed(inpt, params)
        if isinstance(inpt, np.ndarray):  # its last axis is none of channels
            return self._mixed_labels(tp.from_numpy(inpt), params["lam"]).numpy()
        kernel = (
            self._mixed_labels if isinstance(inpt, tp.Tensor) else via_dlpack(self._mixed_labels)
        )
        return kernel(inpt, params["lam"])

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        """The images mixed, (n, ..., c, h, w)."""
        raise NotImplementedError(f"{type(self).__name__}.mixed is not written")

    def _mixed_labels(self, labels: tp.Tensor, shares: list[float]) -> tp.Tensor:
        if labels.ndim == 1:
            classes = self.num_classes or 0
            labels = tp.nn.functional.one_hot(labels.to(tp.int64), classes)
        soft = labels if labels.dtype.is_floating_point else labels.to(tp.float32)
        return tensor_kernel(_blended)(soft, shares)


@functional
def _blended(inpt: Any, shares: list[float]) -> Any:
    """Each sample with its share, the one before it with the rest; integers are cut off."""
    dtype = inpt.dtype if inpt.dtype.is_floating_point else tp.float32
    lam = tp.tensor(shares, dtype=dtype, device=inpt.device).reshape(-1, *[1] * (inpt.ndim - 1))
    return (inpt.roll(1, 0) * (1 - lam) + inpt * lam).to(inpt.dtype)


@functional
def _cut(inpt: Any, boxes: list[tuple[int, int, int, int]]) -> Any:
    """Each sample with a rectangle (left, top, right, bottom) of the one before it."""
    out = inpt.clone()
    for i in range(len(inpt)):
        left, top, right, bottom = boxes[i % len(boxes)]
        out[i, ..., top:bottom, left:right] = inpt[i - 1, ..., top:bottom, left:right]
    return out


class MixUp(_Mixing):
    """Each image of a batch blended with the one before it, and so are their labels.

    Args:
        alpha: of the beta distribution that the share of the image itself is from: far below 1
            nearly pure images, 1 all shares alike.
        num_classes: needed for labels that are class numbers (n,).
        labels_getter: finds the labels: "default", or a function of the batch.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: a share of its own for each image, instead of one for the batch.

    Raises:
        ShapeError: images (n, c, h, w) and labels (n,) or (n, classes) do not fit.
        DTypeError: PIL images, boxes, masks, keypoints, or labels that are no tensor.
        ValueError: alpha is not above zero; or class numbers without num_classes.

    Example:
        >>> images, labels = MixUp(num_classes=3)(tp.zeros(2, 3, 4, 4), tp.tensor([0, 2]))
        >>> images.shape, labels.shape
        (Size([2, 3, 4, 4]), Size([2, 3]))

    Source: Zhang et al. 2018, "mixup: Beyond empirical risk minimization", eq. 1 and 2.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The share of the image itself."""
        return {"lam": dirichlet(self.alpha, 2, self.generator)[0]}

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        """The images blended."""
        return _blended(images, params["lam"])


class CutMix(_Mixing):
    """A rectangle of each image of a batch taken from the one before it; labels mixed by area.

    Args:
        alpha: of the beta distribution that the share of the image itself is from: far below 1
            nearly pure images, 1 all shares alike.
        num_classes: needed for labels that are class numbers (n,).
        labels_getter: finds the labels: "default", or a function of the batch.
        generator: of the draws; default the one that `triptych.manual_seed` seeds.
        per_sample: a rectangle of its own for each image, instead of one for the batch.

    Raises:
        ShapeError: images (n, c, h, w) and labels (n,) or (n, classes) do not fit.
        DTypeError: PIL images, boxes, masks, keypoints, or labels that are no tensor.
        ValueError: alpha is not above zero; or class numbers without num_classes.

    Source: Yun et al. 2019, "CutMix: Regularization strategy to train strong classifiers with
    localizable features", section 3.1.
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """The rectangle (left, top, right, bottom), and the share of the image around it."""
        _, height, width = query_chw(flat_inputs)
        half = 0.5 * math.sqrt(1 - dirichlet(self.alpha, 2, self.generator)[0])
        x, y = self.integer(0, width - 1), self.integer(0, height - 1)
        half_w, half_h = int(half * width), int(half * height)
        left, top = max(x - half_w, 0), max(y - half_h, 0)
        right, bottom = min(x + half_w, width), min(y + half_h, height)
        share = 1 - (right - left) * (bottom - top) / (width * height)
        return {"box": (left, top, right, bottom), "lam": share}

    def mixed(self, images: Any, params: dict[str, Any]) -> Any:
        """The images with rectangles of their neighbours."""
        return _cut(images, params["box"])
