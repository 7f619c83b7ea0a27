"""all-MiniLM-L6-v2 with its real weights, against what transformers computed from them."""

from pathlib import Path

import numpy as np
import pytest

import triptych as tp
from triptych_datasets import Offline
from triptych_text import SentenceEncoder, Tokenizer, from_pretrained, semantic_search, similarity
from triptych_text.models import BertModel
from triptych_text.pretrained import model_files

pytestmark = pytest.mark.network

NAME = "all-MiniLM-L6-v2"
TOLERANCE = 1e-4  # relative, as norms; float32 itself is off by 8e-7


@pytest.fixture(scope="module")
def files():
    found = model_files(NAME)
    try:
        found.find("config.json")
    except Offline as error:
        pytest.skip(str(error))
    return found


@pytest.fixture(scope="module")
def encoder(files):
    return SentenceEncoder.from_pretrained(files)


@pytest.fixture(scope="module")
def reference():
    path = Path(__file__).parent / "references" / "minilm.npz"
    with np.load(path) as arrays:
        return {name: arrays[name] for name in arrays.files}


@pytest.fixture(scope="module")
def sentences(reference):
    return [str(sentence) for sentence in reference["sentences"]]


def relative_error(got, expected):
    return np.linalg.norm(got - expected) / np.linalg.norm(expected)


def test_both_tokenizer_files_give_the_recorded_ids(files, reference, sentences):
    described = Tokenizer.from_pretrained(files)
    from_vocab = Tokenizer.from_vocab_file(files.path("vocab.txt", "the vocabulary"))
    for tokenizer in (described, from_vocab):
        batch = tokenizer(sentences, return_tensors="np")
        np.testing.assert_array_equal(batch["input_ids"], reference["input_ids"])
        np.testing.assert_array_equal(batch["attention_mask"], reference["attention_mask"])
        assert tokenizer.decode(batch["input_ids"][0]) == sentences[0].lower()


def test_hidden_states(files, reference):
    model = from_pretrained(files)
    assert type(model) is BertModel
    mask = reference["attention_mask"]
    with tp.inference_mode():
        out = model(tp.tensor(reference["input_ids"]), tp.tensor(mask), output_hidden_states=True)
    last = out.last_hidden_state.numpy() * mask[:, :, None]
    assert relative_error(last[:, :, ::24], reference["hidden_sample"]) <= TOLERANCE
    first_tokens = np.stack([state.numpy()[:, 0, ::24] for state in out.hidden_states])
    for got, expected in zip(first_tokens, reference["layers_sample"], strict=True):
        assert relative_error(got, expected) <= TOLERANCE


@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_embeddings(encoder, reference, sentences, batch_size):
    vectors = encoder.encode(sentences, batch_size=batch_size)
    assert vectors.shape == (14, 384)
    assert vectors.dtype == tp.float32
    for got, expected in zip(vectors.numpy(), reference["embeddings"], strict=True):
        assert relative_error(got, expected) <= TOLERANCE
    np.testing.assert_allclose(np.linalg.norm(vectors.numpy(), axis=1), 1, rtol=1e-5)
    cosines = similarity(vectors, vectors).numpy()
    np.testing.assert_allclose(cosines, reference["similarity"], atol=1e-5)


def test_a_sentence_is_closest_to_its_partner(encoder, reference, sentences):
    vectors = encoder.encode(sentences)
    found = semantic_search(vectors, vectors, k=2)
    for one, other in reference["pairs"].tolist():
        assert found.indices[one].tolist() == [one, other]
        assert found.indices[other].tolist() == [other, one]


def test_settings_of_the_published_model(encoder):
    assert encoder.max_length == 256
    assert encoder.pooling.modes == ("mean",)
    long = "word " * 400
    cut = "word " * 254
    np.testing.assert_allclose(
        encoder.encode(long).numpy(), encoder.encode(cut).numpy(), rtol=1e-4, atol=1e-6
    )
