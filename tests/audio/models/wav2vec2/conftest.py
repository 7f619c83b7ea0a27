"""Small configurations, and models of them whose numbers are all different from their defaults."""

import pytest

import triptych as tp
from triptych_audio.models import wav2vec2_model, wavlm_model

CONFIG = {
    "extractor_mode": "layer_norm",
    "extractor_conv_layer_config": [(8, 10, 5), (12, 3, 2)],
    "extractor_conv_bias": True,
    "encoder_embed_dim": 16,
    "encoder_projection_dropout": 0.0,
    "encoder_pos_conv_kernel": 4,
    "encoder_pos_conv_groups": 2,
    "encoder_num_layers": 2,
    "encoder_num_heads": 2,
    "encoder_attention_dropout": 0.0,
    "encoder_ff_interm_features": 20,
    "encoder_ff_interm_dropout": 0.0,
    "encoder_dropout": 0.0,
    "encoder_layer_norm_first": True,
    "encoder_layer_drop": 0.0,
}
DISTANCES = {"encoder_num_buckets": 16, "encoder_max_distance": 20}


@pytest.fixture
def config():
    """Arguments of a small wav2vec2_model, without aux_num_out."""
    return dict(CONFIG)


@pytest.fixture
def tiny():
    """Makes small models: tiny("wavlm", encoder_num_layers=1)."""

    def make(kind="wav2vec2", **changes):
        tp.manual_seed(3)
        arguments = {**CONFIG, "aux_num_out": None, **changes}
        if kind == "wavlm":
            model = wavlm_model(**{**DISTANCES, **arguments})
        else:
            model = wav2vec2_model(**arguments)
        with tp.no_grad():
            for parameter in model.parameters():
                if parameter.ndim < 2:
                    parameter += 0.1 * tp.randn(parameter.shape)
        return model.eval()

    return make


@pytest.fixture
def waveforms():
    """(3, 400) samples, of which 400, 233 and 61 are valid, and these lengths."""
    tp.manual_seed(4)
    return tp.randn(3, 400), tp.tensor([400, 233, 61])
