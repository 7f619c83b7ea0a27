"""Emformer with convolutions: whole recordings and segments give the same."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError
from triptych_audio.models.conv_emformer import CausalConvolution, ConvEmformer

SEGMENT = 4


@pytest.mark.parametrize("memory", [0, 2])
@pytest.mark.parametrize("right", [0, 2])
@pytest.mark.parametrize("kernel", [3, 7])
def test_segments_give_what_the_whole_gives(memory, right, kernel):
    tp.manual_seed(0)
    model = ConvEmformer(
        8,
        2,
        12,
        2,
        SEGMENT,
        kernel,
        left_context_length=6,
        right_context_length=right,
        max_memory_size=memory,
    ).eval()
    x = tp.randn(2, 16 + right, 8)
    whole, _ = model(x, tp.tensor([16, 16]))
    states, found = None, []
    for start in range(0, 16, SEGMENT):
        piece = x[:, start : start + SEGMENT + right]
        out, _, states = model.infer(piece, tp.tensor([SEGMENT + right] * 2), states)
        found.append(out)
    np.testing.assert_allclose(
        tp.cat(found, 1).detach().numpy(), whole.detach().numpy(), rtol=1e-4, atol=1e-5
    )
    assert [tuple(part.shape) for part in states[0]][4] == (2, 8, kernel - 1)
    whole.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_convolution_looks_back_only():
    tp.manual_seed(0)
    module = CausalConvolution(4, SEGMENT, 0, 3).eval()
    x, none = tp.randn(8, 1, 4), tp.zeros(0, 1, 4)
    still = module(x, none, None)[0].detach().numpy()
    x[3] = tp.randn(1, 4)
    moved = np.abs(module(x, none, None)[0].detach().numpy() - still).max((1, 2)) > 1e-6
    assert np.flatnonzero(moved).tolist() == [3, 4, 5]


def test_unknown_activation():
    with pytest.raises(DomainError, match="conv_activation"):
        ConvEmformer(8, 2, 12, 1, SEGMENT, 3, conv_activation="tanh")
