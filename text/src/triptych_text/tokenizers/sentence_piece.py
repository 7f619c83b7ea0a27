"""SentencePiece `.model` files, through the library that defines them (an extra)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import DomainError, FileFormatError, MissingDependencyError, UnknownNameError

from .arguments import as_ids
from .segmenters import Segmenter, Segments
from .special_text import split_at
from .well_formed import well_formed

__all__ = ["SentencePieceModel", "SentencePieceSegmenter"]

SPACE = "\N{LOWER ONE EIGHTH BLOCK}"  # how the pieces write a space


class SentencePieceModel:
    """Unigram or BPE pieces of a `.model` file: the numbers are the library's own.

    Args:
        path: the file.

    Raises:
        FileFormatError: it is no model.
        FileNotFoundError: there is no such file.
        MissingDependencyError: sentencepiece is not installed.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._load(Path(path).read_bytes(), str(path))

    @classmethod
    def from_bytes(cls, content: bytes) -> SentencePieceModel:
        """Model of the content of a file.

        Args:
            content: of a `.model` file.
        """
        model = cls.__new__(cls)
        model._load(content, "the given bytes")
        return model

    def _load(self, content: bytes, source: str) -> None:
        try:
            from sentencepiece import SentencePieceProcessor
        except ImportError as error:
            raise MissingDependencyError(
                f"SentencePieceModel: {source} is read by the sentencepiece library; "
                'pip install "triptych-text[sentencepiece]"'
            ) from error
        try:
            if not content:
                raise RuntimeError("it is empty")
            self._processor = SentencePieceProcessor(model_proto=content)
        except RuntimeError as error:
            raise FileFormatError(
                f"SentencePieceModel: {source} is no sentencepiece model: {error}"
            ) from error
        self._content = content

    def __len__(self) -> int:
        return len(self._processor)

    def __reduce__(self) -> Any:
        return SentencePieceModel.from_bytes, (self._content,)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the `.model` file.

        Args:
            path: of the file; what is there is replaced.
        """
        Path(path).write_bytes(self._content)

    @cached_property
    def pieces(self) -> list[str]:
        """The pieces, by id."""
        return [self._processor.id_to_piece(i) for i in range(len(self))]

    @property
    def unk_id(self) -> int:
        """Id of what the model has no piece for."""
        return int(self._processor.unk_id())

    @cached_property
    def control(self) -> dict[str, int]:
        """Pieces that stand for no text, such as <s>, by name."""
        is_control = self._processor.is_control
        return {piece: i for i, piece in enumerate(self.pieces) if is_control(i)}

    @property
    def frame(self) -> dict[str, int]:
        """Ids of "bos", "eos" and "pad", those that the model has."""
        ids = {name: getattr(self._processor, f"{name}_id")() for name in ("bos", "eos", "pad")}
        return {name: index for name, index in ids.items() if index >= 0}

    def encode(self, text: str) -> list[int]:
        """Ids of a text, nothing put around it.

        Args:
            text: a text.
        """
        ids: list[int] = self._processor.encode(well_formed(text))
        return ids

    def encode_batch(self, texts: Sequence[str], num_threads: int = 1) -> list[list[int]]:
        """Ids of several texts.

        Args:
            texts: n texts.
            num_threads: how many work on them.
        """
        rows: list[list[int]] = self._processor.encode(
            [well_formed(text) for text in texts], num_threads=num_threads
        )
        return rows

    def encode_as_pieces(self, text: str) -> list[str]:
        """Pieces of a text; a space is written as U+2581.

        Args:
            text: a text.
        """
        pieces: list[str] = self._processor.encode(well_formed(text), return_type=str)
        return pieces

    def encode_with_offsets(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids of a text, and (start, end) of each in characters.

        Args:
            text: a text.
        """
        found = self._processor.encode(well_formed(text), return_type="offset_mapping")
        return found["ids"], found["offsets"]

    def sample(
        self,
        text: str,
        *,
        alpha: float = 0.1,
        nbest_size: int = -1,
        generator: Generator | None = None,
    ) -> list[int]:
        """Ids of one way to cut a text, drawn at random: subword regularisation.

        Args:
            text: any text.
            alpha: for unigram models, how much likely ways are preferred (0 not at all); for BPE,
                probability that a merge is left out.
            nbest_size: for unigram models, draw from so many best ways; -1 from all.
            generator: random numbers; default the global one.

        Raises:
            DomainError: `nbest_size` is 0, or `alpha` is below 0.

        Source: Kudo 2018; for BPE, Provilkov et al. 2020.
        """
        if nbest_size == 0 or alpha < 0:
            raise DomainError(
                f"sample: nbest_size is -1 or above 0 and alpha at least 0, got {nbest_size} and "
                f"{alpha}"
            )
        if nbest_size == 1:
            return self.encode(text)
        from sentencepiece import set_random_generator_seed

        seed = int(tp.randint(0, 2**31 - 1, (1,), generator=generator).item())
        set_random_generator_seed(seed)
        ids: list[int] = self._processor.encode(
            well_formed(text), enable_sampling=True, alpha=alpha, nbest_size=nbest_size
        )
        return ids

    def nbest(self, text: str, count: int) -> list[list[int]]:
        """The most likely ways to cut a text, best first; for unigram models.

        Args:
            text: any text.
            count: how many, at least 1.

        Raises:
            DomainError: `count` is below 1, or the model is none of unigrams.
        """
        if count < 1:
            raise DomainError(f"nbest: count is at least 1, got {count}")
        try:
            rows: list[list[int]] = self._processor.nbest_encode(
                well_formed(text), nbest_size=count
            )
        except RuntimeError as error:
            raise DomainError(f"nbest: this model gives no list of ways: {error}") from error
        return rows

    def decode(self, ids: Sequence[int] | Tensor) -> str:
        """Text of ids.

        Args:
            ids: (l,) numbers.

        Raises:
            UnknownNameError: there is no such id.
        """
        values = as_ids(ids)
        wrong = next((i for i in values if not 0 <= i < len(self)), None)
        if wrong is not None:
            raise UnknownNameError(f"decode: no piece has the id {wrong}; there are {len(self)}")
        return str(self._processor.decode(values))

    def piece_to_id(self, piece: str) -> int:
        """Id of a piece; that of the unknown one when there is none.

        Args:
            piece: its text; a space is written as U+2581.
        """
        return int(self._processor.piece_to_id(piece))

    def id_to_piece(self, index: int) -> str:
        """Piece of an id.

        Args:
            index: the id.
        """
        return self.pieces[index]


class SentencePieceSegmenter(Segmenter):
    """A sentencepiece model.

    Args:
        model: the model.
        special_tokens: further tokens, text -> id, ids the model does not have; the model's
            control pieces are special tokens anyway.
    """

    def __init__(
        self, model: SentencePieceModel, special_tokens: dict[str, int] | None = None
    ) -> None:
        self.piece_model = model
        self.added = dict(special_tokens or {})
        self.special = model.control | self.added

    @cached_property
    def vocab(self) -> dict[str, int]:
        """piece -> id."""
        return {piece: i for i, piece in enumerate(self.piece_model.pieces)} | self.added

    def segments(self, text: str, allowed: frozenset[str]) -> Segments:
        """Tokens with their places; a word starts at each piece that starts with a space."""
        out, word = Segments(), -1
        for at, part, special in split_at(text, allowed):
            if special:
                word += 1
                out.add(at, [self.special[part]], [(0, len(part))], word)
                continue
            ids, offsets = self.piece_model.encode_with_offsets(part)
            for i, (index, span) in enumerate(zip(ids, offsets, strict=True)):
                word += i == 0 or self.piece_model.pieces[index].startswith(SPACE)
                out.add(at, [index], [span], word)
        return out

    def ids(self, text: str, allowed: frozenset[str]) -> list[int]:
        """Ids alone."""
        ids: list[int] = []
        for _, part, special in split_at(text, allowed):
            ids += [self.special[part]] if special else self.piece_model.encode(part)
        return ids

    def decode(self, ids: list[int]) -> str:
        """Text; special tokens are written as they are."""
        parts: list[str] = []
        run: list[int] = []
        for index in ids:
            if index in self._special_names:
                parts += [self.piece_model.decode(run), self._special_names[index]]
                run = []
            else:
                run.append(index)
        return "".join([*parts, self.piece_model.decode(run)])

    @cached_property
    def _special_names(self) -> dict[int, str]:
        return {index: text for text, index in self.special.items()}
