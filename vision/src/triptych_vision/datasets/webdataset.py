"""Samples with pictures from tar files, read as a stream."""

from __future__ import annotations

import io
from typing import Any

from triptych_datasets.webdataset import DECODERS, expand_shards
from triptych_datasets.webdataset import WebDataset as _WebDataset

__all__ = ["WebDataset", "expand_shards"]

_SUFFIXES = ("jpg", "jpeg", "png", "webp", "ppm", "pgm", "bmp", "tif", "tiff")


def _image(raw: bytes) -> Any:
    from PIL import Image

    return Image.open(io.BytesIO(raw)).convert("RGB")


class WebDataset(_WebDataset):
    """A stream of samples from tar files, "shards", as the webdataset library writes them.

    As `triptych_datasets.webdataset.WebDataset`, with all its arguments; pictures come as PIL
    images in mode RGB.

    Example:
        >>> WebDataset("train-{000..146}.tar", keys=("jpg", "cls"), shuffle=5000)
        WebDataset(147 shards, shuffle=5000, keys=('jpg', 'cls'))
    """

    known = {**DECODERS, **dict.fromkeys(_SUFFIXES, _image)}
