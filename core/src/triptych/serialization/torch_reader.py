"""Read torch's .pth and .pt files, zip and legacy, without torch and without running them."""

from __future__ import annotations

from typing import Any

from .source import File, Source
from .torch_legacy import LEGACY_MAGIC, read_torch_legacy
from .torch_tensors import Wrap
from .torch_zip import ZipRecords, read_torch_zip

__all__ = ["is_torch_legacy", "read_torch"]


def read_torch(file: File, *, mmap: bool = False, wrap: Wrap = lambda value: value) -> Any:
    """What a file made by torch.save holds, tensors as NumPy arrays.

    Builds tensors, dict, OrderedDict, defaultdict, list, tuple, set, numbers, str, bytes, None,
    torch.dtype (as a NumPy dtype), torch.device (as a str), numeric NumPy arrays and scalars, and
    argparse.Namespace (as types.SimpleNamespace). Tensors over one storage share memory, and a
    tensor mentioned twice is one array. Parameters come as plain tensors.

    Args:
        file: a path or a seekable binary file.
        mmap: map the file in place of reading it; pages load when touched, writes stay private.
        wrap: makes of each array and dtype what the caller wants.

    Returns:
        The object that was saved.

    Raises:
        FileFormatError: not a torch file, damaged, or a tensor that does not fit its bytes.
        UnsafeFileError: the file asks for anything but data; nothing was executed.

    Example:
        >>> read_torch("resnet18.pth")["conv1.weight"].shape  # doctest: +SKIP
        (64, 3, 7, 7)
    """
    with Source(file, mmap=mmap, caller="read_torch") as source:
        head = source.head()
        if head.startswith(b"PK\x03\x04"):
            return read_torch_zip(source, ZipRecords(source), wrap)
        if is_torch_legacy(head):
            return read_torch_legacy(source, wrap)
        raise source.error("not a torch file (neither its zip nor its legacy format)")


def is_torch_legacy(head: bytes) -> bool:
    """Whether a file that starts with head is in torch's legacy format."""
    return LEGACY_MAGIC in head[:32]
