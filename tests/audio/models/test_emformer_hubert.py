"""HuBERT with Emformer."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError
from triptych_audio.models.emformer_hubert import emformer_hubert_base, emformer_hubert_model

SIZES = {
    "extractor_input_dim": 6,
    "extractor_output_dim": 4,
    "extractor_use_bias": True,
    "extractor_stride": 2,
    "encoder_input_dim": 8,
    "encoder_output_dim": 10,
    "encoder_num_heads": 2,
    "encoder_ffn_dim": 12,
    "encoder_num_layers": 2,
    "encoder_segment_length": 4,
    "encoder_left_context_length": 3,
    "encoder_right_context_length": 1,
    "encoder_dropout": 0.0,
    "encoder_activation": "gelu",
    "encoder_max_memory_size": 1,
    "encoder_weight_init_scale_strategy": "depthwise",
    "encoder_tanh_on_mem": True,
}


@pytest.fixture
def model():
    tp.manual_seed(0)
    return emformer_hubert_model(**SIZES, aux_num_out=5).eval()


def test_right_context_gives_no_frames(model):
    x = tp.randn(2, 42, 6)
    scores, none = model(x)
    assert scores.shape == (2, 20, 5) and none is None
    same, lengths = model(x, tp.tensor([40, 40]))
    assert lengths.tolist() == [20, 20]
    np.testing.assert_allclose(scores.detach().numpy(), same.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_layers_lead_to_the_output(model):
    x = tp.randn(1, 42, 6)
    layers, _ = model.extract_features(x)
    encoder = model.encoder
    last = model.aux(encoder.layer_norm(encoder.output_linear(layers[1])))
    np.testing.assert_array_equal(last.detach().numpy(), model(x)[0].detach().numpy())
    assert len(model.extract_features(x, None, 1)[0]) == 1
    with pytest.raises(DomainError, match="between 1 and 2"):
        model.extract_features(x, None, 0)


def test_published_size():
    with nn.init.skipped():
        model = emformer_hubert_base()
    assert model.aux is None
    assert len(model.encoder.emformer.emformer_layers) == 20
    assert model.encoder.output_linear.weight.shape == (1024, 512)
