"""The command `triptych-text`: what each subcommand prints and writes."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest

import triptych as tp
from triptych_datasets import Offline
from triptych_text.cli import main
from triptych_text.cli.command import EXAMPLES, PROGRAM
from triptych_text.cli.tokenize import tokenizer_of
from triptych_text.tokenizers import Tokenizer, train_tokenizer

CORPUS = "the cat sat on the mat\nthe dog sat on the log\n" * 20


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "corpus.txt").write_text(CORPUS, encoding="utf-8")
    train_tokenizer([CORPUS], vocab_size=280).save(tmp_path / "tokenizer.json")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def typed(monkeypatch):
    def type_in(text):
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    return type_in


def test_help_is_quick_and_complete():
    heavy = "numpy", "tokenizers", "triptych"
    program = (
        "import sys\nfrom triptych_text.cli import main\n"
        "try: main(['--help'])\n"
        f"finally: print([m for m in {heavy} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0
    assert EXAMPLES in run.stdout
    assert all(name in run.stdout for name in PROGRAM.subcommands)
    assert run.stdout.endswith("[]\n")


def test_python_dash_m():
    run = subprocess.run(
        [sys.executable, "-m", "triptych_text", "--version"], capture_output=True, text=True
    )
    assert run.stdout.startswith("triptych-text ")


@pytest.mark.parametrize("name", PROGRAM.subcommands)
def test_each_command_has_help_and_examples(name, capsys):
    with pytest.raises(SystemExit) as end:
        main([name, "--help"])
    assert end.value.code == 0
    assert f"  triptych-text {name} " in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["translate"],
        ["similar"],
        ["generate", "x", "--temperature", "-1"],
        ["generate", "x", "--top-p", "2"],
        ["tokenize", "x", "--json", "--count"],
        ["train-tokenizer", "x", "--kind", "morse"],
    ],
)
def test_a_wrong_command_line_ends_with_2(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    assert end.value.code == 2
    assert "usage: triptych-text" in capsys.readouterr().err


# tokenize


def test_tokens_of_each_text(place, capsys):
    assert main(["tokenize", "--tokenizer", "tokenizer.json", "the cat", "mat"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["TOKEN", "ID", "FROM", "TO", "TEXT"]
    assert lines.count("") == 1
    tokens = Tokenizer.from_file("tokenizer.json").encode("the cat")
    for line, token, index in zip(lines[1:], tokens.tokens, tokens.ids, strict=False):
        assert line.split()[:2] == [token, str(index)]


def test_tokens_as_json_and_counts(place, capsys, typed):
    typed("the cat\n\nthe log\n")
    assert main(["tokenize", "--tokenizer", "tokenizer.json", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["text"] for row in rows] == ["the cat", "the log"]
    assert all(row["text"][a:b].strip() for row in rows for a, b in row["offsets"])
    assert main(["tokenize", "--tokenizer", "tokenizer.json", "--count", "the cat"]) == 0
    assert capsys.readouterr().out == f"{len(rows[0]['ids'])}\n"


def test_tokenizer_by_kind_of_file(place):
    (place / "vocab.txt").write_text("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\ncat\n", encoding="utf-8")
    assert tokenizer_of("vocab.txt").encode("cat").tokens == ["[CLS]", "cat", "[SEP]"]
    (place / "r.tiktoken").write_text("YQ== 0\nYg== 1\nYWI= 2\n", encoding="ascii")
    with pytest.raises(Exception, match=r"256|byte"):
        tokenizer_of("r.tiktoken")


@pytest.mark.parametrize("name", ["none.json", "no-such-model"])
def test_unknown_tokenizer(name, place, capsys):
    assert main(["tokenize", "--tokenizer", name, "x"]) == 1
    assert name in capsys.readouterr().err


def test_no_text_at_all(place, capsys, typed):
    typed("\n\n")
    assert main(["tokenize", "--tokenizer", "tokenizer.json"]) == 1
    assert "no text" in capsys.readouterr().err


# embed and similar


@pytest.fixture
def encoder():
    from triptych_text import SentenceEncoder

    try:
        return SentenceEncoder.from_pretrained("all-MiniLM-L6-v2")
    except Offline as error:
        pytest.skip(str(error))


@pytest.mark.network
def test_vectors_printed_and_written(encoder, place, capsys):
    want = encoder.encode(["a cat", "a dog"]).numpy()
    assert main(["embed", "a cat", "a dog"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    np.testing.assert_allclose(shown, want, atol=1e-6)
    for name in "v.npy", "v.safetensors":
        assert main(["embed", "a cat", "a dog", "-o", name]) == 0
        assert "2 vectors of 384 numbers" in capsys.readouterr().err
    np.testing.assert_allclose(np.load("v.npy"), want, atol=1e-6)
    np.testing.assert_allclose(tp.load("v.safetensors")["embeddings"].numpy(), want, atol=1e-6)


def test_vectors_go_into_known_formats_only(place, capsys):
    assert main(["embed", "a cat", "-o", "v.csv"]) == 1
    assert ".npy or .safetensors" in capsys.readouterr().err
    assert not (place / "v.csv").exists()


@pytest.mark.network
def test_closest_lines_first(encoder, place, capsys):
    lines = ["Simmer the tomatoes.", "", "A probe has reached Mars.", "Stocks fell."]
    (place / "lines.txt").write_text("\n".join(lines), encoding="utf-8")
    assert main(["similar", "spacecraft at the red planet", "--in", "lines.txt", "--top", "2"]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[1].split()[1:] == ["3", "A", "probe", "has", "reached", "Mars."]
    assert len(out) == 3


def test_empty_file_of_lines(place, capsys):
    (place / "lines.txt").write_text("\n \n", encoding="utf-8")
    assert main(["similar", "x", "--in", "lines.txt"]) == 1
    assert "lines.txt: no lines" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["similar", "x", "--in"], ["train-tokenizer"]])
def test_file_that_is_no_text_is_named(words, place, capsys):
    (place / "bad.txt").write_bytes(b"fine\n\xff\xfe\n")
    assert main([*words, "bad.txt"]) == 1
    assert "bad.txt: not text in UTF-8" in capsys.readouterr().err


def test_input_that_is_no_text(place):
    run = subprocess.run(
        [sys.executable, "-m", "triptych_text", "tokenize", "--tokenizer", "tokenizer.json"],
        input=b"fine\n\xff\n",
        capture_output=True,
    )
    assert run.returncode == 1
    assert b"UTF-8" in run.stderr


@pytest.mark.parametrize(
    "words",
    [["tokenize", "--tokenizer", "tokenizer.json"], ["classify"], ["generate"], ["similar"]],
)
def test_argument_that_is_no_text(words, place, capsys):
    typed = [*words, "a\udcffb", *["--in", "corpus.txt"][: 2 * (words == ["similar"])]]
    assert main(typed) == 1
    assert "not UTF-8" in capsys.readouterr().err


def test_mark_at_the_begin_of_a_file_is_no_text(place, capsys, typed):
    for text in "hello\n", "\ufeffhello\r\n":
        typed(text)
        assert main(["tokenize", "--tokenizer", "tokenizer.json", "--json"]) == 0
    one, other = map(json.loads, capsys.readouterr().out.splitlines())
    assert one == other


# classify


def test_classes_of_reviews(capsys):
    assert main(["classify", "Delicious, the best tea I ever had!", "Stale and horrible."]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["LABEL", "great", "other"]


def test_classes_as_json(capsys, typed):
    typed("Delicious, I love it!\n")
    assert main(["classify", "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["text"] == "Delicious, I love it!"
    assert (row["label"], row["score"] > 0.5) == ("great", True)


def test_unknown_classifier(place, capsys):
    assert main(["classify", "--model", "no-such-model", "x"]) == 1
    assert "no-such-model" in capsys.readouterr().err


# generate


def test_same_seed_same_text_streamed_or_not(capsys):
    found = []
    for words in [], ["--stream"], ["--stream"]:
        arguments = ["generate", "It is", "--seed", "3", "--max-new-tokens", "12", *words]
        assert main(arguments) == 0
        found.append(capsys.readouterr().out)
    assert found[0].startswith("It is")
    assert len(found[0]) > len("It is\n")
    assert found[0] == found[1] == found[2]


def test_likeliest_text_ends_before_a_stop(capsys):
    assert main(["generate", "She was", "--temperature", "0", "--max-new-tokens", "20"]) == 0
    whole = capsys.readouterr().out.rstrip("\n")
    stop = whole[-6:-2]
    arguments = ["--temperature", "0", "--max-new-tokens", "20", "--stop", stop]
    assert main(["generate", "She was", *arguments]) == 0
    cut = capsys.readouterr().out.rstrip("\n")
    assert whole.startswith(cut)
    assert stop not in cut.removeprefix("She was")


def test_numbers_and_stops_that_make_no_sense(capsys):
    with pytest.raises(SystemExit):
        main(["generate", "She", "--temperature", "warm"])
    assert "warm is no number" in capsys.readouterr().err
    assert main(["generate", "She", "--stop", ""]) == 1
    assert "in every text" in capsys.readouterr().err


def test_text_ends_where_the_places_end(capsys):
    assert main(["generate", "Emma", "--temperature", "0.9", "--max-new-tokens", "500"]) == 0
    assert "more tokens only" in capsys.readouterr().err
    assert main(["generate", "Emma " * 200]) == 1
    assert "128 places; shorten it" in capsys.readouterr().err
    assert main(["generate", ""]) == 1
    assert "prompt is empty" in capsys.readouterr().err


# train-tokenizer


@pytest.mark.parametrize("kind", ["bpe", "unigram", "wordlevel", "wordpiece"])
def test_learnt_tokenizer_is_read_again(kind, place, capsys):
    arguments = ["train-tokenizer", "corpus.txt", "--kind", kind, "--vocab-size", "300"]
    assert main([*arguments, "-o", "new.json"]) == 0
    tokenizer = Tokenizer.from_file("new.json")
    assert capsys.readouterr().err.endswith(f"new.json: {len(tokenizer):,} tokens\n")
    assert tokenizer.encode("the cat sat").ids


def test_no_corpus(place, capsys):
    assert main(["train-tokenizer", "none.txt"]) == 1
    assert "none.txt" in capsys.readouterr().err
    assert main(["train-tokenizer", "corpus.txt", "--vocab-size", "3", "-o", "n.json"]) == 1
    assert not (place / "n.json").exists()
