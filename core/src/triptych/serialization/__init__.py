"""Files of tensors: save and load any structure, read torch's files without running them."""

from __future__ import annotations

from .atomic import atomic_write
from .npz_file import read_npz, write_npz
from .safetensors_file import read_metadata, read_safetensors, write_safetensors
from .save_load import load, load_file, save, save_file
from .torch_reader import read_torch

__all__ = [
    "atomic_write",
    "load",
    "load_file",
    "read_metadata",
    "read_npz",
    "read_safetensors",
    "read_torch",
    "save",
    "save_file",
    "write_npz",
    "write_safetensors",
]
