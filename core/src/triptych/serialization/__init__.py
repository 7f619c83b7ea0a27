"""Files of tensors: save and load any structure, read torch's files without running them."""

from __future__ import annotations

from .allowed_classes import (
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    remove_safe_globals,
    safe_globals,
)
from .atomic import atomic_write
from .npz_file import read_npz, write_npz
from .pickle_file import read_pickle
from .safetensors_file import read_metadata, read_safetensors, write_safetensors
from .save_load import load, load_file, load_pytorch_checkpoint, save, save_file
from .torch_reader import read_torch

__all__ = [
    "add_safe_globals",
    "atomic_write",
    "clear_safe_globals",
    "get_safe_globals",
    "load",
    "load_file",
    "load_pytorch_checkpoint",
    "read_metadata",
    "read_npz",
    "read_pickle",
    "read_safetensors",
    "read_torch",
    "remove_safe_globals",
    "safe_globals",
    "save",
    "save_file",
    "write_npz",
    "write_safetensors",
]
