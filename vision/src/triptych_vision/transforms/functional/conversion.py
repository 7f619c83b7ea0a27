"""From one kind of image or dtype to another, and normalising."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

import triptych as tp
from triptych.errors import DTypeError, ShapeError
from triptych.library import accelerated

from ... import tv_tensors
from ...tv_tensors.base import plain
from ..dispatch import functional, kind_kernel, register_kernel
from ..kinds import PIL_IMAGE, is_array, is_pil
from .lookup import array_of, largest, on_bytes

__all__ = [
    "convert_image_dtype",
    "normalize",
    "normalized_bytes",
    "pil_to_tensor",
    "scale_and_normalize",
    "to_dtype",
    "to_image",
    "to_pil_image",
    "to_pure_tensor",
    "to_tensor",
]


def pil_to_tensor(pic: Any) -> tp.Tensor:
    """A PIL image as a tensor of its own values.

    Args:
        pic: a PIL image.

    Returns:
        (c, h, w), a copy: uint8 for most modes, bool for "1", float32 for "F", int32 for "I".

    Raises:
        DTypeError: not a PIL image.
    """
    if not is_pil(pic):
        raise DTypeError(f"pil_to_tensor: wanted a PIL image, got {type(pic).__name__}")
    return tp.from_numpy(_pil_chw(pic))


def _pil_chw(pic: Any) -> np.ndarray:
    """The values of a PIL image as a new (c, h, w)."""
    if pic.mode not in ("RGB", "RGBA"):
        return _copied_chw(np.asarray(pic))
    planes = _planes_in_place(pic)
    if planes is not None:
        return planes
    joined = bytearray().join(band.tobytes() for band in pic.split())  # Pillow parts bands faster
    return np.frombuffer(joined, np.uint8).reshape(-1, pic.height, pic.width)


def _planes_in_place(pic: Any) -> np.ndarray | None:
    """(c, h, w) straight from Pillow's memory, or None where it does not show that.

    Pillow shows its memory from release 11.3 on, but not that of images above 16 MB.
    """
    if not _FAST or not hasattr(pic, "__arrow_c_array__") or not pic.width * pic.height:
        return None
    from PIL import Image

    if Image.core.get_alignment() != 1:  # type: ignore[attr-defined]  # rows are padded
        return None
    planes = np.empty((len(pic.getbands()), pic.height, pic.width), np.uint8)
    try:
        _, memory = pic.__arrow_c_array__()
    except ValueError:  # it lies in several pieces
        return None
    return _filled_planes(planes, memory)


@accelerated("planes_of_arrow")
def _filled_planes(planes: np.ndarray, memory: Any) -> np.ndarray | None:
    """planes (c, h, w), filled with pixels of four bytes, an Arrow array of lists."""
    return None


_FAST = hasattr(_filled_planes, "fast")


def _copied_chw(array: np.ndarray) -> np.ndarray:
    """(h, w) or (h, w, c) as a new (c, h, w)."""
    return np.array(array[None]) if array.ndim == 2 else _planes(array)


@accelerated("planes_of_pixels")
def _planes(pixels: np.ndarray) -> np.ndarray:
    """(..., h, w, c) as a new (..., c, h, w)."""
    return np.array(np.moveaxis(pixels, -1, -3), order="C", copy=True)


def to_image(inpt: Any) -> tv_tensors.Image:
    """An image of any kind as an `Image` (..., c, h, w) of its own values.

    Args:
        inpt: a PIL image, NumPy array (h, w) or (..., h, w, c), tensor or other DLPack array.

    Returns:
        A tensor that says that it is an image; one of two axes gets one channel. PIL images and
        NumPy arrays are copied, other memory is shared.

    Raises:
        DTypeError: no image.
    """
    if is_pil(inpt):
        return tv_tensors.Image(pil_to_tensor(inpt))
    if isinstance(inpt, np.ndarray):
        return tv_tensors.Image(tp.from_numpy(_copied_chw(inpt)))
    if not is_array(inpt):
        raise DTypeError(
            f"to_image: wanted a PIL image, NumPy array or tensor, got {type(inpt).__name__}"
        )
    return tv_tensors.Image(inpt if isinstance(inpt, tp.Tensor) else tp.from_dlpack(inpt))


def to_pure_tensor(inpt: Any) -> Any:
    """A tensor without its kind, metadata dropped; memory and history are shared.

    Args:
        inpt: one of `tv_tensors`; anything else comes back as it is.

    Returns:
        A plain tensor.

    Example:
        >>> type(to_pure_tensor(tv_tensors.Mask([[1]]))).__name__
        'Tensor'
    """
    return plain(inpt) if isinstance(inpt, tv_tensors.TVTensor) else inpt


def to_tensor(pic: Any) -> tp.Tensor:
    """A PIL image or NumPy array as a float tensor with values from 0 to 1.

    Args:
        pic: a PIL image, or a NumPy array (h, w) or (h, w, c).

    Returns:
        (c, h, w): 8-bit values divided by 255 in the default float type; others as they are.

    Raises:
        DTypeError: something else; for a tensor use `to_dtype`.
        ShapeError: an array of another number of axes.
    """
    if is_pil(pic):
        array = np.asarray(pic.convert("L") if pic.mode == "1" else pic)
    elif isinstance(pic, np.ndarray):
        array = pic
    else:
        raise DTypeError(
            f"to_tensor: wanted a PIL image or a NumPy array, got {type(pic).__name__}; "
            "a tensor is scaled by to_dtype(x, triptych.float32, scale=True)"
        )
    if array.ndim not in (2, 3):
        raise ShapeError(f"to_tensor: wanted (h, w) or (h, w, c), got shape {array.shape}")
    x = tp.from_numpy(_copied_chw(array))
    return x.to(tp.get_default_dtype()) / 255 if x.dtype is tp.uint8 else x


@functional
def to_dtype(inpt: Any, dtype: tp.dtype = tp.float32, scale: bool = False) -> Any:
    """Values in another dtype.

    Args:
        inpt: a tensor or array; a PIL image has no dtype to change. Masks, boxes and keypoints
            are never scaled.
        dtype: the new one.
        scale: keep the meaning: integers run from 0 to their largest value, floats from 0 to 1.

    Returns:
        The image, same kind.

    Raises:
        DTypeError: a float too coarse to hold the integers that scaling asks for.

    Example:
        >>> to_dtype(tp.tensor([[0, 255]], dtype=tp.uint8), tp.float32, scale=True).tolist()
        [[0.0, 1.0]]
    """
    if inpt.dtype is dtype:
        return inpt
    if not scale:
        return inpt.to(dtype)
    return _RESCALE[inpt.dtype.is_floating_point, dtype.is_floating_point](inpt, dtype)


def _integers_to_floats(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    if on_bytes(x) and dtype is tp.float32:  # in one pass
        return tp.from_numpy(np.multiply(x.numpy(), np.float32(1 / 255)))
    return x.to(dtype) * (1.0 / largest(x.dtype))


def _floats_to_integers(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    if dtype.itemsize >= 4 and x.dtype.itemsize <= dtype.itemsize:
        raise DTypeError(
            f"to_dtype: {x.dtype} cannot hold the largest {dtype}, so scaling would overflow; "
            f"convert to a wider float or a narrower integer"
        )
    # Equal shares of [0, 1] for each integer; 1.0 itself must not reach the next one.
    return (x * (largest(dtype) + 1.0 - 1e-3)).to(dtype)


def _integers_to_integers(x: tp.Tensor, dtype: tp.dtype) -> tp.Tensor:
    bits = [largest(d).bit_length() for d in (x.dtype, dtype)]
    if bits[0] > bits[1]:
        return (x >> (bits[0] - bits[1])).to(dtype)
    return x.to(dtype) << (bits[1] - bits[0])


_RESCALE: dict[tuple[bool, bool], Callable[[tp.Tensor, tp.dtype], Any]] = {
    (False, True): _integers_to_floats,
    (True, False): _floats_to_integers,
    (False, False): _integers_to_integers,
    (True, True): lambda x, dtype: x.to(dtype),
}


@register_kernel(to_dtype, PIL_IMAGE)
def _to_dtype_pil(image: Any, dtype: tp.dtype = tp.float32, scale: bool = False) -> Any:
    return image


@kind_kernel(to_dtype, tv_tensors.Mask, tv_tensors.BoundingBoxes, tv_tensors.KeyPoints)
def _to_dtype_plain(inpt: tp.Tensor, dtype: tp.dtype = tp.float32) -> tp.Tensor:
    return inpt.to(dtype)


def convert_image_dtype(image: Any, dtype: tp.dtype = tp.float32) -> Any:
    """`to_dtype` with scale=True, the older name.

    Args:
        image: an image of any kind: PIL, (h, w, c) of NumPy, (..., c, h, w) of tensors.
        dtype: of the result; floats are from 0 to 1, integers from 0 to their largest value.

    Returns:
        The image in the dtype, values rescaled.
    """
    return to_dtype(image, dtype, scale=True)


@functional
def normalize(inpt: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """Subtract a mean and divide by a deviation, channel by channel.

    Args:
        inpt: (..., c, h, w) floats.
        mean: one per channel, or one for all.
        std: one per channel, or one for all; not zero.
        inplace: write into the tensor itself.

    Returns:
        (x - mean) / std, same kind and dtype.

    Raises:
        DTypeError: integers, or a PIL image; scale them to floats first.
        ShapeError: fewer than three axes, or another count of means or deviations.
        ValueError: a deviation is zero.
    """
    if not inpt.dtype.is_floating_point:
        raise DTypeError(
            f"normalize: wanted floats, got {inpt.dtype}; scale first with "
            "to_dtype(x, triptych.float32, scale=True)"
        )
    channels = inpt.shape[-3] if inpt.ndim >= 3 else 0
    if not {len(mean), len(std)} <= {1, channels} or not channels:
        raise ShapeError(
            f"normalize: wanted (..., c, h, w) and one mean and std per channel, got shape "
            f"{tuple(inpt.shape)}, {len(mean)} means and {len(std)} deviations"
        )
    center, width = _per_channel(tuple(mean), tuple(std), inpt.dtype)
    if inpt.device.type != "cpu":
        center, width = center.to(inpt.device), width.to(inpt.device)
    if inplace:
        return inpt.sub_(center).div_(width)
    return (inpt - center) / width


@lru_cache(maxsize=64)
def _per_channel(
    mean: tuple[float, ...], std: tuple[float, ...], dtype: tp.dtype
) -> tuple[tp.Tensor, tp.Tensor]:
    """Both as (c, 1, 1)."""
    center, width = tp.tensor(mean, dtype=dtype), tp.tensor(std, dtype=dtype)
    if (width == 0).any():
        raise ValueError(
            f"normalize: a std of zero in {std} (as {dtype}) leads to division by zero"
        )
    return center[:, None, None], width[:, None, None]


@functional
def scale_and_normalize(
    inpt: Any, mean: Sequence[float], std: Sequence[float], inplace: bool = False
) -> Any:
    """`to_dtype` to float32 with scale=True and then `normalize`; bytes in one pass.

    Args:
        inpt: (..., c, h, w) of any dtype.
        mean: one per channel, or one for all.
        std: one per channel, or one for all; not zero.
        inplace: write float32 into the tensor itself.

    Returns:
        (x - mean) / std in float32, same kind; x from 0 to 1.

    Raises:
        DTypeError, ShapeError, ValueError: as `normalize` does.
    """
    out = normalized_bytes(inpt, 1 / 255, 1.0, mean, std)
    return normalize(to_dtype(inpt, tp.float32, True), mean, std, inplace) if out is None else out


def normalized_bytes(
    x: tp.Tensor, scale: float, divisor: float, mean: Sequence[float], std: Sequence[float]
) -> tp.Tensor | None:
    """Bytes as normalised floats, in one pass over the memory of the CPU.

    Args:
        x: (..., c, h, w).
        scale: factor of the bytes.
        divisor: what the product is divided by; 1 / 255 times and by 255 round apart.
        mean: one per channel, or one for all.
        std: one per channel, or one for all.

    Returns:
        (x * scale / divisor - mean) / std in float32, each step rounded; None where there is no
        such pass.
    """
    array = array_of(x) if _FAST and on_bytes(x) and x.ndim >= 3 else None
    if array is None:
        return None
    out = _normalized_bytes(array, scale, divisor, tuple(mean), tuple(std))
    return None if out is None else tp.from_numpy(out)


@accelerated("normalize_bytes")
def _normalized_bytes(
    x: np.ndarray, scale: float, divisor: float, mean: tuple[float, ...], std: tuple[float, ...]
) -> np.ndarray | None:
    """See `normalized_bytes`."""
    return None


@register_kernel(scale_and_normalize, PIL_IMAGE)
@register_kernel(normalize, PIL_IMAGE)
def _normalize_pil(image: Any, *args: Any, **kwargs: Any) -> Any:
    raise DTypeError(
        "normalize: a PIL image holds no floats; first to_image(image), then "
        "to_dtype(x, triptych.float32, scale=True)"
    )


# dtype and number of channels -> mode of the PIL image
_PIL_MODES = {
    ("uint8", 1): "L",
    ("uint8", 2): "LA",
    ("uint8", 3): "RGB",
    ("uint8", 4): "RGBA",
    ("uint16", 1): "I;16",
    ("int32", 1): "I",
    ("float32", 1): "F",
}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor or array as a PIL image.

    Args:
        pic: tensor (c, h, w) or (h, w), or NumPy array (h, w) or (h, w, c). Floats from 0 to 1
            become bytes (values beyond are cut off) unless mode is "F"; a bool becomes 0 or 255.
            Of int16 the bits are kept, so -1 becomes 65535.
        mode: Pillow's mode; default L, LA, RGB, RGBA by the number of channels, I;16 for uint16
            and int16, I for int32.

    Returns:
        The PIL image; a PIL image itself.

    Raises:
        DTypeError: no image, or a dtype that Pillow has no mode for.
        ShapeError: another number of axes or channels.
    """
    if is_pil(pic):
        return pic
    from PIL import Image

    array = _bytes_of(pic if isinstance(pic, np.ndarray) else _hwc(to_image(pic)), mode)
    kind = (array.dtype.name, 1 if array.ndim == 2 else array.shape[2])
    if kind not in _PIL_MODES:
        raise DTypeError(
            f"to_pil_image: Pillow has no mode for {kind[0]} with {kind[1]} channels; wanted uint8 "
            "with 1 to 4, or one of uint16, int32, float32"
        )
    return _with_mode(Image.fromarray(np.ascontiguousarray(array)), mode)


def _hwc(x: tp.Tensor) -> np.ndarray:
    """(c, h, w) as an array (h, w, c)."""
    if x.ndim != 3:
        raise ShapeError(f"to_pil_image: wanted one image (c, h, w), got shape {tuple(x.shape)}")
    return x.detach().cpu().numpy().transpose(1, 2, 0)


def _bytes_of(array: np.ndarray, mode: str | None) -> np.ndarray:
    """Floats and bools as bytes, unless floats are asked for; one channel as (h, w)."""
    if array.ndim not in (2, 3):
        raise ShapeError(f"to_pil_image: wanted one image (h, w, c), got shape {array.shape}")
    if array.dtype == np.bool_ or (array.dtype.kind == "f" and mode != "F"):
        array = np.clip(array * np.float32(255), 0, 255).astype(np.uint8)
    elif array.dtype == np.int16:
        array = array.view(np.uint16)
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array


def _with_mode(image: Any, mode: str | None) -> Any:
    """The bytes of an image read as another mode of as many bands: YCbCr, HSV, CMYK and so on."""
    if mode is None or mode == image.mode:
        return image
    from PIL import Image

    bands = Image.getmodebands(mode)
    if bands != len(image.getbands()):
        raise ShapeError(
            f"to_pil_image: mode {mode!r} has {bands} channels, the image {len(image.getbands())}"
        )
    return Image.merge(mode, image.split()) if bands > 1 else image.convert(mode)
