"""wav2vec 2.0 with Conformer."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.conformer_wav2vec2 import (
    KERNELS,
    NegativeSampler,
    conformer_wav2vec2_base,
    conformer_wav2vec2_model,
    conformer_wav2vec2_pretrain_base,
    conformer_wav2vec2_pretrain_large,
    conformer_wav2vec2_pretrain_model,
)

SIZES = {
    "extractor_input_dim": 6,
    "extractor_output_dim": 8,
    "extractor_stride": 4,
    "encoder_embed_dim": 12,
    "encoder_projection_dropout": 0.0,
    "encoder_num_layers": 2,
    "encoder_num_heads": 2,
    "encoder_ff_interm_features": 10,
    "encoder_depthwise_conv_kernel_size": 1,
    "encoder_dropout": 0.0,
    "encoder_convolution_first": True,
    "encoder_use_group_norm": False,
}
MASKS = {
    "mask_prob": 0.5,
    "mask_selection": "static",
    "mask_other": 0.0,
    "mask_length": 2,
    "no_mask_overlap": False,
    "mask_min_space": 0,
    "mask_channel_prob": 0.0,
    "mask_channel_selection": "static",
    "mask_channel_other": 0.0,
    "mask_channel_length": 2,
    "no_mask_channel_overlap": False,
    "mask_channel_min_space": 1,
    "num_negatives": 3,
    "cross_sample_negatives": 2,
}


def build(**changes):
    tp.manual_seed(0)
    return conformer_wav2vec2_model(**{**SIZES, **changes}).eval()


def test_padding_changes_nothing():
    model = build()
    x, lengths = tp.randn(2, 43, 6), tp.tensor([43, 22])
    together, frames = model(x, lengths)
    assert together.shape == (2, 10, 12) and frames.tolist() == [10, 5]
    alone, none = model(x[1:, :22])
    assert none is None
    np.testing.assert_allclose(
        together[1, :5].detach().numpy(), alone[0].detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_layers_lead_to_the_output():
    model = build(encoder_depthwise_conv_kernel_size=[5, 3])
    kernels = [layer.conv_module.sequential[2].kernel_size for layer in model.encoder.conformer]
    assert kernels == [(5,), (3,)]
    x = tp.randn(1, 40, 6)
    layers, _ = model.extract_features(x)
    assert len(layers) == 2
    np.testing.assert_array_equal(layers[1].detach().numpy(), model(x)[0].detach().numpy())
    assert len(model.extract_features(x, None, 1)[0]) == 1
    with pytest.raises(DomainError, match="between 1 and 2"):
        model.extract_features(x, None, 3)
    with pytest.raises(DomainError, match="2 layers, but 1 kernels"):
        build(encoder_depthwise_conv_kernel_size=[5])


def test_negatives_are_other_frames():
    sampler = NegativeSampler(nn.Identity(), 5, 7)
    x = tp.arange(24.0).reshape(2, 4, 3)
    generator = tp.Generator().manual_seed(0)
    out, negatives, chosen = sampler(x, generator=generator)
    assert out is x
    assert negatives.shape == (12, 2, 4, 3) and chosen.shape == (2, 48)
    numbers = (negatives[..., 0] / 3).long()  # which of the 8 frames each is
    place = tp.arange(8).reshape(2, 4)
    assert not (numbers == place).any()
    assert ((numbers[:5] // 4) == (place // 4)).all()
    assert set(numbers[5:].flatten().tolist()) == set(range(8))
    np.testing.assert_array_equal(numbers.permute(1, 2, 0).reshape(2, -1).numpy(), chosen.numpy())
    with pytest.raises(ShapeError, match="two frames"):
        sampler(x[:, :1])


@pytest.mark.parametrize("lengths", [None, [40, 36]])
def test_pretraining_step(lengths):
    tp.manual_seed(0)
    model = conformer_wav2vec2_pretrain_model(**SIZES, **MASKS)
    x = tp.randn(2, 40, 6)
    given = None if lengths is None else tp.tensor(lengths)
    out, frames, mask, targets, negatives, chosen = model(x, given)
    masked = int(mask[0].sum())
    assert out.shape == (2, 10, 12)
    assert (frames is None) == (lengths is None)
    assert targets.shape == (2, masked, 12)
    assert negatives.shape == (5, 2, masked, 12)
    assert chosen.shape == (2, 5 * masked)
    predicted = out[mask].reshape(2, masked, 12)
    similar = tp.cosine_similarity(predicted, tp.cat([targets.unsqueeze(0), negatives]), dim=-1)
    (-similar.log_softmax(0)[0].mean()).backward()
    assert all(p.grad is not None for p in model.parameters())


def test_published_sizes():
    with nn.init.skipped():
        base, large = conformer_wav2vec2_pretrain_base(), conformer_wav2vec2_pretrain_large()
        plain = conformer_wav2vec2_base(extractor_input_dim=80)
    assert len(base.wav2vec2.encoder.conformer) == len(KERNELS) == 12
    assert large.negative_sampler.preprocessor.out_features == 768
    assert large.mask_generator.mask_length == 3
    assert plain.feature_extractor.linear_layer.in_features == 320
