"""Random spans: how long, how many, how far apart."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError
from triptych_audio.models.wav2vec2.masking import MaskGenerator, compute_mask_indices


def generator(seed=0):
    return tp.Generator().manual_seed(seed)


def spans(row):
    """Lengths of the stretches that are masked."""
    edges = np.flatnonzero(np.diff(np.r_[0, row.astype(int), 0]))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize("kind", ["static", "uniform", "normal", "poisson"])
@pytest.mark.parametrize("apart", [False, True])
def test_rows_have_as_many_masked_frames(kind, apart):
    for seed in range(5):
        mask = compute_mask_indices(
            (4, 200), None, 0.4, 6, kind, 2.0, 2, apart, 1, generator=generator(seed)
        )
        counts = mask.sum(-1)
        assert mask.dtype == tp.bool
        assert counts.min() == counts.max() > 0


def test_part_that_is_masked():
    masks = compute_mask_indices((50, 1000), None, 0.3, 10, generator=generator())
    # spans start at 30 of 990 frames, so a frame is in none of them with (1 - 10/990) ** 30
    expected = 1 - (1 - 10 / 990) ** 30
    assert abs(float(masks.float().mean()) - expected) < 0.03


def test_static_spans_are_whole_or_joined():
    for seed in range(20):
        mask = compute_mask_indices((1, 100), None, 0.3, 7, generator=generator(seed))
        # one span may be cut off by the end of the recording
        assert all(n >= 7 for n in spans(mask[0].numpy()[:-7])[:-1])


def test_spans_apart_keep_their_distance():
    for seed in range(30):
        mask = compute_mask_indices(
            (1, 120), None, 0.5, 5, no_overlap=True, min_space=3, generator=generator(seed)
        )
        row = mask[0].numpy()
        assert set(spans(row)) == {5}
        gaps = spans(~row)[1:-1] if not row[0] and not row[-1] else spans(~row)
        assert all(gap >= 3 for gap in gaps if gap)


def test_spans_apart_stop_when_there_is_no_room():
    mask = compute_mask_indices((1, 12), None, 5.0, 4, no_overlap=True, generator=generator())
    assert 4 <= int(mask.sum()) <= 12


def test_padding_is_not_masked():
    lengths = np.array([100, 40, 60])
    padded = tp.tensor(np.arange(100) >= lengths[:, None])
    for apart in (False, True):
        mask = compute_mask_indices(
            (3, 100), padded, 0.6, 5, min_masks=2, no_overlap=apart, generator=generator()
        )
        assert not (mask & padded).any()
        assert mask.sum(-1).tolist() == [int(mask[0].sum())] * 3


def test_recordings_without_frames_and_few_frames():
    padded = tp.tensor([[True] * 5, [False] * 5])
    assert not compute_mask_indices((2, 5), padded, 0.9, 3, generator=generator()).any()
    short = compute_mask_indices((1, 4), None, 0.9, 10, min_masks=2, generator=generator())
    assert short.any()
    none = compute_mask_indices((2, 50), None, 0.0, 10, generator=generator())
    assert not none.any()


def test_spans_of_no_length_become_one():
    for seed in range(30):
        mask = compute_mask_indices(
            (1, 20), None, 0.02, 1, "poisson", min_masks=1, generator=generator(seed)
        )
        assert mask.any()


def test_the_same_seed_gives_the_same_mask():
    tp.manual_seed(5)
    one = compute_mask_indices((2, 50), None, 0.5, 5)
    tp.manual_seed(5)
    two = compute_mask_indices((2, 50), None, 0.5, 5)
    assert (one == two).all()
    assert (one != compute_mask_indices((2, 50), None, 0.5, 5)).any()


def test_unknown_kind():
    with pytest.raises(DomainError, match="poisson"):
        compute_mask_indices((1, 10), None, 0.5, 5, "gamma")


def masker(prob=0.5, channel_prob=0.0):
    return MaskGenerator(
        8, prob, "static", 0.0, 4, False, 1, channel_prob, "static", 0.0, 2, False, 1
    )


def test_masked_frames_are_the_learned_vector():
    module = masker()
    x = tp.randn(2, 30, 8)
    before = x.numpy().copy()
    out, mask = module(x, generator=generator())
    np.testing.assert_array_equal(x.numpy(), before)
    want = np.where(mask.numpy()[..., None], module.mask_embedding.detach().numpy(), before)
    np.testing.assert_array_equal(out.detach().numpy(), want)
    out.sum().backward()
    np.testing.assert_allclose(module.mask_embedding.grad.numpy(), int(mask.sum()), rtol=1e-6)


def test_masked_channels_are_zero_in_all_frames():
    x = tp.ones(2, 30, 8)
    out, mask = masker(0.0, 0.5)(x, generator=generator())
    assert mask is None
    zeros = out.numpy() == 0
    assert zeros.any() and not zeros.all()
    assert (zeros == zeros[:, :1]).all()
