"""Letters to phonemes: the network of g2p-en."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DTypeError, FileFormatError, ShapeError, UnknownNameError
from triptych_datasets import Offline
from triptych_text.models.g2p import ARPABET, G2P, GRAPHEMES

SPOKEN = {  # by g2p-en 2.1.0 itself
    "activationist": "AE2 K T IH0 V EY1 SH AH0 N IH0 S T",
    "kubernetes": "K AH0 B ER1 N AH0 T S",
    "triptych": "T R IH1 P T IH0 K",
    "tensor": "T EH1 N S ER0",
    "autograd": "AO1 T AH0 G R AE2 D",
    "wolverhampton": "W OW1 L V ER0 T HH AA1 M AH0 N",
    "spectrogram": "S P EH2 K T R AH0 G R AE1 M",
    "quizzically": "K W IH1 Z IH0 K L IY0",
    "xylophone": "Z AY1 L AH0 F OW2 N",
    "through": "TH R UW1",
    "zebra": "Z EH1 B R AH0",
    "photosynthesis": "F OW2 AH0 S IH1 N T AH0 S N AH0 S",
    "rhythm": "R IH1 DH AH0 M",
    "a": "AA1",
    "antidisestablishmentarianism": "AE2 N T IY0 D IY0 AE1 N S IH0 M AH0 B EH2 SH AH0 N Z",
    "colonel": "K AA1 L AH0 N AH0 L",
    "yacht": "Y AE1 CH T",
    "mnemonic": "N IH0 M AA1 N IH0 K",
    "jazzy": "JH AE1 Z IY0",
    "numpy": "N AH1 M P IY0",
}


def random_arrays(rng, width=6, hidden=5):
    shapes = {"emb": (width,), "w_ih": (3 * hidden, width), "w_hh": (3 * hidden, hidden)}
    arrays = {"fc_w": (len(ARPABET), hidden), "fc_b": (len(ARPABET),)}
    for part, signs in ("enc", GRAPHEMES), ("dec", ARPABET):
        arrays |= {f"{part}_{name}": shape for name, shape in shapes.items()}
        arrays |= {f"{part}_emb": (len(signs), width), f"{part}_b_ih": (3 * hidden,)}
        arrays[f"{part}_b_hh"] = (3 * hidden,)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in arrays.items()}


def naive_step(x, h, w_ih, w_hh, b_ih, b_hh):
    """A gated recurrent unit, written out."""
    size = len(h)
    a, b = w_ih @ x + b_ih, w_hh @ h + b_hh
    reset = 1 / (1 + np.exp(-(a[:size] + b[:size])))
    keep = 1 / (1 + np.exp(-(a[size : 2 * size] + b[size : 2 * size])))
    return (1 - keep) * np.tanh(a[2 * size :] + reset * b[2 * size :]) + keep * h


def naive_phonemes(arrays, word):
    gates = {
        part: [arrays[f"{part}_{name}"] for name in ("w_ih", "w_hh", "b_ih", "b_hh")]
        for part in ("enc", "dec")
    }
    h = np.zeros(arrays["enc_w_hh"].shape[1], np.float32)
    for letter in [*word, "</s>"]:
        place = GRAPHEMES.index(letter) if letter in GRAPHEMES else GRAPHEMES.index("<unk>")
        h = naive_step(arrays["enc_emb"][place], h, *gates["enc"])
    found, last = [], ARPABET.index("<s>")
    for _ in range(20):
        h = naive_step(arrays["dec_emb"][last], h, *gates["dec"])
        last = int(np.argmax(arrays["fc_w"] @ h + arrays["fc_b"]))
        if ARPABET[last] == "</s>":
            break
        found.append(ARPABET[last])
    return found


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_batches_of_any_lengths_equal_the_loops(rng):
    words = ["cat", "a", "", "naïve", "catalogue", "zzz"]
    for _ in range(5):
        arrays = random_arrays(rng)
        model = G2P.from_arrays(arrays)
        want = [naive_phonemes(arrays, word) for word in words]
        assert model(words) == want
        assert [model(word) for word in words] == want


def test_no_words_no_phonemes(rng):
    assert G2P.from_arrays(random_arrays(rng))([]) == []


@pytest.fixture(scope="module")
def published():
    try:
        return G2P.from_pretrained()
    except Offline as error:
        pytest.skip(str(error))


@pytest.mark.network
def test_published_network_says_what_its_own_code_says(published):
    assert published(list(SPOKEN)) == [sounds.split() for sounds in SPOKEN.values()]
    assert published("TripTych") == published("triptych")


def test_it_learns(rng):
    tp.manual_seed(0)
    model = G2P(8, 16)
    words, sounds = ["cat"], [["K", "AE1", "T"]]
    optimizer = tp.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(60):
        optimizer.zero_grad()
        loss = model.loss(words, sounds)
        loss.backward()
        optimizer.step()
    assert model(words) == sounds


def test_damaged_checkpoints_are_refused(rng, tmp_path):
    arrays = random_arrays(rng)
    with pytest.raises(FileFormatError, match="lacks fc_b"):
        G2P.from_arrays({name: a for name, a in arrays.items() if name != "fc_b"})
    with pytest.raises(FileFormatError, match="do not belong together"):
        G2P.from_arrays(arrays | {"fc_b": np.zeros(3, np.float32)})
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(FileFormatError, match="no npz file"):
        G2P.from_pretrained(tmp_path / "a.npy")
    np.savez(tmp_path / "a.npz", **arrays)
    assert G2P.from_pretrained(tmp_path / "a.npz")("cat") == naive_phonemes(arrays, "cat")


def test_other_things_than_words_are_refused(rng):
    model = G2P.from_arrays(random_arrays(rng))
    with pytest.raises(DTypeError, match="wanted a list of words, got"):
        model([1, 2])
    with pytest.raises(DTypeError, match="wanted a list of words, got 'cat'"):
        model.read("cat")
    with pytest.raises(ShapeError, match="one word or more, got none"):
        model.read([])
    with pytest.raises(ShapeError, match="one word or more, got none"):
        model.loss([], [])
    with pytest.raises(ShapeError, match="2 words and 1 rows of phonemes"):
        model.loss(["a", "b"], [["AH0"]])
    with pytest.raises(UnknownNameError, match="no phoneme is named 'QU'"):
        model.loss(["q"], [["QU"]])
