"""Reading and writing sound files: wav, flac, ogg, mp3 and what else libsndfile knows."""

from __future__ import annotations

from triptych_audio.io.metadata import AudioMetaData, info
from triptych_audio.io.reading import load, stream
from triptych_audio.io.writing import save

__all__ = ["AudioMetaData", "info", "load", "save", "stream"]
