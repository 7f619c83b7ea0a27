"""Shared memory without a name, handed from a worker to its parent through their pipe.

Only open descriptors and mappings keep such memory alive. So nothing is left behind however the
processes end: a consumer that stops early, a killed worker, a killed parent. It does not count
against the size of /dev/shm either. Where the system does not offer it (it is Linux's), or has no
room, `write` says so, and the pipe carries the bytes.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import os
import socket
import weakref
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

__all__ = ["receive", "send", "write"]

_ALIGNMENT = 64  # bytes; a line of the cache
_AVAILABLE = hasattr(os, "memfd_create") and hasattr(socket, "send_fds")


def _offsets(sizes: Sequence[int]) -> tuple[list[int], int]:
    """Where blocks of these sizes begin, and where the last ends."""
    starts, end = [], 0
    for size in sizes:
        starts.append(-(-end // _ALIGNMENT) * _ALIGNMENT)
        end = starts[-1] + size
    return starts, end


def write(buffers: Sequence[memoryview]) -> int | None:
    """Copy buffers into new shared memory.

    Returns:
        Its file descriptor, to be closed by the caller; None if there is no such memory.
    """
    if not _AVAILABLE:
        return None
    try:
        fd = os.memfd_create("triptych-batch")
    except OSError:  # too many open files, or the system forbids it
        return None
    try:
        starts, _ = _offsets([b.nbytes for b in buffers])
        for start, buffer in zip(starts, buffers, strict=True):
            _write_at(fd, buffer, start)
    except OSError:  # no room
        os.close(fd)
        return None
    return fd


def _write_at(fd: int, buffer: memoryview, start: int) -> None:
    """Writing is faster than copying into a mapping: no page of it has to be cleared first."""
    done = 0
    while done < buffer.nbytes:
        done += os.pwrite(fd, buffer[done:], start + done)


def send(pipe: Connection, fd: int) -> None:
    """Hand the descriptor to the other end, whose copy lives on when this one is closed."""
    with socket.socket(fileno=os.dup(pipe.fileno())) as stream:
        socket.send_fds(stream, [b"."], [fd])


def receive(pipe: Connection, sizes: Sequence[int]) -> list[memoryview]:
    """The buffers that `write` was given. Their memory goes when the last of them goes.

    Raises:
        EOFError: the other end is gone.
        OSError: the memory cannot be mapped.
    """
    with socket.socket(fileno=os.dup(pipe.fileno())) as stream:
        _, fds, _, _ = socket.recv_fds(stream, 1, 1)
    if not fds:
        raise EOFError("the other end of the pipe was closed within a message")
    starts, end = _offsets(sizes)
    try:
        whole = memoryview(_mapped(fds[0], end)).cast("B")
    finally:
        os.close(fds[0])
    return [whole[a : a + n] for a, n in zip(starts, sizes, strict=True)]


@functools.cache
def _libc() -> Any:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [
        ctypes.c_void_p,
        ctypes.c_size_t,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_int,
        ctypes.c_long,
    ]
    libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    return libc


def _mapped(fd: int, size: int) -> Any:
    """The memory as a buffer. Python's own mmap would hold a descriptor for as long as the batch
    lives, and processes may have a thousand of them.
    """
    access, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED
    flags |= getattr(mmap, "MAP_POPULATE", 0)
    address = _libc().mmap(None, size, access, flags, fd, 0)
    if address == ctypes.c_void_p(-1).value:
        code = ctypes.get_errno()
        raise OSError(code, f"mmap of a batch of {size} bytes: {os.strerror(code)}")
    buffer = (ctypes.c_ubyte * size).from_address(address)
    weakref.finalize(buffer, _libc().munmap, address, size).atexit = False
    return buffer
