"""A vocabulary of single bytes and a few words, and a Whisper with random weights for it."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.serialization import save_file
from triptych_audio.models.whisper import WhisperConfig, WhisperForConditionalGeneration
from triptych_audio.models.whisper.tokenizer import (
    Tokenizer,
    Vocabulary,
    _byte_letters,
    special_tokens,
)

WORDS = [b" a", b" b", b" ab", b"he", b"llo", b"hello", b" -", b" '"]


@pytest.fixture(scope="session")
def vocabulary():
    pytest.importorskip("tiktoken")
    pieces = [bytes([i]) for i in range(256)] + [b"ll", *WORDS]
    ranks = {piece: i for i, piece in enumerate(pieces)}
    return Vocabulary(ranks, special_tokens(len(ranks), 99))


@pytest.fixture
def tokenizer(vocabulary):
    return Tokenizer(vocabulary, 99, "en", "transcribe")


@pytest.fixture(scope="session")
def model(vocabulary):
    """Two layers, 30 s in 1500 places; weights that make texts change from step to step."""
    count = len(vocabulary.ranks) + len(vocabulary.specials)
    config = WhisperConfig(
        vocab_size=count, d_model=16, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64,
        decoder_ffn_dim=64, max_target_positions=40, pad_token_id=0, decoder_start_token_id=1,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config).eval()
    rng = np.random.default_rng(2)
    state = {
        k: tp.tensor((rng.standard_normal(v.shape) * 0.6).astype(np.float32)) if v.ndim > 1 else v
        for k, v in model.state_dict().items()
    }
    state["proj_out.weight"] = state["model.decoder.embed_tokens.weight"]
    model.load_state_dict(state)
    return model


@pytest.fixture
def write_folder(vocabulary):
    """Puts the vocabulary into a folder as Hugging Face keeps it, and a model too."""

    def write(folder, network=None, **changes):
        letters = {byte: letter for letter, byte in _byte_letters().items()}
        text = {k: "".join(letters[b] for b in k) for k in vocabulary.ranks}
        merges = [("l", "l"), (" ", "a"), (" ", "b"), (" a", "b"), ("h", "e"), ("ll", "o"),
                  ("he", "llo"), (" ", "-"), (" ", "'")]  # fmt: skip
        merges = [" ".join(part.replace(" ", "Ġ") for part in merge) for merge in merges]
        specials = {k.replace("nospeech", "nocaptions"): v for k, v in vocabulary.specials.items()}
        times = [k for k in specials if k[2].isdigit()]
        model = {"type": "BPE", "vocab": {text[k]: v for k, v in vocabulary.ranks.items()}}
        model |= {"merges": merges, **changes}
        added = [{"content": k, "id": v} for k, v in specials.items() if k not in times]
        file = folder / "tokenizer.json"
        file.write_text(json.dumps({"model": model, "added_tokens": added}))
        if network is not None:
            (folder / "config.json").write_text(json.dumps(network.config.to_dict()))
            (folder / "generation_config.json").write_text('{"is_multilingual": true}')
            state = network.state_dict()
            save_file(state, folder / "model.safetensors")
        return folder

    return write
