"""Sounds in one folder for each class."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych_audio.io import load
from triptych_datasets import MissingDataError

from .base import AudioDataset, Loader, PathLike, Transform

__all__ = ["AUDIO_EXTENSIONS", "AudioFolder"]

AUDIO_EXTENSIONS = (
    ".aif", ".aiff", ".au", ".caf", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".sph",
    ".w64", ".wav",
)  # fmt: skip


class AudioFolder(AudioDataset):
    """Sounds in one folder per class: `root/dog/x.wav`, `root/cat/y.flac`.

    Samples are (waveform, sample_rate, index of the class).

    Args:
        root: the folder of the classes' folders, which are searched to any depth.
        extensions: of the files to take, with the dot, in lower case.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Attributes:
        classes: names, sorted.
        class_to_idx: index of each class.
        samples: (path, index of the class) of each file.

    Raises:
        MissingDataError: no class, or a class without a file.
    """

    def __init__(
        self,
        root: PathLike,
        *,
        extensions: Sequence[str] = AUDIO_EXTENSIONS,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        there = self.root.is_dir()
        self.classes = sorted(p.name for p in self.root.iterdir() if p.is_dir()) if there else []
        if not self.classes:
            raise MissingDataError(f"AudioFolder: wanted one folder per class in {self.root}")
        self.class_to_idx = {name: index for index, name in enumerate(self.classes)}
        found = {name: _files(self.root / name, tuple(extensions)) for name in self.classes}
        empty = [name for name, paths in found.items() if not paths]
        if empty:
            raise MissingDataError(
                f"AudioFolder: no file with one of the extensions {', '.join(extensions)} for the "
                f"classes {', '.join(empty)} in {self.root}"
            )
        self.samples = [
            (path, self.class_to_idx[name]) for name, paths in found.items() for path in paths
        ]

    @property
    def targets(self) -> list[int]:
        """Index of the class of each file."""
        return [target for _, target in self.samples]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its class."""
        path, target = self.samples[n]
        return [path], (target,)

    def __len__(self) -> int:
        """Number of files."""
        return len(self.samples)


def _files(folder: Path, extensions: tuple[str, ...]) -> list[Path]:
    return [
        Path(parent, name)
        for parent, _, names in sorted(os.walk(folder, followlinks=True))
        for name in sorted(names)
        if name.lower().endswith(extensions)
    ]
