"""How a column of a dataset becomes tokens, numbers and tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, UnknownNameError

from ...tokenizers.basic_english import get_tokenizer
from ...vocab import Vectors, Vocab, pretrained_aliases

__all__ = ["Field", "LabelField", "LegacyVocab", "RawField"]


class LegacyVocab(Vocab):
    """A `Vocab` with the attributes that fields' users read.

    Args:
        counter: token -> how often it occurs; kept as `freqs`.
        max_size: most tokens besides the specials.
        min_freq: rarer tokens are left out.
        specials: come first; the first one is what unknown tokens count as, if it is unk_token.
        unk_token: None makes unknown tokens an error.

    Attributes:
        freqs: the counter.
        vectors: (v, dim) once `load_vectors` was called, else None.
    """

    def __init__(
        self,
        counter: Counter[Any],
        max_size: int | None = None,
        min_freq: int = 1,
        specials: Sequence[str] = (),
        unk_token: str | None = None,
    ) -> None:
        words = [word for word in sorted(counter) if word not in set(specials)]
        words.sort(key=lambda word: -counter[word])
        words = [word for word in words if counter[word] >= max(min_freq, 1)][:max_size]
        tokens = [*dict.fromkeys(specials), *words]
        super().__init__(tokens, tokens.index(unk_token) if unk_token in tokens else None)
        self.freqs = counter
        self.vectors: Tensor | None = None

    @property
    def itos(self) -> list[str]:
        """The tokens."""
        return self._tokens

    @property
    def stoi(self) -> LegacyVocab:
        """token -> number; itself, as `stoi["x"]` and `"x" in stoi` work on it."""
        return self

    def load_vectors(
        self, vectors: Any, unk_init: Callable[[Tensor], Tensor] | None = None, **kwargs: Any
    ) -> None:
        """Put pretrained vectors in the order of the tokens.

        Args:
            vectors: `Vectors`, a name in `pretrained_aliases`, or a list of them, whose vectors
                are joined.
            unk_init: makes vectors of tokens that have none from zeros; default as in `vectors`.
            **kwargs: for vectors given by name, as in `Vectors`.

        Raises:
            UnknownNameError: there is no such name.
        """
        given = vectors if isinstance(vectors, list | tuple) else [vectors]
        found = [_vectors(v, unk_init, **kwargs) for v in given]
        rows = [tp.cat([v[token].reshape(-1) for v in found]) for token in self.itos]
        self.vectors = tp.stack(rows)

    def set_vectors(
        self,
        stoi: Mapping[str, int],
        vectors: Tensor,
        dim: int,
        unk_init: Callable[[Tensor], Tensor] = tp.zeros_like,
    ) -> None:
        """Take vectors from a matrix.

        Args:
            stoi: token -> row.
            vectors: (n, dim).
            dim: length of a vector.
            unk_init: makes vectors of tokens that have none from zeros.
        """
        rows = [vectors[stoi[t]] if t in stoi else unk_init(tp.zeros(dim)) for t in self.itos]
        self.vectors = tp.stack(rows)


def _vectors(given: Any, unk_init: Any, **kwargs: Any) -> Vectors:
    if isinstance(given, Vectors):
        return given
    if given not in pretrained_aliases:
        raise UnknownNameError(f"no vectors {given!r}; there are {sorted(pretrained_aliases)}")
    return pretrained_aliases[given](unk_init=unk_init, **kwargs)


class RawField:
    """A column that stays as it is.

    Args:
        preprocessing: function of each value when an example is made.
        postprocessing: function of the list of values of a batch.
        is_target: whether the column is what a model predicts.
    """

    sequential = use_vocab = False

    def __init__(
        self,
        preprocessing: Callable[[Any], Any] | None = None,
        postprocessing: Callable[..., Any] | None = None,
        is_target: bool = False,
    ) -> None:
        self.preprocessing, self.postprocessing = preprocessing, postprocessing
        self.is_target = is_target

    def preprocess(self, x: Any) -> Any:
        """A value of an example.

        Args:
            x: a value.
        """
        return x if self.preprocessing is None else self.preprocessing(x)

    def process(self, batch: Any, device: Any = None) -> Any:
        """What a batch gets: the values in a list.

        Args:
            batch: preprocessed values.
            device: not used.
        """
        values = list(batch)
        return values if self.postprocessing is None else self.postprocessing(values)


class Field(RawField):
    """A column of texts or labels that becomes a tensor of numbers.

    Args:
        sequential: values are cut into tokens.
        use_vocab: tokens are numbered by a vocabulary; else they are numbers already.
        init_token: put before each text.
        eos_token: put behind each text.
        fix_length: l of every batch; default that of its longest text.
        dtype: of the tensors.
        preprocessing: function of the tokens of a text, before they are numbered.
        postprocessing: function of the numbers of a batch (and the vocabulary, with use_vocab).
        lower: put texts in lower case.
        tokenize: name or function, as in `get_tokenizer`.
        tokenizer_language: as there.
        include_lengths: batches are pairs: the tensor, and (n,) lengths.
        batch_first: tensors are (n, l) rather than (l, n).
        pad_token: fills up shorter texts.
        unk_token: what unknown tokens count as; None makes them an error.
        pad_first: fill up at the beginning.
        truncate_first: cut off at the beginning where fix_length is too short.
        stop_words: tokens to leave out.
        is_target: whether the column is what a model predicts.

    Example:
        >>> field = Field(lower=True, batch_first=True)
        >>> texts = [field.preprocess("The cat"), field.preprocess("A cat sat")]
        >>> field.build_vocab(texts)
        >>> field.vocab.itos[:3]
        ['<unk>', '<pad>', 'cat']
        >>> field.process(texts).tolist()
        [[5, 2, 1], [3, 2, 4]]
    """

    vocab_cls = LegacyVocab
    vocab: LegacyVocab

    def __init__(
        self,
        sequential: bool = True,
        use_vocab: bool = True,
        init_token: str | None = None,
        eos_token: str | None = None,
        fix_length: int | None = None,
        dtype: Any = tp.int64,
        preprocessing: Callable[[Any], Any] | None = None,
        postprocessing: Callable[..., Any] | None = None,
        lower: bool = False,
        tokenize: str | Callable[[str], list[str]] | None = None,
        tokenizer_language: str = "en",
        include_lengths: bool = False,
        batch_first: bool = False,
        pad_token: str | None = "<pad>",
        unk_token: str | None = "<unk>",
        pad_first: bool = False,
        truncate_first: bool = False,
        stop_words: Container[str] | None = None,
        is_target: bool = False,
    ) -> None:
        super().__init__(preprocessing, postprocessing, is_target)
        self.sequential, self.use_vocab = sequential, use_vocab
        self.init_token, self.eos_token, self.fix_length = init_token, eos_token, fix_length
        self.dtype, self.lower, self.stop_words = dtype, lower, stop_words
        self.tokenize = get_tokenizer(tokenize, tokenizer_language)
        self.include_lengths, self.batch_first = include_lengths, batch_first
        self.pad_token = pad_token if sequential else None
        self.unk_token = unk_token
        self.pad_first, self.truncate_first = pad_first, truncate_first

    def preprocess(self, x: Any) -> Any:
        """Tokens of a text; other values in lower case, if that is wanted.

        Args:
            x: a text, or a value that is no text when the field is not sequential.
        """
        if self.sequential and isinstance(x, str):
            x = self.tokenize(x.rstrip("\n"))
        if self.lower:
            x = [t.lower() for t in x] if self.sequential else x.lower()
        if self.sequential and self.use_vocab and self.stop_words is not None:
            x = [token for token in x if token not in self.stop_words]
        return super().preprocess(x)

    def process(self, batch: Any, device: Any = None) -> Any:
        """Tensor of a batch of preprocessed values.

        Args:
            batch: preprocessed values.
            device: of the tensor.
        """
        return self.numericalize(self.pad(batch), device=device)

    def pad(self, minibatch: Iterable[Any]) -> Any:
        """Values filled up to one length, with the tokens at the ends.

        Args:
            minibatch: n lists of tokens; values as they are when the field is not sequential.

        Returns:
            Lists of tokens; with include_lengths, and their lengths.
        """
        rows = list(minibatch)
        if not self.sequential:
            return rows
        ends = (self.init_token is not None) + (self.eos_token is not None)
        room = max(map(len, rows), default=0) if self.fix_length is None else self.fix_length - ends
        padded, lengths = [], []
        for row in rows:
            kept = list(row[max(len(row) - room, 0) :] if self.truncate_first else row[:room])
            whole = [*_given(self.init_token), *kept, *_given(self.eos_token)]
            filling = [self.pad_token] * (room + ends - len(whole))
            padded.append(filling + whole if self.pad_first else whole + filling)
            lengths.append(len(whole))
        return (padded, lengths) if self.include_lengths else padded

    def build_vocab(self, *args: Any, **kwargs: Any) -> None:
        """Number the tokens of datasets, the commonest first.

        Args:
            *args: datasets, of which the columns with this field count, or iterables of values.
            **kwargs: max_size, min_freq and specials of the vocabulary; vectors and unk_init as in
                `LegacyVocab.load_vectors`.
        """
        counter: Counter[Any] = Counter()
        for value in self._values(args):
            counter.update(value if self.sequential else [value])
        self._number(counter, **kwargs)

    def _number(
        self,
        counter: Counter[Any],
        max_size: int | None = None,
        min_freq: int = 1,
        specials: Sequence[str] = (),
        vectors: Any = None,
        unk_init: Any = None,
        vectors_cache: Any = None,
    ) -> None:
        own = [self.unk_token, self.pad_token, self.init_token, self.eos_token, *specials]
        named = [token for token in own if token is not None]
        self.vocab = self.vocab_cls(counter, max_size, min_freq, named, self.unk_token)
        if vectors is not None:
            cache = {} if vectors_cache is None else {"cache": vectors_cache}
            self.vocab.load_vectors(vectors, unk_init, **cache)

    def _values(self, sources: Iterable[Any]) -> Iterator[Any]:
        for source in sources:
            fields = getattr(source, "fields", None)
            if fields is None:
                yield from source
            else:
                for name, field in fields.items():
                    if field is self:
                        yield from getattr(source, name)

    def numericalize(self, arr: Any, device: Any = None) -> Any:
        """Numbers of padded values.

        Args:
            arr: what `pad` gave.
            device: where the tensor goes.

        Returns:
            (l, n), (n, l) or (n,) tensor; with include_lengths, and (n,) lengths.

        Raises:
            DTypeError: include_lengths, and there are no lengths.
        """
        lengths = None
        if self.include_lengths:
            if not isinstance(arr, tuple):
                raise DTypeError(
                    "Field.numericalize: include_lengths wants a pair of values and lengths"
                )
            arr, counts = arr
            lengths = tp.tensor(counts, dtype=tp.int64, device=device)
        numbers = self._numbers(arr)
        if self.postprocessing is not None:
            more = (getattr(self, "vocab", None),) if self.use_vocab else ()
            numbers = self.postprocessing(numbers, *more)
        out = tp.tensor(np.asarray(numbers), dtype=self.dtype, device=device)
        if self.sequential and not self.batch_first:
            out = out.transpose(0, 1).contiguous()
        return out if lengths is None else (out, lengths)

    def _numbers(self, arr: Any) -> Any:
        if self.use_vocab:
            if not hasattr(self, "vocab"):
                raise UnknownNameError("Field: no vocabulary yet; call build_vocab first")
            return [self.vocab(row) for row in arr] if self.sequential else self.vocab(arr)
        kind = float if self.dtype.is_floating_point else int
        return [[kind(x) for x in row] if self.sequential else kind(row) for row in arr]


class LabelField(Field):
    """A column of labels: one token each, no unknown ones and no padding.

    Args:
        **kwargs: as in `Field`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "sequential": False, "unk_token": None, "is_target": True})


def _given(token: str | None) -> list[str]:
    return [] if token is None else [token]
