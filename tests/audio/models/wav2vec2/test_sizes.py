"""Builders with names: their sizes, defaults and docstrings."""

import inspect

import pytest

from triptych_audio import models
from triptych_audio.models.wav2vec2 import sizes

# parameters of the models that torchaudio builds under these names
PARAMETERS = {
    "wav2vec2_base": 94370944,
    "wav2vec2_large": 315427968,
    "wav2vec2_large_lv60k": 315437696,
    "wav2vec2_xlsr_300m": 315437696,
    "hubert_base": 94370944,
    "hubert_large": 315434112,
}


def closure(name):
    return inspect.getclosurevars(getattr(models, name)).nonlocals


def count(config):
    """Parameters of a configuration, by arithmetic."""
    per_frame, bias = config["extractor_mode"] == "layer_norm", config["extractor_conv_bias"]
    d, middle = config["encoder_embed_dim"], config["encoder_ff_interm_features"]
    kernels = [10, 3, 3, 3, 3, 2, 2]
    convs = 512 * 10 + sum(512 * 512 * k for k in kernels[1:]) + 7 * 512 * bias
    norms = 2 * 512 * (7 if per_frame else 1)
    projection = 2 * 512 + 512 * d + d
    positions = d * (d // 16) * 128 + 128 + d
    layer = 4 * (d * d + d) + 4 * d + 2 * d * middle + d + middle
    return convs + norms + projection + positions + config["encoder_num_layers"] * layer + 2 * d


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_sizes(name):
    assert count(closure(name)["fixed"]) == PARAMETERS[name]


@pytest.mark.parametrize(
    ("name", "dropouts"),
    [
        ("wav2vec2_base", (0.1, 0.1, 0.1, 0.1, 0.1)),
        ("wav2vec2_large_lv60k", (0.1, 0.0, 0.1, 0.0, 0.1)),
        ("wav2vec2_xlsr_1b", (0.1, 0.0, 0.0, 0.0, 0.0)),
        ("hubert_base", (0.1, 0.1, 0.0, 0.1, 0.05)),
        ("wavlm_large", (0.1, 0.1, 0.0, 0.1, 0.1)),
    ],
)
def test_defaults(name, dropouts):
    parameters = inspect.signature(getattr(models, name)).parameters
    assert [*parameters] == [*sizes.DROPOUTS, "aux_num_out"]
    assert tuple(p.default for p in parameters.values()) == (*dropouts, None)


def test_pretraining_takes_what_its_name_leaves_open():
    base, large = (
        inspect.signature(getattr(models, f"hubert_pretrain_{s}")) for s in ("base", "large")
    )
    assert base.parameters["num_classes"].default == 100
    assert base.parameters["feature_grad_mult"].default == 0.1
    assert "num_classes" not in large.parameters
    assert closure("hubert_pretrain_large")["fixed"]["num_classes"] == 500
    assert closure("hubert_pretrain_xlarge")["fixed"]["final_dim"] == 1024


@pytest.mark.parametrize(
    "name", [n for n in sizes.__all__ if n not in ("named_size", "size_config")]
)
def test_docstrings_explain_every_argument(name):
    build = getattr(models, name)
    assert build.__name__ == name
    for argument in inspect.signature(build).parameters:
        assert f"        {argument}: " in build.__doc__


def test_named_size_binds_as_a_function_does():
    build = sizes.named_size("toy", dict, "Toy.", {"a": 1}, {"b": 2, "c": 3}, "")
    assert build(5) == {"a": 1, "b": 5, "c": 3}
    assert build(c=7) == {"a": 1, "b": 2, "c": 7}
    for wrong in ({"a": 2}, {"d": 1}):
        with pytest.raises(TypeError):
            build(**wrong)


def test_base_model_is_built():
    model = models.wav2vec2_base(aux_num_out=3, encoder_layer_drop=0.0)
    assert model.aux.out_features == 3
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS["wav2vec2_base"] + 3 * 769
    assert model.encoder.transformer.layer_drop == 0.0
