"""Objects through a pipe between processes, with the arrays in them copied as little as possible.

Pickle's fifth protocol hands out the memory of arrays instead of copying it. Much of it goes into
shared memory (see `shared`), over which the other end makes its arrays. Little of it, or all where
there is no shared memory to be had, goes into the pipe as it is, and at the other end straight into
the memory of the array that is made there.
"""

from __future__ import annotations

import os
import pickle
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from . import shared

__all__ = ["Packed", "pack", "receive", "send", "unpack"]

Packed = tuple[bytes, list[Any]]  # a pickle, and the memory of the large arrays in it

# Smaller arrays travel inside the pickle: a read of their own would cost more than the copy.
_INSIDE = 4096

# From here on shared memory pays: below, making and mapping it costs more than the second copy.
_SHARED = 1 << 20  # bytes


def pack(value: Any) -> Packed:
    """Pickle a value, with the memory of large arrays beside it."""
    buffers: list[memoryview] = []

    def keep_inside(buffer: pickle.PickleBuffer) -> bool:
        memory = buffer.raw()
        if memory.nbytes >= _INSIDE:
            buffers.append(memory)
            return False
        return True

    return pickle.dumps(value, protocol=5, buffer_callback=keep_inside), buffers


def unpack(packed: Packed) -> Any:
    """The value that was packed; its arrays use the memory in `packed`."""
    return pickle.loads(packed[0], buffers=packed[1])


def send(pipe: Connection, head: Any, packed: Packed) -> None:
    """Write a small head and a packed value."""
    body, buffers = packed
    sizes = [b.nbytes for b in buffers]
    fd = shared.write(buffers) if sum(sizes) >= _SHARED else None
    try:
        pipe.send((head, sizes, fd is not None))
        pipe.send_bytes(body)
        if fd is not None:
            shared.send(pipe, fd)
            return
        for buffer in buffers:
            _write(pipe, buffer)
    finally:
        if fd is not None:
            os.close(fd)


def receive(pipe: Connection) -> tuple[Any, Packed]:
    """Read what `send` wrote.

    Raises:
        EOFError, OSError: the other end is gone.
    """
    head, sizes, is_shared = pipe.recv()
    body = pipe.recv_bytes()
    if is_shared:
        return head, (body, shared.receive(pipe, sizes))
    buffers = [np.empty(size, np.uint8).data for size in sizes]
    for buffer in buffers:
        _read(pipe, buffer)
    return head, (body, buffers)


def _write(pipe: Connection, memory: memoryview) -> None:
    if not hasattr(os, "readv"):  # Windows
        pipe.send_bytes(memory)
        return
    done = 0
    while done < len(memory):
        done += os.write(pipe.fileno(), memory[done:])


def _read(pipe: Connection, memory: memoryview) -> None:
    if not hasattr(os, "readv"):
        pipe.recv_bytes_into(memory)
        return
    done = 0
    while done < len(memory):
        count = os.readv(pipe.fileno(), [memory[done:]])
        if count == 0:
            raise EOFError("the other end of the pipe was closed within a message")
        done += count
