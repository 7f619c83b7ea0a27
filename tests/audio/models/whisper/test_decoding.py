"""Rules on hand-made scores, searches against naive twins, options, languages."""

import itertools

import numpy as np
import pytest

import triptych as tp
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.whisper import DecodingOptions, decode, detect_language
from triptych_audio.models.whisper.rules import (
    SuppressBlank,
    SuppressTokens,
    TimestampRules,
    log_softmax,
)
from triptych_audio.models.whisper.searching import (
    BeamSearch,
    Candidate,
    GreedySearch,
    best_candidate,
)
from triptych_audio.models.whisper.tokenizer import Tokenizer

TEXT = 65


@pytest.fixture
def allowed(tokenizer):
    """Ids that the rules leave after some ids, where all are alike but for a favourite text."""
    count = tokenizer.timestamp_begin + 1501

    def after(written, latest=None, favourite=30.0):
        logits = np.zeros((1, count), np.float32)
        logits[0, TEXT] = favourite
        TimestampRules(tokenizer, 2, latest)(logits, np.array([[0, 1, *written]]))
        return set(np.flatnonzero(np.isfinite(logits[0])).tolist())

    return after


def test_times_come_first(allowed, tokenizer):
    zero = tokenizer.timestamp_begin
    assert allowed([]) == set(range(zero, zero + 1501))
    assert allowed([], latest=50) == set(range(zero, zero + 51))


def test_times_come_in_pairs_and_never_fall(allowed, tokenizer):
    zero = tokenizer.timestamp_begin
    text = set(range(zero)) - {tokenizer.no_timestamps}
    assert allowed([zero + 5]) == text
    assert allowed([zero + 5, TEXT]) == text | set(range(zero + 6, zero + 1501))
    after_end = allowed([zero + 5, TEXT, zero + 9])
    special = set(range(tokenizer.eot, zero)) - {tokenizer.no_timestamps}
    assert after_end <= special | set(range(zero + 9, zero + 1501))
    assert zero + 9 in after_end
    assert allowed([zero + 5, TEXT, zero + 9, zero + 9]) == text


def test_times_win_together(allowed, tokenizer):
    zero = tokenizer.timestamp_begin
    assert min(allowed([zero, TEXT], favourite=5.0)) > zero  # exp(5) < 1500 times
    assert TEXT in allowed([zero, TEXT], favourite=8.0)


def test_blanks_and_lists(tokenizer):
    logits = np.zeros((1, 400), np.float32)
    SuppressBlank(tokenizer, 1)(logits, np.array([[0]]))
    assert set(np.flatnonzero(np.isinf(logits[0]))) == {*tokenizer.encode(" "), tokenizer.eot}
    SuppressBlank(tokenizer, 1)(logits := np.zeros((1, 400)), np.array([[0, 1]]))
    assert np.isfinite(logits).all()
    SuppressTokens([3, 5])(logits, np.array([[0]]))
    assert set(np.flatnonzero(np.isinf(logits[0]))) == {3, 5}


END, VOCABULARY, LENGTH = 0, 12, 3
CHAIN = log_softmax(np.random.default_rng(5).standard_normal((VOCABULARY, VOCABULARY)) * 2)


def run(search, rows):
    """Write with a Markov chain for a model."""
    ids = np.full((rows, 1), 1)
    for _ in range(LENGTH):
        ids, sources, done = search.step(ids, CHAIN[ids[:, -1]])
        assert sources.shape == (len(ids),)
        if done:
            break
    return search.results(ids, 1)


def all_texts():
    for length in range(LENGTH):
        for text in itertools.product(range(1, VOCABULARY), repeat=length):
            path = [1, *text, END]
            yield Candidate(list(text), sum(CHAIN[a, b] for a, b in itertools.pairwise(path)))


def test_wide_beam_finds_the_best_of_all():
    search = BeamSearch(11, END, 3.0)
    run(search, 11)
    wanted = max(all_texts(), key=lambda c: c.sum_logprob)
    ended = {text: total for text, total in search.ended[0].items() if len(text) <= LENGTH + 1}
    text, total = max(ended.items(), key=lambda item: item[1])
    assert list(text) == [1, *wanted.ids, END]
    assert total == pytest.approx(wanted.sum_logprob)


def test_beams_of_several_sounds_do_not_mix():
    together = run(BeamSearch(3, END, 2.0), 6)
    assert together[0] == together[1] == run(BeamSearch(3, END, 2.0), 3)[0]


def test_greedy():
    (found,) = run(GreedySearch(1, END), 1)[0]
    wanted, at, total = [], 1, 0.0
    for _ in range(LENGTH):
        following = int(CHAIN[at].argmax())
        total += CHAIN[at, following]
        at = following
        if at == END:
            break
        wanted.append(at)
    assert found == Candidate(wanted, pytest.approx(total))


def test_drawn_texts_follow_the_chances():
    search = GreedySearch(1, END, 2.0, tp.Generator().manual_seed(0))
    ids, _, _ = search.step(np.full((4000, 1), 1), np.repeat(CHAIN[[1]], 4000, 0))
    shares = np.bincount(ids[:, 1], minlength=VOCABULARY) / 4000
    np.testing.assert_allclose(shares, np.exp(log_softmax(CHAIN[1] / 2.0)), atol=0.03)
    np.testing.assert_allclose(search.sums, CHAIN[1, ids[:, 1]])


def test_lengths_are_weighed():
    short, long = Candidate([1], -2.0), Candidate([1] * 6, -6.0)
    assert best_candidate([short, long], None) is long
    assert best_candidate([short, long], 0.0) is short
    assert best_candidate([Candidate([], -1.0), short], None) is short


@pytest.fixture
def mel(normal):
    return normal(3, 2, 80, 3000)


OPTIONS = [
    {},
    {"beam_size": 3},
    {"without_timestamps": True, "suppress_tokens": "", "suppress_blank": False},
    {"prompt": "hello", "prefix": " a", "sample_len": 6, "suppress_tokens": [65, -1]},
    {"temperature": 0.7, "best_of": 2, "max_initial_timestamp": None},
    {"beam_size": 2, "length_penalty": 0.5, "patience": 2.0, "prompt": [65, 66]},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_batch_is_one_by_one(model, tokenizer, mel, options):
    def drawn(sound):
        generator = tp.Generator().manual_seed(1)
        return decode(model, sound, DecodingOptions(language="en", **options),
                      tokenizer=tokenizer, generator=generator)  # fmt: skip

    batch = drawn(mel)
    assert [drawn(mel[i]).tokens for i in (0,)] == [batch[0].tokens] or "best_of" in options
    for result in batch:
        assert result.text == tokenizer.decode(result.tokens).strip()
        assert tokenizer.eot not in result.tokens
        assert result.avg_logprob < 0
        assert 0 <= result.no_speech_prob <= 1
        assert result.audio_features.shape == (1500, 16)


@pytest.mark.parametrize("options", OPTIONS[:2])
def test_log_probabilities_are_those_of_the_text(model, tokenizer, mel, options):
    """Without rules, the sum is the model's own log probability of the whole text."""
    result = decode(model, mel[0], language="en", without_timestamps=True, suppress_tokens="",
                    suppress_blank=False, sample_len=8, tokenizer=tokenizer, **options)  # fmt: skip
    given = [*tokenizer.sot_sequence_including_notimestamps]
    ids = [*given, *result.tokens]
    with tp.inference_mode():
        scores = log_softmax(model(mel[:1], tp.tensor([ids])).logits[0].numpy())
    total = sum(scores[len(given) - 1 + i, token] for i, token in enumerate(result.tokens))
    ended = total + scores[-1, tokenizer.eot]
    got = result.avg_logprob * (len(result.tokens) + 1)
    assert got == pytest.approx(total, abs=1e-3) or got == pytest.approx(ended, abs=1e-3)


def test_language(model, tokenizer, mel):
    ids, likely = detect_language(model, mel, tokenizer)
    assert [max(row, key=row.get) for row in likely] == [
        tokenizer.all_language_codes[i - tokenizer.all_language_tokens[0]] for i in ids.tolist()
    ]
    assert sum(likely[0].values()) == pytest.approx(1, abs=1e-5)
    one = model.detect_language(model.embed_audio(mel)[0], tokenizer)
    assert one[0].shape == ()
    assert one[1] == pytest.approx(likely[0], abs=1e-5)
    found = model.decode(mel[0], task="lang_id", tokenizer=tokenizer)
    assert found.language == max(likely[0], key=likely[0].get)
    written = decode(model, mel[0], sample_len=2, tokenizer=tokenizer)
    assert written.language == found.language
    assert written.language_probs == pytest.approx(likely[0], abs=1e-5)


def test_english_alone(model, vocabulary, mel):
    plain = Tokenizer(vocabulary, 99)
    with pytest.raises(DomainError, match="English alone"):
        detect_language(model, mel, plain)
    assert decode(model, mel[0], sample_len=2, tokenizer=plain).language == "en"


def test_refusals(model, tokenizer, mel):
    for options in (
        {"beam_size": 2, "best_of": 2},
        {"best_of": 2},
        {"beam_size": 2, "temperature": 0.5},
        {"patience": 1.0},
        {"beam_size": -1},
        {"temperature": -1.0},
        {"length_penalty": 2.0},
        {"task": "sing"},
    ):
        with pytest.raises(DomainError, match="DecodingOptions"):
            DecodingOptions(**options)
    with pytest.raises(ShapeError, match="frames"):
        decode(model, mel[0, 0], tokenizer=tokenizer)
