"""CUDA graphs: a sequence of kernels recorded once, and launched again by a single call.

Written after CUDA's documentation of stream capture and CuPy's `Stream.begin_capture`; tested
against a double of CuPy, not yet run on a GPU.
"""

from __future__ import annotations

import gc
from typing import Any

from .backends import Device, backend_for
from .errors import CaptureError, TriptychError
from .streams import Stream, current_stream, default_stream

__all__ = ["CUDAGraph", "graph", "graph_pool_handle", "is_current_stream_capturing"]


def _cupy() -> Any:
    return backend_for(Device("cuda")).xp


def is_current_stream_capturing() -> bool:
    """Whether work on the current GPU is recorded now; False without a GPU."""
    try:
        return bool(_cupy().cuda.get_current_stream().is_capturing())
    except TriptychError:
        return False


def graph_pool_handle() -> Any:
    """A memory pool for graphs that are never launched at the same time, to record into."""
    return _cupy().cuda.MemoryPool()


class CUDAGraph:
    """Kernels recorded on a GPU, which `replay` launches on the memory they were recorded with.

    Recording does not run anything. New input is written into the tensors that were read while
    recording, and results are found in the tensors made then. Memory of a recording comes from a
    pool of its own, so that nobody else gets it between two launches.

    Example:
        >>> recorded = cuda.CUDAGraph()  # doctest: +SKIP
        >>> with cuda.graph(recorded):  # doctest: +SKIP
        ...     y = model(x)
        >>> x.copy_(batch)  # doctest: +SKIP
        >>> recorded.replay()  # doctest: +SKIP
    """

    def __init__(self) -> None:
        self._pool: Any = None
        self._stream: Any = None
        self._allocator: Any = None
        self._recorded: Any = None

    def capture_begin(self, pool: Any = None) -> None:
        """Record what is queued in the current stream from now on, instead of running it.

        Args:
            pool: where memory comes from, of `graph_pool_handle` or another graph's `pool`; default
                one of its own.

        Raises:
            CaptureError: the current stream is the default one, which cannot be recorded, or this
                graph holds or is making a recording.
        """
        if self._stream is not None or self._recorded is not None:
            raise CaptureError("CUDAGraph.capture_begin: call reset() before recording again")
        if current_stream() == default_stream():
            raise CaptureError(
                "CUDAGraph.capture_begin: the default stream cannot be recorded; use "
                "`with cuda.graph(...)`, or `with cuda.stream(cuda.Stream())`"
            )
        cuda = _cupy().cuda
        self._pool = graph_pool_handle() if pool is None else pool
        stream = cuda.get_current_stream()
        stream.begin_capture()
        self._stream, self._allocator = stream, cuda.using_allocator(self._pool.malloc)
        self._allocator.__enter__()

    def capture_end(self) -> None:
        """Stop recording, and make the recording ready for `replay`.

        Raises:
            CaptureError: nothing is being recorded.
        """
        if self._stream is None:
            raise CaptureError("CUDAGraph.capture_end: capture_begin() was not called")
        stream, self._stream = self._stream, None
        try:
            self._recorded = stream.end_capture()
        finally:
            self._allocator.__exit__(None, None, None)
            self._allocator = None

    def replay(self) -> None:
        """Launch the recorded kernels in the current stream.

        Raises:
            CaptureError: nothing was recorded.
        """
        if self._recorded is None:
            raise CaptureError("CUDAGraph.replay: nothing was recorded; use `with cuda.graph(...)`")
        self._recorded.launch(_cupy().cuda.get_current_stream())

    def reset(self) -> None:
        """Forget the recording and its memory."""
        self._recorded = self._pool = None

    def pool(self) -> Any:
        """The memory pool of the recording, for graphs that are never launched at the same time.

        Raises:
            CaptureError: nothing was recorded.
        """
        if self._pool is None:
            raise CaptureError("CUDAGraph.pool: nothing was recorded")
        return self._pool


class graph:  # noqa: N801 -- torch's spelling
    """``with graph(recorded):`` records the work of a block into a `CUDAGraph`.

    Work that waits for the GPU (``item()``, printing, indexing by masks) cannot be recorded, nor
    can random numbers: their seeds would be those of the recording in every launch. Run the block
    once before, so that all kernels are compiled and all state is made.

    Args:
        cuda_graph: what to record into.
        pool: where memory comes from; see `CUDAGraph.capture_begin`.
        stream: where to record; default a new one.

    Raises:
        CaptureError: the graph holds a recording already.
    """

    def __init__(self, cuda_graph: CUDAGraph, pool: Any = None, stream: Any = None) -> None:
        self.cuda_graph, self.pool = cuda_graph, pool
        self.stream = Stream() if stream is None else stream

    def __enter__(self) -> None:
        _cupy().cuda.Device().synchronize()
        gc.collect()  # arrays freed while recording would give memory back from another stream
        self.stream.wait_stream(current_stream())
        self.stream.__enter__()
        try:
            self.cuda_graph.capture_begin(self.pool)
        except BaseException:
            self.stream.__exit__(None, None, None)
            raise

    def __exit__(self, kind: type | None, error: BaseException | None, trace: Any) -> None:
        try:
            self.cuda_graph.capture_end()
        except Exception:
            if error is None:
                raise  # otherwise the error inside the block says why the recording is broken
        finally:
            self.stream.__exit__(kind, error, trace)
            if error is not None:
                self.cuda_graph.reset()
