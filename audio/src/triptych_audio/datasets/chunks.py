"""Random pieces of files, read without the rest."""

from __future__ import annotations

from collections.abc import Sequence

import triptych as tp
import triptych.nn.functional as nnF
from triptych import Tensor
from triptych.errors import ShapeError
from triptych_audio.io import info, load

from .base import PathLike

__all__ = ["ChunkLoader"]


class ChunkLoader:
    """A loader for data sets that reads one random piece of a file, and decodes nothing else.

    Args:
        num_frames: length of the piece in samples of the file.
        pad: fill shorter files with zeros at the end; otherwise they come as they are.
        generator: draws the places; default the global one.

    Raises:
        ShapeError: num_frames is not positive.

    Example:
        >>> from triptych_audio.datasets import YESNO
        >>> words = YESNO("data", loader=ChunkLoader(8000))  # doctest: +SKIP
        >>> words[0][0].shape  # doctest: +SKIP
        Size([1, 8000])
    """

    def __init__(
        self, num_frames: int, *, pad: bool = True, generator: tp.Generator | None = None
    ) -> None:
        if num_frames < 1:
            raise ShapeError(f"ChunkLoader: wanted num_frames above 0, got {num_frames}")
        self.num_frames, self.pad, self.generator = num_frames, pad, generator

    def __call__(self, path: PathLike) -> tuple[Tensor, int]:
        """A piece of one file.

        Args:
            path: of the file.

        Returns:
            (channels, num_frames) float32, and the rate in Hz.
        """
        return self.together([path])[0]

    def together(self, paths: Sequence[PathLike]) -> list[tuple[Tensor, int]]:
        """The same piece of files that run side by side, such as speech and its noisy twin.

        Args:
            paths: of the files.

        Returns:
            Waveform and rate of each.
        """
        spare = min(info(path).num_frames for path in paths) - self.num_frames
        start = 0
        if spare > 0:
            start = int(tp.randint(0, spare + 1, (), generator=self.generator).item())
        return [self._piece(path, start) for path in paths]

    def _piece(self, path: PathLike, start: int) -> tuple[Tensor, int]:
        waveform, rate = load(path, start, self.num_frames)
        short = self.num_frames - waveform.shape[-1]
        return (nnF.pad(waveform, (0, short)) if self.pad and short > 0 else waveform), rate
