"""Files of Whisper: OpenAI's checkpoints and the vocabularies.

Source: openai/whisper, whisper/__init__.py; a checkpoint's sha256 is the folder of its address.
"""

from __future__ import annotations

from triptych_datasets import Artifact

__all__ = ["WHISPER", "WHISPER_VOCABULARIES"]

HOST = "https://openaipublic.azureedge.net/main/whisper/models/"
REPOSITORY = "https://raw.githubusercontent.com/openai/whisper/v20250625/whisper/assets/"
SDIST = "pypi:openai-whisper==20250625#whisper/assets/"

HASHES = {
    "tiny.en": "d3dd57d32accea0b295c96e26691aa14d8822fac7d9d27d5dc00b4ca2826dd03",
    "tiny": "65147644a518d12f04e32d6f3b26facc3f8dd46e5390956a9424a650c0ce22b9",
    "base.en": "25a8566e1d0c1e2231d1c762132cd20e0f96a85d16145c3a00adf5d1ac670ead",
    "base": "ed3a0b6b1c0edf879ad9b11b1af5a0e6ab5db9205f891f668f8b0e6c6326e34e",
    "small.en": "f953ad0fd29cacd07d5a9eda5624af0f6bcf2258be67c92b79389873d91e0872",
    "small": "9ecf779972d90ba49c06d968637d720dd632c55bbf19d441fb42bf17a411e794",
    "medium.en": "d7440d1dc186f76616474e0ff0b3b6b879abc9d1a4926b7adfa41db2d497ab4f",
    "medium": "345ae4da62f9b3d59415adc60127b97c714f32e89e936602e85993674d08dcb1",
    "large-v1": "e4b87e7e0bf463eb8e6956e646f1e277e901512310def2c24bf0e11bd3c28e9a",
    "large-v2": "81f7c96c852ee8fc832187b0132e569d6c3065a3252ed18e56effd0b6a73e524",
    "large-v3": "e5b1a55b89c1367dacf97e3e19bfd829a01529dbfdeefa8caeb59b3f1b81dadb",
    "large-v3-turbo": "aff26ae408abcba5fbf8813c21e62b0941638c5f6eebfb145be0c9839262a19a",
}

WHISPER: dict[str, Artifact] = {
    name: Artifact(
        f"whisper/{name}.pt",
        sources=(f"{HOST}{sha256}/{name}.pt",),
        sha256=sha256,
        licence="MIT",
        description=f"Whisper {name}, speech recognition",
        kind="weights",
    )
    for name, sha256 in HASHES.items()
}
"""The checkpoints by name."""

WHISPER_VOCABULARIES: dict[str, Artifact] = {
    name: Artifact(
        f"whisper/{name}.tiktoken",
        sources=(f"{SDIST}{name}.tiktoken", f"{REPOSITORY}{name}.tiktoken"),
        sha256=sha256,
        size=size,
        licence="MIT",
        description=f"pieces of words of Whisper, {about}",
    )
    for name, sha256, size, about in (
        (
            "gpt2",
            "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
            835_554,
            "English, those of GPT-2",
        ),
        (
            "multilingual",
            "b34b360dbb493e781e479794586d661700670d65564001f23024971d1f2fa126",
            816_730,
            "all languages",
        ),
    )
}
"""The vocabularies by name."""
