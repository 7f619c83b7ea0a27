"""Ten thousand awkward lines through published vocabularies: the same ids and places as the peers?

Run it by itself: `python benchmarks/tokenizer_agreement.py [number of lines]`. Files come through
`triptych_datasets`; a vocabulary that cannot be had is left out, with the reason.
"""

from __future__ import annotations

import random
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from triptych_datasets import fetch
from triptych_datasets.errors import DatasetsError
from triptych_text.tokenizer_files import TOKENIZER_FILES
from triptych_text.tokenizers import PATTERNS, Tokenizer, get_encoding, well_formed

SCRIPTS = {  # first and last character of a part of each script
    "latin": (0x61, 0x17F),
    "greek": (0x370, 0x3FF),
    "cyrillic": (0x400, 0x4FF),
    "hebrew": (0x5D0, 0x5EA),
    "arabic": (0x620, 0x6D3),
    "devanagari": (0x900, 0x97F),
    "thai": (0xE01, 0xE5B),
    "georgian": (0x10D0, 0x10FF),
    "hangul": (0xAC00, 0xAEFF),
    "kana": (0x3041, 0x30FF),
    "half width": (0xFF61, 0xFF9F),
    "han": (0x4E00, 0x52FF),
    "mathematical": (0x1D400, 0x1D4FF),
    "combining": (0x300, 0x36F),
    "punctuation": (0x2010, 0x205E),
    "numbers": (0x2150, 0x218B),
    "emoji": (0x1F600, 0x1F64F),
}
WORDS = "the cat isn't HERE we'll 3.14159 1,000,000 naïve https://a.b/c?d=e() fo_o x==y don't I'VE"
EMOJI = (
    "\U0001f469\u200d\U0001f469\u200d\U0001f467",  # joined people
    "\U0001f1eb\U0001f1f7",  # a flag of two letters
    "\U0001f44d\U0001f3fd",  # a tone of skin
    "\u2764\ufe0f",  # a variation
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # tags
)
SPACES = " ", "  ", "   ", "\t", "\n", "\r\n", "\n\n", "\u00a0", "\u3000", "\u200b", "\u2009"
BROKEN = "\ud800", "\udfff", "\ud83d\ude00", "\ufffd", "\udc80"
CONTROL = "\x00", "\x01", "\x1b[0m", "\x7f", "\x85", "\ufeff", "\u202e", "\u00ad"


def mixed_lines(count: int, seed: int = 0, broken: bool = True) -> list[str]:
    """Lines of mixed scripts, emoji, control characters and, perhaps, surrogates."""
    draw = random.Random(seed)
    alphabets = [
        [chr(c) for c in range(first, last + 1) if unicodedata.category(chr(c)) != "Cn"]
        for first, last in SCRIPTS.values()
    ]
    words = WORDS.split()

    def part() -> str:
        kind = draw.random()
        if kind < 0.45:
            return draw.choice(words)
        if kind < 0.8:
            return "".join(draw.choices(draw.choice(alphabets), k=draw.randint(1, 8)))
        if kind < 0.9:
            return draw.choice(EMOJI)
        if kind < 0.95 or not broken:
            return draw.choice(CONTROL)
        return draw.choice(BROKEN)

    def line() -> str:
        pieces = [
            part() + draw.choice(SPACES) * draw.randint(0, 1) for _ in range(draw.randint(1, 14))
        ]
        return "".join(pieces)

    return [line() for _ in range(count)]


@dataclass(frozen=True)
class Subject:
    """A tokenizer of ours, the same of a peer, and whether decoding gives the text back.

    `peer(text)` gives ids and places; a place is a pair, or only a start.
    """

    name: str
    ours: Tokenizer
    peer: Callable[[str], tuple[list[int], list[Any]]]
    ids: Callable[[str], list[int]]
    lossless: bool


def _byte_pairs(name: str) -> Subject:
    import tiktoken

    encoding = get_encoding(name)
    theirs = tiktoken.Encoding(
        name,
        pat_str=_peer_pattern(name),
        mergeable_ranks=encoding.ranks,
        special_tokens=encoding.special_tokens,
    )

    def peer(text: str) -> tuple[list[int], list[int]]:
        ids = theirs.encode_ordinary(text)
        return ids, theirs.decode_with_offsets(ids)[1]

    return Subject(name, Tokenizer.from_encoding(encoding), peer, theirs.encode_ordinary, True)


def _peer_pattern(name: str) -> str:
    """As tiktoken's own tables spell it, which is not always as ours do."""
    import tiktoken_ext.openai_public as public

    if name not in public.ENCODING_CONSTRUCTORS:  # Qwen's is not in them
        return PATTERNS[name]
    loader = public.load_tiktoken_bpe
    public.load_tiktoken_bpe = lambda *args, **kwargs: {}  # the pattern alone is wanted
    try:
        return str(public.ENCODING_CONSTRUCTORS[name]()["pat_str"])
    finally:
        public.load_tiktoken_bpe = loader


def _sentence_piece(name: str) -> Subject:
    import sentencepiece

    path = fetch(TOKENIZER_FILES[name])
    theirs = sentencepiece.SentencePieceProcessor(model_file=str(path))

    def peer(text: str) -> tuple[list[int], list[Any]]:
        found = theirs.encode(text, return_type="offset_mapping")
        return found["ids"], found["offsets"]

    return Subject(name, Tokenizer.from_sentencepiece(path), peer, theirs.encode, False)


def _pipeline(name: str, ours: Tokenizer, theirs: Any, lossless: bool = False) -> Subject:
    def peer(text: str) -> tuple[list[int], list[Any]]:
        found = theirs.encode(text)
        return found.ids, found.offsets

    return Subject(name, ours, peer, lambda text: theirs.encode(text).ids, lossless)


def _minilm(file: str) -> Subject:
    import tokenizers

    from triptych_text.pretrained import model_files

    files = model_files("all-MiniLM-L6-v2")
    theirs = tokenizers.Tokenizer.from_file(str(files.path("tokenizer.json", "")))
    theirs.no_truncation()
    theirs.no_padding()
    read = {"tokenizer.json": Tokenizer.from_file, "vocab.txt": Tokenizer.from_vocab_file}[file]
    return _pipeline(f"MiniLM {file}", read(files.path(file, "")), theirs)


def _clip() -> Subject:
    """CLIP's merges."""
    import tokenizers

    path = fetch(TOKENIZER_FILES["clip/bpe_simple_vocab_16e6.txt.gz"])
    ours = Tokenizer.from_clip_merges(path)
    theirs = tokenizers.Tokenizer.from_str(ours.backend.to_str())
    return _pipeline("CLIP", ours, theirs)


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "MiniLM tokenizer.json": lambda: _minilm("tokenizer.json"),
    "MiniLM vocab.txt": lambda: _minilm("vocab.txt"),
    "r50k_base": lambda: _byte_pairs("r50k_base"),
    "p50k_base": lambda: _byte_pairs("p50k_base"),
    "cl100k_base": lambda: _byte_pairs("cl100k_base"),
    "o200k_base": lambda: _byte_pairs("o200k_base"),
    "qwen": lambda: _byte_pairs("qwen"),
    "Mistral v1": lambda: _sentence_piece("mistral/tokenizer.model.v1"),
    "Mistral v3": lambda: _sentence_piece("mistral/tokenizer.model.v3"),
    "Jurassic-2": lambda: _sentence_piece("j2/tokenizer.model"),
    "CLIP": _clip,
}


@dataclass
class Result:
    """Of one vocabulary: lines whose ids, places and round trips agree, and seconds."""

    lines: int = 0
    ids: int = 0
    places: int = 0
    round_trips: int = 0
    seconds: float = 0.0
    peer_seconds: float = 0.0


def compare(subject: Subject, lines: list[str]) -> Result:
    """Ours beside the peer's, line by line. Surrogates reach a peer as `well_formed` has them."""
    result = Result(len(lines))
    shown_lines = [well_formed(line) for line in lines]
    result.seconds = _timed(lambda: subject.ours(shown_lines, padding=None, return_tensors=None))
    result.peer_seconds = _timed(lambda: [subject.ids(line) for line in shown_lines])
    for line in lines:
        shown = well_formed(line)
        ours = subject.ours.encode(shown)
        ids, places = subject.peer(shown)
        mine = [s for s, _ in ours.offsets] if places and type(places[0]) is int else ours.offsets
        result.ids += ours.ids == ids and subject.ours.encode(line).ids == ids
        result.places += mine == places
        result.round_trips += subject.ours.decode(ours.ids) == shown
    return result


def _timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def rows(lines: list[str]) -> Iterator[tuple[str, Result | str, bool]]:
    """Results by vocabulary, or why there is none."""
    for name, build in SUBJECTS.items():
        try:
            subject = build()
        except (DatasetsError, ImportError) as error:
            yield name, str(error).splitlines()[0], False
            continue
        yield name, compare(subject, lines), subject.lossless


def main(count: int) -> int:
    """Print the table; the exit code tells whether everything agreed."""
    lines = mixed_lines(count)
    print(f"{len(lines):,} lines, {sum(map(len, lines)):,} characters")
    print(f"{'vocabulary':24}{'ids':>8}{'places':>8}{'decode = text':>15}{'s':>8}{'peer s':>8}")
    wrong = 0
    for name, result, lossless in rows(lines):
        if isinstance(result, str):
            print(f"{name:24}left out: {result}")
            continue
        wrong += min(result.ids, result.places) < result.lines
        wrong += lossless and result.round_trips < result.lines
        trips = f"{result.round_trips}" if lossless else f"({result.round_trips})"
        print(
            f"{name:24}{result.ids:8}{result.places:8}{trips:>15}"
            f"{result.seconds:8.2f}{result.peer_seconds:8.2f}"
        )
    print("In brackets: a vocabulary that normalises its text, so that not every line comes back.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
