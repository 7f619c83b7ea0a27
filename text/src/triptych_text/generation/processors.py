"""What is done to the scores of the next token before one is chosen.

A processor is called with the ids so far, (n, l) int64, and their scores, (n, v), and returns new
scores. Names and results are those of Hugging Face's transformers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError
from triptych.nn import functional as F

from .config import GenerationConfig

__all__ = [
    "ForcedBOSTokenLogitsProcessor",
    "ForcedEOSTokenLogitsProcessor",
    "LogitsProcessor",
    "MinLengthLogitsProcessor",
    "MinPLogitsWarper",
    "NoBadWordsLogitsProcessor",
    "NoRepeatNGramLogitsProcessor",
    "PrefixConstrainedLogitsProcessor",
    "RepetitionPenaltyLogitsProcessor",
    "SuppressTokensAtBeginLogitsProcessor",
    "SuppressTokensLogitsProcessor",
    "TemperatureLogitsWarper",
    "TopKLogitsWarper",
    "TopPLogitsWarper",
    "logits_processors",
]

AllowedTokens = Callable[[int, Tensor], Sequence[int]]


class LogitsProcessor(Protocol):
    """What changes the scores of the next token: any function of the ids so far and the scores."""

    def __call__(self, input_ids: Tensor, scores: Tensor, /) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v) scores; -inf bans a token."""
        ...


def _without(scores: Tensor, banned: Tensor | np.ndarray) -> Tensor:
    """Scores with minus infinity where `banned`, (v,) or (n, v), is true."""
    mask = tp.from_numpy(banned) if isinstance(banned, np.ndarray) else banned
    return scores.masked_fill(mask, -math.inf)


def _marked(size: int, ids: Sequence[int]) -> np.ndarray:
    marks = np.zeros(size, bool)
    marks[[i for i in ids if 0 <= i < size]] = True
    return marks


class RepetitionPenaltyLogitsProcessor:
    """Makes tokens that were there before less probable.

    Args:
        penalty: above 0; positive scores are divided by it, negative ones multiplied.
        prompt_ignore_length: (n,) first tokens of each text that do not count, such as padding.

    Source: Keskar et al. 2019, "CTRL", section 4.1.

    Example:
        >>> process = RepetitionPenaltyLogitsProcessor(2.0)
        >>> process(tp.tensor([[0, 1]]), tp.tensor([[1.0, -1.0, 1.0]])).tolist()
        [[0.5, -2.0, 1.0]]
    """

    def __init__(self, penalty: float, prompt_ignore_length: np.ndarray | None = None) -> None:
        self.penalty, self.ignored = penalty, prompt_ignore_length

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        seen, size = ids.numpy(), scores.shape[1]
        if self.ignored is not None:
            seen = np.where(np.arange(seen.shape[1]) < self.ignored[:, None], size, seen)
        marks = np.zeros((len(seen), size + 1), bool)
        np.put_along_axis(marks, seen, True, 1)
        less = tp.where(scores < 0, scores * self.penalty, scores / self.penalty)
        return tp.where(tp.from_numpy(marks[:, :size]), less, scores)


class NoRepeatNGramLogitsProcessor:
    """Lets no run of tokens come twice.

    Args:
        size: tokens of a run, above 0.
    """

    def __init__(self, size: int) -> None:
        self.size = size

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        seen = ids.numpy()
        if seen.shape[1] < self.size:
            return scores
        runs = np.lib.stride_tricks.sliding_window_view(seen, self.size, 1)  # (n, runs, size)
        latest = seen[:, seen.shape[1] - self.size + 1 :]
        begun = (runs[:, :, :-1] == latest[:, None]).all(-1)
        rows, places = np.nonzero(begun)
        banned = np.zeros(tuple(scores.shape), bool)
        banned[rows, runs[rows, places, -1]] = True
        return _without(scores, banned)


class NoBadWordsLogitsProcessor:
    """Lets given runs of tokens never come.

    Args:
        bad_words_ids: the runs, none empty.
        end_ids: the end tokens, which by themselves are never held back.

    Raises:
        ShapeError: a run is empty.
    """

    def __init__(self, bad_words_ids: Sequence[Sequence[int]], end_ids: Sequence[int] = ()) -> None:
        ends = [[token] for token in end_ids]
        self.runs = [run for run in map(list, bad_words_ids) if run not in ends]
        if not all(self.runs):
            raise ShapeError("generate: bad_words_ids holds an empty run")

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        seen = ids.numpy()
        banned = np.zeros(tuple(scores.shape), bool)
        for *before, last in self.runs:
            if len(before) <= seen.shape[1] and last < banned.shape[1]:
                tail = seen[:, seen.shape[1] - len(before) :]
                banned[(tail == before).all(1), last] = True
        return _without(scores, banned)


class MinLengthLogitsProcessor:
    """Holds the end token back while the text is short.

    Args:
        min_length: in tokens, the prompt included.
        end_ids: the end tokens.
    """

    def __init__(self, min_length: int, end_ids: Sequence[int]) -> None:
        self.min_length, self.end_ids = min_length, list(end_ids)

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        if ids.shape[1] >= self.min_length:
            return scores
        return _without(scores, _marked(scores.shape[1], self.end_ids))


class PrefixConstrainedLogitsProcessor:
    """Allows only the tokens that a function names.

    Args:
        allowed: is called with the number of the prompt and the ids so far, (l,) int64, and
            returns the ids that may follow, at least one.
        num_beams: rows for each prompt.
    """

    def __init__(self, allowed: AllowedTokens, num_beams: int) -> None:
        self.allowed, self.num_beams = allowed, num_beams

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v).

        Raises:
            ShapeError: the function allows nothing.
        """
        banned = np.ones(tuple(scores.shape), bool)
        for row in range(len(ids)):
            found = list(self.allowed(row // self.num_beams, ids[row]))
            if not found:
                raise ShapeError(
                    f"generate: prefix_allowed_tokens_fn allows no token after {ids[row].tolist()} "
                    f"of prompt {row // self.num_beams}; return at least one id, such as the end "
                    "token's"
                )
            banned[row, found] = False
        return _without(scores, banned)


class _Forced:
    """Puts a token at a place.

    Args:
        token_id: the token.
        length: of the text before it.
    """

    def __init__(self, token_id: int | Sequence[int], length: int) -> None:
        self.ids = [token_id] if isinstance(token_id, int) else list(token_id)
        self.length = length

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        if ids.shape[1] != self.length:
            return scores
        marks = tp.from_numpy(_marked(scores.shape[1], self.ids))
        return tp.where(marks, tp.zeros_like(scores), -math.inf)


class ForcedBOSTokenLogitsProcessor(_Forced):
    """Puts a token behind the start token.

    Args:
        token_id: the token.
    """

    def __init__(self, token_id: int) -> None:
        super().__init__(token_id, 1)


class ForcedEOSTokenLogitsProcessor(_Forced):
    """Puts a token last where the longest length is reached.

    Args:
        max_length: longest length.
        token_id: the token, or several of which one comes.
    """

    def __init__(self, max_length: int, token_id: int | Sequence[int]) -> None:
        super().__init__(token_id, max_length - 1)


class SuppressTokensLogitsProcessor:
    """Lets tokens never come.

    Args:
        token_ids: the tokens.
    """

    def __init__(self, token_ids: Sequence[int]) -> None:
        self.token_ids = list(token_ids)

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        return _without(scores, _marked(scores.shape[1], self.token_ids))


class SuppressTokensAtBeginLogitsProcessor(SuppressTokensLogitsProcessor):
    """Lets tokens not come first.

    Args:
        token_ids: the tokens.
        begin: length of the text before the first one.
    """

    def __init__(self, token_ids: Sequence[int], begin: int) -> None:
        super().__init__(token_ids)
        self.begin = begin

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        return super().__call__(ids, scores) if ids.shape[1] == self.begin else scores


class TemperatureLogitsWarper:
    """Divides scores: above 1 levels probabilities, below 1 sharpens them.

    Args:
        temperature: above 0.
    """

    def __init__(self, temperature: float) -> None:
        self.temperature = temperature

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        return scores / self.temperature


class TopKLogitsWarper:
    """Keeps the best tokens.

    Args:
        top_k: how many.
        min_tokens_to_keep: at least so many.
    """

    def __init__(self, top_k: int, min_tokens_to_keep: int = 1) -> None:
        self.top_k = max(top_k, min_tokens_to_keep)

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        count = min(self.top_k, scores.shape[-1])
        return _without(scores, scores < tp.topk(scores, count)[0][:, -1:])


class TopPLogitsWarper:
    """Keeps the fewest best tokens whose probabilities sum up to p.

    Args:
        top_p: p, from 0 to 1.
        min_tokens_to_keep: at least so many.

    Source: Holtzman et al. 2019, "The Curious Case of Neural Text Degeneration", section 3.1.
    """

    def __init__(self, top_p: float, min_tokens_to_keep: int = 1) -> None:
        self.top_p, self.least = top_p, min_tokens_to_keep

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        ordered, places = tp.sort(scores, descending=False)
        spare = F.softmax(ordered, -1).cumsum(-1) <= 1 - self.top_p
        spare[:, scores.shape[1] - self.least :] = False
        return _without(scores, tp.zeros_like(spare).scatter(1, places, spare))


class MinPLogitsWarper:
    """Keeps tokens that are not much less probable than the best.

    Args:
        min_p: least share of the best one's probability.
        min_tokens_to_keep: at least so many.

    Source: Nguyen et al. 2024, "Turning Up the Heat: Min-p Sampling".
    """

    def __init__(self, min_p: float, min_tokens_to_keep: int = 1) -> None:
        self.min_p, self.least = min_p, min_tokens_to_keep

    def __call__(self, ids: Tensor, scores: Tensor) -> Tensor:
        """(n, l) ids and (n, v) scores to (n, v)."""
        probabilities = F.softmax(scores, -1)
        spare = probabilities < self.min_p * probabilities.amax(-1, keepdim=True)
        best = tp.topk(scores, self.least)[1]
        return _without(scores, spare.scatter(1, best, tp.zeros_like(best, dtype=tp.bool)))


def logits_processors(
    config: GenerationConfig,
    prompt: int,
    least: int,
    most: int,
    allowed: AllowedTokens | None = None,
    own: Sequence[LogitsProcessor] = (),
    padding: np.ndarray | None = None,
) -> list[LogitsProcessor]:
    """What the settings ask for, in the order in which transformers applies it.

    Args:
        config: the settings.
        prompt: tokens that are there already.
        least, most: tokens of the result, the prompt included.
        allowed: of `PrefixConstrainedLogitsProcessor`.
        own: further ones; they come before those of a draw.
        padding: (n,) tokens of padding on the left of each prompt.
    """
    if padding is not None:
        padding = np.repeat(padding, _rows(config))
    ends, keep = config.end_ids, 1
    if config.num_beams > 1:
        keep = len(ends) + 1
    first = prompt if config.forced_bos_token_id is None or prompt > 1 else prompt + 1
    sample = config.do_sample
    # (wanted, maker)
    table: list[tuple[object, Callable[[], LogitsProcessor]]] = [
        (
            config.repetition_penalty != 1.0,
            lambda: RepetitionPenaltyLogitsProcessor(config.repetition_penalty, padding),
        ),
        (
            config.no_repeat_ngram_size,
            lambda: NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size),
        ),
        (
            config.bad_words_ids,
            lambda: NoBadWordsLogitsProcessor(config.bad_words_ids or (), ends),
        ),
        (least > prompt and ends, lambda: MinLengthLogitsProcessor(least, ends)),
        (
            allowed,
            lambda: PrefixConstrainedLogitsProcessor(allowed or _nothing, _rows(config)),
        ),
        (
            config.forced_bos_token_id is not None,
            lambda: ForcedBOSTokenLogitsProcessor(config.forced_bos_token_id or 0),
        ),
        (
            config.forced_eos_token_id is not None,
            lambda: ForcedEOSTokenLogitsProcessor(most, config.forced_eos_token_id or 0),
        ),
        (
            config.suppress_tokens,
            lambda: SuppressTokensLogitsProcessor(config.suppress_tokens or ()),
        ),
        (
            config.begin_suppress_tokens,
            lambda: SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens or (), first),
        ),
        *((True, lambda process=process: process) for process in own),
        (
            sample and config.temperature != 1.0,
            lambda: TemperatureLogitsWarper(config.temperature),
        ),
        (sample and config.top_k, lambda: TopKLogitsWarper(config.top_k, keep)),
        (sample and config.top_p < 1.0, lambda: TopPLogitsWarper(config.top_p, keep)),
        (
            sample and config.min_p is not None,
            lambda: MinPLogitsWarper(config.min_p or 0.0, keep),
        ),
    ]
    return [make() for wanted, make in table if wanted]


def _rows(config: GenerationConfig) -> int:
    """Rows of the batch for each prompt."""
    return config.num_beams if config.num_beams > 1 else config.num_return_sequences


def _nothing(prompt: int, ids: Tensor) -> Sequence[int]:
    return ()
