import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.embedding import search, semantic_search, similarity

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal((5, 7)), RNG.standard_normal((9, 7))
COSINE = (A @ B.T) / np.linalg.norm(A, axis=1)[:, None] / np.linalg.norm(B, axis=1)


def test_similarity():
    np.testing.assert_allclose(similarity(tp.tensor(A), tp.tensor(B)).numpy(), COSINE, rtol=1e-12)
    np.testing.assert_allclose(
        similarity(tp.tensor(A[2]), tp.tensor(B[3])).numpy(), COSINE[2:3, 3:4], rtol=1e-12
    )
    assert similarity(tp.zeros(2), tp.ones(2)).tolist() == [[0.0]]


@pytest.mark.parametrize("k", [1, 4, 9, 20])
@pytest.mark.parametrize("chunk", [1, 20, 1 << 24])
def test_search_against_a_sort(k, chunk, monkeypatch):
    monkeypatch.setattr(search, "CHUNK_ELEMENTS", chunk)
    found = semantic_search(tp.tensor(A), tp.tensor(B), k)
    expected = np.argsort(-COSINE, axis=1)[:, :k]
    assert found.indices.tolist() == expected.tolist()
    np.testing.assert_allclose(
        found.scores.numpy(), np.take_along_axis(COSINE, expected, 1), rtol=1e-12
    )


def test_refuses():
    with pytest.raises(ShapeError, match="of 2 and of 3 numbers"):
        similarity(tp.ones(1, 2), tp.ones(1, 3))
    with pytest.raises(ShapeError, match=r"\(1, 1, 2\)"):
        similarity(tp.ones(1, 1, 2), tp.ones(1, 2))
    with pytest.raises(ValueError, match="k is 1 or more"):
        semantic_search(tp.ones(2), tp.ones(1, 2), 0)
