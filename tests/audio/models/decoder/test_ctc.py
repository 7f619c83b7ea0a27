"""The beam search against all label sequences, one by one; scores and shapes as torchaudio's."""

import collections
import itertools

import numpy as np
import pytest

import triptych as tp
from triptych_audio.models.decoder import (
    CTCDecoderLM,
    CTCDecoderLMState,
    ctc_decoder,
)
from triptych_audio.models.decoder.language_models import ZeroLM

TOKENS = ["-", "|", "a", "b", "c"]
LEXICON = {
    "ab": [["a", "b", "|"]],
    "aab": [["a", "a", "b", "|"]],
    "a": [["a"], ["a", "|"]],
    "c": [["c", "|"]],
    "see": [["c", "|"]],
    "bb": [["b", "b"]],
}
WORDS = [*LEXICON, "<unk>"]
EVERYTHING = {"beam_size": 10**6, "beam_threshold": 1e9, "nbest": 10**6}


class Bigrams(CTCDecoderLM):
    """A table of scores for pairs; its states remember the last word only, so that beams merge."""

    def __init__(self, num_words):
        rng = np.random.default_rng(3)
        self.table = rng.standard_normal((num_words + 1, num_words + 1))
        self.states = [CTCDecoderLMState() for _ in range(num_words + 1)]
        self.asked = 0

    def start(self, start_with_nothing):
        assert not start_with_nothing
        return self.states[-1]

    def score(self, state, usr_token_idx):
        self.asked += 1
        return self.states[usr_token_idx], float(
            self.table[self.states.index(state), usr_token_idx]
        )

    def finish(self, state):
        return state, float(self.table[self.states.index(state), -1])


class Histories(Bigrams):
    """The same scores, with a state for every history."""

    def start(self, start_with_nothing):
        state = CTCDecoderLMState()
        state.last = -1
        return state

    def score(self, state, usr_token_idx):
        child = state.child(usr_token_idx)
        child.last = usr_token_idx
        return child, float(self.table[state.last, usr_token_idx])

    def finish(self, state):
        return state.child(-1), float(self.table[state.last, -1])


def emissions(rng, t, v=5, n=1):
    return np.log(rng.dirichlet(np.ones(v), (n, t)))


def free_readings(path):
    """The label sequence of a path; the silence before the first frame counts as one."""
    return [tuple(k for k, _ in itertools.groupby([1, *path]) if k != 0)[1:]]


def word_readings(path, unknown):
    """All word sequences that a path can be read as; a word more than once if in several ways."""
    spellings = [(w, tuple(map(TOKENS.index, s))) for w, ss in LEXICON.items() for s in ss]
    prefixes = {s[:n] for _, s in spellings for n in range(1, len(s))}
    complete = {s for _, s in spellings}
    readings = [((), (), 1)]  # words, labels of the word that has begun, label of the frame before
    for label in path:
        after = []
        for words, begun, before in readings:
            if label == 0 or label == before or (label == 1 and not begun):
                after.append((words, begun, label))
            if label in (0, before):
                continue
            longer = (*begun, label)
            if longer in prefixes:
                after.append((words, longer, label))
            after += [((*words, w), (), label) for w, s in spellings if s == longer]
            if unknown and longer in prefixes - complete:
                after.append(((*words, "<unk>"), (), label))
        readings = after
    return [words for words, begun, _ in readings if not begun]


def all_answers(log_probs, readings, price, log_add, sil_score):
    """Score of every answer, from all paths."""
    found = collections.defaultdict(list)
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        score = sum(log_probs[t, k] for t, k in enumerate(path)) + sil_score * path.count(1)
        for answer in readings(path):
            found[answer].append(score + price(answer))
    join = np.logaddexp.reduce if log_add else max
    return {answer: join(scores) for answer, scores in found.items()}


def bigram_price(table, index, weight, bonus=lambda _: 0.0):
    def price(answer):
        ids = [-1, *(index(w) for w in answer), -1]
        return weight * sum(table[p] for p in itertools.pairwise(ids)) + sum(map(bonus, answer))

    return price


def compare(got, want):
    assert len(got) == len(want)
    for answer, score in got:
        assert score == pytest.approx(want[answer])
    scores = [score for _, score in got]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("log_add", [False, True])
@pytest.mark.parametrize("lm", [False, True])
def test_without_lexicon(rng, log_add, lm):
    log_probs = emissions(rng, 5, 4)
    tokens = TOKENS[:4]
    model = Histories(4) if lm else None
    table = model.table if lm else np.zeros((5, 5))
    decoder = ctc_decoder(
        None, tokens, model, lm_weight=0.7, sil_score=-0.3, log_add=log_add, **EVERYTHING
    )
    got = []
    for hypothesis in decoder(log_probs)[0]:
        ids = hypothesis.tokens.tolist()
        assert ids[0] == ids[-1] == 1 and hypothesis.words == []
        got.append((ids, hypothesis.score))
    price = bigram_price(table, lambda w: w, 0.7)
    want = all_answers(log_probs[0], free_readings, price, log_add, -0.3)
    # silence at the end is one with the silence after it, or not, so only scores are compared
    np.testing.assert_allclose([s for _, s in got], sorted(want.values(), reverse=True))
    best = max(want, key=want.get)
    assert [1, *best, 1][: len(got[0][0]) - 1] == got[0][0][:-1]


@pytest.mark.parametrize("log_add", [False, True])
@pytest.mark.parametrize("unk_score", [-np.inf, -1.5])
@pytest.mark.parametrize("lm", [False, True])
def test_with_lexicon(rng, log_add, unk_score, lm):
    log_probs = emissions(rng, 5)
    model = Histories(len(WORDS)) if lm else None
    table = model.table if lm else np.zeros((8, 8))
    decoder = ctc_decoder(
        LEXICON,
        TOKENS,
        model,
        lm_weight=0.7,
        word_score=0.4,
        unk_score=unk_score,
        sil_score=-0.3,
        log_add=log_add,
        **EVERYTHING,
    )
    got = [(tuple(h.words), h.score) for h in decoder(log_probs)[0]]
    price = bigram_price(table, WORDS.index, 0.7, lambda w: unk_score if w == "<unk>" else 0.4)

    def readings(path):
        return word_readings(path, unk_score > -np.inf)

    compare(got, all_answers(log_probs[0], readings, price, log_add, -0.3))


def test_states_that_are_the_same_merge(rng):
    """Two histories in one state: the better one stays."""
    log_probs = emissions(rng, 5, 4)
    best = [
        ctc_decoder(None, TOKENS[:4], lm, **EVERYTHING)(log_probs)[0]
        for lm in (Bigrams(4), Histories(4))
    ]
    assert len(best[0]) < len(best[1]) and best[0][0].score == pytest.approx(best[1][0].score)
    assert best[0][0].tokens.tolist() == best[1][0].tokens.tolist()


def test_asks_the_language_model_once_for_each_pair(rng):
    lm = Bigrams(5)
    ctc_decoder(None, TOKENS, lm)(emissions(rng, 30))
    assert lm.asked <= 6 * 4


def test_ngrams(rng, arpa):
    """The file's model in arrays and the same model asked word by word."""
    lexicon = {"ab": [["a", "b", "|"]], "c": [["c", "|"]], "a": [["a", "|"]], "zebra": [["b", "|"]]}
    log_probs = emissions(rng, 12, n=2)
    options = {"beam_size": 20, "nbest": 5, "log_add": True, "word_score": 0.3}
    decoder = ctc_decoder(lexicon, TOKENS, arpa, **options)
    lm = decoder.lm

    class OneByOne(CTCDecoderLM):
        start, score, finish = lm.start, lm.score, lm.finish

    again = ctc_decoder(lexicon, TOKENS, OneByOne(), **options)
    for got, want in zip(decoder(log_probs), again(log_probs), strict=True):
        assert [h.words for h in got] == [h.words for h in want]
        np.testing.assert_allclose([h.score for h in got], [h.score for h in want])
    free = ctc_decoder(None, TOKENS, arpa, lm_dict=None, nbest=3)
    assert len(free(log_probs)[1]) == 3


def test_score_of_one_sentence(arpa):
    """Emissions and language model, added up by hand."""
    path = [2, 3, 1, 0, 4, 1]  # a b | - c |
    log_probs = np.full((1, 6, 5), -20.0)
    log_probs[0, np.arange(6), path] = -0.1
    lexicon = {"ab": [["a", "b", "|"]], "c": [["c", "|"]]}
    decoder = ctc_decoder(lexicon, TOKENS, arpa, lm_weight=3, word_score=0.5, sil_score=-0.25)
    best = decoder(log_probs)[0][0]
    assert best.words == ["ab", "c"]
    assert best.score == pytest.approx(-0.6 + 3 * (-0.2 - 0.05 - 0.15) + 2 * 0.5 - 2 * 0.25)
    assert best.tokens.tolist() == [1, 2, 3, 1, 4, 1]
    assert best.timesteps.tolist() == [0, 1, 2, 3, 5, 6]
    assert best.tokens.dtype == tp.int64 and best.timesteps.dtype == tp.int32
    spans = [(s.word, s.start, s.end) for s in best.word_spans]
    assert spans == [("ab", 0, 2), ("c", 4, 5)]
    assert best.word_spans[0].score == pytest.approx(-0.1)
    assert len(best) == 4
    assert decoder.idxs_to_tokens(best.tokens) == list("|ab|c|")


def certain(path):
    log_probs = np.full((1, len(path), 5), -30.0)
    log_probs[0, np.arange(len(path)), [TOKENS.index(p) for p in path]] = 0.0
    return log_probs


def test_last_label_of_a_word_may_last():
    lexicon = {"ab": [["a", "b"]], "bb": [["b", "b"]], "c": [["c"]]}
    decoder = ctc_decoder(lexicon, TOKENS)
    for path, want, spans in [
        ("aabbb-cc", ["ab", "c"], [(0, 5), (6, 8)]),
        ("bb-bcc|a-b", ["bb", "c", "ab"], [(0, 4), (4, 6), (7, 10)]),
        ("c-c", ["c", "c"], [(0, 1), (2, 3)]),
        ("cccc", ["c"], [(0, 4)]),
        ("|-|c", ["c"], [(3, 4)]),
    ]:
        best = decoder(certain(path))[0][0]
        assert best.words == want
        assert [(s.start, s.end) for s in best.word_spans] == spans


def test_incomplete_word_at_the_end():
    """Only if no beam ends between words."""
    decoder = ctc_decoder({"ab": [["a", "b"]]}, TOKENS, beam_threshold=5)
    best = decoder(certain("aba"))[0][0]
    assert best.words == ["ab"] and best.tokens.tolist() == [1, 2, 3, 2, 1]


def test_word_of_silence():
    best = ctc_decoder({"pause": [["|", "a", "|"]], "hm": [["c", "|"]]}, TOKENS)(certain("-|ac|"))
    assert best[0][0].score < -25  # neither word fits
    quiet = ctc_decoder({"tick": [["|"]]}, TOKENS, word_score=9.0)(certain("-|-"))
    assert quiet[0][0].words == ["tick"] and quiet[0][0].word_spans[0].start == 1


@pytest.mark.parametrize("lexicon", [None, LEXICON])
def test_limits_only_lower_scores(rng, lexicon):
    log_probs = emissions(rng, 30, n=3)
    lm = Histories(len(WORDS) if lexicon else len(TOKENS))
    full = [h[0].score for h in ctc_decoder(lexicon, TOKENS, lm, beam_size=2000)(log_probs)]
    for limits in ({"beam_size": 2}, {"beam_size_token": 2}, {"beam_threshold": 1.0}):
        few = [h[0].score for h in ctc_decoder(lexicon, TOKENS, lm, **limits)(log_probs)]
        assert all(a <= b + 1e-9 for a, b in zip(few, full, strict=True)) and few != full
    alone = ctc_decoder(lexicon, TOKENS, beam_size=1, nbest=9)(log_probs)
    assert all(len(h) == 1 for h in alone)


@pytest.mark.parametrize("lexicon", [None, LEXICON])
def test_pieces(rng, lexicon):
    log_probs = emissions(rng, 20)[0].astype(np.float32)
    decoder = ctc_decoder(lexicon, TOKENS, nbest=3)
    want = decoder(log_probs[None])[0]
    decoder.decode_begin()
    for piece in np.split(tp.tensor(log_probs).numpy(), [0, 7, 8]):
        decoder.decode_step(tp.tensor(piece))
    decoder.decode_end()
    for a, b in zip(decoder.get_final_hypothesis(), want, strict=True):
        assert a.score == b.score and a.words == b.words
        assert a.tokens.tolist() == b.tokens.tolist()


def test_lengths_and_empty_input(rng):
    log_probs = emissions(rng, 9, n=3)
    decoder = ctc_decoder(LEXICON, TOKENS)
    answers = decoder(tp.tensor(log_probs), tp.tensor([9, 4, 0]))
    assert answers[1][0].score == decoder(log_probs[1:2, :4])[0][0].score
    assert answers[2][0].tokens.tolist() == [1] and answers[2][0].score == 0.0


def test_files(tmp_path, rng):
    paths = {name: tmp_path / f"{name}.txt" for name in ("lexicon", "tokens", "order")}
    lexicon = {word: LEXICON[word] for word in ("ab", "aab", "c")}
    lines = [f"{word} {' '.join(s)}\n" for word, (s,) in lexicon.items()]
    paths["lexicon"].write_text("".join(lines))
    paths["order"].write_text("\n".join(["<unk>", *reversed(LEXICON)]))
    paths["tokens"].write_text("\n".join(["-", "| <space>", *TOKENS[2:]]))
    log_probs = emissions(rng, 12)
    want = ctc_decoder(lexicon, TOKENS)(log_probs)[0][0]
    got = ctc_decoder(str(paths["lexicon"]), paths["tokens"], lm_dict=paths["order"])(log_probs)
    assert got[0][0].words == want.words and got[0][0].score == pytest.approx(want.score)


def wrong(tmp_path):
    frames = np.zeros((1, 3, 5))
    decoder = ctc_decoder(None, TOKENS)
    started = ctc_decoder(None, TOKENS)
    started.decode_begin()
    order = tmp_path / "order.txt"
    order.write_text("<unk>\nab\n")
    return [
        (lambda: ctc_decoder(None, TOKENS, blank_token="_"), ValueError, "blank_token '_'"),
        (lambda: ctc_decoder(None, TOKENS, sil_token="_"), ValueError, "sil_token '_'"),
        (lambda: ctc_decoder({"x": [["x"]]}, TOKENS), KeyError, "'x' is not among"),
        (lambda: ctc_decoder({"x": [["a", "-"]]}, TOKENS), ValueError, "spelling of 'x'"),
        (lambda: ctc_decoder(LEXICON, TOKENS, lm_dict=order), KeyError, "'aab' is not among"),
        (lambda: decoder(frames[0]), ValueError, r"wanted emissions \(n, t, v\)"),
        (lambda: decoder(frames[..., :4]), ValueError, "there are 5 tokens"),
        (lambda: decoder(frames.astype(int)), TypeError, "floating emissions, got"),
        (lambda: decoder([[0.0]]), TypeError, "got list"),
        (lambda: decoder(frames, np.array([4])), ValueError, "1 lengths from 0 to 3"),
        (lambda: decoder(frames * np.nan), ValueError, "NaN"),
        (lambda: ctc_decoder(None, TOKENS, beam_size=0), ValueError, "beam_size is at least 1"),
        (lambda: ctc_decoder(None, TOKENS).decode_step(frames[0]), ValueError, "decode_begin"),
        (lambda: ctc_decoder(None, TOKENS).decode_end(), ValueError, "decode_begin"),
        (lambda: started.decode_step(frames), ValueError, r"wanted emissions \(t, v\)"),
        (lambda: started.get_final_hypothesis(), ValueError, "decode_end"),
    ]


def test_errors(tmp_path):
    for call, error, text in wrong(tmp_path):
        with pytest.raises(error, match=text):
            call()


def test_states():
    state = CTCDecoderLMState()
    first, second = state.child(1), state.child(2)
    assert state.children == {1: first, 2: second} and state.child(1) is first
    assert ZeroLM().score(state, 1) == (first, 0.0) and ZeroLM().finish(first) == (first, 0.0)
    assert isinstance(ZeroLM().start(False), CTCDecoderLMState)
    assert first.compare(first) == 0 and second.compare(first) == 1
