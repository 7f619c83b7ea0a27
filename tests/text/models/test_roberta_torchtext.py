"""torchtext's RoBERTa: names, results like those of the usual RoBERTa, bundles."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError
from triptych_text import models
from triptych_text.models import (
    RobertaBundle,
    RobertaClassificationHead,
    RobertaConfig,
    RobertaEncoderConf,
    RobertaModel,
)
from triptych_text.models.roberta_bundle import BUNDLES
from triptych_text.models.roberta_torchtext import torchtext_roberta_weights

CONF = RobertaEncoderConf(
    vocab_size=20, embedding_dim=12, ffn_dimension=16, max_seq_len=12, num_attention_heads=3,
    num_encoder_layers=2,
)  # fmt: skip
IDS = tp.tensor([[0, 7, 11, 9, 2], [0, 19, 2, 1, 1]])
ROOT = "encoder.transformer."


@pytest.fixture
def usual():
    tp.manual_seed(0)
    config = RobertaConfig(
        vocab_size=20, hidden_size=12, intermediate_size=16, max_position_embeddings=12,
        num_attention_heads=3, num_hidden_layers=2, initializer_range=0.5,
    )  # fmt: skip
    return RobertaModel(config).eval()


def test_it_is_the_usual_roberta(usual):
    weights = torchtext_roberta_weights(usual.state_dict())
    model = RobertaBundle.build_model(CONF, checkpoint=weights, strict=True).eval()
    with tp.no_grad():
        wanted = usual(IDS, (IDS != 1).long()).last_hidden_state.numpy()
        got = model(IDS)
        np.testing.assert_allclose(got[0].numpy(), wanted[0], atol=1e-5)
        np.testing.assert_allclose(got[1, :3].numpy(), wanted[1, :3], atol=1e-5)
        asked = tp.tensor([[0, 1, 0, 0, 0], [1, 0, 1, 0, 0]])
        np.testing.assert_array_equal(model(IDS, asked).numpy(), got[asked.bool()].numpy())


def test_names():
    model = RobertaModel(encoder_conf=CONF, head=RobertaClassificationHead(2, 12))
    assert type(model).__name__ == "TorchtextRobertaModel"
    names = set(model.state_dict())
    assert len(names) == 2 * 12 + 4 + 4  # layers, embeddings with their norm, head
    assert {f"{ROOT}layers.layers.1.self_attn.in_proj_weight", "head.out_proj.bias"} <= names
    assert f"{ROOT}positional_embedding.embedding.weight" in names


def test_old_names(usual):
    model = RobertaModel(CONF)
    weights = torchtext_roberta_weights(usual.state_dict())
    old = {}
    for name, tensor in weights.items():
        name = name.replace("layers.layers.", "layers.")
        for new, spelled in (
            ("self_attn.in_proj_", "attention.input_projection."),
            ("self_attn.out_proj.", "attention.output_projection."),
            ("linear1.", "residual_mlp.mlp.0."),
            ("linear2.", "residual_mlp.mlp.3."),
            ("norm1.", "attention_layer_norm."),
            ("norm2.", "final_layer_norm."),
        ):
            name = name.replace(new, spelled)
        old[name] = tensor
    assert len(set(old) & set(weights)) == 4
    model.load_state_dict(old)
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.numpy(), weights[name].numpy())


def test_norms_before():
    conf = RobertaEncoderConf(**{**vars(CONF), "normalize_before": True})
    tp.manual_seed(0)
    out = RobertaModel(conf).eval()(IDS)
    np.testing.assert_allclose(out.mean(-1).detach().numpy(), 0, atol=1e-5)  # a norm ends it
    assert not tp.allclose(out, RobertaModel(CONF).eval()(IDS))


def test_head():
    head = RobertaClassificationHead(4, 12, inner_dim=5, activation=tp.nn.Tanh).eval()
    features = tp.randn(2, 3, 12)
    dense, out = head.dense, head.out_proj
    assert dense.weight.shape == (5, 12)
    x = np.tanh(
        features[:, 0].numpy() @ dense.weight.detach().numpy().T + dense.bias.detach().numpy()
    )
    wanted = x @ out.weight.detach().numpy().T + out.bias.detach().numpy()
    np.testing.assert_allclose(head(features).detach().numpy(), wanted, atol=1e-5)


def test_whose_head(usual, tmp_path):
    other = RobertaModel(CONF, RobertaClassificationHead(2, 12)).state_dict()
    path = tmp_path / "model.pt"
    tp.save(other, path)
    head = RobertaClassificationHead(2, 12)
    own = head.dense.weight.detach().numpy().copy()
    loaded = RobertaBundle.build_model(CONF, head=head, checkpoint=str(path))
    assert not np.array_equal(loaded.head.dense.weight.detach().numpy(), own)
    head = RobertaClassificationHead(2, 12)
    own = head.dense.weight.detach().numpy().copy()
    kept = RobertaBundle.build_model(
        CONF, head=head, checkpoint=other, override_checkpoint_head=True
    )
    np.testing.assert_array_equal(kept.head.dense.weight.detach().numpy(), own)
    bare = torchtext_roberta_weights(usual.state_dict())
    RobertaBundle.build_model(CONF, head=head, checkpoint=bare, strict=True)  # no head in the file
    assert "head.dense.weight" not in bare


def test_freezing():
    bundle = RobertaBundle(CONF)
    with pytest.warns(UserWarning, match="cannot learn"):
        model = bundle.get_model(
            head=RobertaClassificationHead(2, 12), load_weights=False, freeze_encoder=True
        )
    learning = [name for name, p in model.named_parameters() if p.requires_grad]
    assert learning and all(name.startswith("head.") for name in learning)
    assert bundle.encoderConf is CONF


def test_bundles():
    sizes = {name: bundle.encoderConf for name, bundle in BUNDLES.items()}
    assert sizes["XLMR_LARGE_ENCODER"].num_encoder_layers == 24
    assert sizes["XLMR_BASE_ENCODER"].vocab_size == 250002
    assert sizes["ROBERTA_DISTILLED_ENCODER"].num_encoder_layers == 6
    for name, bundle in BUNDLES.items():
        assert getattr(models, name) is bundle
        (source,) = bundle._path.sources
        file = source.rpartition("/")[2]
        stem = name.removesuffix("_ENCODER").lower().replace("_", ".")
        assert file == f"{stem}.encoder.pt"


def test_a_bundle_with_a_file(usual, tmp_path):
    from triptych_datasets import Artifact

    path = tmp_path / "small.pt"
    tp.save(torchtext_roberta_weights(usual.state_dict()), path)
    artifact = Artifact("small.pt", sources=(path.as_uri(),), sha256=_sha256(path))
    model = RobertaBundle(CONF, artifact).get_model(dl_kwargs={"progress": False})
    want = usual.embeddings.word_embeddings.weight.detach().numpy()
    got = model.encoder.transformer.token_embedding.weight.detach().numpy()
    np.testing.assert_array_equal(got, want)


def _sha256(path):
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_refuses():
    with pytest.raises(FileFormatError, match="load_weights=False"):
        RobertaBundle(CONF).get_model()
    with pytest.raises(DTypeError, match="RobertaBundle: checkpoint is a path"):
        RobertaBundle.build_model(CONF, checkpoint=3)
    with pytest.raises(DTypeError, match="wanted a RobertaEncoderConf, got a dict"):
        models.TorchtextRobertaModel({})
    with pytest.raises(ShapeError, match="l up to 10"):
        RobertaModel(CONF)(tp.ones(1, 11, dtype=tp.int64))
    with pytest.raises(RuntimeError):
        RobertaBundle.build_model(CONF, checkpoint={}, strict=True)
