"""Weights and settings of the library fairseq."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, DTypeError, FileFormatError
from triptych_audio.models.wav2vec2.utils import import_fairseq_model

SETTINGS = {
    "extractor_mode": "layer_norm",
    "conv_feature_layers": "[(8, 10, 5)] + [(12, 3, 2)] * 1",
    "conv_bias": True,
    "encoder_embed_dim": 16,
    "conv_pos": 4,
    "conv_pos_groups": 2,
    "encoder_layers": 2,
    "encoder_attention_heads": 2,
    "encoder_ffn_embed_dim": 20,
    "layer_norm_first": True,
}
NAMES = (
    (r"^aux\.", "proj."),
    (r"^encoder\.feature_projection\.projection\.", "post_extract_proj."),
    (r"^encoder\.feature_projection\.layer_norm\.", "layer_norm."),
    (r"conv\.parametrizations\.weight\.original0", "conv.weight_g"),
    (r"conv\.parametrizations\.weight\.original1", "conv.weight_v"),
    (r"^encoder\.transformer\.pos_conv_embed\.conv\.", "encoder.pos_conv.0."),
    (r"^encoder\.transformer\.layer_norm\.", "encoder.layer_norm."),
    (r"^encoder\.transformer\.layers\.(\d+)\.attention\.", r"encoder.layers.\1.self_attn."),
    (
        r"^encoder\.transformer\.layers\.(\d+)\.layer_norm",
        r"encoder.layers.\1.self_attn_layer_norm",
    ),
    (r"^encoder\.transformer\.layers\.", "encoder.layers."),
    (r"feed_forward\.intermediate_dense", "fc1"),
    (r"feed_forward\.output_dense", "fc2"),
    (r"^(feature_extractor\.conv_layers\.\d+)\.conv\.", r"\1.0."),
)


def theirs(model, per_frame):
    """Weights of a model of ours, under the names of fairseq."""
    found = {}
    for name, value in model.state_dict().items():
        for pattern, new in NAMES:
            name = re.sub(pattern, new, name)
        if name.startswith("feature_extractor"):
            name = name.replace(".layer_norm.", ".2.1." if per_frame else ".2.")
        found[name] = value
    return found


def fine_tuned(weights):
    return {n if n.startswith("proj.") else f"w2v_model.{n}": v for n, v in weights.items()}


@pytest.mark.parametrize("per_frame", [False, True])
def test_state_dict(per_frame, tiny, waveforms):
    mode = "layer_norm" if per_frame else "group_norm"
    model = tiny(extractor_mode=mode, aux_num_out=5)
    settings = {**SETTINGS, "extractor_mode": mode if per_frame else "default"}
    weights = fine_tuned(theirs(model, per_frame))
    left_out = {"w2v_model.mask_emb": tp.zeros(16), "w2v_model.final_proj.weight": tp.zeros(1)}
    imported = import_fairseq_model({**weights, **left_out}, settings)
    assert imported.training
    np.testing.assert_array_equal(
        imported.eval()(waveforms[0])[0].detach().numpy(),
        model(waveforms[0])[0].detach().numpy(),
    )


def module_like(class_name, **parts):
    return type(class_name, (SimpleNamespace,), {})(**parts)


def instance(model, class_name, per_frame=True):
    """An object with the parts of fairseq's pretrained model that are read."""
    extractor = model.feature_extractor
    norm = nn.Sequential(nn.Identity(), nn.LayerNorm(2)) if per_frame else nn.GroupNorm(1, 2)
    convs = [(layer.conv, nn.Identity(), norm) for layer in extractor.conv_layers]
    transformer = model.encoder.transformer
    dropout = SimpleNamespace(p=0.2)
    layer = SimpleNamespace(
        self_attn=SimpleNamespace(num_heads=2, dropout_module=dropout),
        fc1=transformer.layers[0].feed_forward.intermediate_dense,
        dropout2=dropout,
        dropout3=dropout,
    )
    return module_like(
        class_name,
        feature_extractor=SimpleNamespace(conv_layers=convs),
        post_extract_proj=model.encoder.feature_projection.projection,
        dropout_input=dropout,
        encoder=SimpleNamespace(
            pos_conv=[transformer.pos_conv_embed.conv],
            layers=[layer, layer],
            layer_norm_first=True,
            layerdrop=0.1,
        ),
        state_dict=lambda: theirs(model, per_frame),
    )


@pytest.mark.parametrize("per_frame", [False, True])
def test_pretrained_instance(per_frame, tiny, waveforms):
    model = tiny(extractor_mode="layer_norm" if per_frame else "group_norm")
    imported = import_fairseq_model(instance(model, "HubertModel", per_frame))
    assert imported.encoder.transformer.layers[0].attention.dropout == 0.2
    np.testing.assert_array_equal(
        imported.eval()(waveforms[0])[0].detach().numpy(),
        model(waveforms[0])[0].detach().numpy(),
    )


def test_fine_tuned_instance(tiny, waveforms):
    model = tiny(aux_num_out=5)
    outer = module_like(
        "Wav2VecEncoder",
        w2v_model=instance(model, "Wav2Vec2Model"),
        state_dict=lambda: fine_tuned(theirs(model, True)),
    )
    imported = import_fairseq_model(outer).eval()
    np.testing.assert_array_equal(
        imported(waveforms[0])[0].detach().numpy(), model(waveforms[0])[0].detach().numpy()
    )


def test_refuses(tiny):
    model = tiny()
    with pytest.raises(DTypeError, match="config="):
        import_fairseq_model(model.state_dict())
    with pytest.raises(DTypeError, match="got Other"):
        import_fairseq_model(module_like("Other"))
    with pytest.raises(FileFormatError, match=r"'decoder\.weight'"):
        import_fairseq_model({"decoder.weight": tp.zeros(1)}, SETTINGS)
    mixed = instance(model, "Wav2Vec2Model")
    plain = (nn.Conv1d(8, 12, 3, bias=False), *mixed.feature_extractor.conv_layers[1][1:])
    mixed.feature_extractor.conv_layers[1] = plain
    with pytest.raises(DomainError, match="some have none"):
        import_fairseq_model(mixed)


def test_settings_run_nothing():
    with pytest.raises(ValueError, match="malformed"):
        import_fairseq_model({}, {"conv_feature_layers": "__import__('os').getcwd()"})
