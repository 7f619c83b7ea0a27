"""What a sound file holds, without decoding it."""

from __future__ import annotations

from dataclasses import dataclass

from triptych_audio.io.sound_file import Sound, Source, opened

__all__ = ["AudioMetaData", "info"]

# libsndfile's subtype, or FFmpeg's codec: (torchaudio's name, bits per sample; 0 where it varies)
ENCODINGS = {
    "AAC": ("AAC", 0),
    "AC3": ("AC3", 0),
    "ALAC": ("ALAC", 0),
    "ALAC_16": ("ALAC", 16),
    "ALAC_20": ("ALAC", 20),
    "ALAC_24": ("ALAC", 24),
    "ALAC_32": ("ALAC", 32),
    "ALAW": ("ALAW", 8),
    "DOUBLE": ("PCM_F", 64),
    "FLOAT": ("PCM_F", 32),
    "G721_32": ("G721", 4),
    "GSM610": ("GSM", 0),
    "FLAC": ("FLAC", 0),
    "IMA_ADPCM": ("ADPCM", 4),
    "MP3": ("MP3", 0),
    "MP3FLOAT": ("MP3", 0),
    "MPEG_LAYER_I": ("MP1", 0),
    "MPEG_LAYER_II": ("MP2", 0),
    "MPEG_LAYER_III": ("MP3", 0),
    "MS_ADPCM": ("ADPCM", 4),
    "OPUS": ("OPUS", 0),
    "PCM_16": ("PCM_S", 16),
    "PCM_24": ("PCM_S", 24),
    "PCM_32": ("PCM_S", 32),
    "PCM_S8": ("PCM_S", 8),
    "PCM_F32LE": ("PCM_F", 32),
    "PCM_S16BE": ("PCM_S", 16),
    "PCM_S16LE": ("PCM_S", 16),
    "PCM_S24LE": ("PCM_S", 24),
    "PCM_U8": ("PCM_U", 8),
    "ULAW": ("ULAW", 8),
    "VORBIS": ("VORBIS", 0),
}


@dataclass(frozen=True, slots=True)
class AudioMetaData:
    """What is known about a sound file.

    Args:
        sample_rate: in Hz.
        num_frames: samples per channel; of m4a, aac and films as the file says, which may be off.
        num_channels: 1 is mono, 2 stereo.
        bits_per_sample: 0 for formats that have none, such as mp3 and Vorbis.
        encoding: "PCM_S", "PCM_U", "PCM_F" (signed, unsigned, floating), "FLAC", "ULAW", "ALAW",
            "MP3", "VORBIS", "OPUS", ...; "UNKNOWN" for the rest.
    """

    sample_rate: int
    num_frames: int
    num_channels: int
    bits_per_sample: int
    encoding: str

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.num_frames / self.sample_rate


def info(
    uri: Source,
    format: str | None = None,
    buffer_size: int = 4096,
    backend: str | None = None,
) -> AudioMetaData:
    """What a sound file holds, from its header.

    Args:
        uri: path, the encoded bytes, a binary file object, which is left at the end of the header,
            or an address, as in `load`.
        format: has no effect; the content decides.
        buffer_size: has no effect.
        backend: "soundfile", "ffmpeg" (PyAV), or None for the first of them that knows the file.

    Returns:
        Rate, length, channels, bits and encoding.

    Raises:
        FileNotFoundError: no such file.
        FileFormatError: damaged, or of a format that is not known.
    """
    with opened(uri, "info", backend) as sound:
        return _described(sound)


def _described(sound: Sound) -> AudioMetaData:
    encoding, bits = ENCODINGS.get(sound.subtype, ("UNKNOWN", 0))
    return AudioMetaData(
        sample_rate=sound.samplerate,
        num_frames=sound.frames,
        num_channels=sound.channels,
        bits_per_sample=bits,
        encoding="FLAC" if sound.format == "FLAC" else encoding,
    )
