"""Vocabularies learnt from a corpus: BPE, WordPiece, unigram, whole words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from triptych import Registry
from triptych.errors import DomainError, DTypeError

from .tokenizer import Tokenizer
from .well_formed import well_formed

__all__ = ["TRAINERS", "train_tokenizer"]

TRAINERS: Registry[Any] = Registry("kind of tokenizer to train")


def train_tokenizer(
    texts: Iterable[str],
    kind: str = "bpe",
    *,
    vocab_size: int = 30_000,
    min_frequency: int = 2,
    special_tokens: Sequence[str] | None = None,
    lowercase: bool = False,
    progress: bool | None = None,
    length: int | None = None,
    **trainer_options: Any,
) -> Tokenizer:
    """Learn a tokenizer from texts.

    Args:
        texts: lines or documents; read once.
        kind: "bpe" (bytes, as GPT-2), "wordpiece" (as BERT), "unigram" (as T5) or "wordlevel".
        vocab_size: tokens at most, special ones included.
        min_frequency: pairs or words seen less often are left out; unigram passes it over.
        special_tokens: first tokens of the vocabulary; default the kind's usual ones.
        lowercase: bring texts to lower case first.
        progress: show a bar of texts read; None shows it on a terminal only.
        length: how many texts there are, for the bar.
        **trainer_options: for the library's trainer, such as `limit_alphabet`.

    Returns:
        The tokenizer, ready to use and to save.

    Raises:
        DomainError: no text, or a vocabulary smaller than what must be in it.
        DTypeError: a text is no `str`.
        UnknownNameError: there is no such kind.

    Example:
        >>> tokenizer = train_tokenizer(["low lower lowest"] * 3, "bpe", vocab_size=265)
        >>> tokenizer.decode(tokenizer.encode("lower").ids)
        'lower'

    Source: Sennrich et al. 2016; Schuster and Nakajima 2012; Kudo 2018; trained by the
    `tokenizers` library.
    """
    pipeline, trainer_name, usual, fixed = TRAINERS[kind](lowercase)
    special = list(usual if special_tokens is None else special_tokens)
    needed = len(special) + (256 if kind == "bpe" else 1)
    if vocab_size < needed:
        raise DomainError(
            f"train_tokenizer: vocab_size {vocab_size} is below the {needed} tokens that a "
            f"{kind} vocabulary has anyway"
        )
    from tokenizers import trainers

    options = {"min_frequency": min_frequency} if kind != "unigram" else {"unk_token": usual[0]}
    trainer = getattr(trainers, trainer_name)(
        vocab_size=vocab_size,
        special_tokens=special,
        show_progress=False,
        **(options | fixed | trainer_options),
    )
    counted = _Checked(texts, progress, length)
    pipeline.train_from_iterator(iter(counted), trainer=trainer)
    if counted.error is not None:
        raise counted.error
    if counted.count == 0:
        raise DomainError("train_tokenizer: there was no text to learn from")
    _frame(pipeline)
    return Tokenizer(pipeline)


class _Checked:
    """Texts on their way to the trainer; a fault is kept, since the library swallows it."""

    def __init__(self, texts: Iterable[str], progress: bool | None, length: int | None) -> None:
        if isinstance(texts, str):
            raise DTypeError("train_tokenizer: texts are an iterable of str, got a single str")
        from tqdm import tqdm

        disabled = None if progress is None else not progress
        self.texts = tqdm(texts, desc="texts", total=length, disable=disabled, unit=" texts")
        self.error: Exception | None = None
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        try:
            for text in self.texts:
                if not isinstance(text, str):
                    raise DTypeError(
                        f"train_tokenizer: text {self.count} is a {type(text).__name__}, wanted "
                        "a str"
                    )
                self.count += 1
                yield well_formed(text)
        except Exception as error:  # raised again when the trainer has stopped
            self.error = error


def _bpe(lowercase: bool) -> tuple[Any, str, list[str], dict[str, Any]]:
    import tokenizers as library

    pipeline = library.Tokenizer(library.models.BPE())
    pipeline.normalizer = library.normalizers.Lowercase() if lowercase else None
    pipeline.pre_tokenizer = library.pre_tokenizers.ByteLevel(add_prefix_space=False)
    pipeline.post_processor = library.processors.ByteLevel(trim_offsets=False)
    pipeline.decoder = library.decoders.ByteLevel()
    alphabet = library.pre_tokenizers.ByteLevel.alphabet()
    return pipeline, "BpeTrainer", ["<|endoftext|>"], {"initial_alphabet": alphabet}


def _word_piece(lowercase: bool) -> tuple[Any, str, list[str], dict[str, Any]]:
    import tokenizers as library

    pipeline = library.Tokenizer(library.models.WordPiece(unk_token="[UNK]"))
    pipeline.normalizer = library.normalizers.BertNormalizer(lowercase=lowercase)
    pipeline.pre_tokenizer = library.pre_tokenizers.BertPreTokenizer()
    pipeline.decoder = library.decoders.WordPiece()
    return pipeline, "WordPieceTrainer", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], {}


def _unigram(lowercase: bool) -> tuple[Any, str, list[str], dict[str, Any]]:
    import tokenizers as library

    steps: list[Any] = [library.normalizers.NFKC()]
    steps += [library.normalizers.Lowercase()] if lowercase else []
    pipeline = library.Tokenizer(library.models.Unigram())
    pipeline.normalizer = library.normalizers.Sequence(steps)
    pipeline.pre_tokenizer = library.pre_tokenizers.Metaspace()
    pipeline.decoder = library.decoders.Metaspace()
    return pipeline, "UnigramTrainer", ["<unk>", "<pad>", "</s>"], {}


def _word_level(lowercase: bool) -> tuple[Any, str, list[str], dict[str, Any]]:
    import tokenizers as library

    pipeline = library.Tokenizer(library.models.WordLevel(unk_token="[UNK]"))
    pipeline.normalizer = library.normalizers.Lowercase() if lowercase else None
    pipeline.pre_tokenizer = library.pre_tokenizers.Whitespace()
    return pipeline, "WordLevelTrainer", ["[PAD]", "[UNK]"], {}


def _frame(pipeline: Any) -> None:
    """[CLS] and [SEP] around texts, when the vocabulary has both."""
    from tokenizers.processors import TemplateProcessing

    ids = {name: pipeline.token_to_id(name) for name in ("[CLS]", "[SEP]")}
    if None not in ids.values():
        pipeline.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=list(ids.items()),
        )


for _name, _recipe in (
    ("bpe", _bpe),
    ("wordpiece", _word_piece),
    ("unigram", _unigram),
    ("wordlevel", _word_level),
):
    TRAINERS.register(_name, _recipe)
