"""Reading and writing sound files: wav, flac, ogg, mp3 and what else libsndfile knows."""

from __future__ import annotations

from triptych_audio.io.audio_effector import AudioEffector
from triptych_audio.io.backends import (
    get_audio_backend,
    list_audio_backends,
    load_with_torchcodec,
    save_with_torchcodec,
    set_audio_backend,
)
from triptych_audio.io.metadata import AudioMetaData, info
from triptych_audio.io.reading import load, stream
from triptych_audio.io.stream_reader import StreamReader
from triptych_audio.io.stream_resampler import StreamResampler
from triptych_audio.io.stream_writer import CodecConfig, StreamWriter
from triptych_audio.io.writing import save

__all__ = [
    "AudioEffector",
    "AudioMetaData",
    "CodecConfig",
    "StreamReader",
    "StreamResampler",
    "StreamWriter",
    "get_audio_backend",
    "info",
    "list_audio_backends",
    "load",
    "load_with_torchcodec",
    "save",
    "save_with_torchcodec",
    "set_audio_backend",
    "stream",
]
