"""Forced alignment against all paths, one by one."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych_audio import functional as F


def collapsed(path, blank):
    return [k for k, _ in itertools.groupby(path) if k != blank]


def best_of_all(log_probs, target, blank):
    t, v = log_probs.shape
    paths = [p for p in itertools.product(range(v), repeat=t) if collapsed(p, blank) == target]
    return max(paths, key=lambda p: sum(log_probs[i, k] for i, k in enumerate(p)))


def random_log_probs(rng, *shape):
    return np.log(rng.dirichlet(np.ones(shape[-1]), shape[:-1]))


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("target", [[1], [1, 1], [1, 3], [3, 1, 1], [1, 3, 1]])
def test_finds_the_best_path(rng, target, blank):
    log_probs = random_log_probs(rng, 1, 6, 4)
    paths, scores = F.forced_align(log_probs, np.array([target]), blank=blank)
    assert paths[0].tolist() == list(best_of_all(log_probs[0], target, blank))
    np.testing.assert_array_equal(scores[0], log_probs[0, np.arange(6), paths[0]])


def test_exactly_enough_frames(rng):
    paths, _ = F.forced_align(random_log_probs(rng, 1, 4, 3), np.array([[1, 1, 2]]))
    assert paths.tolist() == [[1, 0, 1, 2]]


def test_batch_with_lengths(rng):
    log_probs = random_log_probs(rng, 3, 6, 4)
    targets = np.array([[1, 2, 3], [2, 2, 0], [3, 0, 0]], np.int32)
    frames, spans = np.array([6, 5, 0]), np.array([3, 2, 0])
    paths, scores = F.forced_align(log_probs, targets, frames, spans)
    assert paths.dtype == np.int32 and paths.shape == scores.shape == (3, 6)
    for i in range(2):
        t, l = frames[i], spans[i]
        alone, values = F.forced_align(log_probs[i : i + 1, :t], targets[i : i + 1, :l])
        np.testing.assert_array_equal(paths[i, :t], alone[0])
        np.testing.assert_array_equal(scores[i, :t], values[0])
        assert not scores[i, t:].any() and not paths[i, t:].any()
    assert not paths[2].any() and not scores[2].any()


def test_no_frames_and_no_labels(rng):
    empty = np.zeros((1, 0), np.int64)
    assert F.forced_align(np.zeros((1, 0, 3)), empty)[0].shape == (1, 0)
    assert F.forced_align(random_log_probs(rng, 1, 3, 3), empty)[0].tolist() == [[0, 0, 0]]


def test_scores_have_gradients(rng):
    log_probs = tp.tensor(random_log_probs(rng, 1, 4, 3), requires_grad=True)
    paths, scores = F.forced_align(log_probs, tp.tensor([[1, 2]]))
    scores.sum().backward()
    want = np.eye(3)[paths[0].numpy()]
    np.testing.assert_array_equal(log_probs.grad[0].numpy(), want)


WRONG = [
    ({"targets": [[0, 1]]}, ValueError, "except the blank 0"),
    ({"targets": [[1, 7]]}, ValueError, "labels from 0 to 3"),
    ({"targets": [[-1, 1]]}, ValueError, "labels from 0 to 3"),
    ({"targets": [1, 2]}, ValueError, "unsqueeze"),
    ({"targets": [[1.0]]}, TypeError, "int32 or int64"),
    ({"targets": [[1, 1, 1, 1]]}, ValueError, "with .3. repeats want at least .7. frames"),
    ({"blank": 4}, ValueError, "blank 4"),
    ({"input_lengths": np.array([9])}, ValueError, "input_lengths from 0 to 5"),
    ({"target_lengths": np.array([1, 1])}, ValueError, "1 target_lengths"),
]


@pytest.mark.parametrize(("change", "error", "text"), WRONG)
def test_errors(rng, change, error, text):
    options = {"targets": [[1, 2]], **change}
    options["targets"] = np.array(options["targets"])
    with pytest.raises(error, match=text):
        F.forced_align(random_log_probs(rng, 1, 5, 4), **options)
    with pytest.raises(TypeError, match="floating log_probs"):
        F.forced_align(np.ones((1, 5, 4), int), np.array([[1]]))


def test_merge_tokens():
    tokens = np.array([0, 5, 5, 0, 0, 5, 7, 7])
    scores = np.array([-1.0, -2.0, -4.0, -1.0, -1.0, -3.0, -1.0, -2.0])
    spans = F.merge_tokens(tokens, scores)
    want = [F.TokenSpan(5, 1, 3, -3.0), F.TokenSpan(5, 5, 6, -3.0), F.TokenSpan(7, 6, 8, -1.5)]
    assert spans == want and len(spans[0]) == 2
    assert [s.token for s in F.merge_tokens(tp.tensor(tokens), tp.tensor(scores), 7)] == [
        0,
        5,
        0,
        5,
    ]
    assert F.merge_tokens(tokens[:0], scores[:0]) == []
    for bad in (scores[:3], scores[None]):
        with pytest.raises(ValueError, match="wanted tokens and scores"):
            F.merge_tokens(tokens, bad)
