"""What looks into a pooled box."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych_vision.models.detection import FastRCNNConvFCHead, FastRCNNPredictor, TwoMLPHead


def test_two_layers() -> None:
    head, x = TwoMLPHead(2 * 3 * 3, 5), tp.randn(4, 2, 3, 3)
    got = head(x).detach().numpy()
    wanted = x.flatten(1).numpy()
    for layer in (head.fc6, head.fc7):
        weight, bias = layer.weight.detach().numpy(), layer.bias.detach().numpy()
        wanted = np.maximum(wanted @ weight.T + bias, 0)
    np.testing.assert_allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize("norm_layer", [None, nn.BatchNorm2d])
def test_convolutions_before_layers(norm_layer: type[nn.Module] | None) -> None:
    head = FastRCNNConvFCHead((3, 4, 5), [6, 2], [7, 8], norm_layer=norm_layer)
    weights = [
        tuple(m.weight.shape) for m in head.modules() if isinstance(m, nn.Conv2d | nn.Linear)
    ]
    assert weights == [(6, 3, 3, 3), (2, 6, 3, 3), (7, 2 * 4 * 5), (8, 7)]
    assert any(isinstance(m, nn.BatchNorm2d) for m in head.modules()) == (norm_layer is not None)
    out = head(tp.randn(10, 3, 4, 5))
    assert out.shape == (10, 8)
    assert out.min().item() >= 0  # relu at the end


def test_predictor() -> None:
    layer, x = FastRCNNPredictor(6, 3), tp.randn(5, 6)
    flat, pooled = layer(x), layer(x[:, :, None, None])
    for one, other, width in zip(flat, pooled, (3, 12), strict=True):
        assert one.shape == (5, width)
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
    with pytest.raises(ValueError, match=r"\(k, c\) or \(k, c, 1, 1\), got \(5, 6, 2, 1\)"):
        layer(tp.zeros(5, 6, 2, 1))
