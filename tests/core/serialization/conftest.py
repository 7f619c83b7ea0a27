"""Writers of torch files that need no torch, for the readers' tests."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import ml_dtypes
import numpy as np
import pytest

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
STORAGE_NAMES = {
    "bool": "BoolStorage",
    "uint8": "ByteStorage",
    "int8": "CharStorage",
    "int16": "ShortStorage",
    "int32": "IntStorage",
    "int64": "LongStorage",
    "float16": "HalfStorage",
    "float32": "FloatStorage",
    "float64": "DoubleStorage",
    "bfloat16": "BFloat16Storage",
    "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}


def numpy_dtype(name: str) -> np.dtype:
    return np.dtype(getattr(ml_dtypes, name, name))


class FakeModules:
    """Modules named as torch's, filled with nothing but names, while a pickle is written."""

    names = ("torch", "torch._utils", "torch.storage")

    def __enter__(self) -> FakeModules:
        self.saved = {name: sys.modules.get(name) for name in self.names}
        for name in self.names:
            sys.modules[name] = types.ModuleType(name)
        sys.modules["torch"].__dict__.update(
            _utils=sys.modules["torch._utils"], storage=sys.modules["torch.storage"]
        )
        return self

    def __exit__(self, *_: object) -> None:
        for name, module in self.saved.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module

    def named(self, module: str, name: str, *, kind: str = "function") -> Any:
        """A thing that pickles as the global module.name."""
        found = getattr(sys.modules[module], name, None)
        if found is None:
            found = type(name, (), {}) if kind == "class" else (lambda *args: None)
            found.__module__, found.__qualname__, found.__name__ = module, name, name
            setattr(sys.modules[module], name, found)
        return found


@dataclass
class Block:
    """A storage to write: raw bytes, and what the pickle claims about them."""

    data: bytes
    dtype: str = "float32"
    numel: int | None = None
    key: str = ""
    view: tuple[str, int, int] | None = None

    @property
    def claimed(self) -> int:
        whole = len(self.data) // numpy_dtype(self.dtype).itemsize
        return whole if self.numel is None else self.numel


@dataclass
class Strided:
    """A tensor to write, as torch describes it."""

    block: Block
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int = 0
    dtype: str = ""  # given: written by _rebuild_tensor_v3 over an untyped storage


def contiguous(array: np.ndarray) -> Strided:
    """A tensor with a storage of its own."""
    array = np.asarray(array)
    stride = tuple(s // array.dtype.itemsize for s in np.empty(array.shape, array.dtype).strides)
    return Strided(Block(array.tobytes(), array.dtype.name), array.shape, stride)


@dataclass
class Pickled:
    data: bytes
    blocks: dict[str, Block] = field(default_factory=dict)


def pickle_torch(obj: object, protocol: int = 2, *, legacy: bool = False) -> Pickled:
    """Pickle a structure with arrays, Strided and Block in it the way torch.save does."""
    out, blocks, tensors = io.BytesIO(), {}, {}
    with FakeModules() as fake:

        class Pickler(pickle.Pickler):
            def persistent_id(self, value: object) -> Any:
                if not isinstance(value, Block):
                    return None
                value.key = value.key or str(len(blocks))
                blocks[value.key] = value
                untyped = value.dtype == "untyped"
                kind = (
                    fake.named("torch.storage", "UntypedStorage", kind="class")
                    if untyped
                    else fake.named("torch", STORAGE_NAMES[value.dtype], kind="class")
                )
                numel = len(value.data) if untyped else value.claimed
                pid = ("storage", kind, value.key, "cpu", numel)
                return (*pid, value.view) if legacy else pid

            def reducer_override(self, value: object) -> Any:
                if isinstance(value, np.ndarray):
                    value = tensors.setdefault(id(value), (value, contiguous(value)))[1]
                if not isinstance(value, Strided):
                    return NotImplemented
                args = (value.block, value.offset, value.shape, value.stride, False, OrderedDict())
                if not value.dtype:
                    return fake.named("torch._utils", "_rebuild_tensor_v2"), args
                dtype = _Named(value.dtype, fake)
                return fake.named("torch._utils", "_rebuild_tensor_v3"), (*args, dtype)

        class _Named:
            def __init__(self, name: str, fake: FakeModules) -> None:
                self.name = name
                setattr(sys.modules["torch"], name, self)

            def __reduce__(self) -> str:
                return self.name

        _Named.__module__ = "torch"
        Pickler(out, protocol).dump(obj)
    return Pickled(out.getvalue(), blocks)


def _aligned(name: str, at: int, compression: int) -> zipfile.ZipInfo:
    """A record whose data starts at a multiple of 64, as torch pads them."""
    info = zipfile.ZipInfo(name)
    info.compress_type = compression
    pad = -(at + 30 + len(name) + 4) % 64
    info.extra = b"FB" + struct.pack("<H", pad) + b"Z" * pad
    return info


def zip_file(
    pickled: bytes,
    blocks: dict[str, bytes] | None = None,
    *,
    prefix: str = "archive/",
    byteorder: bytes | None = b"little",
    compression: int = zipfile.ZIP_STORED,
    extra: dict[str, bytes] | None = None,
) -> bytes:
    """A torch zip file around a pickle and its storages' bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        archive.writestr(f"{prefix}data.pkl", pickled)
        if byteorder is not None:
            archive.writestr(f"{prefix}byteorder", byteorder)
        for key, data in (blocks or {}).items():
            name = f"{prefix}data/{key}"
            archive.writestr(_aligned(name, out.tell(), compression), data)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def legacy_file(
    pickled: bytes,
    blocks: dict[str, bytes] | None = None,
    *,
    counts: dict[str, int] | None = None,
    magic: int = MAGIC,
    number: int = PROTOCOL,
) -> bytes:
    """A legacy torch file around a pickle, its storages' element counts and bytes."""
    info = {"protocol_version": number, "little_endian": True, "type_sizes": {"int": 4}}
    head = [pickle.dumps(value, 2) for value in (magic, number, info)]
    keys = sorted(blocks or {})
    tail = [
        struct.pack("<q", (counts or {}).get(key, len(data))) + data
        for key, data in sorted((blocks or {}).items())
    ]
    return b"".join([*head, pickled, pickle.dumps(keys, 2), *tail])


def torch_zip(obj: object, protocol: int = 2, **how: Any) -> bytes:
    pickled = pickle_torch(obj, protocol)
    return zip_file(pickled.data, {k: b.data for k, b in pickled.blocks.items()}, **how)


def torch_legacy(obj: object, protocol: int = 2, **how: Any) -> bytes:
    pickled = pickle_torch(obj, protocol, legacy=True)
    blocks = {k: b.data for k, b in pickled.blocks.items()}
    counts = {
        k: len(b.data) // (1 if b.dtype == "untyped" else numpy_dtype(b.dtype).itemsize)
        for k, b in pickled.blocks.items()
    }
    return legacy_file(pickled.data, blocks, **{"counts": counts, **how})


@pytest.fixture
def writer() -> types.SimpleNamespace:
    """The writers above; test modules cannot import this file."""
    return types.SimpleNamespace(
        Block=Block,
        Strided=Strided,
        contiguous=contiguous,
        legacy_file=legacy_file,
        numpy_dtype=numpy_dtype,
        pickle_torch=pickle_torch,
        torch_legacy=torch_legacy,
        torch_zip=torch_zip,
        zip_file=zip_file,
    )


@pytest.fixture(params=["zip", "legacy"])
def save_torch(request: pytest.FixtureRequest) -> Any:
    """Writes a structure in one of torch's two formats: (object, protocol) -> bytes."""
    return {"zip": torch_zip, "legacy": torch_legacy}[request.param]


@pytest.fixture(params=["zip", "legacy"])
def around_pickle(request: pytest.FixtureRequest) -> Any:
    """Puts given pickle bytes into one of torch's two formats: (pickle[, blocks]) -> bytes."""
    return {"zip": zip_file, "legacy": legacy_file}[request.param]
