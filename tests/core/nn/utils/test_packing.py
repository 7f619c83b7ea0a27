"""Padded and packed sequences go round."""

import numpy as np
import pytest

import triptych
from triptych.nn.utils import rnn
from triptych.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpad_sequence,
)


def sequences(*lengths):
    rng = np.random.default_rng(0)
    return [triptych.tensor(rng.standard_normal((n, 2))) for n in lengths]


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("lengths", [(4, 2, 1), (1, 4, 2)])
def test_round_trip(lengths, batch_first):
    given = sequences(*lengths)
    padded = pad_sequence(given, batch_first)
    assert padded.shape == ((3, 4, 2) if batch_first else (4, 3, 2))
    in_order = lengths == (4, 2, 1)
    packed = pack_padded_sequence(padded, list(lengths), batch_first, enforce_sorted=in_order)
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1]
    assert packed.data.shape == (7, 2)
    again, found = pad_packed_sequence(packed, batch_first)
    assert found.tolist() == list(lengths)
    np.testing.assert_array_equal(again.numpy(), padded.numpy())
    for one, two in zip(unpad_sequence(again, found, batch_first), given, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_order_of_packed_rows():
    packed = pack_sequence(
        [triptych.tensor([1, 2, 3]), triptych.tensor([4, 5]), triptych.tensor([6])]
    )
    assert packed.data.tolist() == [1, 4, 6, 2, 5, 3]
    assert packed.sorted_indices is None
    mixed = pack_sequence(
        [triptych.tensor([4, 5]), triptych.tensor([1, 2, 3])], enforce_sorted=False
    )
    assert mixed.data.tolist() == [1, 4, 2, 5, 3]
    assert mixed.sorted_indices.tolist() == [1, 0]
    assert type(mixed.to(triptych.float64)) is PackedSequence
    assert mixed.to(triptych.float64).data.dtype == triptych.float64


def test_padding_value_side_and_length():
    given = [triptych.ones(1), triptych.ones(3)]
    assert pad_sequence(given, padding_value=7.0).tolist() == [[1, 1], [7, 1], [7, 1]]
    assert pad_sequence(given, padding_side="left").tolist() == [[0, 1], [0, 1], [1, 1]]
    packed = pack_sequence(given[::-1])
    longer, _ = pad_packed_sequence(packed, padding_value=-1.0, total_length=4)
    assert longer.tolist() == [[1, 1], [1, -1], [1, -1], [-1, -1]]


def test_gradients_flow_through_packing():
    x = triptych.ones(3, 2, requires_grad=True)
    out, _ = pad_packed_sequence(pack_padded_sequence(x, [3, 1]))
    (out * 2).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [2.0, 0.0], [2.0, 0.0]]


def test_mistakes():
    x = triptych.zeros(3, 2)
    with pytest.raises(ValueError, match=r"lengths .* do not fall"):
        pack_padded_sequence(x, [1, 3])
    for lengths in ([3], [4, 1], [3, 0]):
        with pytest.raises(ValueError, match="wanted 2 lengths from 1 to 3"):
            pack_padded_sequence(x, lengths)
    with pytest.raises(ValueError, match="total_length 2 is shorter than the longest, 3"):
        pad_packed_sequence(pack_padded_sequence(x, [3, 1]), total_length=2)
    with pytest.raises(ValueError, match="wanted a non-empty list"):
        pad_sequence([])
    with pytest.raises(ValueError, match="shapes differ after the first dim"):
        pad_sequence([triptych.zeros(2, 1), triptych.zeros(2, 2)])


def test_unpack_sequence_gives_back_what_was_packed():
    sequences = [triptych.randn(n, 2) for n in (2, 4, 1)]
    packed = rnn.pack_sequence(sequences, enforce_sorted=False)
    for one, two in zip(rnn.unpack_sequence(packed), sequences, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_packed_sequences_convert():
    packed = rnn.pack_sequence([triptych.ones(3), triptych.ones(2)])
    names = {
        "double": triptych.float64,
        "half": triptych.float16,
        "long": triptych.int64,
        "int": triptych.int32,
    }
    for name, dtype in names.items():
        made = getattr(packed, name)()
        assert made.data.dtype == dtype and made.batch_sizes is packed.batch_sizes
        assert made.float().data.dtype == triptych.float32
    assert not packed.cpu().is_cuda and packed.pin_memory() is packed and not packed.is_pinned()
