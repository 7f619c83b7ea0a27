"""The command line: what there is to say, and which module does it."""

from __future__ import annotations

import argparse

from triptych_datasets.command_line import Program, Subcommand, count, share

__all__ = ["PROGRAM"]

EXAMPLES = """\
  triptych-text tokenize "It's snowing in Reykjavík."
  triptych-text tokenize --tokenizer cl100k_base --json < notes.txt
  triptych-text embed "A cat sleeps." "A dog barks." --output vectors.npy
  triptych-text similar "a probe reached Mars" --in headlines.txt --top 5
  triptych-text classify "Stale and bland. A waste of money."
  triptych-text classify --model my-classifier < reviews.txt
  triptych-text generate "It is a truth universally acknowledged" --stream
  triptych-text generate "Once" --model my-llama --temperature 0 --max-new-tokens 50
  triptych-text train-tokenizer corpus.txt --kind bpe --vocab-size 8000 -o tokenizer.json"""

TEXTS = "texts; without any, each line of standard input is one"
MODEL = "a folder of Hugging Face's layout, or a registered name; default %(default)s"


def _texts(command: argparse.ArgumentParser) -> None:
    command.add_argument("texts", metavar="TEXT", nargs="*", help=TEXTS)


def _tokenize(command: argparse.ArgumentParser) -> None:
    _texts(command)
    command.add_argument(
        "--tokenizer",
        metavar="NAME|FILE|FOLDER",
        default="all-MiniLM-L6-v2",
        help="tokenizer.json, vocab.txt, a .model or .tiktoken file, a folder, a registered model, "
        "or a published encoding such as cl100k_base; default %(default)s",
    )
    shape = command.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON, one object for each text")
    shape.add_argument("--count", action="store_true", help="print only how many tokens")


def _embed(command: argparse.ArgumentParser) -> None:
    _texts(command)
    command.add_argument("--model", metavar="NAME|FOLDER", default="all-MiniLM-L6-v2", help=MODEL)
    command.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="an .npy or .safetensors file; default: print JSON, one list for each text",
    )


def _similar(command: argparse.ArgumentParser) -> None:
    command.add_argument("query", metavar="QUERY", help="what to look for")
    command.add_argument(
        "--in",
        dest="corpus",
        metavar="FILE",
        help="a text file, each line of it a candidate; default standard input",
    )
    command.add_argument("--model", metavar="NAME|FOLDER", default="all-MiniLM-L6-v2", help=MODEL)
    command.add_argument(
        "--top", metavar="N", type=count, default=10, help="lines; default %(default)s"
    )


def _classify(command: argparse.ArgumentParser) -> None:
    _texts(command)
    command.add_argument(
        "--model",
        metavar="NAME|FOLDER",
        help="a folder of Hugging Face's layout with a model ForSequenceClassification; default: "
        "the judge of reviews that comes with this package",
    )
    command.add_argument("--json", action="store_true", help="print JSON, one object for each text")


def _generate(command: argparse.ArgumentParser) -> None:
    command.add_argument("prompt", metavar="PROMPT", help="the beginning, or what to answer")
    command.add_argument(
        "--model",
        metavar="NAME|FOLDER",
        help="a folder of Hugging Face's layout with a model that generates; default: the small "
        "model of Jane Austen's novels that comes with this package",
    )
    command.add_argument(
        "--stream", action="store_true", help="print the text while it is being written"
    )
    command.add_argument(
        "--max-new-tokens", metavar="N", type=count, default=100, help="default %(default)s"
    )
    command.add_argument(
        "--temperature",
        metavar="T",
        type=_temperature,
        default=0.7,
        help="0 takes the likeliest token each time; default %(default)s",
    )
    command.add_argument(
        "--top-k",
        metavar="N",
        type=count,
        default=40,
        help="tokens to draw from; default %(default)s",
    )
    command.add_argument(
        "--top-p",
        metavar="P",
        type=share,
        default=1.0,
        help="draw from the likeliest tokens with this share; default %(default)s",
    )
    command.add_argument("--seed", metavar="N", type=int, help="draw the same text again")
    command.add_argument(
        "--stop", metavar="TEXT", action="append", default=[], help="end before this text"
    )


def _train_tokenizer(command: argparse.ArgumentParser) -> None:
    command.add_argument("files", metavar="FILE", nargs="+", help="text files, in UTF-8")
    command.add_argument(
        "-o", "--output", metavar="FILE", default="tokenizer.json", help="default %(default)s"
    )
    command.add_argument(
        "--kind",
        choices=("bpe", "unigram", "wordlevel", "wordpiece"),
        default="bpe",
        help="default %(default)s",
    )
    command.add_argument(
        "--vocab-size", metavar="N", type=count, default=30_000, help="default %(default)s"
    )
    command.add_argument(
        "--min-frequency", metavar="N", type=count, default=2, help="default %(default)s"
    )
    command.add_argument("--lowercase", action="store_true", help="bring texts to lower case first")


def _temperature(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number") from None
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not 0 or more")
    return number


def _errors() -> tuple[type[Exception], ...]:
    from triptych.errors import TriptychError

    return (TriptychError,)


PROGRAM = Program(
    "triptych-text",
    "Tokenize texts, compare what they mean, classify them, write on.",
    EXAMPLES,
    {
        "tokenize": Subcommand("show the tokens of texts", _tokenize, "triptych_text.cli.tokenize"),
        "embed": Subcommand("turn texts into vectors", _embed, "triptych_text.cli.embed"),
        "similar": Subcommand(
            "find the lines that mean the same as a text", _similar, "triptych_text.cli.similar"
        ),
        "classify": Subcommand("sort texts into classes", _classify, "triptych_text.cli.classify"),
        "generate": Subcommand("continue a text", _generate, "triptych_text.cli.generate"),
        "train-tokenizer": Subcommand(
            "learn a tokenizer from text files",
            _train_tokenizer,
            "triptych_text.cli.train_tokenizer",
        ),
    },
    _errors,
)
