"""The network: keys, caches, groups of texts, checkpoints of both layouts."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import FileFormatError, ShapeError, UnknownNameError
from triptych.serialization import save_file
from triptych_audio.models import whisper
from triptych_audio.models.whisper import WhisperConfig, WhisperForConditionalGeneration
from triptych_audio.models.whisper.decoding import tokenizer_of
from triptych_audio.models.whisper.loading import ALIGNMENT_HEADS, _unpacked, huggingface_name
from triptych_audio.models.whisper.model import WhisperModel, sinusoids
from triptych_audio.whisper_weights import WHISPER

IDS = [[7, 3, 9, 11, 2]]


@pytest.fixture
def mel(normal):
    return normal(0, 1, 80, 3000)


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_pieces_with_a_cache_are_the_whole(model, mel, sizes):
    ids = tp.tensor(IDS)
    with tp.inference_mode():
        whole = model(mel, ids)
        cache, got, at = model.new_cache(), [], 0
        for size in sizes:
            out = model(None, ids[:, at : at + size], past_key_values=cache,
                        encoder_outputs=whole.encoder_last_hidden_state)  # fmt: skip
            got.append(out.logits)
            at += size
    np.testing.assert_allclose(tp.cat(got, 1), whole.logits, rtol=1e-4, atol=1e-5)
    assert cache.seen == 5


def test_texts_of_one_sound_share_it(model, normal):
    mels, ids = normal(1, 2, 80, 3000), tp.tensor([[1, 2], [3, 4], [5, 6], [7, 8]])
    with tp.inference_mode():
        encoded = model.embed_audio(mels)
        shared = model(None, ids, encoder_outputs=encoded).logits
        repeated = model(None, ids, encoder_outputs=(encoded[[0, 0, 1, 1]],)).logits
    np.testing.assert_allclose(shared, repeated, rtol=1e-4, atol=1e-5)
    with pytest.raises(ShapeError, match="divide"):
        model(None, ids[:3], encoder_outputs=encoded)


def test_padding_is_not_looked_at(model, mel):
    ids = tp.tensor(IDS)
    mask = tp.tensor([[0, 1, 1, 1, 1]])
    with tp.inference_mode():
        one = model(mel, ids, decoder_attention_mask=mask).logits[:, 1:]
        other = model(mel, tp.tensor([[8, *IDS[0][1:]]]), decoder_attention_mask=mask)
        plain = model(mel, ids, decoder_attention_mask=tp.ones(1, 5)).logits
        np.testing.assert_allclose(plain, model(mel, ids).logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(one, other.logits[:, 1:], rtol=1e-5, atol=1e-6)


def test_loss_and_gradients(model, mel):
    labels = tp.tensor([[3, 9, -100]])
    out = model(mel, labels=labels)
    given = tp.tensor([[model.config.decoder_start_token_id, 3, 9]])
    scores = model(mel, given).logits.log_softmax(-1)
    assert out.loss.item() == pytest.approx(-(scores[0, 0, 3] + scores[0, 1, 9]).item() / 2, 1e-4)
    out.loss.backward()
    assert model.model.encoder.conv1.weight.grad.abs().sum().item() > 0
    model.zero_grad()


def test_gradients_through_a_cache(model, mel):
    ids, cache = tp.tensor(IDS), model.new_cache()
    first = model(mel, ids[:, :3], past_key_values=cache)
    rest = model(None, ids[:, 3:], encoder_outputs=first.encoder_last_hidden_state,
                 past_key_values=cache)  # fmt: skip
    rest.logits.sum().backward()
    through = model.model.decoder.embed_tokens.weight.grad.numpy().copy()
    model.zero_grad()
    model(mel, ids).logits[:, 3:].sum().backward()
    whole = model.model.decoder.embed_tokens.weight.grad.numpy()
    np.testing.assert_allclose(through, whole, rtol=1e-3, atol=1e-2)
    model.zero_grad()


def test_starts(mel):
    config = WhisperConfig(d_model=8, encoder_layers=1, decoder_layers=1, vocab_size=12,
                           encoder_attention_heads=2, decoder_attention_heads=2,
                           decoder_start_token_id=1, pad_token_id=0)  # fmt: skip
    bare = WhisperModel(config).eval()
    np.testing.assert_allclose(bare.encoder.embed_positions.weight.detach(), sinusoids(1500, 8))
    assert not bare.encoder.embed_positions.weight.requires_grad
    out = bare(mel, use_cache=True)
    assert out.last_hidden_state.shape == (1, 1, 8)
    assert out.past_key_values.seen == 1
    untied = WhisperForConditionalGeneration(WhisperConfig.from_dict(
        config.to_dict() | {"tie_word_embeddings": False}))  # fmt: skip
    assert untied.proj_out.weight is not untied.model.decoder.embed_tokens.weight


def test_sinusoids():
    found = sinusoids(3, 4)
    rates = np.array([1.0, 1e-4])
    wanted = [[*np.sin(i * rates), *np.cos(i * rates)] for i in range(3)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_refusals(model, mel):
    with pytest.raises(ShapeError, match="input_features or encoder_outputs"):
        model()
    with pytest.raises(ShapeError, match=r"wanted \(n, 80, 3000\)"):
        model(mel[:, :, :100])
    with pytest.raises(ShapeError, match="41 ids"):
        model(mel, tp.zeros(1, 41, dtype=tp.int64))
    with pytest.raises(ShapeError, match="heads"):
        WhisperConfig(d_model=10, encoder_attention_heads=3)
    with pytest.raises(UnknownNameError, match="activation_function"):
        WhisperModel(WhisperConfig(activation_function="tang"))
    with pytest.raises(FileFormatError, match="dims"):
        WhisperConfig.from_dims({"n_mels": 80})
    with pytest.raises(FileFormatError, match="one width"):
        WhisperConfig.from_dims({**WhisperConfig().dims._asdict(), "n_text_state": 1})
    with pytest.raises(UnknownNameError, match="size"):
        WhisperConfig.of_size("huge")


def test_sizes():
    assert whisper.available_models() == list(whisper.SIZES)
    turbo = WhisperConfig.of_size("turbo")
    assert (turbo.num_mel_bins, turbo.num_languages, turbo.decoder_layers) == (128, 100, 4)
    english = WhisperConfig.of_size("small.en")
    assert not english.is_multilingual
    assert english.eos_token_id == 50256
    assert WhisperConfig.of_size("tiny") == WhisperConfig(eos_token_id=50257)
    for name, packed in ALIGNMENT_HEADS.items():
        config = WhisperConfig.of_size(name)
        heads = _unpacked(packed, config.decoder_attention_heads)
        assert heads
        assert max(layer for layer, _ in heads) < config.decoder_layers
        assert WHISPER[name].sha256 in WHISPER[name].sources[0]


# Back from Hugging Face's names to OpenAI's, spelt out.
OPENAI = {
    "self_attn_layer_norm": "attn_ln", "encoder_attn_layer_norm": "cross_attn_ln",
    "self_attn": "attn", "encoder_attn": "cross_attn", "q_proj": "query", "k_proj": "key",
    "v_proj": "value", "out_proj": "out", "fc1": "mlp.0", "fc2": "mlp.2",
    "final_layer_norm": "mlp_ln", "layers": "blocks", "embed_tokens": "token_embedding",
}  # fmt: skip


def openai_name(name):
    side = name.split(".")[1]
    if name.endswith("embed_positions.weight"):
        return f"{side}.positional_embedding"
    parts = [OPENAI.get(part, part) for part in name.split(".")[1:]]
    norm = {"encoder": "ln_post", "decoder": "ln"}[side]
    return ".".join(norm if part == "layer_norm" else part for part in parts)


@pytest.fixture
def openai_file(model, tmp_path):
    state = {openai_name(k): v for k, v in model.state_dict().items() if k != "proj_out.weight"}
    dims = model.dims._asdict()
    path = tmp_path / "tiny.pt"
    tp.save({"dims": dims, "model_state_dict": {k: v.half() for k, v in state.items()}}, path)
    return path


def test_openai_checkpoint(model, openai_file):
    found = whisper.load_model(openai_file, device="cpu")
    assert not found.training
    assert found.proj_out.weight is found.model.decoder.embed_tokens.weight
    for name, value in found.state_dict().items():
        assert value.dtype == tp.float32
        np.testing.assert_allclose(value, model.state_dict()[name], rtol=1e-3, atol=1e-3)
    assert huggingface_name("encoder.blocks.0.mlp_ln.bias") == (
        "model.encoder.layers.0.final_layer_norm.bias"
    )


def test_published_model_is_fetched(model, openai_file, monkeypatch):
    monkeypatch.setattr(
        "triptych_audio.models.whisper.loading.fetch", lambda artifact, progress: openai_file
    )
    found = whisper.load_model("base", dtype=tp.float64)
    assert found.proj_out.weight.dtype == tp.float64
    assert found.alignment_heads()[0] == tuple(found.config.alignment_heads[0])
    assert model.alignment_heads() == [(1, 0), (1, 1)]


def test_folder(model, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(model.config.to_dict()))
    heads = {"alignment_heads": [[0, 1]]}
    (tmp_path / "generation_config.json").write_text(json.dumps(heads))
    weights = {k: v for k, v in model.state_dict().items() if k != "proj_out.weight"}
    save_file(weights, tmp_path / "model.safetensors")
    found = whisper.load_model(tmp_path)
    assert found.alignment_heads() == [(0, 1)]
    for name, value in found.state_dict().items():
        assert tp.equal(value, model.state_dict()[name])
    bare = WhisperModel.from_pretrained(tmp_path, dtype="auto")
    assert tp.equal(bare.decoder.embed_tokens.weight, model.model.decoder.embed_tokens.weight)
    weights = {k.removeprefix("model."): v for k, v in weights.items()}
    save_file(weights, tmp_path / "model.safetensors")
    again = WhisperForConditionalGeneration.from_pretrained(tmp_path)
    assert tp.equal(again.proj_out.weight, model.proj_out.weight)
    weights.pop("encoder.conv1.bias")
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(FileFormatError, match=r"lacks .*conv1\.bias"):
        whisper.load_model(tmp_path)


def test_folder_says_whether_it_knows_languages(model, vocabulary, write_folder, tmp_path):
    """Also of a vocabulary that is smaller than the published ones, or larger."""
    write_folder(tmp_path, model)
    found = whisper.load_model(tmp_path)
    assert found.is_multilingual
    tokenizer = tokenizer_of(found, "german")
    specials = vocabulary.specials
    assert tokenizer.sot_sequence == tuple(
        specials[f"<|{name}|>"] for name in ("startoftranscript", "de", "transcribe")
    )
    assert len(tokenizer.all_language_tokens) == 99
    _, likely = found.detect_language(tp.zeros(80, 3000))
    assert len(likely) == 99
    (tmp_path / "generation_config.json").write_text('{"is_multilingual": false}')
    english = whisper.load_model(tmp_path)
    assert not english.is_multilingual
    assert tokenizer_of(english).sot_sequence == (specials["<|startoftranscript|>"],)


def test_folder_of_another_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"holds no config\.json"):
        whisper.load_model(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "wav2vec2"}')
    save_file({"a": tp.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(FileFormatError, match="of type 'wav2vec2', wanted 'whisper'"):
        whisper.load_model(tmp_path)


def test_no_checkpoint(tmp_path):
    with pytest.raises(UnknownNameError, match="none of tiny"):
        whisper.load_model("tiniest")
    path = tmp_path / "other.pt"
    tp.save({"weight": tp.ones(2)}, path)
    with pytest.raises(FileFormatError, match="model_state_dict"):
        whisper.load_model(path)
