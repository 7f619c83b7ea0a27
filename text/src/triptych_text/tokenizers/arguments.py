"""Arguments of a tokenizer's calls: checked, and put into the library's form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from triptych import Tensor
from triptych.errors import BoundsError, DomainError, DTypeError

from .well_formed import well_formed

__all__ = ["Limit", "MOST_IDS", "Truncation", "as_ids", "check_room", "checked_inputs",
           "is_of_library", "options_of", "truncation_limit"]  # fmt: skip

Truncation = bool | Literal["longest_first", "only_first", "only_second"]
Limit = tuple[int, int, str]  # length in tokens, stride in tokens, which text to cut
STRATEGIES = ("longest_first", "only_first", "only_second")
MOST_IDS = 1 << 32  # the library counts ids in 32 bits
NO_LIMIT = 10**9  # tokens; tokenizer_config.json files say 1e30 for "no limit"


def truncation_limit(
    truncation: Truncation, max_length: int | None, stride: int, default: int | None
) -> Limit | None:
    """The library's truncation setting for one call.

    Args:
        truncation: False for none, True for "longest_first", or the name of what to cut.
        max_length: in tokens.
        stride: tokens that a piece repeats of the piece before it.
        default: the tokenizer's own maximum, taken when `max_length` is None.

    Returns:
        None when nothing is cut.

    Raises:
        ValueError: an unknown strategy, no length, or a stride that is not below it.
        DTypeError: the length or the stride is no whole number.

    Example:
        >>> truncation_limit(True, None, 0, 512)
        (512, 0, 'longest_first')
    """
    if truncation is False:
        return None
    strategy = "longest_first" if truncation is True else truncation
    if strategy not in STRATEGIES:
        raise ValueError(
            f"Tokenizer: truncation is True, False or one of {STRATEGIES}, got {truncation!r}"
        )
    length = default if max_length is None else max_length
    if length is None:
        raise ValueError(
            "Tokenizer: truncation without a length: this tokenizer has no max_length of its own; "
            "pass max_length="
        )
    for name, number in (("max_length", length), ("stride", stride)):
        if not hasattr(number, "__index__"):
            raise DTypeError(f"Tokenizer: {name} is a number of tokens, got {number!r}")
    if not 0 <= stride < max(length, 1):
        raise ValueError(f"Tokenizer: stride {stride} must be in 0 <= stride < {length}")
    return length, stride, strategy


def check_room(limit: Limit, added: int, paired: bool) -> None:
    """Check that a text has room beside the special tokens, and more than the stride.

    Args:
        limit: length, stride and strategy.
        added: how many special tokens are put in.
        paired: whether there are second texts; how they share the room depends on their lengths.

    Raises:
        DomainError: there is too little room.
    """
    room = limit[0] - added
    if room < 0:
        raise DomainError(
            f"Tokenizer: max_length {limit[0]} leaves no room for the {added} special tokens; "
            "pass a larger one, or add_special_tokens=False"
        )
    if not paired and 0 < room <= limit[1]:
        raise DomainError(
            f"Tokenizer: stride {limit[1]} must be below the {room} tokens that max_length "
            f"{limit[0]} leaves beside {added} special ones"
        )


def is_of_library(error: BaseException) -> bool:
    """Whether an error is of a kind that the `tokenizers` library raises: plain, or a panic.

    Args:
        error: what came.
    """
    return type(error) is Exception or type(error).__name__ == "PanicException"


def checked_inputs(texts: Sequence[str | bytes], pairs: Sequence[str | bytes] | None) -> list[Any]:
    """Texts, or pairs of them, as the library takes them: well formed.

    Args:
        texts: n texts.
        pairs: n second texts, or None.

    Returns:
        n texts, or n tuples of two.

    Raises:
        DTypeError: one of them is neither a `str` nor bytes.
        ValueError: there are not as many of both.
    """
    _check_strings("texts", texts)
    _check_strings("pairs", () if pairs is None else pairs)
    if pairs is None:
        return [well_formed(text) for text in texts]
    if len(pairs) != len(texts):
        raise ValueError(f"Tokenizer: {len(texts)} texts and {len(pairs)} pairs; counts must match")
    return [(well_formed(a), well_formed(b)) for a, b in zip(texts, pairs, strict=True)]


def _check_strings(name: str, values: Any) -> None:
    if isinstance(values, str | bytes) or not isinstance(values, Iterable):
        came = f"a single {type(values).__name__}"
        raise DTypeError(f"Tokenizer: {name} is a sequence of str, got {came}")
    for i, value in enumerate(values):
        if not isinstance(value, str | bytes):
            raise DTypeError(
                f"Tokenizer: {name} is a sequence of str, got a {type(value).__name__} at "
                f"position {i}"
            )


def as_ids(ids: Sequence[int] | Tensor) -> list[int]:
    """Ids as a flat list.

    Args:
        ids: a list, tuple, array or tensor of (l,) integers.

    Raises:
        DTypeError: it is something else.
        BoundsError: a number is no id of any vocabulary, such as the -100 of labels.
    """
    values = ids.tolist() if hasattr(ids, "tolist") else ids
    values = list(values) if isinstance(values, Iterable) else values
    if not isinstance(values, list) or not all(type(v) is int for v in values):
        raise DTypeError(
            f"Tokenizer.decode: wanted a flat list of integers, got {values!r:.60}; use "
            "decode_batch for rows of ids"
        )
    if values and not 0 <= min(values) <= max(values) < MOST_IDS:
        wrong = next(v for v in values if not 0 <= v < MOST_IDS)
        raise BoundsError(
            f"Tokenizer.decode: {wrong} is no id; leave out what only marks places, such as -100"
        )
    return values


def options_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Keyword arguments of `Tokenizer` that a tokenizer_config.json tells.

    Args:
        config: content of the file.
    """
    pad = config.get("pad_token")
    options = {
        "pad_token": pad.get("content") if isinstance(pad, dict) else pad,
        "padding_side": config.get("padding_side"),
        "truncation_side": config.get("truncation_side"),
    }
    longest = config.get("model_max_length")
    if isinstance(longest, int) and longest < NO_LIMIT:
        options["max_length"] = longest
    return options
