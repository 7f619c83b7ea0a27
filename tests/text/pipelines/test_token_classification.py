"""Spans of classes, with a model whose classes are those of the tokens, whatever is around."""

import numpy as np
import pytest

import triptych as tp
from triptych import nn
from triptych.errors import DTypeError, UnknownNameError
from triptych_text.models import BertConfig, BertForTokenClassification
from triptych_text.models.outputs import ClassifierOutput
from triptych_text.pipelines import TokenClassification
from triptych_text.tokenizers import Tokenizer, word_piece_backend

LABELS = {0: "O", 1: "B-PER", 2: "I-PER", 3: "B-LOC", 4: "I-LOC", 5: "MISC"}
# token -> logits of its classes
TOKENS = {
    "[PAD]": [0, 0, 0, 0, 0, 9],
    "[UNK]": [0, 0, 0, 0, 0, 2],
    "[CLS]": [0, 9, 0, 0, 0, 0],
    "[SEP]": [0, 9, 0, 0, 0, 0],
    "anna": [0, 3, 0, 0, 0, 0],
    "kar": [0, 0, 1, 0, 0, 0],
    "##en": [0, 0, 0, 0, 3, 0],
    "##ina": [0, 0, 2, 0, 0, 0],
    "lives": [4, 0, 0, 0, 0, 0],
    "in": [4, 0, 0, 0, 0, 0],
    "oslo": [0, 0, 0, 2, 0, 0],
    "bergen": [0, 0, 0, 3, 0, 0],
    ".": [4, 0, 0, 0, 0, 0],
}
TEXT = "Anna Karenina lives in Oslo."


class FixedForTokenClassification(nn.Module):
    """Classes by token; `nudge` adds what grows with the place, to tell pieces apart."""

    def __init__(self, nudge=0.0):
        super().__init__()
        self.table = tp.tensor([[float(x) for x in row] for row in TOKENS.values()])
        self.config = BertConfig(max_position_embeddings=9, id2label=LABELS)
        self.nudge, self.shapes = nudge, []

    def forward(self, input_ids, attention_mask, token_type_ids):
        self.shapes.append(tuple(input_ids.shape))
        places = tp.arange(input_ids.shape[1]).float()[None, :, None]
        return ClassifierOutput(logits=self.table[input_ids] * (1 + self.nudge * places))


@pytest.fixture
def tokenizer():
    words = {word: i for i, word in enumerate(TOKENS)}
    return Tokenizer(word_piece_backend(words))


@pytest.fixture
def find(tokenizer):
    return TokenClassification(FixedForTokenClassification(), tokenizer)


def probabilities(token):
    powers = np.exp(np.array(TOKENS[token], dtype=float))
    return powers / powers.sum()


def brief(spans):
    return [
        (s.get("entity_group", s.get("entity")), s["word"], s["start"], s["end"]) for s in spans
    ]


def test_single_tokens(find):
    found = find(TEXT)
    assert brief(found) == [
        ("B-PER", "anna", 0, 4),
        ("I-PER", "kar", 5, 8),
        ("I-LOC", "##en", 8, 10),
        ("I-PER", "##ina", 10, 13),
        ("B-LOC", "oslo", 23, 27),
    ]
    assert [s["index"] for s in found] == [1, 2, 3, 4, 7]
    assert found[0]["score"] == pytest.approx(probabilities("anna")[1], rel=1e-5)
    every = find(TEXT, ignore_labels=())
    assert [s["entity"] for s in every].count("O") == 3


def test_neighbours_of_one_class(find):
    assert brief(find(TEXT, aggregation_strategy="simple")) == [
        ("PER", "anna kar", 0, 8),
        ("LOC", "##en", 8, 10),
        ("PER", "##ina", 10, 13),
        ("LOC", "oslo", 23, 27),
    ]
    two = find("Oslo Bergen", aggregation_strategy="simple")
    assert brief(two) == [("LOC", "oslo", 0, 4), ("LOC", "bergen", 5, 11)]  # both begin


@pytest.mark.parametrize(
    ("strategy", "wanted"),
    [
        ("first", [("PER", "anna karenina", 0, 13), ("LOC", "oslo", 23, 27)]),
        ("max", [("PER", "anna", 0, 4), ("LOC", "karenina", 5, 13), ("LOC", "oslo", 23, 27)]),
        ("average", [("PER", "anna", 0, 4), ("LOC", "karenina", 5, 13), ("LOC", "oslo", 23, 27)]),
    ],
)
def test_words(find, strategy, wanted):
    found = find(TEXT, aggregation_strategy=strategy)
    assert brief(found) == wanted
    parts = np.stack([probabilities(t) for t in ("kar", "##en", "##ina")])
    if strategy == "average":
        assert found[1]["score"] == pytest.approx(parts.mean(0).max(), rel=1e-5)
    if strategy == "first":
        mean = (probabilities("anna").max() + parts[0].max()) / 2
        assert found[0]["score"] == pytest.approx(mean, rel=1e-5)


def test_unknown_words_keep_their_letters(find):
    (span,) = find("lives in Tromsø", aggregation_strategy="simple")
    assert (span["entity_group"], span["word"], span["start"]) == ("MISC", "Tromsø", 9)


def test_several_texts(find):
    texts = [TEXT, "in Oslo", "in"]
    whole = find(texts)
    assert whole == [find(text) for text in texts]
    assert whole[2] == []
    find.model.shapes.clear()
    assert find(texts, batch_size=2) == whole
    assert [shape[0] for shape in find.model.shapes] == [2, 2]  # one text is cut in two


@pytest.mark.parametrize("stride", [0, 2, 4])
def test_long_texts(find, stride):
    """Nine tokens at once: seven of the text."""
    text = "Anna lives in Oslo . " * 6
    found = find(text, stride=stride)
    assert brief(found) == [
        span
        for i in range(6)
        for span in (
            ("B-PER", "anna", 21 * i, 21 * i + 4),
            ("B-LOC", "oslo", 21 * i + 14, 21 * i + 18),
        )
    ]


def test_a_token_counts_where_it_is_far_from_the_ends(tokenizer):
    find = TokenClassification(FixedForTokenClassification(nudge=0.1), tokenizer)
    text = " ".join(["Oslo"] * 9)
    found = find(text, stride=3)  # pieces: tokens 0 to 6 and 4 to 8
    scores = [1 / (1 + 5 * np.exp(-2 * (1 + 0.1 * place))) for place in range(1, 9)]
    # the fifth token is at place 5 of 9 in the first piece, at place 1 of 7 in the second
    assert found[4]["score"] == pytest.approx(scores[4], rel=1e-5)
    # the seventh is at place 7 of 9 in the first, at place 3 of 7 in the second
    assert found[6]["score"] == pytest.approx(scores[2], rel=1e-5)


def test_a_folder(tokenizer, tmp_path):
    tp.manual_seed(0)
    config = BertConfig(
        vocab_size=len(TOKENS), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8, max_position_embeddings=9, id2label=LABELS, initializer_range=1.0,
    )  # fmt: skip
    model = BertForTokenClassification(config).eval()
    model.save_pretrained(tmp_path)
    tokenizer.save(tmp_path / "tokenizer.json")
    find = TokenClassification.from_pretrained(tmp_path)
    assert find.max_length == 9
    alone = [find(text, ignore_labels=()) for text in (TEXT, "in Oslo")]
    both = find([TEXT, "in Oslo"], ignore_labels=())  # padding is masked
    for one, other in zip(alone, both, strict=True):
        assert brief(one) == brief(other)
        np.testing.assert_allclose(
            [s["score"] for s in one], [s["score"] for s in other], rtol=1e-4
        )


def test_byte_level_words_are_told_by_spaces(tmp_path):
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers

    vocab = {"<s>": 0, "A": 1, "n": 2, "Ġ": 3, "o": 4, "<pad>": 5}
    backend = Backend(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    model = FixedForTokenClassification()
    model.table = tp.tensor([[0.0, 0, 0, 0, 0, 1]] * 6)
    find = TokenClassification(model, Tokenizer(backend, pad_token="<pad>"))
    spans = find("An no", aggregation_strategy="first")
    assert [(s["word"], s["start"], s["end"]) for s in spans] == [("An no", 0, 5)]
    model.table = tp.tensor(np.eye(6, dtype=np.float32)[[0, 1, 3, 0, 3, 0]] * 9)
    for text in "An no", "An\tno":  # what begins a word counts for it
        spans = find(text, aggregation_strategy="first", ignore_labels=())
        assert spans[0]["entity_group"] == "PER"
        assert len(spans) > 1
    (span,) = find("Anno", aggregation_strategy="first")
    assert (span["entity_group"], span["end"]) == ("PER", 4)


def test_characters_of_several_tokens_may_be_cut(tokenizer):
    """A cat is four tokens of the same two offsets; a piece holds three."""
    from tokenizers import Tokenizer as Backend
    from tokenizers import decoders, models, pre_tokenizers, processors

    vocab = {"<s>": 0, "<pad>": 1, "ð": 2, "Ł": 3, "Ĳ": 4, "±": 5}
    backend = Backend(models.BPE(vocab, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", 0)]
    )
    model = FixedForTokenClassification()
    labels = np.array([0, 0, 0, 1, 2, 4])  # of the tokens
    model.table = tp.tensor(np.eye(6, dtype=np.float32)[labels] * 9)
    for side in ("right", "left"):
        cut = Tokenizer(backend, pad_token="<pad>", max_length=4, truncation_side=side)
        assert cut.max_length == 4
        find = TokenClassification(model, cut)
        for stride in (0, 1, 2):
            found = find("🐱🐱", stride=stride, ignore_labels=())
            assert [s["entity"] for s in found] == ["O", "B-PER", "I-PER", "I-LOC"] * 2
            assert [s["start"] for s in found] == [0] * 4 + [1] * 4


def test_accents_that_stand_alone_do_not_make_a_part_of_a_word(find):
    """The token is shorter than what it stands for, and yet it begins a word."""
    text = "oslo be\u0301rgen"
    found = find(text, aggregation_strategy="first")
    assert brief(found) == [("LOC", "oslo", 0, 4), ("LOC", "bergen", 5, 12)]


def test_refuses(find, tokenizer):
    for stride in (-1, 7, 9):  # nine tokens, two of them special
        with pytest.raises(ValueError, match=f"stride .* the 7 tokens .* got {stride}"):
            find(TEXT, stride=stride)
    with pytest.raises(UnknownNameError, match="median"):
        find(TEXT, aggregation_strategy="median")
    with pytest.raises(ValueError, match="batch_size is 1 or more"):
        find(TEXT, batch_size=0)
    with pytest.raises(DTypeError, match="wanted a model ForTokenClassification, got a Linear"):
        TokenClassification(nn.Linear(1, 1), tokenizer)
