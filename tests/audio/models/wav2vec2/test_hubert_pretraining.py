"""Guessing the clusters of masked sounds."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF
from triptych_audio.models import hubert_pretrain_model
from triptych_audio.models.wav2vec2.components import GradMultiply, LogitGenerator

MASKS = {
    "mask_prob": 0.5,
    "mask_selection": "static",
    "mask_other": 0.0,
    "mask_length": 3,
    "no_mask_overlap": False,
    "mask_min_space": 1,
    "mask_channel_prob": 0.0,
    "mask_channel_selection": "static",
    "mask_channel_other": 0.0,
    "mask_channel_length": 3,
    "no_mask_channel_overlap": False,
    "mask_channel_min_space": 1,
}


@pytest.fixture
def build(config):
    def make(**changes):
        tp.manual_seed(1)
        rest = {"skip_masked": False, "skip_nomask": False, "num_classes": 6, "final_dim": 8}
        arguments = {**config, **MASKS, **rest, "feature_grad_mult": None, **changes}
        return hubert_pretrain_model(**arguments).eval()

    return make


def test_logits_are_cosines(rng):
    tp.manual_seed(0)
    module = LogitGenerator(5, 4, 3, False, False)
    with tp.no_grad():
        module.label_embeddings[3] = module.label_embeddings[1]  # two clusters that are one
    x = rng.standard_normal((2, 6, 5)).astype(np.float32)
    label = rng.integers(0, 4, (2, 6))
    mask = rng.random((2, 6)) < 0.5
    got = module(tp.tensor(x), tp.tensor(label), tp.tensor(mask), tp.tensor(~mask))
    clusters = module.label_embeddings.detach().numpy()
    projected = x @ module.final_proj.weight.detach().numpy().T
    projected = projected + module.final_proj.bias.detach().numpy()
    for logits, chosen in zip(got, (mask, ~mask), strict=True):
        for row, p, c in zip(
            logits.detach().numpy(), projected[chosen], label[chosen], strict=True
        ):
            cosines = clusters @ p / np.linalg.norm(clusters, axis=1) / np.linalg.norm(p) / 0.1
            twins = (clusters == clusters[c]).all(1)
            want = np.r_[cosines[c], np.where(twins, -np.inf, cosines)]
            np.testing.assert_allclose(row, want, rtol=1e-4, atol=1e-5)


def test_gradients_are_scaled_and_values_are_not():
    x = tp.randn(4, requires_grad=True)
    out = GradMultiply.apply(x, 0.25)
    np.testing.assert_array_equal(out.detach().numpy(), x.detach().numpy())
    out.square().sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 0.5 * x.detach().numpy(), rtol=1e-6)


def test_frames_are_masked_or_not_and_padding_is_neither(build, waveforms):
    x, lengths = waveforms
    model = build()
    labels = tp.zeros(3, 39, dtype=tp.int64)
    masked, others, penalty = model(x, labels)
    assert masked.shape[0] + others.shape[0] == 3 * 39
    assert masked.shape[1] == others.shape[1] == 7
    assert penalty.shape == () and float(penalty) > 0
    masked, others, _ = model(x, labels, lengths)
    assert masked.shape[0] + others.shape[0] == 39 + 22 + 5


def test_features_get_a_part_of_the_gradient(build, waveforms):
    x, _ = waveforms
    grads = []
    for factor in (None, 0.5):
        model = build(feature_grad_mult=factor)
        tp.manual_seed(2)
        masked, _, penalty = model(x, tp.zeros(3, 39, dtype=tp.int64))
        (masked[:, 0].sum() + penalty).backward()
        grads.append(
            [
                model.wav2vec2.feature_extractor.conv_layers[0].conv.weight.grad.numpy(),
                model.logit_generator.final_proj.weight.grad.numpy(),
            ]
        )
    np.testing.assert_allclose(grads[1][0], 0.5 * grads[0][0], rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(grads[1][1], grads[0][1], rtol=1e-5, atol=1e-7)


def test_pretraining_lowers_the_loss(build, waveforms):
    x, _ = waveforms
    model = build(feature_grad_mult=0.5).train()
    labels = tp.tensor(np.arange(39) // 7).expand(3, -1)
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        tp.manual_seed(0)
        masked, _, penalty = model(x, labels)
        target = tp.zeros(masked.shape[0], dtype=tp.int64)
        loss = nnF.cross_entropy(masked, target) + penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0] - 0.3


def test_parts_that_are_left_out(build, waveforms):
    x, _ = waveforms
    labels = tp.zeros(3, 39, dtype=tp.int64)
    masked, others, _ = build(skip_masked=True)(x, labels)
    assert masked is None and others is not None
    masked, others, _ = build(skip_nomask=True)(x, labels)
    assert masked is not None and others is None
    masked, others, _ = build(mask_prob=0.0)(x, labels)
    assert masked.shape[0] == 0 and others.shape[0] == 3 * 39


def test_first_values(build):
    model = build(encoder_embed_dim=64, encoder_ff_interm_features=256)
    transformer = model.wav2vec2.encoder.transformer
    weights = [layer.feed_forward.intermediate_dense.weight for layer in transformer.layers]
    weights += [layer.attention.q_proj.weight for layer in transformer.layers]
    assert all(abs(float(w.std()) - 0.02) < 0.002 for w in weights)
    assert not transformer.layers[0].attention.k_proj.bias.any()
    positions = transformer.pos_conv_embed.conv
    assert abs(float(positions.weight.std()) - np.sqrt(4 / (64 * 4))) < 0.01
    assert not positions.bias.any()


def test_refuses(build, waveforms):
    with pytest.raises(DomainError, match="between 0 and 1"):
        build(feature_grad_mult=1.0)
    with pytest.raises(ShapeError, match=r"\(3, 39\)"):
        build()(waveforms[0], tp.zeros(3, 38, dtype=tp.int64))
