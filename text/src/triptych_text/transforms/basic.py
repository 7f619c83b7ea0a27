"""Transforms from tokens to tensors, with torchtext's names.

Each takes one text or a list of texts and gives back the same nesting. The functions behind them
are in `triptych_text.functional`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError, UnknownNameError

from .. import functional as F
from ..vocab import Vocab

__all__ = [
    "AddToken",
    "LabelToIndex",
    "PadTransform",
    "Sequential",
    "StrToIntTransform",
    "ToTensor",
    "Truncate",
    "VocabTransform",
]


class Sequential(nn.Sequential):
    """Transforms one after the other.

    Args:
        *modules: transforms, or functions of one argument in modules.

    Example:
        >>> from triptych_text.vocab import Vocab
        >>> words = VocabTransform(Vocab(["<pad>", "<bos>", "a", "cat"]))
        >>> chain = Sequential(words, AddToken(1), ToTensor(padding_value=0))
        >>> chain([["a", "cat"], ["cat"]]).tolist()
        [[1, 2, 3], [1, 3, 0]]
    """

    def forward(self, input: Any) -> Any:
        """The input after all transforms.

        Args:
            input: what the first transform takes.
        """
        for transform in self:
            input = transform(input)
        return input


class VocabTransform(nn.Module):
    """Tokens to ids.

    Args:
        vocab: which id each token has.

    Example:
        >>> from triptych_text.vocab import Vocab
        >>> VocabTransform(Vocab(["a", "cat"]))([["cat"], ["a", "cat"]])
        [[1], [0, 1]]
    """

    def __init__(self, vocab: Vocab) -> None:
        super().__init__()
        self.vocab = vocab

    def forward(self, input: Sequence[Any]) -> list[Any]:
        """Ids of a list of tokens, or of a list of such lists.

        Args:
            input: a list of tokens, or a list of such lists.
        """
        return F.on_each(input, self.vocab.lookup_indices)


class ToTensor(nn.Module):
    """Ids as a tensor.

    Args:
        padding_value: what shorter rows are filled up with; None when all are equally long.
        dtype: of the result.

    Example:
        >>> ToTensor(padding_value=0)([[1, 2], [3]]).tolist()
        [[1, 2], [3, 0]]
    """

    def __init__(self, padding_value: int | None = None, dtype: Any = tp.int64) -> None:
        super().__init__()
        self.padding_value = padding_value
        self.dtype = dtype

    def forward(self, input: Sequence[Any]) -> Tensor:
        """(l,) or (n, l) of ids.

        Args:
            input: a list of ids, or a list of such lists.
        """
        return F.to_tensor(input, padding_value=self.padding_value, dtype=self.dtype)


class Truncate(nn.Module):
    """The first tokens of each text.

    Args:
        max_seq_len: how many to keep at most.

    Example:
        >>> Truncate(2)(["a", "b", "c"])
        ['a', 'b']
    """

    def __init__(self, max_seq_len: int) -> None:
        super().__init__()
        self.max_seq_len = max_seq_len

    def forward(self, input: Sequence[Any]) -> list[Any]:
        """The input, shortened.

        Args:
            input: a list of tokens or ids, or a list of such lists.
        """
        return F.truncate(input, self.max_seq_len)


class AddToken(nn.Module):
    """One more token in each text.

    Args:
        token: the token or its id.
        begin: put it first, else last.

    Example:
        >>> AddToken(9, begin=False)([[1, 2], [3]])
        [[1, 2, 9], [3, 9]]
    """

    def __init__(self, token: int | str, begin: bool = True) -> None:
        super().__init__()
        self.token = token
        self.begin = begin

    def forward(self, input: Sequence[Any]) -> list[Any]:
        """The input with the token.

        Args:
            input: a list of tokens or ids, or a list of such lists.
        """
        return F.add_token(input, self.token, self.begin)


class PadTransform(nn.Module):
    """Fill tensors of ids up to a fixed length; longer ones stay as they are.

    Args:
        max_length: l, in tokens.
        pad_value: id of the padding token.

    Example:
        >>> PadTransform(4, 0)(tp.tensor([5, 6])).tolist()
        [5, 6, 0, 0]
    """

    def __init__(self, max_length: int, pad_value: int) -> None:
        super().__init__()
        self.max_length = max_length
        self.pad_value = float(pad_value)

    def forward(self, x: Tensor) -> Tensor:
        """Fill up.

        Args:
            x: (..., k) ids.

        Returns:
            (..., max(k, max_length)).

        Raises:
            DTypeError: no tensor.
        """
        if not isinstance(x, Tensor):
            raise DTypeError(
                f"PadTransform: wanted a tensor, got a {type(x).__name__}; ToTensor makes one"
            )
        lacking = self.max_length - x.shape[-1]
        if lacking <= 0:
            return x
        filler = tp.full((*x.shape[:-1], lacking), self.pad_value, dtype=x.dtype, device=x.device)
        return tp.cat([x, filler], dim=-1)


class StrToIntTransform(nn.Module):
    """Digits to numbers.

    Example:
        >>> StrToIntTransform()(["1", "22"])
        [1, 22]
    """

    def forward(self, input: Sequence[Any]) -> list[Any]:
        """Numbers in the nesting of the input.

        Args:
            input: a list of texts such as "17", or a list of such lists.
        """
        return F.str_to_int(input)


class LabelToIndex(nn.Module):
    """Names of classes to numbers.

    Args:
        label_names: the names in order.
        label_path: a text file with one name a line, in place of `label_names`.
        sort_names: number the names in alphabetical order.

    Raises:
        ValueError: both or none of `label_names` and `label_path` are given, or a name appears
            twice.
        DTypeError: label_names is one text.

    Example:
        >>> LabelToIndex(["spam", "ham"], sort_names=True)(["spam", "ham"])
        [1, 0]
    """

    def __init__(
        self,
        label_names: Sequence[str] | None = None,
        label_path: str | os.PathLike[str] | None = None,
        sort_names: bool = False,
    ) -> None:
        super().__init__()
        if (label_names is None) == (label_path is None):
            raise ValueError("LabelToIndex: give either label_names or label_path, and not both")
        if label_path is not None:
            with open(label_path, encoding="utf-8-sig") as lines:
                label_names = [line.strip() for line in lines if line.strip()]
        if isinstance(label_names, str):
            raise DTypeError(f"LabelToIndex: wanted a list of names, got the text {label_names!r}")
        names = list(label_names or ())
        self._label_vocab = Vocab(sorted(names) if sort_names else names)
        self._label_names = self._label_vocab.get_itos()

    @property
    def label_names(self) -> list[str]:
        """The names; each one's number is its place."""
        return self._label_names

    def forward(self, labels: str | Sequence[str]) -> int | list[int]:
        """Number of a name, or numbers of a list of names.

        Args:
            labels: one name, or a list.

        Raises:
            UnknownNameError: a name is not among them.
        """
        wanted = [labels] if isinstance(labels, str) else labels
        for name in wanted:
            if name not in self._label_vocab:
                known = ", ".join(map(repr, self._label_names))
                raise _UnknownLabelError(f"LabelToIndex: no label {name!r}; there are {known:.200}")
        found = self._label_vocab.lookup_indices(wanted)
        return found[0] if isinstance(labels, str) else found


class _UnknownLabelError(UnknownNameError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""
