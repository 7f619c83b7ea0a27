"""One interface to the tokenizers that published checkpoints were trained with."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych import Tensor
from triptych.errors import DomainError, DTypeError, FileFormatError, UnknownNameError

from .arguments import (
    MOST_IDS,
    Limit,
    Truncation,
    as_ids,
    check_room,
    checked_inputs,
    is_of_library,
    truncation_limit,
)
from .batch_encoding import BatchEncoding
from .batching import Padding, padded_length, to_batch
from .encoding import Encoding
from .segmented import Segmented
from .sources import TokenizerSources
from .special_text import Specials, allowed_names, refuse_special
from .well_formed import characters_before

if TYPE_CHECKING:
    from .chat import ChatTemplate
    from .decode_stream import DecodeStream

__all__ = ["Tokenizer"]

PAD_TOKENS = ("[PAD]", "<pad>", "<|pad|>", "<|endoftext|>")  # tried in order when none is named


class Tokenizer(TokenizerSources):
    """Cuts text into the tokens a model was trained on, and puts it together again.

    Made by `Tokenizer.from_pretrained`, `from_file`, `from_vocab_file`, `from_merges`,
    `from_clip_merges`, `from_encoding`, `from_ranks`, `from_sentencepiece` or `from_words`, or
    learnt by `train_tokenizer`. It may be used from several threads.

    Texts may be bytes, meant to be UTF-8. What no UTF-8 can hold, lone surrogates and broken
    bytes, is read as U+FFFD; offsets are those of the text as it was given.

    Args:
        backend: a `tokenizers.Tokenizer`, or a `Segmented`; padding and truncation set on it are
            taken over as defaults here and switched off there.
        max_length: longest encoding the model takes, in tokens; default what the backend says.
        pad_token: default what the backend says, else the first of the usual ones it knows.
        padding_side: "right" or "left".
        truncation_side: where tokens are cut off, "right" or "left"; default what the backend says.
        special: what special tokens are for, such as "bos_token" -> "<s>".
        chat_template: in Jinja; or several of them, by name.

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
        truncation_side: str | None = None,
        special: Mapping[str, str] | None = None,
        chat_template: str | Sequence[Mapping[str, str]] | Mapping[str, str] | None = None,
    ) -> None:
        self._backend = backend
        self.special_tokens_map = dict(special or {})
        self.chat_template = chat_template
        self._lock = threading.Lock()  # truncation is a setting of the backend, shared by threads
        padding, truncation = backend.padding or {}, backend.truncation or {}
        self.max_length: int | None = max_length or truncation.get("max_length")
        self.padding_side: str = padding_side or padding.get("direction", "right")
        self.truncation_side: str = truncation_side or truncation.get("direction", "right")
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
        """Id of a token.

        Args:
            token: its text.

        Returns:
            The id; None when the vocabulary lacks the token.
        """
        found: int | None = self._backend.token_to_id(token)
        return found

    def id_to_token(self, index: int) -> str | None:
        """Token of an id.

        Args:
            index: the id.

        Returns:
            The token; None when there is none.
        """
        if not 0 <= index < MOST_IDS:
            return None
        found: str | None = self._backend.id_to_token(index)
        return found

    @property
    def backend(self) -> Any:
        """The `tokenizers.Tokenizer` below, or a `Segmented`; settings of its own that are
        changed there hold for every call."""
        return self._backend

    def add_tokens(self, tokens: Sequence[Any], *, special: bool = False) -> int:
        """Add tokens that texts are searched for before anything else.

        Args:
            tokens: texts, or `AddedToken`s with flags such as lstrip.
            special: `decode` may leave them out.

        Returns:
            How many were not there before.

        Raises:
            DomainError: the vocabulary is that of a rank file or a sentencepiece model.
        """
        if isinstance(self._backend, Segmented):
            raise DomainError(
                "Tokenizer.add_tokens: this vocabulary is fixed; pass special_tokens= where it is "
                "read (from_ranks, from_sentencepiece, BytePairEncoding)"
            )
        with self._lock:
            add = self._backend.add_special_tokens if special else self._backend.add_tokens
            return int(add(list(tokens)))

    def num_special_tokens(self, pair: bool = False) -> int:
        """How many tokens are added around a text.

        Args:
            pair: around two texts.
        """
        return int(self._backend.num_special_tokens_to_add(pair))

    # Text to ids

    def encode(
        self,
        text: str | bytes,
        pair: str | bytes | None = None,
        *,
        padding: Padding = None,
        truncation: Truncation = False,
        max_length: int | None = None,
        stride: int = 0,
        add_special_tokens: bool = True,
        allowed_special: Specials = "all",
        disallowed_special: Specials = (),
    ) -> Encoding:
        """Encode one text, or a pair of texts.

        Args:
            text: any text.
            pair: a second text that goes into the same encoding.
            padding: a number fills up to that many tokens, "max_length" up to `max_length`; None,
                False and, for a single text, "longest" (or True) do nothing.
            truncation: True cuts what is longer than `max_length`, of a pair the longer text
                first; "only_first" or "only_second" say which one to cut.
            max_length: in tokens, special ones included; default the tokenizer's own.
            stride: tokens that a piece cut off repeats of the piece before it; pieces are in
                `Encoding.overflowing`.
            add_special_tokens: put [CLS], [SEP] and the like in, as the model was trained.
            allowed_special: special tokens that count as such where a text holds them: "all",
                () for none, or, for rank files and sentencepiece models, some of them.
            disallowed_special: those that raise where a text holds them: "all" that are not
                allowed, or some of them. For texts of strangers: allowed_special=() reads them as
                plain text, disallowed_special="all" with it refuses them.

        Returns:
            Ids, tokens, offsets and masks.

        Raises:
            DomainError: a special token stands in a text that must not hold it, or there is no
                room for what is wanted.
            DTypeError: a text is not a `str`.
            ValueError: no length is known to cut or to pad to.

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
            allowed_special=allowed_special,
            disallowed_special=disallowed_special,
        )[0]

    def encode_batch(
        self,
        texts: Sequence[str | bytes],
        pairs: Sequence[str | bytes] | None = None,
        *,
        padding: Padding = None,
        truncation: Truncation = False,
        max_length: int | None = None,
        stride: int = 0,
        add_special_tokens: bool = True,
        allowed_special: Specials = "all",
        disallowed_special: Specials = (),
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
            allowed_special: special tokens that count as such where a text holds them: "all",
                () for none, or, for rank files and sentencepiece models, some of them.
            disallowed_special: those that raise where a text holds them: "all" that are not
                allowed, or some of them. For texts of strangers: allowed_special=() reads them as
                plain text, disallowed_special="all" with it refuses them.

        Returns:
            n encodings.

        Raises:
            DomainError: a special token stands in a text that must not hold it, or there is no
                room for what is wanted.
            DTypeError: a text is not a `str`.
            ValueError: counts differ, or no length is known to cut or to pad to.
        """
        limit = truncation_limit(truncation, max_length, stride, self.max_length)
        special = allowed_special, disallowed_special
        encodings = self._run("encode_batch", texts, pairs, limit, add_special_tokens, special)
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
        made = [Encoding.from_backend(encoding) for encoding in encodings]
        seconds = [None] * len(made) if pairs is None else [characters_before(p) for p in pairs]
        return [
            encoding.moved(characters_before(text), second)
            for encoding, text, second in zip(made, texts, seconds, strict=True)
        ]

    def __call__(
        self,
        texts: str | bytes | Sequence[str | bytes],
        pairs: str | bytes | Sequence[str | bytes] | None = None,
        *,
        padding: Padding = "longest",
        truncation: Truncation = False,
        max_length: int | None = None,
        add_special_tokens: bool = True,
        return_tensors: str | None = "tp",
        return_offsets: bool = False,
    ) -> BatchEncoding:
        """Encode texts into what a model's forward takes: `model(**tokenizer(texts))`.

        Args:
            texts: n texts; a single one counts as n = 1.
            pairs: n second texts.
            padding, truncation, max_length, add_special_tokens: as in `encode_batch`.
            return_tensors: "tp" for tensors, "np" for NumPy arrays, None for lists of lists,
                which need no padding.
            return_offsets: keep where the tokens came from, for `word_ids`, `char_to_token` and
                the like of the result.

        Returns:
            "input_ids", "token_type_ids" and "attention_mask", each (n, l) int64; the mask is 1
            for tokens and 0 for padding.

        Raises:
            ShapeError: arrays were asked for without padding, and the lengths differ.
            DTypeError, ValueError: as in `encode_batch`.
        """
        texts = [texts] if isinstance(texts, str | bytes) else texts
        pairs = [pairs] if isinstance(pairs, str | bytes) else pairs
        if return_offsets:
            return self._with_places(
                self.encode_batch(
                    texts,
                    pairs,
                    padding=padding,
                    truncation=truncation,
                    max_length=max_length,
                    add_special_tokens=add_special_tokens,
                ),
                return_tensors,
            )
        limit = truncation_limit(truncation, max_length, 0, self.max_length)
        encodings = self._run("encode_batch_fast", texts, pairs, limit, add_special_tokens)
        ids = [encoding.ids for encoding in encodings]
        type_ids = [encoding.type_ids for encoding in encodings]
        return self.pad(
            ids, type_ids, padding=padding, max_length=max_length, return_tensors=return_tensors
        )

    def _with_places(self, encodings: list[Encoding], return_tensors: str | None) -> BatchEncoding:
        ids, types = [e.ids for e in encodings], [e.type_ids for e in encodings]
        batch = to_batch(ids, types, None, (0, 0, False), return_tensors)
        masks = [e.attention_mask for e in encodings]
        mask = to_batch(masks, masks, None, (0, 0, False), return_tensors)["input_ids"]
        return BatchEncoding(batch | {"attention_mask": mask}, encodings)

    def count_tokens(self, text: str | bytes, *, add_special_tokens: bool = True) -> int:
        """How many tokens a text becomes.

        Args:
            text: any text.
            add_special_tokens: count [CLS], [SEP] and the like too.
        """
        return len(self._run("encode_batch_fast", [text], None, None, add_special_tokens)[0])

    def pad(
        self,
        ids: list[list[int]],
        type_ids: list[list[int]],
        *,
        padding: Padding = "longest",
        max_length: int | None = None,
        return_tensors: str | None = "tp",
    ) -> BatchEncoding:
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
        return BatchEncoding(to_batch(ids, type_ids, length, fill, return_tensors))

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
            BoundsError: a number is no id of any vocabulary, such as the -100 of labels.
        """
        return str(self._backend.decode(as_ids(ids), skip_special_tokens=skip_special_tokens))

    def decode_batch(
        self, batch: Iterable[Sequence[int]] | Tensor, *, skip_special_tokens: bool = True
    ) -> list[str]:
        """Texts of rows of ids.

        Args:
            batch: n rows of numbers.
            skip_special_tokens: leave [CLS], [PAD] and the like out.

        Returns:
            n texts, each as of `decode`.

        Raises:
            DTypeError: not rows of integers.
            BoundsError: a number is no id of any vocabulary.
        """
        if not isinstance(batch, Iterable):
            raise DTypeError(f"Tokenizer.decode_batch: wanted rows of ids, got {batch!r:.60}")
        rows = [as_ids(ids) for ids in batch]
        return list(self._backend.decode_batch(rows, skip_special_tokens=skip_special_tokens))

    def decode_stream(self, *, skip_special_tokens: bool = True) -> DecodeStream:
        """Decoder for ids that arrive one by one; see `DecodeStream`.

        Args:
            skip_special_tokens: leave [CLS], [PAD] and the like out.
        """
        from .decode_stream import DecodeStream

        return DecodeStream(self, skip_special_tokens=skip_special_tokens)

    # Conversations

    def apply_chat_template(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        chat_template: str | None = None,
        tokenize: bool = False,
        **options: Any,
    ) -> Any:
        """The text of a conversation, as the model was trained on it.

        Args:
            messages: dicts with "role" and "content".
            chat_template: a template, or the name of one of the tokenizer's; default its own.
            tokenize: return an `Encoding` rather than a text; the template has written the
                special tokens, none is added.
            **options: of `ChatTemplate.render`: add_generation_prompt, tools, documents,
                continue_final_message and variables of the template.

        Raises:
            ChatTemplateError: the template is malformed, refuses the messages, or has no end.
            UnknownNameError: there is no template.
        """
        text = self._template(chat_template).render(messages, **options)
        return self.encode(text, add_special_tokens=False) if tokenize else text

    def _template(self, given: str | None) -> ChatTemplate:
        from .chat import ChatTemplate

        own = self.chat_template
        if own is not None and not isinstance(own, str | Mapping):
            own = {entry["name"]: entry["template"] for entry in own}
        if isinstance(own, Mapping):
            own = own.get("default" if given is None else given, given)
        source = own if given is None or isinstance(self.chat_template, Mapping | list) else given
        if source is None:
            raise UnknownNameError(
                "Tokenizer.apply_chat_template: this tokenizer has no template of its own; pass "
                "chat_template="
            )
        return ChatTemplate(source, self.special_tokens_map)

    # Files

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a `tokenizer.json`; `from_file` and other tools read it.

        Args:
            path: the file.

        Raises:
            FileFormatError: the tokenizer is that of a rank file or a sentencepiece model, which
                a tokenizer.json cannot say exactly.
        """
        if isinstance(self._backend, Segmented):
            raise FileFormatError(
                f"Tokenizer.save: {type(self._backend.model).__name__} has no tokenizer.json; keep "
                "its own file: write_ranks(encoding.ranks, path) or SentencePieceModel.save(path)"
            )
        with self._lock:
            self._set_truncation(None)  # that of the latest call is not part of the tokenizer
            text = self._backend.to_str(pretty=True)
        Path(path).write_text(text, encoding="utf-8")

    def _usual_pad_token(self) -> str | None:
        return next((t for t in PAD_TOKENS if self._backend.token_to_id(t) is not None), None)

    def _run(
        self,
        method: str,
        texts: Sequence[str | bytes],
        pairs: Sequence[str | bytes] | None,
        limit: Limit | None,
        add_special_tokens: bool,
        special: tuple[Specials, Specials] = ("all", ()),
    ) -> list[Any]:
        """Encodings of the library."""
        inputs = checked_inputs(texts, pairs)
        allowed = self._guard(inputs, *special)
        if limit is not None and add_special_tokens:
            check_room(limit, self.num_special_tokens(pairs is not None), pairs is not None)
        with self._lock:
            self._set_truncation(limit)
            self._allow(allowed)
            encode = getattr(self._backend, method)
            try:
                return list(encode(inputs, add_special_tokens=add_special_tokens))
            except BaseException as error:  # the library panics where a stride is too long
                if limit is None or not is_of_library(error):
                    raise
                raise DomainError(
                    f"Tokenizer: cannot cut to max_length {limit[0]} by {limit[2]!r} with stride "
                    f"{limit[1]}: {error}"
                ) from error
            finally:
                self._allow(None)

    def _guard(
        self, inputs: list[Any], allowed: Specials, disallowed: Specials
    ) -> frozenset[str] | None:
        """Special tokens that count in the texts; None when all do."""
        if allowed == "all" and not disallowed:
            return None
        special = self.special_tokens
        names = allowed_names(special, allowed)
        for text in inputs:
            for one in text if isinstance(text, tuple) else (text,):
                refuse_special(one, special, names, disallowed)
        if len(names) == len(special):
            return None
        if names and not isinstance(self._backend, Segmented):
            raise DomainError(
                "Tokenizer: of a tokenizers backend, allowed_special is all or none, got "
                f"{len(names)} of {len(special)}"
            )
        return names

    def _allow(self, allowed: frozenset[str] | None) -> None:
        if isinstance(self._backend, Segmented):
            self._backend.allowed = allowed
        elif self._backend.encode_special_tokens != (allowed is not None):
            self._backend.encode_special_tokens = allowed is not None

    def _set_truncation(self, limit: Limit | None) -> None:
        if limit == self._truncation:
            return
        if limit is None:
            self._backend.no_truncation()
        else:
            length, stride, strategy = limit
            self._backend.enable_truncation(
                length, stride=stride, strategy=strategy, direction=self.truncation_side
            )
        self._truncation = limit
