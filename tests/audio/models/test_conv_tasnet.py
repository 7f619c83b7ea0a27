"""Conv-TasNet: like torchaudio's, and for every length."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import ConvTasNet, conv_tasnet_base
from triptych_audio.models.conv_tasnet import MaskGenerator

TINY = {"enc_num_feats": 12, "msk_num_feats": 6, "msk_num_hidden_feats": 8, "msk_num_layers": 2}


def test_outputs_like_the_recorded_ones(filled, normal, agree):
    model = ConvTasNet(2, 15, 12, 3, 6, 8, 2, 2, "relu")
    agree("conv_tasnet", filled(model)(normal(0, 2, 1, 101)))


@pytest.mark.parametrize("kernel_size", [15, 16])
@pytest.mark.parametrize("length", [1, 16, 101, 112, 119])
def test_as_many_samples_come_out(kernel_size, length):
    model = ConvTasNet(3, kernel_size, msk_num_stacks=1, **TINY).eval()
    assert model(tp.zeros(2, 1, length)).shape == (2, 3, length)


def test_masks_of_one_give_the_encoder_and_decoder_back(normal):
    model = ConvTasNet(1, 16, msk_num_stacks=1, **TINY).eval()
    with tp.no_grad():
        model.mask_generator.output_conv.weight.zero_()
        model.mask_generator.output_conv.bias.fill_(50.0)  # a sigmoid of one
        x = normal(0, 1, 1, 64)
        there_and_back = model.decoder(model.encoder(x))
    np.testing.assert_allclose(model(x).detach(), there_and_back, rtol=1e-5, atol=1e-6)


def test_receptive_field():
    generator = MaskGenerator(4, 2, 3, 4, 4, num_layers=3, num_stacks=2, msk_activate="relu")
    assert generator.receptive_field == 1 + 2 * (1 + 2 + 4) * 2


def test_numpy_in_numpy_out():
    model = ConvTasNet(2, 16, msk_num_stacks=1, **TINY).eval()
    assert isinstance(model(np.zeros((1, 1, 50), np.float32)), np.ndarray)


def test_gradients_reach_every_parameter(normal):
    model = ConvTasNet(2, 16, msk_num_stacks=2, **TINY)
    model(normal(0, 1, 1, 64)).square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_base_has_five_million_parameters():
    assert sum(p.numel() for p in conv_tasnet_base().parameters()) == 4_984_881


def test_mistakes():
    with pytest.raises(DomainError, match=r"msk_activate is one of .*got 'tanh'"):
        ConvTasNet(msk_activate="tanh")
    with pytest.raises(ShapeError, match=r"wanted \(n, 1, t\)"):
        ConvTasNet(2, 16, **TINY)(tp.zeros(1, 2, 50))
