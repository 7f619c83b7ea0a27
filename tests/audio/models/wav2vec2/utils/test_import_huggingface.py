"""Weights and settings of the library transformers."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, DTypeError, FileFormatError
from triptych.serialization import save_file
from triptych_audio.models.wav2vec2.utils import import_huggingface_model

SETTINGS = {
    "feat_extract_norm": "layer",
    "conv_dim": [8, 12],
    "conv_kernel": [10, 3],
    "conv_stride": [5, 2],
    "conv_bias": True,
    "hidden_size": 16,
    "num_conv_pos_embeddings": 4,
    "num_conv_pos_embedding_groups": 2,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 20,
    "do_stable_layer_norm": True,
    "layerdrop": 0.3,
    "num_buckets": 16,
    "max_bucket_distance": 20,
}


def theirs(model, model_type, head=True):
    """Weights of a model of ours, under the names of transformers."""
    found = {}
    for name, value in model.state_dict().items():
        name = name.replace("encoder.transformer.", "encoder.", 1)
        name = name.replace("encoder.feature_projection.", "feature_projection.", 1)
        prefix = model_type.replace("-", "_") + "." if head else ""
        name = name.replace("aux.", "lm_head.") if name.startswith("aux.") else prefix + name
        if ".attention.in_proj_" in name:
            stem, _, kind = name.partition(".attention.in_proj_")
            stem = stem.removesuffix(".attention") + ".attention"
            for letter, part in zip("qkv", value.chunk(3), strict=True):
                found[f"{stem}.{letter}_proj.{kind}"] = part
        else:
            found[name.replace(".attention.attention.out_proj", ".attention.out_proj")] = value
    return found


@pytest.mark.parametrize("model_type", ["hubert", "unispeech-sat", "wav2vec2", "wavlm"])
@pytest.mark.parametrize("head", [False, True])
def test_state_dict(model_type, head, tiny, waveforms):
    model = tiny("wavlm" if model_type == "wavlm" else "wav2vec2", aux_num_out=5 if head else None)
    weights = theirs(model, model_type, head)
    extra = {"masked_spec_embed": tp.zeros(16), "quantizer.codevectors": tp.zeros(1, 2, 3)}
    imported = import_huggingface_model(
        {**weights, **extra}, {**SETTINGS, "model_type": model_type}
    )
    assert imported.training
    assert imported.encoder.transformer.layer_drop == 0.3
    x, lengths = waveforms
    np.testing.assert_array_equal(
        imported.eval()(x, lengths)[0].detach().numpy(), model(x, lengths)[0].detach().numpy()
    )


def test_folder(tiny, waveforms, tmp_path):
    model = tiny(aux_num_out=5)
    weights = theirs(model, "wav2vec2")
    config = {**SETTINGS, "model_type": "wav2vec2", "architectures": ["Wav2Vec2ForCTC"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(FileNotFoundError, match=r"model\.safetensors"):
        import_huggingface_model(tmp_path)
    names = sorted(weights)
    for number, part in enumerate((names[:9], names[9:])):
        save_file({name: weights[name] for name in part}, tmp_path / f"{number}.safetensors")
    places = {name: f"{int(i >= 9)}.safetensors" for i, name in enumerate(names)}
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    want = model(waveforms[0])[0].detach().numpy()
    in_parts = import_huggingface_model(str(tmp_path)).eval()
    np.testing.assert_array_equal(in_parts(waveforms[0])[0].detach().numpy(), want)
    save_file(weights, tmp_path / "model.safetensors")
    whole = import_huggingface_model(tmp_path).eval()
    np.testing.assert_array_equal(whole(waveforms[0])[0].detach().numpy(), want)
    for damaged in ("{", "[]"):
        (tmp_path / "config.json").write_text(damaged)
        with pytest.raises(FileFormatError, match="JSON"):
            import_huggingface_model(tmp_path)


def test_instance_with_arrays_of_another_library(tiny, waveforms):
    model = tiny()
    weights = {name: value.numpy() for name, value in theirs(model, "hubert", False).items()}
    weights["version"] = "not an array"
    config = SimpleNamespace(to_dict=lambda: dict(SETTINGS), model_type="hubert")
    original = SimpleNamespace(config=config, state_dict=lambda: weights)
    imported = import_huggingface_model(original).eval()
    np.testing.assert_array_equal(
        imported(waveforms[0])[0].detach().numpy(), model(waveforms[0])[0].detach().numpy()
    )
    plain = SimpleNamespace(config=SimpleNamespace(**SETTINGS), state_dict=lambda: weights)
    assert import_huggingface_model(plain).aux is None


def test_settings_have_the_defaults_of_transformers(monkeypatch):
    from triptych_audio.models.wav2vec2.utils import import_huggingface as module

    arguments = module._arguments({}, "wavlm")
    assert arguments["extractor_mode"] == "group_norm"
    assert arguments["extractor_conv_layer_config"][0] == (512, 10, 5)
    assert len(arguments["extractor_conv_layer_config"]) == 7
    assert arguments["encoder_num_buckets"] == 320
    assert arguments["encoder_ff_interm_features"] == 3072


def test_refuses(tiny):
    weights = theirs(tiny(), "wav2vec2", False)
    with pytest.raises(DTypeError, match="config="):
        import_huggingface_model(weights)
    with pytest.raises(DTypeError, match="got int"):
        import_huggingface_model(3)
    with pytest.raises(DomainError, match="got 'bert'"):
        import_huggingface_model(weights, {"model_type": "bert"})
    with pytest.raises(DomainError, match="add_adapter=True"):
        import_huggingface_model(weights, {**SETTINGS, "add_adapter": True})
    del weights["encoder.layer_norm.weight"]
    with pytest.raises(FileFormatError, match=r"encoder\.transformer\.layer_norm\.weight"):
        import_huggingface_model(weights, SETTINGS)
