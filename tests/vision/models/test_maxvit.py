"""MaxViT: windows, grids, and a small model of the same parts."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import UnknownNameError
from triptych_vision import models
from triptych_vision.models.maxvit import (
    MBConv,
    PartitionAttentionLayer,
    RelativePositionalMultiHeadAttention,
    WindowDepartition,
    WindowPartition,
)

NN = tp.nn


def small(**options: object) -> models.MaxVit:
    config: dict[str, object] = {
        "input_size": (32, 32),
        "stem_channels": 4,
        "partition_size": 2,
        "block_channels": [8, 8],
        "block_layers": [1, 2],
        "head_dim": 4,
        "stochastic_depth_prob": 0.2,
        "num_classes": 3,
    }
    return models.MaxVit(**{**config, **options})


def attend(kind: str, grid: tuple[int, int], side: int = 2) -> PartitionAttentionLayer:
    tp.manual_seed(0)
    return PartitionAttentionLayer(
        4, 2, side, kind, grid, 2, NN.GELU, NN.LayerNorm, 0.0, 0.0, 0.0
    ).eval()


def test_windows_are_cut_and_put_together() -> None:
    x = np.arange(2 * 3 * 4 * 6).reshape(2, 3, 4, 6)
    windows = WindowPartition()(tp.tensor(x), 2)
    assert windows.shape == (2, 6, 4, 3)
    wanted = x[1, :, 2:4, 2:4].reshape(3, 4).T  # row 1, column 1 of 2 x 3 windows
    np.testing.assert_array_equal(windows[1, 4].numpy(), wanted)
    np.testing.assert_array_equal(WindowDepartition()(windows, 2, 2, 3).numpy(), x)


@pytest.mark.parametrize("kind", ["window", "grid"])
def test_who_sees_whom(kind: str) -> None:
    layer, where = attend(kind, (4, 4)), (1, 2)
    x = tp.rand(1, 4, 4, 4, requires_grad=True)
    layer(x)[0, :, where[0], where[1]].sum().backward()
    assert x.grad is not None
    seen = x.grad.abs().sum((0, 1)).numpy() > 0
    rows, columns = np.ogrid[:4, :4]
    if kind == "window":  # neighbours
        wanted = (rows // 2 == where[0] // 2) & (columns // 2 == where[1] // 2)
    else:  # one pixel of each window
        wanted = (rows % 2 == where[0] % 2) & (columns % 2 == where[1] % 2)
    np.testing.assert_array_equal(seen, wanted)


def test_attention_against_its_definition() -> None:
    tp.manual_seed(1)
    layer, x = RelativePositionalMultiHeadAttention(6, 3, 4).eval(), tp.randn(2, 1, 4, 6)
    with tp.no_grad():
        layer.relative_position_bias_table.copy_(tp.randn(9, 2))
        got = layer(x).numpy()
    qkv = (x @ layer.to_qkv.weight.T + layer.to_qkv.bias).detach().numpy()
    table = layer.relative_position_bias_table.detach().numpy()
    places = [(i // 2, i % 2) for i in range(4)]
    mixed = np.zeros((2, 4, 6), np.float32)
    for n in range(2):
        for head in range(2):
            part = slice(3 * head, 3 * head + 3)
            q, k, v = (qkv[n, 0][:, 6 * i : 6 * i + 6][:, part] for i in range(3))
            scores = q @ k.T / np.sqrt(6)  # of all features, as the published weights were trained
            for i, (y1, x1) in enumerate(places):
                for j, (y2, x2) in enumerate(places):
                    scores[i, j] += table[(y1 - y2 + 1) * 3 + x1 - x2 + 1, head]
            chance = np.exp(scores - scores.max(1, keepdims=True))
            mixed[n][:, part] = chance / chance.sum(1, keepdims=True) @ v
    wanted = mixed @ layer.merge.weight.detach().numpy().T + layer.merge.bias.detach().numpy()
    np.testing.assert_allclose(got[:, 0], wanted, atol=1e-5)


def test_convolution_block_keeps_or_halves() -> None:
    block = [4, 0.25, 1, NN.GELU, NN.BatchNorm2d]
    assert isinstance(MBConv(8, 8, *block).proj, NN.Identity)
    block[2] = 2
    half = MBConv(8, 12, *block, 0.5)
    assert half.stochastic_depth.p == 0.5
    assert half.eval()(tp.rand(1, 8, 6, 10)).shape == (1, 12, 3, 5)


def test_small_model() -> None:
    tp.manual_seed(0)
    model, x = small(), tp.rand(2, 3, 32, 32)
    depths = [m.p for m in model.modules() if type(m).__name__ == "StochasticDepth"]
    assert sorted(set(depths)) == pytest.approx([0, 0.1, 0.2])
    model(x).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    out = model.eval()(x)
    assert out.shape == (2, 3)
    np.testing.assert_allclose(model(x[1:]).detach().numpy(), out[1:].detach().numpy(), atol=1e-6)


def test_sizes_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="block 1 sees 3 x 4 pixels"):
        small(input_size=(24, 32))
    with pytest.raises(ValueError, match="grid attention is for square maps"):
        small(input_size=(32, 64))
    with pytest.raises(UnknownNameError, match="one of"):
        attend("row", (4, 4))
    with pytest.raises(ValueError, match=r"grid_size \(4, 5\) is no multiple of 2"):
        attend("window", (4, 5))
    with pytest.raises(ValueError, match="feat_dim=5 is no multiple of head_dim=2"):
        RelativePositionalMultiHeadAttention(5, 2, 4)
