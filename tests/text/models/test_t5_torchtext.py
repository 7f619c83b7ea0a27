"""torchtext's T5: names, results like those of the usual T5, bundles, transform."""

import json

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError
from triptych_text import models
from triptych_text.models import T5Bundle, T5Conf, T5Config, T5ForConditionalGeneration, T5Model
from triptych_text.models.t5_bundle import BUNDLES
from triptych_text.prototype import GenerationUtils, GenerationUtilsForT5

SIZES = {
    "embedding_dim": 8, "qkv_dim": 4, "num_attention_heads": 2, "num_encoder_layers": 2,
    "num_decoder_layers": 1, "ffn_dimension": 12, "vocab_size": 20,
}  # fmt: skip
IDS = tp.tensor([[5, 6, 7, 1], [8, 9, 1, 0]])


@pytest.fixture
def folder(tmp_path):
    tp.manual_seed(0)
    config = T5Config(
        vocab_size=20, d_model=8, d_kv=4, d_ff=12, num_layers=2, num_decoder_layers=1, num_heads=2
    )
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    return tmp_path


def test_names():
    model = T5Model(T5Conf(linear_head=True, **SIZES))
    assert type(model).__name__ == "TorchtextT5Model"
    names = list(model.state_dict())
    # 2 tables, 2 x 8 and 13 of layers, 2 biases, 2 norms, 1 head
    assert len(names) == 2 + 16 + 13 + 2 + 2 + 1
    for name in (
        "token_embeddings.weight",
        "encoder.token_embeddings.weight",
        "encoder.layers.1.self_attn.q_proj_weight",
        "encoder.layers.0.self_attn.relative_attention_bias.weight",
        "encoder.layers.0.norm2.weight",
        "encoder.norm.weight",
        "decoder.layers.0.cross_attn.out_proj.weight",
        "decoder.layers.0.linear1.weight",
        "decoder.layers.0.norm3.weight",
        "lm_head.weight",
    ):
        assert name in names
    gated = T5Model(T5Conf(feed_forward_proj="gated-gelu", encoder_only=True, **SIZES))
    assert "encoder.layers.0.linear1_1.weight" in gated.state_dict()
    assert not any(name.startswith("decoder") for name in gated.state_dict())


def test_it_is_the_usual_t5(folder):
    usual = T5ForConditionalGeneration.from_pretrained(folder)
    model = T5Bundle.build_model_from_huggingface_ckpt(folder)
    mask = (IDS != 0).long()
    written = tp.tensor([[0, 4, 5], [0, 6, 7]])
    with tp.no_grad():
        out = model(IDS, written)
        wanted = usual(IDS, mask, decoder_input_ids=written, output_hidden_states=True)
        np.testing.assert_allclose(out["decoder_output"], wanted.logits, atol=1e-6)
        np.testing.assert_allclose(
            out["encoder_output"], wanted.encoder_last_hidden_state, atol=1e-6
        )
        assert len(out["encoder_hidden_states"]) == 3
        first = model(encoder_outputs=out)["decoder_output"]
        assert first.shape == (2, 1, 20)
        step = model(
            encoder_outputs=out, decoder_tokens=written[:, :2], return_past_key_values=True
        )
        past = model.prepare_inputs_for_generation(
            written, encoder_outputs=out, past=step["past_key_values"]
        )
        assert past["decoder_tokens"].shape == (2, 1)
    greedy = GenerationUtils(model).generate(IDS, max_length=8)
    assert greedy.tolist() == usual.generate(IDS, attention_mask=mask, max_length=8).tolist()
    again = GenerationUtilsForT5(model).greedy_search(
        tp.zeros(2, 1, dtype=tp.int64), 8, 1, 0,
        {"encoder_outputs": model.get_encoder()(IDS), "encoder_padding_mask": IDS == 0},
    )  # fmt: skip
    assert again.tolist() == greedy.tolist()
    unpadded = usual.encode(IDS[:1])
    one = GenerationUtils(usual).greedy_search(
        tp.zeros(1, 1, dtype=tp.int64), 8, 1, 0, {"encoder_outputs": unpadded}
    )
    assert one.shape[0] == 1
    beams = GenerationUtils(model).beam_search(IDS, 3, 6)
    wanted = usual.generate(IDS, attention_mask=mask, num_beams=3, max_length=6)
    assert beams.tolist() == wanted.tolist()
    with pytest.raises(ShapeError, match="num_beams >= 1"):
        GenerationUtils(model).generate(IDS, num_beams=0)


def test_masks():
    model = T5Model(T5Conf(**SIZES))
    hidden = ~tp.ones(4, 4).tril().bool()
    with tp.no_grad():
        one = model(IDS[:1], encoder_mask=hidden)["encoder_output"]
        changed = IDS[:1].clone()
        changed[0, 3] = 9
        other = model(changed, encoder_mask=hidden)["encoder_output"]
        np.testing.assert_allclose(one[:, :3], other[:, :3], atol=1e-6)
        padding = tp.tensor([[False, False, False, True]])
        apart = model(IDS[:1], encoder_padding_mask=padding)["encoder_output"]
        cut = model(IDS[:1, :3])["encoder_output"]
        np.testing.assert_allclose(apart[:, :3], cut, atol=1e-5)
        written = tp.tensor([[0, 4, 5]])
        own = model(IDS[:1], written, decoder_mask=~tp.eye(3).bool())["decoder_output"]
        assert own.shape == (1, 3, 8)
    with pytest.raises(DTypeError, match="boolean masks"):
        model(IDS, encoder_mask=tp.zeros(4, 4))
    with pytest.raises(ShapeError, match="wanted encoder_tokens"):
        model()
    with pytest.raises(ShapeError, match="linear_head"):
        model.generate(IDS)
    with pytest.raises(DTypeError, match="wanted a T5Conf"):
        models.TorchtextT5Model({"embedding_dim": 8})


def test_build_model(tmp_path, folder):
    conf = T5Conf(linear_head=True, **SIZES)
    first = T5Bundle.build_model(conf, freeze_model=True)
    assert not any(p.requires_grad for p in first.parameters())
    tp.save(first.state_dict(), tmp_path / "t5.pt")
    for checkpoint in (first.state_dict(), str(tmp_path / "t5.pt"), tmp_path / "t5.pt"):
        second = T5Bundle.build_model(conf, checkpoint=checkpoint, strict=True)
        with tp.no_grad():
            assert tp.equal(second(IDS)["decoder_output"], first(IDS)["decoder_output"])
    with pytest.raises(DTypeError, match="a path, an address or a state dict"):
        T5Bundle.build_model(conf, checkpoint=3)
    state = first.state_dict()
    del state["encoder.layers.0.linear1.weight"]
    with pytest.raises(RuntimeError, match=r'"encoder\.layers\.0\.linear1\.weight"'):
        T5Bundle.build_model(conf, checkpoint=state, strict=True)
    encoder = T5Bundle.build_model_from_huggingface_ckpt(folder, encoder_only=True)
    assert list(encoder(IDS)) == ["encoder_output", "encoder_hidden_states"]


def test_bundles():
    assert len(BUNDLES) == 27
    for name, bundle in BUNDLES.items():
        assert getattr(models, name) is bundle
        assert name in models.__all__
        assert bundle.config.encoder_only == name.endswith("_ENCODER")
        assert bundle.config.linear_head == name.endswith("_GENERATION")
        assert bundle.config.is_gated_act == name.startswith("FLAN")
    base = models.FLAN_T5_BASE_GENERATION
    assert base._path.sources[0].endswith("/models/text/t5.flan.base.generation.pt")
    assert models.T5_11B_ENCODER.config.ffn_dimension == 65536
    with pytest.raises(AttributeError, match="T5_TINY"):
        models.T5_TINY  # noqa: B018


def test_get_model():
    bundle = T5Bundle(T5Conf(linear_head=True, **SIZES))
    assert bundle.get_model(load_weights=False).linear_head
    with pytest.warns(UserWarning, match="cannot learn"):
        bundle.get_model(load_weights=False, freeze_model=True)
    with pytest.warns(UserWarning, match="generate at random"):
        utils = bundle.get_model(load_weights=False, with_generation_utils=True)
    assert isinstance(utils, GenerationUtils)
    with pytest.raises(FileFormatError, match="load_weights=False"):
        bundle.get_model()
    with pytest.raises(ShapeError, match="feed_forward_proj"):
        T5Conf(feed_forward_proj="a-b")


def test_settings_of_config(folder):
    values = json.loads((folder / "config.json").read_text())
    assert values["architectures"] == ["T5ForConditionalGeneration"]
    assert T5Conf(**SIZES, training=True).to_config().dropout_rate == 0.1
    assert T5Conf(**SIZES).to_config().dropout_rate == 0.0


def test_transform(tmp_path):
    spm = pytest.importorskip("sentencepiece")
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("a cat sat on a mat\nthe dog and the cat ran far\n" * 20)
    spm.SentencePieceTrainer.train(
        input=str(corpus), model_prefix=str(tmp_path / "m"), vocab_size=20, minloglevel=2
    )
    transform = models.T5Transform(str(tmp_path / "m.model"), 6, eos_idx=1, padding_idx=0)
    one = transform("a cat sat on a mat the dog")
    assert one.shape == (6,) and one[-1] == 1
    two = transform(["a cat sat on the mat", "a"])
    assert two.shape == (2, 6)
    assert two[1].tolist().count(0) == 6 - len(transform.encode("a")) - 1
    ids = transform.encode(["a cat", "the dog"])
    assert transform.decode(ids) == ["a cat", "the dog"]
    assert transform.decode(tp.tensor(ids[0])) == "a cat"
    with pytest.raises(DTypeError, match="a text or a list"):
        transform.encode(3)
    with pytest.raises(DTypeError, match="lists of ids"):
        transform.decode("a")
