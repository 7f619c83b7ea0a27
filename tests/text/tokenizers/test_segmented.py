"""A byte pair encoding behind the common interface, beside `tokenizers` doing the same."""

import pytest

from triptych.errors import DomainError, FileFormatError
from triptych_text.tokenizers import BytePairEncoding, Tokenizer
from triptych_text.tokenizers.byte_pairs import byte_alphabet
from triptych_text.tokenizers.loading import framed
from triptych_text.tokenizers.segmented import Segmented
from triptych_text.tokenizers.segmenters import ByteSegmenter

TEXTS = ["ab cab é", "a", "", "bca bca bca", "ccc ab ab cab é日"]


@pytest.fixture(scope="module")
def both():
    """Ours over ranks, and the library's over the same vocabulary and merges, framed alike."""
    import tokenizers

    letters = byte_alphabet()
    merges = [("a", "b"), ("c", "ab"), ("Ġ", "b"), ("Ġ", "cab")]
    names = [letters[i] for i in range(256)] + ["".join(pair) for pair in merges]
    back = {char: byte for byte, char in letters.items()}
    ranks = {bytes(back[c] for c in name): i for i, name in enumerate(names)}
    encoding = BytePairEncoding("toy", ranks, "gpt2", {"<s>": 260, "</s>": 261})
    tokens = {"<s>": 260, "</s>": 261}
    frame = framed(tokens, "<s>", "</s>")
    ours = Segmented(ByteSegmenter(encoding), frame)
    vocab = {name: i for i, name in enumerate(names)} | tokens
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE(vocab, merges, ignore_merges=True))
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.add_special_tokens(list(tokens))
    theirs.post_processor = framed(tokens, "<s>", "</s>")
    return Tokenizer(ours, pad_token="</s>"), Tokenizer(theirs, pad_token="</s>")


def test_same_encodings(both):
    ours, theirs = both
    for text in [*TEXTS, "a<s>b</s>"]:
        assert ours.encode(text) == theirs.encode(text)
        assert ours.encode(text, "ab") == theirs.encode(text, "ab")
    assert ours.encode_batch(TEXTS, padding=True) == theirs.encode_batch(TEXTS, padding=True)
    plain = [t.encode("a<s>", allowed_special=()).ids for t in both]
    assert plain[0] == plain[1]
    assert ours.vocab == theirs.vocab
    assert ours.special_tokens == theirs.special_tokens
    assert (len(ours), ours.num_special_tokens(True)) == (len(theirs), 4)
    assert ours.id_to_token(256) == "ab"
    assert ours.token_to_id("ab") == 256
    assert "ByteSegmenter" in repr(ours)


@pytest.mark.parametrize("strategy", ["longest_first", "only_first", "only_second"])
@pytest.mark.parametrize("max_length", [4, 5, 6, 7, 9, 12, 40])
@pytest.mark.parametrize("stride", [0, 1])
def test_same_truncation(both, strategy, max_length, stride):
    for text in TEXTS:
        for pair in TEXTS:
            results = []
            for tokenizer in both:
                try:
                    results.append(
                        tokenizer.encode(
                            text,
                            pair,
                            truncation=strategy,
                            max_length=max_length + 2,
                            stride=stride,
                        )
                    )
                except BaseException as error:  # the library panics where a stride is too long
                    results.append(isinstance(error, ValueError) or str(error) != "")
            assert results[0] == results[1]


def test_windows(both):
    ours = both[0]
    pieces = [t.encode(TEXTS[4], truncation=True, max_length=5, stride=2) for t in both]
    assert pieces[0] == pieces[1]
    assert len(pieces[0].overflowing) > 2
    with pytest.raises(DomainError, match="no second text"):
        ours.encode(TEXTS[4], truncation="only_second", max_length=3)
    with pytest.raises(DomainError, match="cutting only text 1 is not enough"):
        ours.encode("a", TEXTS[4], truncation="only_first", max_length=5)


def test_batches_and_text(both):
    ours, theirs = both
    for options in ({}, {"add_special_tokens": False}, {"return_offsets": True}):
        a, b = (t(TEXTS, **options) for t in both)
        assert {k: v.tolist() for k, v in a.items()} == {k: v.tolist() for k, v in b.items()}
    a, b = (t(TEXTS[:2], TEXTS[2:4], truncation=True, max_length=6) for t in both)
    assert a.input_ids.tolist() == b.input_ids.tolist()
    ids = ours.encode(TEXTS[0]).ids
    assert ours.decode(ids) == TEXTS[0]
    assert ours.decode_batch([ids, [999]]) == [TEXTS[0], ""]
    assert ours.decode(ids, skip_special_tokens=False) == f"<s>{TEXTS[0]}</s>"
    assert ours.count_tokens("ab") == theirs.count_tokens("ab") == 3
    assert ours.count_tokens("ab", add_special_tokens=False) == 1


def test_special_tokens_in_texts(both):
    ours, theirs = both
    assert ours.encode("<s></s>", allowed_special={"<s>"}, add_special_tokens=False).ids[0] == 260
    assert 261 not in ours.encode("</s>", allowed_special={"<s>"}, add_special_tokens=False).ids
    for tokenizer in both:
        with pytest.raises(DomainError, match="'<s>' at character 1"):
            tokenizer.encode("a<s>", allowed_special=(), disallowed_special="all")
        with pytest.raises(DomainError, match="'</s>'"):
            tokenizer.encode("ab", "a</s>", disallowed_special={"</s>"})
    with pytest.raises(DomainError, match="all or none"):
        theirs.encode("a", allowed_special={"<s>"})
    assert theirs.encode("<s>").ids == [260, 260, 261]  # nothing is left behind by a guarded call


def test_what_a_fixed_vocabulary_refuses(both, tmp_path):
    ours = both[0]
    with pytest.raises(DomainError, match="special_tokens="):
        ours.add_tokens(["x"])
    with pytest.raises(FileFormatError, match="write_ranks"):
        ours.save(tmp_path / "tokenizer.json")
    with pytest.raises(FileFormatError, match="'<x>' is not in"):
        framed({}, "<x>", None)


def test_no_frame(both):
    model = both[0].backend.model
    plain = Tokenizer(Segmented(model))
    pair = plain.encode("ab", "ab")
    assert (pair.ids, pair.type_ids, pair.sequence_ids) == ([256, 256], [0, 1], [0, 1])
    assert plain(["ab", "abab"], padding=None, return_tensors=None)["input_ids"] == [
        [256],
        [256, 256],
    ]
    assert plain.backend.get_vocab_size() == 262
    assert plain.encode("\ud83d\ude00é").offsets[-1] == (2, 3)
    assert plain.encode("é", "\ud83d\ude00é").offsets[-1] == (2, 3)
    assert plain.encode(b"a\xff").ids == plain.encode("a\ufffd").ids
