"""Parts of the transformer."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.wav2vec2.components import (
    ConvolutionalPositionalEmbedding,
    SelfAttention,
)


def test_attention_is_the_plain_computation(rng):
    tp.manual_seed(0)
    layer = SelfAttention(6, 2).eval()
    x = rng.standard_normal((2, 5, 6)).astype(np.float32)
    mask = np.where(rng.random((2, 1, 5, 5)) < 0.3, -1e4, 0.0).astype(np.float32)
    parts = (layer.q_proj, layer.k_proj, layer.v_proj)
    q, k, v = (x @ p.weight.detach().numpy().T + p.bias.detach().numpy() for p in parts)
    want = np.zeros_like(x)
    for n in range(2):
        for h in (slice(0, 3), slice(3, 6)):
            scores = q[n, :, h] @ k[n, :, h].T / np.sqrt(3) + mask[n, 0]
            weights = np.exp(scores - scores.max(-1, keepdims=True))
            want[n, :, h] = weights / weights.sum(-1, keepdims=True) @ v[n, :, h]
    want = want @ layer.out_proj.weight.detach().numpy().T + layer.out_proj.bias.detach().numpy()
    got, bias = layer(tp.tensor(x), attention_mask=tp.tensor(mask))
    np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-4, atol=1e-5)
    assert bias is None


def test_attention_refuses():
    with pytest.raises(DomainError, match="no multiple"):
        SelfAttention(6, 4)
    layer = SelfAttention(6, 2)
    with pytest.raises(ShapeError, match="frames, 6"):
        layer(tp.zeros(2, 5, 8))
    with pytest.raises(ShapeError, match="attention_mask"):
        layer(tp.zeros(2, 5, 6), attention_mask=tp.zeros(5, 5))


@pytest.mark.parametrize("kernel", [3, 4])
def test_positions_come_from_the_frames_around(kernel):
    layer = ConvolutionalPositionalEmbedding(4, kernel, 2)
    x = tp.zeros(1, 9, 4)
    still = layer(x).detach().numpy()
    x[0, 4] = 1.0
    moved = np.abs(layer(x).detach().numpy() - still).max(-1)[0] > 1e-6
    first = 4 - (kernel - 1 - kernel // 2)  # even kernels look one frame farther back
    assert np.flatnonzero(moved).tolist() == list(range(first, first + kernel))


def test_layers_are_left_out_only_while_training(tiny, waveforms):
    x, _ = waveforms
    model = tiny(encoder_layer_drop=1.0, encoder_layer_norm_first=False)
    transformer = model.encoder.transformer
    features = model.encoder.feature_projection(model.feature_extractor(x)[0])
    without = transformer.layer_norm(features + transformer.pos_conv_embed(features))
    assert not np.allclose(model(x)[0].detach().numpy(), without.detach().numpy())
    model.train()
    np.testing.assert_allclose(
        model(x)[0].detach().numpy(), without.detach().numpy(), rtol=1e-5, atol=1e-6
    )


def test_layers_are_left_out_as_often_as_asked(tiny):
    transformer = tiny(encoder_num_layers=2, encoder_layer_drop=0.25).encoder.transformer.train()
    tp.manual_seed(0)
    kept = np.mean([transformer._kept_layers() for _ in range(2000)])
    assert abs(kept - 0.75) < 0.03


def test_number_of_layers_is_checked(tiny, waveforms):
    model = tiny()
    for wrong in (0, 3, -1):
        with pytest.raises(DomainError, match="between 1 and 2"):
            model.extract_features(waveforms[0], num_layers=wrong)
