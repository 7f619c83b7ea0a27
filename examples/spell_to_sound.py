"""Train a small translator from letters to the sounds of English, and test it on unseen words.

Usage: python examples/spell_to_sound.py [--epochs N] [--save FOLDER] [WORD ...]

The words are those of the CMU Pronouncing Dictionary, out of Debian's package festlex-cmu. One
word in fifty is kept out of the training. The answer is measured in edits for each sound, without
stress, beside a guesser that reads a word as the known word that begins and ends most like it.
Words on the command line are pronounced at the end.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from command import exit_code
from finding import Finding
from tqdm import tqdm

import triptych
from triptych import Tensor, optim
from triptych_datasets import Artifact, fetch
from triptych_text.metrics import edit_distance
from triptych_text.models import MarianConfig, MarianMTModel

DICTIONARY = Artifact(
    "festlex-cmu/cmudict-0.4.out",
    sources=("file:///usr/share/festival/dicts/cmu/cmudict-0.4.out",),
    sha256="3b211f3371e4b57ff14525f284623ff8e84add2656690e24c885d05b62426fb6",
    licence="HPND",
    description="words and their syllables, for Festival",
)
ENTRY = re.compile(r'\("([^"]+)" \S+ \((.*)\)\)')  # ("abbey" n (((ae b) 1) ((iy) 0)))
KEPT_OUT = 50  # one word of so many
LETTERS = "'abcdefghijklmnopqrstuvwxyz"
SOUNDS = (  # vowels, then consonants, as Festival writes them
    *("aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh"),
    *("uw", "b", "ch", "d", "dh", "f", "g", "hh", "jh", "k", "l", "m", "n", "ng", "p", "r", "s"),
    *("sh", "t", "th", "v", "w", "y", "z", "zh"),
)
PADDING, END = 0, 1
LETTER_IDS = {letter: 2 + i for i, letter in enumerate(LETTERS)}
SOUND_IDS = {sound: 2 + len(LETTERS) + i for i, sound in enumerate(SOUNDS)}
NAMES = {i: sound for sound, i in SOUND_IDS.items()}
CONFIG = MarianConfig(
    vocab_size=2 + len(LETTERS) + len(SOUNDS),
    d_model=96,
    encoder_layers=2,
    decoder_layers=2,
    encoder_attention_heads=4,
    decoder_attention_heads=4,
    encoder_ffn_dim=256,
    decoder_ffn_dim=256,
    activation_function="relu",
    max_position_embeddings=64,
    dropout=0.0,
    scale_embedding=True,
    pad_token_id=PADDING,
    eos_token_id=END,
    decoder_start_token_id=PADDING,
    forced_eos_token_id=None,
)
EPOCHS, BATCH = 4, 256
PEAK_RATE, WARM_UP = 3e-3, 200
LONGEST = 32  # sounds written at most; the dictionary's longest word has 20
Spoken = Mapping[str, Sequence[tuple[str, ...]]]  # of each word all its pronunciations

# The dictionary


def pronunciations() -> dict[str, list[tuple[str, ...]]]:
    """Words in small letters, each with its different pronunciations, stress left out."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for line in fetch(DICTIONARY).read_text(encoding="latin-1").splitlines():
        entry = ENTRY.fullmatch(line)
        if entry is None or set(entry[1]) - set(LETTERS):
            continue
        sounds = tuple(re.findall("[a-z]+", entry[2]))
        ways = found.setdefault(entry[1], [])
        if sounds not in ways:
            ways.append(sounds)
    return found


def parted(spoken: Spoken) -> tuple[Spoken, Spoken]:
    """Words to learn from, and those kept out, chosen by a checksum of their letters."""
    out = {word for word in spoken if zlib.crc32(word.encode()) % KEPT_OUT == 0}
    return (
        {word: ways for word, ways in spoken.items() if word not in out},
        {word: ways for word, ways in spoken.items() if word in out},
    )


def rows(texts: Sequence[Iterable[str]], known: Mapping[str, int], fill: int = PADDING) -> Tensor:
    """(n, l) ids of letters or sounds, the end token behind each row."""
    ids = [[*(known[token] for token in text), END] for text in texts]
    longest = max(map(len, ids))
    return triptych.tensor([row + [fill] * (longest - len(row)) for row in ids])


# Training


def batches(pairs: Sequence[tuple[str, tuple[str, ...]]]) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of similar length, so that little is padding, the batches in random order."""
    noise = triptych.rand(len(pairs)).tolist()
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + noise[i])
    starts = range(0, len(pairs), BATCH)
    for k in triptych.randperm(len(starts)).tolist():
        words, sounds = zip(*(pairs[i] for i in order[starts[k] :][:BATCH]), strict=True)
        yield rows(words, LETTER_IDS), rows(sounds, SOUND_IDS, fill=-100)


def train(known: Spoken, epochs: int) -> MarianMTModel:
    """A trained model."""
    triptych.manual_seed(0)
    model = MarianMTModel(CONFIG).train()
    pairs = [(word, way) for word, ways in known.items() for way in ways]
    steps = epochs * math.ceil(len(pairs) / BATCH)
    optimizer = optim.AdamW(model.parameters(), lr=PEAK_RATE, betas=(0.9, 0.98))
    schedule = optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda k: min((k + 1) / WARM_UP, 0.5 + 0.5 * math.cos(math.pi * k / steps)),
    )
    with tqdm(total=steps, desc="training", unit="step", disable=None) as bar:
        for _ in range(epochs):
            for letters, labels in batches(pairs):
                mask = (letters != PADDING).long()
                loss = model(letters, attention_mask=mask, labels=labels).loss
                optimizer.zero_grad()
                loss.backward()
                triptych.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                schedule.step()
                bar.update()
                bar.set_postfix(loss=f"{loss.item():.3f}")
    return model.eval()


# Reading words


def say(model: MarianMTModel, words: Sequence[str]) -> list[tuple[str, ...]]:
    """The likeliest sounds of each word, taken one after the other."""
    said = []
    for start in tqdm(range(0, len(words), BATCH), desc="reading", unit="batch", disable=None):
        letters = rows(words[start : start + BATCH], LETTER_IDS)
        mask = (letters != PADDING).long()
        ids: Any = model.generate(letters, attention_mask=mask, max_new_tokens=LONGEST)
        said += [tuple(NAMES[i] for i in row if i in NAMES) for row in ids.tolist()]
    return said


def shared_start(columns: Tensor, word: str) -> Tensor:
    """(n,) letters that words have in common with another before the first that differs.

    Args:
        columns: (l, n) ids, word after word.
        word: the other.
    """
    running = triptych.ones(columns.shape[1], dtype=triptych.bool)
    shared = triptych.zeros(columns.shape[1], dtype=triptych.int64)
    for column, letter in zip(columns, word, strict=False):
        running = running & (column == LETTER_IDS[letter])
        shared = shared + running
    return shared


def most_alike(known: Spoken, words: Sequence[str]) -> list[tuple[str, ...]]:
    """For each word the sounds of the known word that shares the most letters at both ends."""
    names = list(known)
    lengths = triptych.tensor([len(name) for name in names])
    ahead = rows(names, LETTER_IDS).T.contiguous().byte()
    behind = rows([name[::-1] for name in names], LETTER_IDS).T.contiguous().byte()
    found = []
    for word in tqdm(words, desc="guessing", unit="word", disable=None):
        shared = shared_start(ahead, word) + shared_start(behind, word[::-1])
        alike = 2 * shared.minimum(lengths.clamp(max=len(word))) / (lengths + len(word))
        found.append(known[names[int(alike.argmax())]][0])
    return found


# Measuring


def errors(said: Sequence[tuple[str, ...]], wanted: Spoken) -> tuple[float, float]:
    """Edits for each sound, and the share of words with any, by the closest pronunciation."""
    edits = sounds = wrong = 0
    for got, ways in zip(said, wanted.values(), strict=True):
        best, length = min((edit_distance(way, got), len(way)) for way in ways)
        edits, sounds, wrong = edits + best, sounds + length, wrong + (best > 0)
    return edits / sounds, wrong / len(said)


def save(model: MarianMTModel, folder: Path) -> None:
    """Write a folder that `from_pretrained` reads, with the ids of letters and sounds."""
    folder.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(folder)
    (folder / "ids.json").write_text(
        json.dumps({"letters": LETTER_IDS, "sounds": SOUND_IDS}, indent=1) + "\n", encoding="utf-8"
    )


def run(epochs: int, save_to: Path | None, words: Sequence[str]) -> Finding:
    """Train, measure on words kept out, and read some words aloud in letters."""
    known, others = parted(pronunciations())
    start = time.perf_counter()
    model = train(known, epochs)
    seconds = time.perf_counter() - start
    if save_to is not None:
        save(model, save_to)
    asked = list(others)
    said = say(model, asked)
    sound_rate, word_rate = errors(said, others)
    floor_rate, floor_words = errors(most_alike(known, asked), others)
    shown = words or asked[:: len(asked) // 8][:8]
    return Finding(
        f"Train letters to sounds, {epochs} epochs",
        f"{sound_rate:.1%} of sounds wrong, {word_rate:.1%} of {len(asked):,} words not all right",
        seconds,
        facts=[
            ("most alike known word", f"{floor_rate:.1%} of sounds, {floor_words:.1%} of words"),
            ("learnt from", f"{len(known):,} words"),
            ("parameters", f"{sum(p.numel() for p in model.parameters()):,}"),
            *((word, " ".join(way)) for word, way in zip(shown, say(model, shown), strict=True)),
        ],
    )


def readable(word: str) -> str:
    """A word of the command line in small letters."""
    word = word.lower()
    if not word or set(word) - set(LETTERS):
        raise argparse.ArgumentTypeError(f"{word!r}: only letters a to z and ' can be read")
    return word


def positive(text: str) -> int:
    """A number of epochs."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"wanted 1 or more, got {number}")
    return number


def main() -> None:
    """Train with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=positive, default=EPOCHS, help=f"default {EPOCHS}")
    parser.add_argument("--save", type=Path, help="keep the model in this folder")
    parser.add_argument("words", nargs="*", type=readable, metavar="WORD", help="to pronounce")
    options = parser.parse_args()
    finding = run(options.epochs, options.save, options.words)
    print(Finding.table([finding]))
    for name, fact in finding.facts:
        print(f"  {name:<24} {fact}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
