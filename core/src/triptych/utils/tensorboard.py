"""Logs for TensorBoard, written by the library tensorboardX.

It comes with ``pip install triptych[tensorboard]``.
"""

from __future__ import annotations

import functools
from typing import Any

from ..errors import TriptychError
from ..tensor import Tensor
from ..tree import tree_map

__all__ = ["SummaryWriter"]


class SummaryWriter:
    """Write scalars, histograms, pictures, sounds and texts for TensorBoard.

    Every ``add_...`` method of tensorboardX is here; tensors may stand wherever it takes arrays.

    Args:
        log_dir: the folder; default ``runs/`` with time and host.
        comment: is put behind the default folder's name.
        purge_step: forget what an earlier run wrote from this step on.
        max_queue: entries to hold before writing.
        flush_secs: seconds between writes.
        filename_suffix: is put behind the file's name.

    Raises:
        TriptychError: tensorboardX is not installed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder, SummaryWriter(folder) as writer:
        ...     writer.add_scalar("loss", triptych.tensor(0.5), global_step=1)
    """

    def __init__(
        self,
        log_dir: str | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ) -> None:
        try:
            import tensorboardX
        except ImportError:
            raise TriptychError(
                "SummaryWriter: needs the library tensorboardX; pip install 'triptych[tensorboard]'"
            ) from None
        self._writer = tensorboardX.SummaryWriter(
            logdir=log_dir,
            comment=comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )

    @property
    def log_dir(self) -> str:
        """The folder."""
        folder: str = self._writer.logdir
        return folder

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("add_"):
            raise AttributeError(f"SummaryWriter has no attribute {name!r}")
        method = getattr(self._writer, name)

        @functools.wraps(method)
        def with_arrays(*args: Any, **kwargs: Any) -> Any:
            args, kwargs = tree_map(_as_array, (args, kwargs))
            return method(*args, **kwargs)

        return with_arrays

    def flush(self) -> None:
        """Write what is held."""
        self._writer.flush()

    def close(self) -> None:
        """Write what is held and close the file."""
        self._writer.close()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _as_array(x: Any) -> Any:
    return x.detach().cpu().numpy() if isinstance(x, Tensor) else x
