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

    Args:
        urls: paths or http(s) addresses of tar or compressed tar files, one or several; braces are
            written out as in `expand_shards`.
        decode: True makes (waveform (channels, t), sample_rate) of sound, and numbers, texts, JSON
            and arrays of files that are called so; False leaves bytes; a mapping from extensions to
            functions of bytes goes before that. What has no decoder stays bytes.
        keys: extensions to take, for a tuple in place of the dict; "flac;wav" is the first of them
            that a sample has.
        transform: called with the dict or tuple.
        shuffle: how many samples wait to be drawn from; 0 keeps the order. Above 0, shards are
            shuffled as well.
        generator: draws the order; default the global one.
        rank: the number of this process, from 0; default: the environment's ``RANK``, or 0.
        num_replicas: how many processes there are; default: the environment's ``WORLD_SIZE``, or 1.
        max_bytes: of one file; a larger one is refused.

    Raises:
        FileNotFoundError: there is no such shard.
        FileFormatError: a shard is damaged, or a file cannot be decoded.
        UnknownNameError: a sample lacks one of the keys.

    Example:
        >>> WebDataset("train-{000..146}.tar", keys=("flac", "txt"), shuffle=5000)
        WebDataset(147 shards, shuffle=5000, keys=('flac', 'txt'))
    """

    known = _KNOWN
