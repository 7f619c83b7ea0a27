"""Layers of Conformer."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError
from triptych_audio.models import Conformer
from triptych_audio.models.conformer import ConvolutionModule


def build(**changes):
    tp.manual_seed(0)
    sizes = {"ffn_dim": 12, "num_layers": 2, "depthwise_conv_kernel_size": 1, **changes}
    return Conformer(8, 2, **sizes).eval()


@pytest.mark.parametrize("first", [False, True])
def test_padding_changes_nothing_where_convolutions_look_at_one_frame(first):
    model = build(convolution_first=first)
    x, lengths = tp.randn(3, 10, 8), tp.tensor([10, 7, 1])
    out, after = model(x, lengths)
    assert after is lengths
    for row, count in enumerate(lengths.tolist()):
        alone, _ = model(x[row : row + 1, :count], lengths[row : row + 1])
        np.testing.assert_allclose(
            out[row, :count].detach().numpy(), alone[0].detach().numpy(), rtol=1e-4, atol=1e-5
        )


def test_order_of_convolution_and_attention():
    one, two = build(depthwise_conv_kernel_size=3), build(convolution_first=True)
    two = build(depthwise_conv_kernel_size=3, convolution_first=True)
    assert one.state_dict().keys() == two.state_dict().keys()
    x, lengths = tp.randn(1, 10, 8), tp.tensor([10])
    assert not np.allclose(one(x, lengths)[0].detach().numpy(), two(x, lengths)[0].detach().numpy())
    layer = two.conformer_layers[0]
    frames_first = x.transpose(0, 1)
    half = frames_first + 0.5 * layer.ffn1(frames_first)
    convolved = half + layer.conv_module(half.transpose(0, 1)).transpose(0, 1)
    normed = layer.self_attn_layer_norm(convolved)
    attended = convolved + layer.self_attn(normed, normed, normed)[0]
    want = layer.final_layer_norm(attended + 0.5 * layer.ffn2(attended))
    got = layer(frames_first, None)
    np.testing.assert_allclose(got.detach().numpy(), want.detach().numpy(), rtol=1e-5, atol=1e-6)


def test_a_frame_is_convolved_with_its_neighbours():
    module = ConvolutionModule(4, 4, 5).eval()
    x = tp.randn(1, 11, 4)
    still = module(x).detach().numpy()
    x[0, 5, 0] += 1.0
    moved = np.abs(module(x).detach().numpy() - still).max(-1)[0] > 1e-7
    assert np.flatnonzero(moved).tolist() == [3, 4, 5, 6, 7]


@pytest.mark.parametrize(("group", "names"), [(False, 5), (True, 2)])
def test_normalisation_of_the_convolutions(group, names):
    module = ConvolutionModule(4, 4, 3, use_group_norm=group)
    found = [name for name in module.state_dict() if name.startswith("sequential.3.")]
    assert len(found) == names
    x = tp.randn(2, 9, 4)
    batched = module(x).detach().numpy()
    alone = tp.cat([module(x[:1]), module(x[1:])]).detach().numpy()
    assert np.allclose(batched, alone, atol=1e-5) is group


def test_learns_and_takes_numpy():
    model = build(depthwise_conv_kernel_size=3, dropout=0.1).train()
    x, lengths, target = tp.randn(2, 10, 8), tp.tensor([10, 8]), tp.randn(2, 10, 8)
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(15):
        loss = (model(x, lengths)[0] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    out, after = model(x.numpy(), lengths.numpy())
    assert isinstance(out, np.ndarray) and after.tolist() == [10, 8]


def test_even_kernel():
    with pytest.raises(DomainError, match="odd"):
        build(depthwise_conv_kernel_size=4)
