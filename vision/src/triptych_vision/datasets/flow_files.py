"""Files of optical flow and disparity: .flo, .pfm and 16-bit PNG."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from triptych.errors import FileFormatError

from .vision import PathLike

__all__ = ["read_flo", "read_flow_png", "read_pfm"]

_PFM_HEAD = re.compile(rb"(PF|Pf)\s+(\d+)\s+(\d+)\s+([-+.\deE]+)\s")


def read_flo(path: PathLike) -> np.ndarray:
    """Flow of a .flo file.

    Returns:
        (2, h, w) float32: how many pixels each one moves right and down.

    Raises:
        FileFormatError: the file is no .flo file, or cut short.

    Source: the Middlebury flow code's README: "PIEH", width, height, all little-endian.
    """
    raw = Path(path).read_bytes()
    if len(raw) < 12 or raw[:4] != b"PIEH":
        raise FileFormatError(f"{path}: is no .flo file (it starts with {raw[:4]!r})")
    width, height = np.frombuffer(raw, "<i4", 2, 4).tolist()
    if width < 0 or height < 0 or len(raw) < 12 + 8 * width * height:
        raise FileFormatError(f"{path}: {width} x {height} pixels do not fit its {len(raw)} bytes")
    data = np.frombuffer(raw, "<f4", 2 * width * height, 12)
    return data.reshape(height, width, 2).transpose(2, 0, 1).astype(np.float32)


def read_pfm(path: PathLike, num_channels: int = 2) -> np.ndarray:
    """Image of floats in a .pfm file.

    Args:
        path: the file.
        num_channels: how many of its one or three channels to give.

    Returns:
        (c, h, w) float32, the first row on top.

    Raises:
        FileFormatError: the file is no .pfm file, or cut short.

    Source: P. Debevec, "PFM Portable FloatMap Image Format": rows from bottom to top, little-endian
    where the scale is negative.
    """
    raw = Path(path).read_bytes()
    head = _PFM_HEAD.match(raw)
    if head is None:
        raise FileFormatError(f"{path}: is no .pfm file (it starts with {raw[:16]!r})")
    width, height = int(head[2]), int(head[3])
    channels = 3 if head[1] == b"PF" else 1
    count = width * height * channels
    if len(raw) - head.end() < 4 * count:
        raise FileFormatError(f"{path}: {width} x {height} pixels do not fit its {len(raw)} bytes")
    data = np.frombuffer(raw, "<f4" if float(head[4]) < 0 else ">f4", count, head.end())
    rows = data.reshape(height, width, channels)[::-1]
    return np.ascontiguousarray(rows.transpose(2, 0, 1)[:num_channels], np.float32)


def read_flow_png(path: PathLike) -> tuple[np.ndarray, np.ndarray]:
    """Flow of KITTI's and HD1K's PNG files: 64 times the pixels plus 2 ** 15, and a mask.

    Returns:
        (2, h, w) float32, how many pixels each one moves right and down, and (h, w) bool, where
        that is known.

    Source: the development kit of KITTI, "readme.txt".
    """
    from ..io import decode_image, read_file

    channels = decode_image(read_file(path)).numpy()
    if channels.dtype != np.uint16 or len(channels) != 3:
        raise FileFormatError(
            f"{path}: wanted a PNG of three channels of 16 bits, got {channels.dtype} "
            f"{channels.shape}"
        )
    flow = (channels[:2].astype(np.float32) - 2**15) / 64
    return flow, channels[2] != 0
