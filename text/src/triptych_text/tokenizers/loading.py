"""Backends out of files: which file of a folder to read, and how."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError, MissingDependencyError

from ..pretrained import ModelFiles
from .arguments import options_of
from .byte_level import byte_level_backend, read_merges, read_vocab_json
from .byte_pair_encoding import BytePairEncoding
from .rank_files import read_ranks
from .segmented import Segmented
from .segmenters import ByteSegmenter
from .sentence_piece import SentencePieceModel, SentencePieceSegmenter
from .word_piece import read_vocab_file, word_piece_backend

__all__ = [
    "folder_backend",
    "framed",
    "json_backend",
    "library",
    "rank_backend",
    "sentence_piece_backend",
    "special_tokens_of",
]

NAMED = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
# Which frame and pattern a byte-level vocabulary has, by the class that tokenizer_config.json
# names. Source: the classes of these names in transformers.
CLASS_FAMILIES = {
    "roberta": "roberta",
    "bart": "roberta",
    "longformer": "roberta",
    "led": "roberta",
    "clip": "clip",
}
CLASSES_WITH_BOS = ("llama", "mistral", "gemma", "codellama")
CLASSES_WITH_EOS = ("t5", "marian", "pegasus")


def library() -> Any:
    """The `tokenizers` library.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        import tokenizers
    except ImportError as error:
        raise MissingDependencyError(
            "Tokenizer: the tokenizers library is not installed; pip install tokenizers"
        ) from error
    return tokenizers


# What reads the other kinds of files, by the ends of their names.
OTHER_FILES = {
    ".model": "from_sentencepiece",
    ".tiktoken": "from_ranks",
    ".txt": "from_vocab_file",
}


def json_backend(path: str | os.PathLike[str]) -> Any:
    """Backend of a `tokenizer.json`.

    Args:
        path: the file.

    Raises:
        FileFormatError: it is something else.
        FileNotFoundError: there is no such file.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileFormatError(f"Tokenizer.from_file: {path} is not UTF-8 text: {error}") from error
    tokenizers = library()
    try:
        return tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the library raises plain Exception for every fault
        other = OTHER_FILES.get(Path(path).suffix)
        raise FileFormatError(
            f"Tokenizer.from_file: {path} is not a tokenizer.json: {error}"
            + (f"; is it one for Tokenizer.{other}?" if other else "")
        ) from error


def framed(tokens: Mapping[str, int | None], before: str | None, after: str | None) -> Any:
    """Post-processor that puts one token before and one after each text.

    Args:
        tokens: token -> id, of these two.
        before: a token or None.
        after: a token or None.

    Raises:
        FileFormatError: one of them has no id.
    """
    from tokenizers.processors import TemplateProcessing

    names = [name for name in (before, after) if name is not None]
    for name in names:
        if tokens.get(name) is None:
            raise FileFormatError(f"Tokenizer: the token {name!r} is not in the vocabulary")

    def around(part: str, segment: int) -> str:
        inner = [before, part, after]
        return " ".join(f"{one}:{segment}" for one in inner if one is not None)

    return TemplateProcessing(
        single=around("$A", 0),
        pair=f"{around('$A', 0)} {around('$B', 1)}",
        special_tokens=[(name, tokens[name]) for name in dict.fromkeys(names)],
    )


def sentence_piece_backend(
    path: str | os.PathLike[str],
    add_bos: bool = False,
    add_eos: bool = False,
    special_tokens: Mapping[str, int] | None = None,
) -> Segmented:
    """Backend of a sentencepiece `.model`.

    Args:
        path: the file.
        add_bos: put the model's first token before each text.
        add_eos: put its last token after each text.
        special_tokens: tokens beyond the model's pieces, text -> id.

    Raises:
        FileFormatError: no sentencepiece model, or it lacks a token that was asked for.
    """
    model = SentencePieceModel(path)
    wanted = {"bos": add_bos, "eos": add_eos}
    lacking = [name for name, needed in wanted.items() if needed and name not in model.frame]
    if lacking:
        raise FileFormatError(f"Tokenizer: {path} has no {lacking[0]} piece to put around texts")
    names = {role: model.id_to_piece(index) for role, index in model.frame.items()}
    segmenter = SentencePieceSegmenter(model, dict(special_tokens or {}))
    before, after = (names[role] if needed else None for role, needed in wanted.items())
    return Segmented(segmenter, framed(segmenter.vocab, before, after))


def special_tokens_of(*configs: Mapping[str, Any]) -> dict[str, str]:
    """Special tokens that configuration files name.

    Args:
        *configs: contents of special_tokens_map.json and tokenizer_config.json; a later one wins.

    Returns:
        Such as {"bos_token": "<s>"}.

    Example:
        >>> special_tokens_of({"bos_token": {"content": "<s>"}}, {"eos_token": "</s>"})
        {'bos_token': '<s>', 'eos_token': '</s>'}
    """
    found: dict[str, str] = {}
    for config in configs:
        for role in NAMED:
            entry = config.get(f"{role}_token")
            text = entry.get("content") if isinstance(entry, dict) else entry
            if isinstance(text, str):
                found[f"{role}_token"] = text
    return found


def folder_backend(files: ModelFiles) -> tuple[Any, dict[str, Any]]:
    """Backend of a folder, and the options that its configuration files tell.

    Args:
        files: of a model, with tokenizer.json, or vocab.json and merges.txt, or vocab.txt, or a
            sentencepiece model (tokenizer.model, spiece.model, sentencepiece.bpe.model).

    Raises:
        FileNotFoundError: none of these is there, or one of two.
        FileFormatError: one of them is damaged.
    """
    config = files.json("tokenizer_config.json", default={})
    special = special_tokens_of(files.json("special_tokens_map.json", default={}), config)
    options = options_of(config)
    options["pad_token"] = options["pad_token"] or special.get("pad_token")
    template = files.find("chat_template.jinja")
    source = config.get("chat_template")
    if template is not None:
        source = template.read_text(encoding="utf-8")
    options |= {"special": special, "chat_template": source}
    for names, read in READERS.items():
        if files.find(names[0]) is not None:
            backend = read(files, config)
            break
    else:
        files.path(
            "vocab.txt", "the vocabulary, as there is no tokenizer.json, vocab.json or .model"
        )
    if options["pad_token"] is not None and backend.token_to_id(options["pad_token"]) is None:
        options["pad_token"] = None  # a configuration may name a token that nobody added
    return backend, options


def _class_of(config: Mapping[str, Any]) -> str:
    return str(config.get("tokenizer_class", "")).removesuffix("Fast").removesuffix("Tokenizer")


def _from_json(files: ModelFiles, config: Mapping[str, Any]) -> Any:
    return json_backend(files.path("tokenizer.json", "the tokenizer"))


def _from_merges(files: ModelFiles, config: Mapping[str, Any]) -> Any:
    library()
    merges = files.path("merges.txt", "the merges that belong to vocab.json")
    vocab = read_vocab_json(files.path("vocab.json", "the vocabulary"))
    family = CLASS_FAMILIES.get(_class_of(config).lower())
    if family is None:
        family = "roberta" if {"<s>", "</s>", "<mask>"} <= set(vocab) else "gpt2"
    options = {}
    if family != "clip" and config.get("add_prefix_space"):
        options["add_prefix_space"] = True
    return byte_level_backend(vocab, read_merges(merges), family, **options)


def _from_words(files: ModelFiles, config: Mapping[str, Any]) -> Any:
    library()
    vocab = read_vocab_file(files.path("vocab.txt", "the vocabulary"))
    return word_piece_backend(
        vocab,
        lowercase=config.get("do_lower_case", True),
        strip_accents=config.get("strip_accents"),
    )


def _from_model(name: str) -> Any:
    def read(files: ModelFiles, config: Mapping[str, Any]) -> Any:
        kind = _class_of(config).lower()
        return sentence_piece_backend(
            files.path(name, "the sentencepiece model"),
            add_bos=config.get("add_bos_token", kind in CLASSES_WITH_BOS),
            add_eos=config.get("add_eos_token", kind in CLASSES_WITH_EOS),
        )

    return read


# the first file that is there decides
READERS = {
    ("tokenizer.json",): _from_json,
    ("vocab.json", "merges.txt"): _from_merges,
    ("merges.txt", "vocab.json"): _from_merges,
    ("tokenizer.model",): _from_model("tokenizer.model"),
    ("spiece.model",): _from_model("spiece.model"),
    ("sentencepiece.bpe.model",): _from_model("sentencepiece.bpe.model"),
    ("vocab.txt",): _from_words,
}


def rank_backend(
    path: str | os.PathLike[str], pattern: str, special_tokens: Mapping[str, int] | None
) -> Segmented:
    """Backend of a `.tiktoken` file.

    Args:
        path: the file.
        pattern: a name in `PATTERNS`, or a regular expression.
        special_tokens: text -> id.

    Raises:
        FileFormatError: not a rank file.
    """
    encoding = BytePairEncoding(Path(path).stem, read_ranks(path), pattern, special_tokens)
    return Segmented(ByteSegmenter(encoding))
