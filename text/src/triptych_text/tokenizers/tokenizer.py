"""One interface to the tokenizers that published checkpoints were trained with."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from triptych import Tensor
from triptych.errors import FileFormatError, MissingDependencyError, UnknownNameError

from ..pretrained import ModelFiles, model_files
from .arguments import (
    Limit,
    Truncation,
    as_ids,
    checked_inputs,
    options_of,
    truncation_limit,
)
from .batching import Padding, padded_length, to_batch
from .encoding import Encoding
from .word_piece import read_vocab_file, word_piece_backend

__all__ = ["Tokenizer"]

PAD_TOKENS = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>")  # tried in order when none is named


class Tokenizer:
    """Cuts text into the tokens a model was trained on, and puts it together again.

    Made by `Tokenizer.from_file`, `from_vocab_file` or `from_pretrained`. It may be used from
    several threads.

    Args:
        backend: a `tokenizers.Tokenizer`; padding and truncation set on it are taken over as
            defaults here and switched off there.
        max_length: longest encoding the model takes, in tokens; default what the backend says.
        pad_token: default what the backend says, else the first of the usual ones it knows.
        padding_side: "right" or "left".

    Raises:
        UnknownNameError: `pad_token` is not in the vocabulary.

    Example:
        >>> from triptych_text.tokenizers import word_piece_backend
        >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "cat", "##s", "sleep"]
        >>> backend = word_piece_backend({word: i for i, word in enumerate(words)})
        >>> tokenizer = Tokenizer(backend)
        >>> tokenizer.encode("Cats sleep").tokens
        ['[CLS]', 'cat', '##s', 'sleep', '[SEP]']
        >>> tokenizer(["Cats sleep", "cat"])["input_ids"].tolist()
        [[2, 4, 5, 6, 3], [2, 4, 3, 0, 0]]
    """

    def __init__(
        self,
        backend: Any,
        *,
        max_length: int | None = None,
        pad_token: str | None = None,
        padding_side: str | None = None,
    ) -> None:
        self._backend = backend
        self._lock = threading.Lock()  # truncation is a setting of the backend, shared by threads
        padding, truncation = backend.padding or {}, backend.truncation or {}
        self.max_length: int | None = max_length or truncation.get("max_length")
        self.padding_side: str = padding_side or padding.get("direction", "right")
        self.pad_token = pad_token or padding.get("pad_token") or self._usual_pad_token()
        self.pad_type_id: int = padding.get("pad_type_id", 0)
        if self.pad_token is not None and backend.token_to_id(self.pad_token) is None:
            raise UnknownNameError(
                f"Tokenizer: the padding token {self.pad_token!r} is not in the vocabulary of "
                f"{backend.get_vocab_size()} tokens; name one that is with pad_token="
            )
        backend.no_padding()
        backend.no_truncation()
        self._truncation: Limit | None = None

    # Where they come from

    @classmethod
    def from_file(cls, path: str | os.PathLike[str], **options: Any) -> Tokenizer:
        """Read a `tokenizer.json`, the format of the `tokenizers` library.

        Args:
            path: the file.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: the file is not a tokenizer's description.
            FileNotFoundError: there is no such file.
            MissingDependencyError: the `tokenizers` library is not installed.
        """
        text = Path(path).read_text(encoding="utf-8")
        tokenizers = _library()
        try:
            backend = tokenizers.Tokenizer.from_str(text)
        except Exception as error:  # the library raises plain Exception for every fault
            raise FileFormatError(
                f"Tokenizer.from_file: {path} is not a tokenizer.json: {error}"
            ) from error
        return cls(backend, **options)

    @classmethod
    def from_vocab_file(
        cls,
        path: str | os.PathLike[str],
        *,
        lowercase: bool = True,
        strip_accents: bool | None = None,
        **options: Any,
    ) -> Tokenizer:
        """WordPiece tokenizer of a BERT `vocab.txt`.

        Args:
            path: the file: one token a line.
            lowercase: true for models called "uncased".
            strip_accents: default as `lowercase`.
            **options: keyword arguments of the class.

        Raises:
            FileFormatError: not a WordPiece vocabulary.
            FileNotFoundError: there is no such file.
        """
        _library()
        vocab = read_vocab_file(path)
        backend = word_piece_backend(vocab, lowercase=lowercase, strip_accents=strip_accents)
        return cls(backend, **options)

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | ModelFiles) -> Tokenizer:
        """Tokenizer of a pretrained model.

        Args:
            source: a folder with tokenizer.json or vocab.txt, or the name of a registered model,
                whose files are fetched first.

        Raises:
            FileNotFoundError: the folder lacks both files.
            UnknownNameError: neither a folder nor a registered name.
        """
        files = model_files(source)
        options = options_of(files.json("tokenizer_config.json", default={}))
        described = files.find("tokenizer.json")
        if described is not None:
            return cls.from_file(described, **options)
        config = files.json("tokenizer_config.json", default={})
        vocab = files.path("vocab.txt", "the vocabulary, as there is no tokenizer.json")
        return cls.from_vocab_file(vocab, lowercase=config.get("do_lower_case", True), **options)

    # The vocabulary

    def __len__(self) -> int:
        return int(self._backend.get_vocab_size(with_added_tokens=True))

    def __contains__(self, token: object) -> bool:
        return isinstance(token, str) and self._backend.token_to_id(token) is not None

    def __repr__(self) -> str:
        kind = type(self._backend.model).__name__
        return f"Tokenizer({kind}, {len(self)} tokens, max_length={self.max_length})"

    @property
    def vocab(self) -> dict[str, int]:
        """token -> id, added tokens included; a fresh dict each time."""
        return dict(self._backend.get_vocab(with_added_tokens=True))

    @property
    def special_tokens(self) -> dict[str, int]:
        """token -> id of those that `decode` can leave out."""
        added = self._backend.get_added_tokens_decoder()
        return {token.content: index for index, token in added.items() if token.special}

    @property
    def pad_id(self) -> int:
        """Id of the padding token.

        Raises:
            UnknownNameError: the tokenizer has none.
        """
        if self.pad_token is None:
            raise UnknownNameError(
                f"Tokenizer: no padding token: none was given, and none of {PAD_TOKENS} is in the "
                "vocabulary; name one with pad_token=, or encode without padding"
            )
        return int(self._backend.token_to_id(self.pad_token))

    def token_to_id(self, token: str) -> int | None:
        """Id of a token; None when the vocabulary lacks it."""
        found: int | None = self._backend.token_to_id(token)
        return found

    def id_to_token(self, index: int) -> str | None:
        """Token of an id; None when there is none."""
        found: str | None = self._backend.id_to_token(index)
        return found

    def num_special_tokens(self, pair: bool = False) -> int:
        """How many tokens are added around one text, or around a pair."""
        return int(self._backend.num_special_tokens_to_add(pair))

    # Text to ids

    def encode(
        self,
        text: str,
        pair: str | None = None,
        *,
        padding: Padding = None,
        truncation: Truncation = False,
        max_length: int | None = None,
        stride: int = 0,
        add_special_tokens: bool = True,
    ) -> Encoding:
        """Encode one text, or a pair of texts.

        Args:
            text: any text.
            pair: a second text that goes into the same encoding.
            padding, truncation, max_length, stride, add_special_tokens: as in `encode_batch`.

        Returns:
            Ids, tokens, offsets and masks.

        Example:
            >>> from triptych_text.tokenizers import word_piece_backend
            >>> words = ["[UNK]", "[CLS]", "[SEP]", "rain"]
            >>> backend = word_piece_backend({word: i for i, word in enumerate(words)})
            >>> Tokenizer(backend).encode("rain", "rain").type_ids
            [0, 0, 0, 1, 1]
        """
        return self.encode_batch(
            [text],
            None if pair is None else [pair],
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            add_special_tokens=add_special_tokens,
        )[0]

    def encode_batch(
        self,
        texts: Sequence[str],
        pairs: Sequence[str] | None = None,
        *,
        padding: Padding = None,
        truncation: Truncation = False,
        max_length: int | None = None,
        stride: int = 0,
        add_special_tokens: bool = True,
    ) -> list[Encoding]:
        """Encode several texts; the library works on them in parallel.

        Args:
            texts: n texts.
            pairs: n second texts.
            padding: "longest" (or True) fills up to the longest of the batch, a number up to that
                many tokens, "max_length" up to `max_length`; None or False does nothing.
            truncation: True cuts what is longer than `max_length`, of a pair the longer text
                first; "only_first" or "only_second" say which one to cut.
            max_length: in tokens, special ones included; default the tokenizer's own.
            stride: tokens that a piece cut off repeats of the piece before it; pieces are in
                `Encoding.overflowing`.
            add_special_tokens: put [CLS], [SEP] and the like in, as the model was trained.

        Returns:
            n encodings.

        Raises:
            DTypeError: a text is not a `str`.
            ValueError: counts differ, or no length is known to cut or to pad to.
        """
        limit = truncation_limit(truncation, max_length, stride, self.max_length)
        encodings = self._run("encode_batch", texts, pairs, limit, add_special_tokens)
        length = padded_length(padding, [len(e) for e in encodings], max_length, self.max_length)
        if length is not None:
            for encoding in encodings:
                encoding.pad(
                    length,
                    direction=self.padding_side,
                    pad_id=self.pad_id,
                    pad_type_id=self.pad_type_id,
                    pad_token=self.pad_token,
                )
        return [Encoding.from_backend(encoding) for encoding in encodings]

    def __call__(
        self,
        texts: str | Sequence[str],
        pairs: str | Sequence[str] | None = None,
        *,
        padding: Padding = "longest",
        truncation: Truncation = False,
        max_length: int | None = None,
        add_special_tokens: bool = True,
        return_tensors: str | None = "tp",
    ) -> dict[str, Any]:
        """Encode texts into what a model's forward takes: `model(**tokenizer(texts))`.

        Args:
            texts: n texts; a single one counts as n = 1.
            pairs: n second texts.
            padding, truncation, max_length, add_special_tokens: as in `encode_batch`.
            return_tensors: "tp" for tensors, "np" for NumPy arrays, None for lists of lists,
                which need no padding.

        Returns:
            "input_ids", "token_type_ids" and "attention_mask", each (n, l) int64; the mask is 1
            for tokens and 0 for padding.

        Raises:
            ShapeError: arrays were asked for without padding, and the lengths differ.
            DTypeError, ValueError: as in `encode_batch`.
        """
        texts = [texts] if isinstance(texts, str) else texts
        pairs = [pairs] if isinstance(pairs, str) else pairs
        limit = truncation_limit(truncation, max_length, 0, self.max_length)
        encodings = self._run("encode_batch_fast", texts, pairs, limit, add_special_tokens)
        ids = [encoding.ids for encoding in encodings]
        type_ids = [encoding.type_ids for encoding in encodings]
        return self.pad(
            ids, type_ids, padding=padding, max_length=max_length, return_tensors=return_tensors
        )

    def pad(
        self,
        ids: list[list[int]],
        type_ids: list[list[int]],
        *,
        padding: Padding = "longest",
        max_length: int | None = None,
        return_tensors: str | None = "tp",
    ) -> dict[str, Any]:
        """Make a batch of rows of ids that were encoded before.

        Args:
            ids: n rows of token ids.
            type_ids: n rows of segments, as long as those of `ids`.
            padding, max_length: as in `encode_batch`.
            return_tensors: as in `__call__`.

        Returns:
            As `__call__`.
        """
        length = padded_length(padding, [len(row) for row in ids], max_length, self.max_length)
        pad_id = 0 if length is None else self.pad_id
        fill = (pad_id, self.pad_type_id, self.padding_side == "left")
        return to_batch(ids, type_ids, length, fill, return_tensors)

    # Ids to text

    def decode(self, ids: Sequence[int] | Tensor, *, skip_special_tokens: bool = True) -> str:
        """Text of ids.

        Args:
            ids: (l,) numbers.
            skip_special_tokens: leave [CLS], [PAD] and the like out.

        Returns:
            The text; what normalisation took away, such as capitals, does not come back.

        Raises:
            DTypeError: not a flat list of integers.
        """
        return str(self._backend.decode(as_ids(ids), skip_special_tokens=skip_special_tokens))

    def decode_batch(
        self, batch: Iterable[Sequence[int]] | Tensor, *, skip_special_tokens: bool = True
    ) -> list[str]:
        """Texts of n rows of ids, as `decode` does each."""
        rows = [as_ids(ids) for ids in batch]
        return list(self._backend.decode_batch(rows, skip_special_tokens=skip_special_tokens))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `tokenizer.json`; `from_file` and other tools read it."""
        with self._lock:
            self._set_truncation(None)  # that of the latest call is not part of the tokenizer
            text = self._backend.to_str(pretty=True)
        Path(path).write_text(text, encoding="utf-8")

    def _usual_pad_token(self) -> str | None:
        return next((t for t in PAD_TOKENS if self._backend.token_to_id(t) is not None), None)

    def _run(
        self,
        method: str,
        texts: Sequence[str],
        pairs: Sequence[str] | None,
        limit: Limit | None,
        add_special_tokens: bool,
    ) -> list[Any]:
        """Encodings of the library."""
        inputs = checked_inputs(texts, pairs)
        if limit is not None and add_special_tokens:
            added = self.num_special_tokens(pairs is not None)
            if limit[0] < added:
                raise ValueError(
                    f"Tokenizer: max_length {limit[0]} leaves no room for the {added} special "
                    "tokens; pass a larger one, or add_special_tokens=False"
                )
        with self._lock:
            self._set_truncation(limit)
            encode = getattr(self._backend, method)
            return list(encode(inputs, add_special_tokens=add_special_tokens))

    def _set_truncation(self, limit: Limit | None) -> None:
        if limit == self._truncation:
            return
        if limit is None:
            self._backend.no_truncation()
        else:
            self._backend.enable_truncation(limit[0], stride=limit[1], strategy=limit[2])
        self._truncation = limit


def _library() -> Any:
    try:
        import tokenizers
    except ImportError as error:
        raise MissingDependencyError(
            "Tokenizer: the tokenizers library is not installed; pip install tokenizers"
        ) from error
    return tokenizers
