"""Data sets of sound: samples (waveform, sample_rate, *labels), names and layouts as torchaudio's.

Each takes a `transform` of the waveform and a `loader`; `ChunkLoader` reads random pieces of files
without the rest. `get_metadata(n)` gives a sample without decoding it.
"""

from .audio_folder import AudioFolder
from .base import AudioDataset
from .chunks import ChunkLoader
from .cmuarctic import CMUARCTIC
from .cmudict import CMUDict
from .commonvoice import COMMONVOICE
from .environmental import ESC50, UrbanSound8K
from .fleurs import FLEURS
from .fluentcommands import FluentSpeechCommands
from .gtzan import GTZAN
from .iemocap import IEMOCAP
from .librimix import LibriMix
from .librispeech import LIBRISPEECH, LibriLightLimited, LibriSpeechBiasing
from .libritts import LIBRITTS
from .ljspeech import LJSPEECH
from .maestro import MAESTRO
from .manifest import Manifest
from .musan import Musan
from .musdb_hq import MUSDB_HQ
from .nsynth import NSynth
from .quesst14 import QUESST14
from .ravdess import RAVDESS
from .snips import Snips
from .speechcommands import SPEECHCOMMANDS
from .tagging import FSD50K, AudioSet
from .tedlium import TEDLIUM
from .vctk import DR_VCTK, VCTK_092
from .voicebank_demand import VoiceBankDEMAND
from .voxceleb1 import VoxCeleb1Identification, VoxCeleb1Verification
from .webdataset import WebDataset, expand_shards
from .yesno import YESNO

__all__ = [
    "AudioDataset",
    "AudioFolder",
    "AudioSet",
    "CMUARCTIC",
    "CMUDict",
    "COMMONVOICE",
    "ChunkLoader",
    "DR_VCTK",
    "ESC50",
    "FLEURS",
    "FSD50K",
    "FluentSpeechCommands",
    "GTZAN",
    "IEMOCAP",
    "LIBRISPEECH",
    "LIBRITTS",
    "LJSPEECH",
    "LibriLightLimited",
    "LibriMix",
    "LibriSpeechBiasing",
    "MAESTRO",
    "MUSDB_HQ",
    "Manifest",
    "Musan",
    "NSynth",
    "QUESST14",
    "RAVDESS",
    "SPEECHCOMMANDS",
    "Snips",
    "TEDLIUM",
    "UrbanSound8K",
    "VCTK_092",
    "VoiceBankDEMAND",
    "VoxCeleb1Identification",
    "VoxCeleb1Verification",
    "WebDataset",
    "YESNO",
    "expand_shards",
]
