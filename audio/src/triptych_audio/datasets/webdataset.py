"""Samples with sound from tar files, read as a stream."""

from __future__ import annotations

from typing import Any

from triptych_audio.io import load
from triptych_datasets.webdataset import DECODERS, expand_shards
from triptych_datasets.webdataset import WebDataset as _WebDataset

__all__ = ["WebDataset", "expand_shards"]

_SUFFIXES = ("aif", "aiff", "au", "flac", "m4a", "mp3", "oga", "ogg", "opus", "sph", "wav")


def _sound(raw: bytes) -> Any:
    return load(raw)


_KNOWN = {**DECODERS, **dict.fromkeys(_SUFFIXES, _sound)}


class WebDataset(_WebDataset):
    """A stream of samples from tar files, "shards", as the webdataset library writes them.

    As `triptych_datasets.webdataset.WebDataset`, with all its arguments; sound comes as
    (waveform (channels, time), sample_rate).

    Example:
        >>> WebDataset("train-{000..146}.tar", keys=("flac", "txt"), shuffle=5000)
        WebDataset(147 shards, shuffle=5000, keys=('flac', 'txt'))
    """

    known = _KNOWN
