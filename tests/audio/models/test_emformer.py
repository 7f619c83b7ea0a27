"""Emformer: whole recordings and segments give the same."""

import math

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models import Emformer
from triptych_audio.models.emformer_attention import (
    EmformerAttention,
    right_context_frames,
    segment_mask,
)

SEGMENT = 4


def build(**changes):
    tp.manual_seed(0)
    sizes = {"left_context_length": 6, "right_context_length": 2, **changes}
    return Emformer(8, 2, 12, 2, SEGMENT, **sizes).eval()


def in_segments(model, x, lengths, frames):
    """What comes out segment by segment; x has the right context at its end."""
    right, states, outputs, counts = model.right_context_length, None, [], []
    for start in range(0, frames, SEGMENT):
        piece = x[:, start : start + SEGMENT + right]
        piece = tp.nn.functional.pad(piece, (0, 0, 0, SEGMENT + right - piece.shape[1]))
        valid = (lengths + right - start).clamp(0, SEGMENT + right)
        out, count, states = model.infer(piece, valid, states)
        outputs.append(out)
        counts.append(count)
    return tp.cat(outputs, 1), sum(counts), states


@pytest.mark.parametrize("memory", [0, 1, 2])
@pytest.mark.parametrize("left", [0, 3, 6])
@pytest.mark.parametrize("right", [0, 2])
def test_segments_give_what_the_whole_gives(memory, left, right):
    model = build(left_context_length=left, right_context_length=right, max_memory_size=memory)
    x, lengths = tp.randn(2, 16 + right, 8), tp.tensor([16, 16])
    whole, after = model(x, lengths)
    assert whole.shape == (2, 16, 8)
    assert after is lengths
    got, counts, _ = in_segments(model, x, lengths, 16)
    assert counts.tolist() == [16, 16]
    np.testing.assert_allclose(got.detach().numpy(), whole.detach().numpy(), rtol=1e-4, atol=1e-5)


def test_last_segment_may_be_short():
    model = build(max_memory_size=0)
    x = tp.randn(1, 13, 8)
    whole, _ = model(x, tp.tensor([11]))
    got, counts, _ = in_segments(model, x, tp.tensor([11]), 11)
    assert counts.tolist() == [11]
    np.testing.assert_allclose(
        got[:, :8].detach().numpy(), whole[:, :8].detach().numpy(), rtol=1e-4, atol=1e-5
    )


def test_nothing_is_known_of_what_comes_after_the_right_context():
    model = build(max_memory_size=2)
    x, lengths = tp.randn(1, 18, 8), tp.tensor([16])
    still = model(x, lengths)[0].detach().numpy()
    x[:, 10:] = tp.randn(1, 8, 8)
    moved = np.abs(model(x, lengths)[0].detach().numpy() - still).max(-1)[0] > 1e-6
    assert np.flatnonzero(moved).tolist() == list(range(8, 16))
    x = tp.randn(1, 18, 8)
    still = model(x, lengths)[0].detach().numpy()
    x[:, 9] = tp.randn(1, 8)
    moved = np.abs(model(x, lengths)[0].detach().numpy() - still).max(-1)[0] > 1e-6
    assert np.flatnonzero(moved).tolist() == list(range(4, 16))


def test_left_context_is_forgotten_and_memory_is_not():
    x, lengths = tp.randn(1, 18, 8), tp.tensor([16])
    for memory, reach in ((0, 8), (3, 16)):
        model = build(left_context_length=1, max_memory_size=memory, right_context_length=2)
        still = model(x, lengths)[0].detach().numpy()
        other = x.clone()
        other[:, 0] = tp.randn(1, 8)
        moved = np.abs(model(other, lengths)[0].detach().numpy() - still).max(-1)[0] > 1e-6
        assert moved[:4].all()
        assert np.flatnonzero(moved).max() < reach
        assert moved[8:].any() == (memory > 0)


def test_padding_changes_nothing():
    model = build()
    x, lengths = tp.randn(3, 18, 8), tp.tensor([16, 9, 4])
    out, _ = model(x, lengths)
    other = x.clone()
    other[1, 9 + 2 :] = 5.0  # neither a valid frame nor the right context of one
    changed, _ = model(other, lengths)
    np.testing.assert_allclose(
        changed[1, :8].detach().numpy(), out[1, :8].detach().numpy(), rtol=1e-5, atol=1e-6
    )
    got, counts, _ = in_segments(model, x, lengths, 16)
    assert counts.tolist() == [16, 9, 4]
    assert got.shape == (3, 16, 8)


def test_states_are_not_changed_and_can_be_taken_up_again():
    model = build(max_memory_size=2)
    x, lengths = tp.randn(1, 6, 8), tp.tensor([6])
    _, _, states = model.infer(x, lengths)
    kept = [[part.detach().numpy().copy() for part in state] for state in states]
    one = model.infer(x, lengths, states)[0].detach().numpy()
    two = model.infer(x, lengths, states)[0].detach().numpy()
    np.testing.assert_array_equal(one, two)
    for state, old in zip(states, kept, strict=True):
        for part, was in zip(state, old, strict=True):
            np.testing.assert_array_equal(part.detach().numpy(), was)
    assert [tuple(part.shape) for part in states[0]] == [(2, 1, 8), (6, 1, 8), (6, 1, 8), (1, 1)]
    assert int(states[0][3]) == SEGMENT


@pytest.mark.parametrize("memory", [0, 1, 3])
def test_mask_is_the_plain_one(memory):
    for frames, left, right in ((10, 3, 2), (8, 0, 0), (3, 9, 1), (13, 5, 3)):
        count = math.ceil(frames / SEGMENT)
        rows = [("context", s) for s in range(count) for _ in range(right)]
        rows += [("frame", t // SEGMENT) for t in range(frames)]
        rows += [("summary", s) for s in range(count)] if memory else []
        columns = [("memory", s) for s in range(count - 1)] if memory else []
        columns += [("context", s) for s in range(count) for _ in range(right)]
        columns += [("frame", t) for t in range(frames)]
        want = [[not sees(*row, *column, memory, left) for column in columns] for row in rows]
        got = segment_mask(frames, SEGMENT, left, right, memory)
        np.testing.assert_array_equal(got, np.array(want).reshape(got.shape))


def sees(looker, segment, seen, place, memory, left):
    if seen == "memory":
        return looker != "summary" and segment - memory <= place < segment
    if seen == "context":
        return place == segment
    return segment * SEGMENT - left <= place < (segment + 1) * SEGMENT


def test_right_contexts_are_the_frames_after_each_segment():
    for frames, right in ((10, 2), (8, 3), (3, 1), (4, 0)):
        want = []
        for segment in range(math.ceil(frames / SEGMENT)):
            end = min((segment + 1) * SEGMENT, frames)
            want += range(end, end + right)
        assert right_context_frames(frames, SEGMENT, right).tolist() == want


def test_memory_vectors_are_bounded():
    for tanh, bound in ((True, 1.0), (False, 10.0)):
        module = EmformerAttention(4, 2, tanh_on_mem=tanh)
        with tp.no_grad():
            module.out_proj.weight *= 1e4
        x = tp.randn(3, 1, 4)
        mask = tp.zeros(5, 5, dtype=tp.bool)
        out, memory = module(x, tp.tensor([3]), x[:1], x[:1], x[:1], mask)
        assert memory.shape[0] == 0  # the last segment's is for nobody
        _, memory, _, _ = module.infer(x, tp.tensor([3]), x[:1], x[:1], x[:0], x[:0], x[:0])
        assert float(memory.abs().max()) <= bound < float(out.abs().max())


def test_first_values_shrink_with_depth():
    def width(model):
        layers = model.emformer_layers
        return [float(layer.attention.emb_to_query.weight.abs().max()) for layer in layers]

    bound = math.sqrt(6 / 16)
    assert np.allclose(width(build()), [bound, bound / math.sqrt(2)], rtol=0.1)
    constant = width(build(weight_init_scale_strategy="constant"))
    assert np.allclose(constant, bound * math.sqrt(0.5), rtol=0.1)
    plain = width(build(weight_init_scale_strategy=None))
    assert np.allclose(plain, 1 / math.sqrt(8), rtol=0.1)


def test_learns_and_takes_numpy():
    model = build(max_memory_size=1, dropout=0.1, activation="gelu").train()
    x, lengths, target = tp.randn(2, 12, 8), tp.tensor([10, 8]), tp.randn(2, 10, 8)
    optimizer = tp.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(10):
        loss = (model(x, lengths)[0] - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < losses[0]
    model.eval()
    out, _, states = model.infer(x[:, :6].numpy(), np.array([6, 6]))
    assert isinstance(out, np.ndarray)
    again, _, _ = model.infer(x[:, 4:10].numpy(), np.array([6, 6]), states)
    assert again.shape == (2, 4, 8)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"activation": "tanh"}, "activation: wanted one of 'gelu', 'relu', 'silu'"),
        ({"weight_init_scale_strategy": "deep"}, "weight_init_scale_strategy"),
    ],
)
def test_unknown_choices(changes, text):
    with pytest.raises(DomainError, match=text):
        build(**changes)


def test_refuses():
    with pytest.raises(DomainError, match="no multiple"):
        Emformer(9, 2, 8, 1, SEGMENT)
    model = build()
    with pytest.raises(ShapeError, match="right context"):
        model(tp.zeros(1, 2, 8), tp.tensor([0]))
    with pytest.raises(ShapeError, match="right context"):
        model(tp.zeros(12, 8), tp.tensor([10]))
    with pytest.raises(ShapeError, match="pad the last segment"):
        model.infer(tp.zeros(1, 5, 8), tp.tensor([5]))
