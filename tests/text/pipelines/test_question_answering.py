"""Answers against all spans that there are, tried one after the other."""

import numpy as np
import pytest

import triptych as tp
from triptych.errors import ShapeError
from triptych_text.models import BertConfig, BertForQuestionAnswering
from triptych_text.pipelines import QuestionAnswering
from triptych_text.tokenizers import Tokenizer, word_piece_backend

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "who", "sleeps", "the", "cat", "##s", "dog", "sleep"]
TEXT = "the cats sleep the dog sleeps the dogs sleep cat"
QUESTION = "who sleeps"


@pytest.fixture
def ask():
    tp.manual_seed(2)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=12, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=12, max_position_embeddings=40, initializer_range=1.0,
    )  # fmt: skip
    model = BertForQuestionAnswering(config).eval()
    return QuestionAnswering(
        model, Tokenizer(word_piece_backend({w: i for i, w in enumerate(WORDS)}))
    )


def probabilities(ask, encoding):
    ids = tp.tensor([encoding.ids])
    with tp.no_grad():
        out = ask.model(ids, None, tp.tensor([encoding.type_ids]))
    seen = [i for i, s in enumerate(encoding.sequence_ids) if s == 1 or i == 0]
    rows = []
    for logits in (out.start_logits, out.end_logits):
        row = np.zeros(len(encoding))
        powers = np.exp(logits.numpy()[0, seen].astype(np.float64))
        row[seen] = powers / powers.sum()
        rows.append(row)
    return rows


def best_spans(ask, encodings, longest, words=False):
    """Every span of characters and its score, the best first."""
    found = {}
    for encoding in encodings:
        start, end = probabilities(ask, encoding)
        places = [i for i, s in enumerate(encoding.sequence_ids) if s == 1]
        here = {}
        for i in places:
            for j in places:
                if not i <= j < i + longest:
                    continue
                a, b = encoding.offsets[i][0], encoding.offsets[j][1]
                if words:
                    a = TEXT.rfind(" ", 0, a + 1) + 1
                    b = (TEXT + " ").find(" ", b)
                here[a, b] = here.get((a, b), 0) + start[i] * end[j]
        for span, score in here.items():
            found[span] = max(found.get(span, 0), score)
    return sorted(found.items(), key=lambda entry: -entry[1])


@pytest.mark.parametrize("longest", [1, 3, 15])
@pytest.mark.parametrize("words", [False, True])
def test_the_likeliest_span(ask, longest, words):
    encoding = ask.tokenizer.encode(QUESTION, TEXT)
    wanted = best_spans(ask, [encoding], longest, words)
    answer = ask(QUESTION, TEXT, max_answer_len=longest, align_to_words=words)
    assert (answer["start"], answer["end"]) == wanted[0][0]
    assert answer["answer"] == TEXT[answer["start"] : answer["end"]]
    assert answer["score"] == pytest.approx(wanted[0][1], rel=1e-4)
    five = ask(QUESTION, TEXT, max_answer_len=longest, top_k=5, align_to_words=words)
    assert [(a["start"], a["end"]) for a in five] == [span for span, _ in wanted[:5]]
    np.testing.assert_allclose(
        [a["score"] for a in five], [score for _, score in wanted[:5]], rtol=1e-4
    )


@pytest.mark.parametrize("words", [False, True])
@pytest.mark.parametrize("stride", [0, 2, None])
def test_long_texts(ask, stride, words):
    """With stride 0 the cats are cut in two, one part in each piece."""
    limit = 11  # six tokens of the text at once
    encoding = ask.tokenizer.encode(
        QUESTION,
        TEXT,
        truncation="only_second",
        max_length=limit,
        stride=3 if stride is None else stride,
    )
    pieces = [encoding, *encoding.overflowing]
    assert len(pieces) > 1
    wanted = best_spans(ask, pieces, 15, words)
    for batch_size in (1, 2, 32):
        found = ask(
            QUESTION, TEXT, max_seq_len=limit, doc_stride=stride, top_k=3, align_to_words=words,
            batch_size=batch_size,
        )  # fmt: skip
        assert [(a["start"], a["end"]) for a in found] == [span for span, _ in wanted[:3]]
        np.testing.assert_allclose(
            [a["score"] for a in found], [score for _, score in wanted[:3]], rtol=1e-4
        )


def test_a_word_that_is_cut_in_two_is_whole_in_answers(ask):
    text = "the cat the cat the cats"  # the seventh token is the first of the next piece
    cut = ask.tokenizer.encode(
        QUESTION, text, truncation="only_second", max_length=11, stride=0
    ).overflowing[0]
    assert cut.tokens[4] == "##s"
    every = ask(QUESTION, text, max_seq_len=11, doc_stride=0, top_k=100)
    answers = {a["answer"] for a in every}
    assert "cats" in answers
    assert not answers & {"s", "the cat the cat the cat"}
    assert all(a["answer"].split()[-1] in ("the", "cat", "cats") for a in every)
    tokens = ask(QUESTION, text, max_seq_len=11, doc_stride=0, top_k=100, align_to_words=False)
    assert "s" in {a["answer"] for a in tokens}


def test_tokens_without_characters_have_a_word(ask):
    """Where offsets leave spaces out, a token that is a space lies nowhere: at (4, 4)."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import models, pre_tokenizers, processors

    vocab = {"<s>": 0, "<pad>": 1, "Ġ": 2, "c": 3, "a": 4, "t": 5, "</s>": 6}
    backend = Backend(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", 6), ("<s>", 0), trim_offsets=True, add_prefix_space=False
    )
    asked = QuestionAnswering(ask.model, Tokenizer(backend, pad_token="<pad>"))
    assert (4, 4) in asked.tokenizer.encode("cat cat").offsets
    found = asked("cat", "cat cat", top_k=100)
    assert {a["answer"] for a in found} == {"cat", "cat cat"}
    assert sum(a["score"] for a in found) <= 1


def test_the_model_runs_once(ask):
    seen, forward = [], ask.model.forward

    def counted(*given, **named):
        seen.append(1)
        return forward(*given, **named)

    ask.model.forward = counted
    ask.model.forward.__wrapped__ = forward
    ask(QUESTION, TEXT)
    assert len(seen) == 1


def test_no_answer(ask):
    encoding = ask.tokenizer.encode(QUESTION, TEXT)
    start, end = probabilities(ask, encoding)
    every = ask(QUESTION, TEXT, handle_impossible_answer=True, top_k=1000)
    (none,) = [a for a in every if not a["answer"]]
    assert none["score"] == pytest.approx(start[0] * end[0], rel=1e-4)
    assert ask(QUESTION, "") == {"score": 0.0, "start": 0, "end": 0, "answer": ""}


def test_several_questions(ask):
    questions = [QUESTION, "the dog"]
    both = ask(questions, TEXT)
    for question, answer in zip(questions, both, strict=True):
        alone = ask(question, TEXT)
        assert answer["answer"] == alone["answer"]
        assert answer["score"] == pytest.approx(alone["score"], rel=1e-4)
    assert ask(questions, [TEXT, "cat"])[1]["answer"] == "cat"


def test_refuses(ask):
    with pytest.raises(ShapeError, match="2 questions and 3 texts"):
        ask(["who", "who"], ["cat"] * 3)
    with pytest.raises(ValueError, match="leaves no room for the text within 5"):
        ask(QUESTION, TEXT, max_seq_len=5)
    for stride in (-1, 6, 8):
        with pytest.raises(ValueError, match=f"doc_stride .* the 6 tokens .* got {stride}"):
            ask(QUESTION, TEXT, max_seq_len=11, doc_stride=stride)
    with pytest.raises(ValueError, match="top_k is 1 or more, got 0"):
        ask(QUESTION, TEXT, top_k=0)
