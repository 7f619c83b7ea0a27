"""Every family against transformers 5.23, as tools/record_generation.py has recorded it."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych_text.models import from_config

RECORDS = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
CLIP = RECORDS.pop("clip")
WRITERS = [name for name, record in RECORDS.items() if "loss" in record]
SEARCHES = ("greedy", "processed", "beams", "short_beams", "all_beams")
# Dynamic scaling turns early keys anew as a text grows, which a cache cannot do.
NO_CACHE = [name for name in WRITERS if name not in ("llama_dynamic", "llama_longrope")]


def fill(name, shape):
    """As in tools/record_generation.py."""
    drawn = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape)
    if len(shape) < 2:
        return np.asarray(0.1 * drawn + float("norm" in name or ".ln_" in name), np.float32)
    return (2 * drawn / np.sqrt(shape[-1])).astype(np.float32)


_built = {}


def build(name):
    if name not in _built:
        record = RECORDS[name]
        model = from_config({"architectures": [record["architecture"]], **record["settings"]})
        # FLAN-T5's files say that weights are not tied; transformers ties fresh ones.
        if record["settings"].get("feed_forward_proj"):
            model.lm_head.weight = model.shared.weight
        with tp.no_grad():
            for key, parameter in model.named_parameters():
                if "Marian" not in record["architecture"] or "embed_positions" not in key:
                    parameter.copy_(tp.from_numpy(fill(key, tuple(parameter.shape))))
        _built[name] = model.eval()
    return _built[name], RECORDS[name]


def tensors(record, *names):
    return {name: tp.tensor(record[name]) for name in names if name in record}


@pytest.mark.parametrize("name", RECORDS)
def test_result(name):
    model, record = build(name)
    inputs = tensors(record, "input_ids", "attention_mask", "decoder_input_ids")
    with tp.inference_mode():
        out = model(**inputs)
    result = out.logits if hasattr(out, "logits") else out.last_hidden_state
    if result.ndim == 3 and "decoder_input_ids" not in inputs:
        result = result * inputs["attention_mask"][..., None]
    assert list(result.shape) == record["shape"]
    flat = result.numpy().ravel()
    scale = np.abs(record["result"]).max()
    step = max(1, flat.size // 60)
    np.testing.assert_allclose(flat[::step], record["result"], atol=5e-5 * scale)


@pytest.mark.parametrize("name", WRITERS)
def test_loss(name):
    model, record = build(name)
    masks = tensors(record, "attention_mask") if model.is_encoder_decoder else {}
    with tp.inference_mode():
        out = model(tp.tensor(record["read"]), labels=tp.tensor(record["labels"]), **masks)
    assert out.loss.item() == pytest.approx(record["loss"], rel=1e-4)


def test_clip():
    model = from_config({"architectures": ["CLIPModel"], **CLIP["settings"]}).eval()
    with tp.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(tp.from_numpy(fill(key, tuple(parameter.shape))))
    pixels = np.random.default_rng(0).standard_normal((2, 3, 12, 12)).astype(np.float32)
    inputs = tensors(CLIP, "input_ids", "attention_mask")
    with tp.inference_mode():
        out = model(pixel_values=tp.from_numpy(pixels), return_loss=True, **inputs)
    for name in ("loss", "logits_per_image", "text_embeds", "image_embeds"):
        np.testing.assert_allclose(out[name].numpy(), CLIP[name], atol=2e-5, err_msg=name)
    assert out.logits_per_text.tolist() == out.logits_per_image.mT.tolist()


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("name", WRITERS)
def test_generation(name, search):
    model, record = build(name)
    wanted = record[search]
    inputs = tensors(record, "input_ids", "attention_mask")
    out = model.generate(**inputs, **wanted["settings"], return_dict_in_generate=True)
    assert out.sequences.tolist() == wanted["sequences"]
    if "scores" in wanted:
        np.testing.assert_allclose(out.sequences_scores.numpy(), wanted["scores"], rtol=1e-4)


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("name", NO_CACHE)
def test_without_the_cache_it_is_the_same(name, search):
    model, record = build(name)
    inputs = tensors(record, "input_ids", "attention_mask")
    settings = {**record[search]["settings"], "use_cache": False}
    assert model.generate(**inputs, **settings).tolist() == record[search]["sequences"]


@pytest.mark.parametrize("name", NO_CACHE)
def test_sampling_is_the_same_without_the_cache(name):
    model, record = build(name)
    inputs = tensors(record, "input_ids", "attention_mask")
    found = [
        model.generate(
            **inputs,
            do_sample=True,
            temperature=0.8,
            max_new_tokens=9,
            num_return_sequences=2,
            use_cache=use_cache,
            generator=tp.Generator().manual_seed(3),
        )
        for use_cache in (True, False)
    ]
    assert found[0].shape[0] == 6
    assert found[0].tolist() == found[1].tolist()


@pytest.mark.parametrize("name", [name for name in WRITERS if name != "llama_dynamic"])
def test_long_texts_in_pieces(name):
    """More tokens than a first buffer holds, a few at a time, through windows too."""
    model, _ = build(name)
    ids = tp.from_numpy(np.random.default_rng(1).integers(4, 88, (2, 45)))
    encoded = {"encoder_outputs": (tp.randn(2, 5, 32),)} if model.is_encoder_decoder else {}
    key = "decoder_input_ids" if encoded else "input_ids"
    with tp.inference_mode():
        whole = model(**encoded, **{key: ids}).logits.numpy()
        cache, pieces = model.new_cache(), []
        for start, stop in ((0, 7), (7, 8), (8, 11), (11, 31), (31, 44), (44, 45)):
            out = model(**encoded, **{key: ids[:, start:stop]}, past_key_values=cache)
            pieces.append(out.logits.numpy())
    assert cache.seen == 45
    if name != "llama_longrope":  # its frequencies change beyond 16 tokens
        got = np.concatenate(pieces, 1)
        np.testing.assert_allclose(got, whole, atol=2e-4 * np.abs(whole).max())


@pytest.mark.parametrize("name", ["llama", "gpt2", "gemma2", "t5", "marian"])
def test_gradients_reach_all_parameters(name):
    model, record = build(name)
    out = model(tp.tensor(record["read"]), labels=tp.tensor(record["labels"]))
    out.loss.backward()
    lacking = [key for key, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert lacking == []
    model.zero_grad(set_to_none=True)
