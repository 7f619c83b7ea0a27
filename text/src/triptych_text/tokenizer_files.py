"""Files of published tokenizers: where from, and which bytes they hold."""

from __future__ import annotations

from triptych_datasets import Artifact

__all__ = ["ARTIFACTS", "TOKENIZER_FILES"]

OPENAI = "https://openaipublic.blob.core.windows.net/"
RANKS = OPENAI + "encodings/{name}.tiktoken"
# Wheels that carry the same bytes, for places that reach a package index only.
LITELLM = "pypi:litellm==1.109.1#litellm/litellm_core_utils/tokenizers/"
WHISPER = "https://raw.githubusercontent.com/openai/whisper/v20250625/whisper/assets/"
WHISPER_SDIST = "pypi:openai-whisper==20250625#whisper/assets/"
MISTRAL = "pypi:mistral-common==1.13.1#mistral_common/data/"

# name -> (sources, size in bytes, sha256, licence, description). Those of OpenAI's hashes are in
# tiktoken_ext/openai_public.py; the others were taken from the named wheels.
ROWS: dict[str, tuple[tuple[str, ...], int | None, str, str, str]] = {
    "r50k_base.tiktoken": (
        (
            RANKS.format(name="r50k_base"),
            WHISPER_SDIST + "gpt2.tiktoken",
            WHISPER + "gpt2.tiktoken",
        ),
        835_554,
        "306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930",
        "MIT",
        "byte pair ranks of GPT-2 and GPT-3",
    ),
    "p50k_base.tiktoken": (
        (RANKS.format(name="p50k_base"), LITELLM + "ec7223a39ce59f226a68acc30dc1af2788490e15"),
        836_186,
        "94b5ca7dff4d00767bc256fdd1b27e5b17361d7b8a5f968547f9f23eb70d2069",
        "MIT",
        "byte pair ranks of Codex",
    ),
    "cl100k_base.tiktoken": (
        (RANKS.format(name="cl100k_base"), LITELLM + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"),
        1_681_126,
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        "MIT",
        "byte pair ranks of GPT-4",
    ),
    "o200k_base.tiktoken": (
        (RANKS.format(name="o200k_base"), LITELLM + "fb374d419588a4632f3f557e76b4b70aebbca790"),
        3_613_922,
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        "MIT",
        "byte pair ranks of GPT-4o",
    ),
    "gpt2/vocab.bpe": (
        (OPENAI + "gpt-2/encodings/main/vocab.bpe",),
        None,
        "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5",
        "MIT",
        "merges of GPT-2",
    ),
    "gpt2/encoder.json": (
        (OPENAI + "gpt-2/encodings/main/encoder.json",),
        None,
        "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783",
        "MIT",
        "vocabulary of GPT-2",
    ),
    "clip/bpe_simple_vocab_16e6.txt.gz": (
        (
            "pypi:open-clip-torch==3.3.0#open_clip/bpe_simple_vocab_16e6.txt.gz",
            "https://github.com/openai/CLIP/raw/main/clip/bpe_simple_vocab_16e6.txt.gz",
        ),
        1_356_917,
        "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a",
        "MIT",
        "merges of CLIP",
    ),
    "mistral/tokenizer.model.v1": (
        (MISTRAL + "tokenizer.model.v1",),
        493_443,
        "dadfd56d766715c61d2ef780a525ab43b8e6da4de6865bda3d95fdef5e134055",
        "Apache-2.0",
        "sentencepiece model of Mistral 7B: BPE with byte fallback, 32,000 pieces",
    ),
    "mistral/tokenizer.model.v3": (
        (MISTRAL + "mistral_instruct_tokenizer_240323.model.v3",),
        587_591,
        "9addc8bdce5988448ae81b729336f43a81262160ae8da760674badab9d4c7d33",
        "Apache-2.0",
        "sentencepiece model of Mistral's tools versions, 32,768 pieces",
    ),
    "j2/tokenizer.model": (
        ("pypi:ai21-tokenizer==1.1.0#ai21_tokenizer/resources/j2-tokenizer/j2-tokenizer.model",),
        6_659_225,
        "0da75c7b7590806e6eb791ecb2beeb89df79ef2b94728809a91d1349fa9b3d82",
        "Apache-2.0",
        "sentencepiece model of Jurassic-2: unigram, NFKC, 262,144 pieces over several words",
    ),
    "qwen.tiktoken": (
        ("pypi:dashscope==2.0.2#dashscope/resources/qwen.tiktoken",),
        2_561_218,
        "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186",
        "Apache-2.0",
        "byte pair ranks of Qwen",
    ),
}

TOKENIZER_FILES: dict[str, Artifact] = {
    name: Artifact(
        f"tokenizers/{name}",
        sources=sources,
        sha256=sha256,
        size=size,
        licence=licence,
        description=description,
        kind="weights",
    )
    for name, (sources, size, sha256, licence, description) in ROWS.items()
}
ARTIFACTS = tuple(TOKENIZER_FILES.values())
