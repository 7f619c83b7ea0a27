"""Files that torchaudio publishes for examples."""

from triptych_audio.utils.download import download_asset

__all__ = ["download_asset"]
