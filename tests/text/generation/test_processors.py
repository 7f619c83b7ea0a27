"""Each processor against a twin that goes through the rows one by one."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text import generation as g

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 20, (4, 9))
SCORES = 2 * RNG.standard_normal((4, 20)).astype(np.float32)


def run(processor):
    return processor(tp.from_numpy(IDS), tp.from_numpy(SCORES.copy())).numpy()


def kept(processor):
    """Sets of tokens that are left, and the others are minus infinity."""
    out = run(processor)
    left = np.isfinite(out)
    np.testing.assert_array_equal(out[left], SCORES[left])
    assert (out[~left] == -np.inf).all()
    return [set(np.flatnonzero(row)) for row in left]


def test_repetition_penalty():
    wanted = SCORES.copy()
    for row, ids in zip(wanted, IDS, strict=True):
        for token in set(ids):
            row[token] = row[token] * 1.5 if row[token] < 0 else row[token] / 1.5
    np.testing.assert_allclose(run(g.RepetitionPenaltyLogitsProcessor(1.5)), wanted, rtol=1e-6)
    skipping = g.RepetitionPenaltyLogitsProcessor(1.5, np.array([9, 9, 9, 0]))
    np.testing.assert_allclose(run(skipping)[:3], SCORES[:3])
    np.testing.assert_allclose(run(skipping)[3], wanted[3], rtol=1e-6)


@pytest.mark.parametrize("size", [1, 2, 3, 9, 10])
def test_no_repeated_runs(size):
    ids = np.tile([3, 5, 7], (4, 3))
    out = g.NoRepeatNGramLogitsProcessor(size)(tp.from_numpy(ids), tp.from_numpy(SCORES)).numpy()
    text = list(ids[0])
    runs = [text[i : i + size] for i in range(len(text) - size + 1)]
    banned = {v for v in range(20) if [*text[len(text) - size + 1 :], v] in runs}
    assert [set(np.flatnonzero(row == -np.inf)) for row in out] == [banned] * 4
    assert bool(banned) == (size < 8)


def test_bad_words():
    last, before = int(IDS[1, -1]), int(IDS[1, -2])
    process = g.NoBadWordsLogitsProcessor([[4], [last, 6], [before, last, 8], [0] * 12 + [9]])
    for row, (left, ids) in enumerate(zip(kept(process), IDS, strict=True)):
        banned = {4} | ({6} if ids[-1] == last else set())
        banned |= {8} if tuple(ids[-2:]) == (before, last) else set()
        assert left == set(range(20)) - banned, row
    assert kept(g.NoBadWordsLogitsProcessor([[3], [4]], [3])) == [set(range(20)) - {4}] * 4
    with pytest.raises(ShapeError, match="empty run"):
        g.NoBadWordsLogitsProcessor([[]])


def test_lengths_and_places():
    assert kept(g.MinLengthLogitsProcessor(9, [3])) == [set(range(20))] * 4
    assert kept(g.MinLengthLogitsProcessor(10, [3, 4])) == [set(range(20)) - {3, 4}] * 4
    assert kept(g.SuppressTokensLogitsProcessor([1, 2])) == [set(range(20)) - {1, 2}] * 4
    assert kept(g.SuppressTokensAtBeginLogitsProcessor([1], 9)) == [set(range(20)) - {1}] * 4
    assert kept(g.SuppressTokensAtBeginLogitsProcessor([1], 8)) == [set(range(20))] * 4
    forced = run(g.ForcedEOSTokenLogitsProcessor(10, [3, 5]))
    assert (forced[:, [3, 5]] == 0).all() and np.isinf(forced).sum() == 4 * 18
    assert kept(g.ForcedEOSTokenLogitsProcessor(11, 3)) == [set(range(20))] * 4
    assert kept(g.ForcedBOSTokenLogitsProcessor(3)) == [set(range(20))] * 4
    first = g.ForcedBOSTokenLogitsProcessor(3)(tp.zeros(1, 1, dtype=tp.int64), tp.zeros(1, 5))
    assert first.argmax().item() == 3


def test_callback():
    seen = []

    def allowed(prompt, ids):
        seen.append((prompt, ids.tolist()))
        return [prompt, 7]

    assert kept(g.PrefixConstrainedLogitsProcessor(allowed, 2)) == [{0, 7}, {0, 7}, {1, 7}, {1, 7}]
    assert seen[3] == (1, IDS[3].tolist())
    with pytest.raises(ShapeError, match=r"allows no token after .* of prompt 0"):
        run(g.PrefixConstrainedLogitsProcessor(lambda prompt, ids: [], 2))


def probabilities(row):
    e = np.exp(row.astype(np.float64) - row.max())
    return e / e.sum()


@pytest.mark.parametrize("least", [1, 4])
def test_draws(least):
    np.testing.assert_allclose(run(g.TemperatureLogitsWarper(0.5)), SCORES * 2)
    ranks = [list(np.argsort(-row)) for row in SCORES]
    assert kept(g.TopKLogitsWarper(3, least)) == [set(r[: max(3, least)]) for r in ranks]
    assert kept(g.TopKLogitsWarper(99)) == [set(range(20))] * 4
    nucleus, near = [], []
    for row, rank in zip(SCORES, ranks, strict=True):
        p = probabilities(row)
        total = np.cumsum(p[rank])
        nucleus.append(set(rank[: max(least, int(np.searchsorted(total, 0.6)) + 1)]))
        near.append({v for v in range(20) if p[v] >= 0.3 * p.max()} | set(rank[:least]))
    assert kept(g.TopPLogitsWarper(0.6, least)) == nucleus
    assert kept(g.MinPLogitsWarper(0.3, least)) == near
