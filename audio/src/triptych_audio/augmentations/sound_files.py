"""Folders of sounds: noises, impulse responses."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from triptych import Tensor
from triptych.errors import DomainError

__all__ = ["find_sounds", "load_part", "load_sound"]

ENDINGS = (".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".w64", ".wav")
Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def find_sounds(name: str, paths: Paths) -> list[str]:
    """The sound files of folders, and those given themselves.

    Args:
        name: of the caller, for errors.
        paths: a file, a folder or several; folders within are searched, too.

    Returns:
        Paths in order.

    Raises:
        FileNotFoundError: a path does not exist.
        DomainError: no sounds are there.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    found: list[str] = []
    for path in map(Path, given):
        if not path.exists():
            raise FileNotFoundError(f"{name}: there is no {str(path)!r}")
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        found += [str(f) for f in files if path.is_file() or f.suffix.lower() in ENDINGS]
    if not found:
        raise DomainError(f"{name}: no sounds ({', '.join(ENDINGS)}) in {given}")
    return found


def load_sound(path: str, sample_rate: int) -> Tensor:
    """A whole file at a sample rate.

    Args:
        path: of the file.
        sample_rate: wanted in Hz.

    Returns:
        (c, t) float32.
    """
    from triptych_audio.io import load

    return load(path, sr=sample_rate)[0]


def load_part(path: str, sample_rate: int, count: int, place: float) -> Tensor:
    """A part of a file, repeated if the file is too short; one channel.

    Args:
        path: of the file.
        sample_rate: wanted in Hz.
        count: samples wanted.
        place: where it starts, as a share of what the file has to spare.

    Returns:
        (count,) float32.

    Raises:
        DomainError: the file is empty.
    """
    from triptych_audio.io import info, load

    about = info(path)
    wanted = -(-count * about.sample_rate // sample_rate)
    offset = int(place * max(0, about.num_frames - wanted))
    sound = load(path, offset, wanted, sr=sample_rate, mono=True)[0][0]
    if not sound.shape[-1]:
        raise DomainError(f"augmentation: {path!r} is empty")
    return sound.repeat(-(-count // sound.shape[-1]))[:count]
