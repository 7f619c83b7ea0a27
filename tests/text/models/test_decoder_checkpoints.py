"""Checkpoints of decoders and seq2seq models: types, maps, ties, files that leave things out."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError
from triptych.serialization import load_file, save_file
from triptych_text import models
from triptych_text.models import from_pretrained

SMALL = {"vocab_size": 20, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2}
SMALL |= {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4}
SMALL |= {"n_embd": 8, "n_layer": 2, "n_head": 2, "n_positions": 16}
SMALL |= {"d_model": 8, "d_kv": 4, "d_ff": 12, "num_layers": 2, "num_heads": 2}
SMALL |= {"encoder_layers": 1, "decoder_layers": 1, "encoder_attention_heads": 2}
SMALL |= {"decoder_attention_heads": 2, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8}
SMALL |= {"max_position_embeddings": 16, "pad_token_id": 0, "decoder_start_token_id": 0}
IDS = tp.tensor([[3, 7, 11, 2]])
FAMILIES = {
    "GPT2LMHeadModel": "transformer.",
    "LlamaForCausalLM": "model.",
    "Gemma2ForCausalLM": "model.",
    "T5ForConditionalGeneration": "",
    "BartForConditionalGeneration": "model.",
    "MBartForConditionalGeneration": "model.",
    "MarianMTModel": "model.",
}


def build(name, **settings):
    tp.manual_seed(0)
    return models.from_config({"architectures": [name], **SMALL, **settings}).eval()


def logits(model):
    extra = {"decoder_input_ids": IDS} if model.is_encoder_decoder else {}
    with tp.no_grad():
        out = model(IDS, **extra)
    return (out.logits if hasattr(out, "logits") else out.last_hidden_state).float().numpy()


@pytest.mark.parametrize("name", FAMILIES)
def test_save_and_load_with_and_without_the_prefix(name, tmp_path):
    model = build(name)
    model.save_pretrained(tmp_path)
    np.testing.assert_array_equal(logits(from_pretrained(tmp_path)), logits(model))
    prefix = FAMILIES[name]
    tensors = load_file(tmp_path / "model.safetensors")
    assert not set(tensors) & set(model.ties())
    bare = {key.removeprefix(prefix): tensor for key, tensor in tensors.items()}
    if name == "GPT2LMHeadModel":  # early files hold the masks, too
        bare["h.0.attn.bias"] = tp.ones(1, 1, 16, 16).tril()
    save_file(bare, tmp_path / "model.safetensors")
    np.testing.assert_array_equal(logits(from_pretrained(tmp_path)), logits(model))


@pytest.mark.parametrize("dtype", [tp.bfloat16, tp.float16])
@pytest.mark.parametrize("name", ["LlamaForCausalLM", "Gemma2ForCausalLM", "GPT2LMHeadModel"])
def test_half_precision(name, dtype, tmp_path):
    model = build(name)
    model.save_pretrained(tmp_path)
    halves = {k: t.to(dtype) for k, t in load_file(tmp_path / "model.safetensors").items()}
    save_file(halves, tmp_path / "model.safetensors")
    assert {p.dtype for p in from_pretrained(tmp_path).parameters()} == {tp.float32}
    kept = from_pretrained(tmp_path, dtype="auto", mmap=True)
    assert {p.dtype for p in kept.parameters()} == {dtype}
    wanted = logits(model)
    np.testing.assert_allclose(logits(kept), wanted, atol=0.05 * np.abs(wanted).max())
    out = kept.generate(IDS, max_new_tokens=3, min_new_tokens=3)
    assert out.shape == (1, 7)
    wide = type(model).from_pretrained(tmp_path, dtype=tp.float64)
    assert {p.dtype for p in wide.parameters()} == {tp.float64}
    with pytest.raises(DTypeError, match='"auto"'):
        from_pretrained(tmp_path, dtype=tp.int64)


def test_mapped_weights_are_those_of_the_file(tmp_path):
    model = build("LlamaForCausalLM")
    model.save_pretrained(tmp_path)
    mapped = from_pretrained(tmp_path, mmap=True)
    np.testing.assert_array_equal(logits(mapped), logits(model))
    before = (tmp_path / "model.safetensors").read_bytes()
    with tp.no_grad():
        mapped.lm_head.weight.zero_()
    assert (tmp_path / "model.safetensors").read_bytes() == before


def test_pytorch_files_and_parts(tmp_path):
    model = build("LlamaForCausalLM")
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    (tmp_path / "model.safetensors").unlink()
    names = list(weights)
    places = {}
    for i, chunk in enumerate((names[:5], names[5:]), 1):
        part = f"model-0000{i}-of-00002.safetensors"
        save_file({name: weights[name] for name in chunk}, tmp_path / part)
        places |= dict.fromkeys(chunk, part)
    index = {"metadata": {}, "weight_map": places}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    np.testing.assert_array_equal(logits(from_pretrained(tmp_path, mmap=True)), logits(model))
    (tmp_path / part).unlink()
    with pytest.raises(FileNotFoundError, match=f"wanted {part}"):
        from_pretrained(tmp_path)


def test_files_that_call_different_weights_tied(tmp_path):
    model = build("T5ForConditionalGeneration", tie_word_embeddings=False)
    assert not model.config.scale_decoder_outputs
    model.save_pretrained(tmp_path)
    assert "lm_head.weight" in load_file(tmp_path / "model.safetensors")
    values = json.loads((tmp_path / "config.json").read_text())
    for tied in (True, False):
        values["tie_word_embeddings"] = tied
        (tmp_path / "config.json").write_text(json.dumps(values))
        loaded = from_pretrained(tmp_path)
        assert loaded.lm_head.weight is not loaded.shared.weight
        np.testing.assert_array_equal(logits(loaded), logits(model))


def test_what_files_may_leave_out(tmp_path):
    model = build("MarianMTModel")
    model.save_pretrained(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    fixed = [name for name in weights if "embed_positions" in name or "bias" in name[:17]]
    assert len(fixed) == 3
    kept = {name: tensor for name, tensor in weights.items() if name not in fixed}
    save_file(kept, tmp_path / "model.safetensors")
    loaded = from_pretrained(tmp_path)
    np.testing.assert_array_equal(logits(loaded), logits(model))
    places = loaded.model.encoder.embed_positions.weight
    assert not places.requires_grad
    np.testing.assert_allclose(places[1, :4], np.sin(10000.0 ** (-np.arange(4) / 4)), rtol=1e-6)
    np.testing.assert_allclose(places[3, 4:], np.cos(3 * 10000.0 ** (-np.arange(4) / 4)), rtol=1e-6)
    del kept["model.encoder.layers.0.fc1.weight"]
    save_file(kept, tmp_path / "model.safetensors")
    with pytest.raises(FileFormatError, match=r"wants 1 weights .*encoder\.layers\.0\.fc1"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("full", "part"),
    [
        ("LlamaForCausalLM", "LlamaModel"),
        ("GPT2LMHeadModel", "GPT2Model"),
        ("T5ForConditionalGeneration", "T5Model"),
        ("T5ForConditionalGeneration", "T5EncoderModel"),
        ("BartForConditionalGeneration", "BartModel"),
        ("MarianMTModel", "MarianModel"),
    ],
)
def test_parts_of_a_checkpoint(full, part, tmp_path):
    model = build(full)
    model.save_pretrained(tmp_path)
    loaded = from_pretrained(tmp_path, architecture=part)
    ours, theirs = loaded.state_dict(), model.state_dict()
    assert all(
        tp.equal(tensor, theirs.get(name, theirs.get(FAMILIES[full] + name)))
        for name, tensor in ours.items()
    )


def test_another_family(tmp_path):
    build("LlamaForCausalLM").save_pretrained(tmp_path)
    with pytest.raises(FileFormatError, match=r"wants settings of model_type 'mistral'.*'llama'"):
        models.MistralForCausalLM.from_pretrained(tmp_path)
    values = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**values, "vocab_size": 21}))
    with pytest.raises(FileFormatError, match=r"embed_tokens\.weight: wanted \(21, 8\)"):
        from_pretrained(tmp_path)


def test_embeddings_that_are_not_shared(tmp_path):
    model = build("BartForConditionalGeneration", tie_word_embeddings=False)
    tables = [part.embed_tokens.weight for part in (model.model.encoder, model.model.decoder)]
    assert len({id(t) for t in (*tables, model.model.shared.weight, model.lm_head.weight)}) == 4
    model.save_pretrained(tmp_path)
    np.testing.assert_array_equal(logits(from_pretrained(tmp_path)), logits(model))
    weights = load_file(tmp_path / "model.safetensors")
    for side in ("encoder", "decoder"):  # files of older programs, which always shared them
        del weights[f"model.{side}.embed_tokens.weight"]
    save_file(weights, tmp_path / "model.safetensors")
    loaded = from_pretrained(tmp_path)
    assert tp.equal(loaded.model.encoder.embed_tokens.weight, model.model.shared.weight)


def test_classes_that_no_file_names():
    names = ("BartConfig", "MBartConfig", "MarianConfig", "LlamaConfig")
    assert [getattr(models, name)().num_labels for name in names] == [3, 2, 2, 2]


def test_settings_that_are_refused():
    with pytest.raises(ShapeError, match="at least one head, got 0"):
        models.LlamaConfig(num_attention_heads=0)
    with pytest.raises(FileFormatError, match=r"mappings, such as .*got \[1\]"):
        build("LlamaForCausalLM", rope_parameters=[1])
    with pytest.raises(ShapeError, match="does not divide into 3 heads"):
        models.LlamaConfig(hidden_size=8, num_attention_heads=3)
    with pytest.raises(ShapeError, match="3 heads of keys"):
        models.LlamaConfig(hidden_size=8, num_attention_heads=4, num_key_value_heads=3)
    with pytest.raises(FileFormatError, match="wanted layer_types for 1 layers"):
        build("LlamaForCausalLM", num_hidden_layers=1, layer_types=["chunked_attention"])
    with pytest.raises(FileFormatError, match="use_bidirectional_attention"):
        models.Gemma2Config.from_dict({"use_bidirectional_attention": True})
    with pytest.raises(FileFormatError, match="feed_forward_proj"):
        models.T5Config(feed_forward_proj="swish-gelu")
    with pytest.raises(FileFormatError, match="share_encoder_decoder_embeddings"):
        build("MarianMTModel", share_encoder_decoder_embeddings=False)


def test_inputs_that_are_refused():
    llama, bart = build("LlamaForCausalLM"), build("BartForConditionalGeneration")
    with pytest.raises(ShapeError, match="wanted input_ids of shape"):
        llama(tp.tensor([1, 2]))
    with pytest.raises(ShapeError, match="17 tokens, the model has places for 16"):
        bart(tp.ones(1, 17, dtype=tp.int64), decoder_input_ids=IDS)
    with pytest.raises(ShapeError, match="17 tokens"):
        build("GPT2LMHeadModel")(tp.ones(1, 17, dtype=tp.int64))
    with pytest.raises(ShapeError, match="position_ids reach 16; the model has places 0 to 15"):
        build("GPT2LMHeadModel")(IDS, position_ids=tp.tensor([[13, 14, 15, 16]]))
    assert build("GPT2LMHeadModel")(IDS[:0]).logits.shape[:2] == (0, 4)
    t5 = build("T5ForConditionalGeneration")
    with pytest.raises(ShapeError, match="wanted decoder_input_ids, or labels"):
        t5(IDS)
    with pytest.raises(ShapeError, match="wanted input_ids or encoder_outputs"):
        t5(decoder_input_ids=IDS)
    del t5.config.decoder_start_token_id
    t5.config.decoder_start_token_id = t5.config.pad_token_id = None
    with pytest.raises(ShapeError, match="decoder_start_token_id is None"):
        t5(IDS, labels=IDS)
    texts = build("LlamaForSequenceClassification", pad_token_id=None)
    assert texts(IDS, labels=tp.tensor([1])).logits.shape == (1, 2)
    with pytest.raises(ShapeError, match=r"2 texts, and config\.pad_token_id is None"):
        texts(tp.cat([IDS, IDS]))
    ends = build("BartForSequenceClassification")
    assert ends(tp.tensor([[3, 2]]), labels=tp.tensor([2])).loss.ndim == 0
    states = ends(tp.tensor([[3, 2]]), output_hidden_states=True).hidden_states
    assert [tuple(state.shape[:2]) for state in states] == [(1, 2)] * (
        len(ends.model.decoder.layers) + 1
    )
    with pytest.raises(ShapeError, match="must hold the end token"):
        ends(tp.tensor([[3, 4]]))


def test_bart_reads_the_text_itself_when_it_is_given_nothing():
    for name in ("BartModel", "MBartModel"):
        model = build(name, pad_token_id=1, decoder_start_token_id=2)
        first = 2 if name == "BartModel" else int(IDS[0, -1])
        shifted = tp.cat([tp.tensor([[first]]), IDS[:, :-1]], 1)
        with tp.no_grad():
            one, other = model(IDS), model(IDS, decoder_input_ids=shifted)
        assert tp.equal(one.last_hidden_state, other.last_hidden_state)
        with pytest.raises(ShapeError, match="wanted decoder_input_ids"):
            model(encoder_outputs=(one.encoder_last_hidden_state,))


@pytest.mark.parametrize("name", ["LlamaForCausalLM", "GPT2LMHeadModel"])
def test_hidden_states_and_places(name):
    model = build(name)
    with tp.no_grad():
        out = model(IDS, output_hidden_states=True, use_cache=True)
        assert [tuple(s.shape) for s in out.hidden_states] == [(1, 4, 8)] * 3
        assert out.past_key_values.seen == 4
        later = model(IDS, position_ids=tp.tensor([[5, 6, 7, 8]])).logits
    assert not np.allclose(later.numpy(), out.logits.numpy(), atol=1e-6) or name.startswith("Llama")


def test_hidden_states_of_both_sides():
    for name in ("T5ForConditionalGeneration", "BartForConditionalGeneration"):
        out = build(name)(IDS, labels=IDS, output_hidden_states=True, use_cache=True)
        assert len(out.encoder_hidden_states) == len(out.decoder_hidden_states)
        assert out.encoder_last_hidden_state.shape == (1, 4, 8)
        assert len(out.past_key_values.layers[0]) == 4


def test_token_classes():
    model = build("Qwen2ForTokenClassification", num_labels=3)
    out = model(IDS, labels=tp.tensor([[0, 1, -100, 2]]))
    assert out.logits.shape == (1, 4, 3)
    with pytest.raises(NotImplementedError, match="cache_windows"):
        models.GenerativeModel(models.LlamaConfig()).new_cache()
