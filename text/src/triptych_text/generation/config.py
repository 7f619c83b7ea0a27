"""Settings of generation, read from and written to generation_config.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from triptych.errors import DTypeError, ShapeError, UnknownNameError

from ..models.config import ModelConfig

__all__ = ["GenerationConfig"]

NUMBERS = (
    "length_penalty",
    "min_length",
    "no_repeat_ngram_size",
    "num_beams",
    "num_return_sequences",
    "repetition_penalty",
    "temperature",
    "top_k",
    "top_p",
)
NEW_TOKENS = 20  # how many, where nothing says it. Source: transformers' default


@dataclass(kw_only=True)
class GenerationConfig:
    """How to generate. Names and defaults are those of Hugging Face's transformers.

    Args:
        max_length: longest result in tokens, with the prompt of decoders without an encoder.
        max_new_tokens: most tokens behind the prompt; goes before max_length. Without both it is
            20, and no more than the model has places for.
        min_length, min_new_tokens: the same from below: the end token is held back.
        do_sample: draw tokens, in place of taking the best.
        num_beams: texts that are followed at once for each prompt; 1 is no beam search.
        temperature: logits are divided by it before a draw; above 0.
        top_k: only the k best tokens are drawn; 0 for all.
        top_p: only the best tokens whose probabilities sum up to p are drawn.
        min_p: only tokens at least this times as probable as the best are drawn.
        repetition_penalty: above 1 makes tokens that were there before less probable.
        no_repeat_ngram_size: no run of so many tokens comes twice; 0 for any.
        length_penalty: beams' scores are divided by their length to this power.
        early_stopping: beam search ends with num_beams finished texts (True), when better ones are
            unlikely (False), or when there can be none ("never").
        num_return_sequences: results for each prompt; with beam search no more than num_beams.
        pad_token_id: fills up finished texts; default the first end token.
        bos_token_id, decoder_start_token_id: what a decoder behind an encoder starts from.
        eos_token_id: the end token, or several.
        forced_bos_token_id: the first token after the start, such as a language's.
        forced_eos_token_id: the last token where max_length is reached.
        suppress_tokens, begin_suppress_tokens: ids that never come, or not first.
        bad_words_ids: runs of ids that never come.
        stop_strings: texts that end the generation, where they have been written.
        use_cache: keep keys and values of earlier tokens; the result is the same.
        output_scores: also return the scores of each step.
        return_dict_in_generate: return a `GenerateOutput`.

    Example:
        >>> GenerationConfig(do_sample=True, top_p=0.9).updated(temperature=0.7).temperature
        0.7
    """

    max_length: int | None = None
    max_new_tokens: int | None = None
    min_length: int = 0
    min_new_tokens: int | None = None
    do_sample: bool = False
    num_beams: int = 1
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    min_p: float | None = None
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    length_penalty: float = 1.0
    early_stopping: bool | str = False
    num_return_sequences: int = 1
    pad_token_id: int | None = None
    bos_token_id: int | None = None
    eos_token_id: int | Sequence[int] | None = None
    decoder_start_token_id: int | None = None
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | None = None
    suppress_tokens: Sequence[int] | None = None
    begin_suppress_tokens: Sequence[int] | None = None
    bad_words_ids: Sequence[Sequence[int]] | None = None
    stop_strings: str | Sequence[str] | None = None
    use_cache: bool = True
    output_scores: bool = False
    return_dict_in_generate: bool = False

    @classmethod
    def from_model_config(cls, config: ModelConfig) -> Self:
        """The special tokens that a model's settings name."""
        names = {field.name for field in dataclasses.fields(cls) if "token_id" in field.name}
        found = {name: getattr(config, name, None) for name in names}
        return cls(**{name: value for name, value in found.items() if value is not None})

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], config: ModelConfig) -> Self:
        """Settings of a generation_config.json; what it leaves out comes from the model's.

        Args:
            values: content of the file; keys that are not known here are left out.
            config: settings of the model.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        known = {k: v for k, v in values.items() if k in names and v is not None}
        return dataclasses.replace(cls.from_model_config(config), **known)

    def to_dict(self) -> dict[str, Any]:
        """What differs from the defaults, as a generation_config.json holds it."""
        plain = type(self)()
        every = dataclasses.asdict(self)
        return {k: v for k, v in every.items() if v != getattr(plain, k)}

    def updated(self, **changes: Any) -> Self:
        """A copy with some settings changed.

        Raises:
            UnknownNameError: there is no such setting.
        """
        names = {field.name for field in dataclasses.fields(self)}
        unknown = sorted(set(changes) - names)
        if unknown:
            raise UnknownNameError(
                f"generate: no setting is named {', '.join(unknown)}; there are "
                f"{', '.join(sorted(names))}"
            )
        return dataclasses.replace(self, **changes)

    @property
    def end_ids(self) -> list[int]:
        """The end tokens."""
        ends = self.eos_token_id
        if ends is None:
            return []
        return [ends] if isinstance(ends, int) else list(ends)

    @property
    def fill_id(self) -> int:
        """What fills up finished texts."""
        if self.pad_token_id is not None:
            return self.pad_token_id
        return self.end_ids[0] if self.end_ids else 0

    @property
    def stops(self) -> list[str]:
        """Texts that end the generation."""
        found = self.stop_strings
        if found is None:
            return []
        return [found] if isinstance(found, str) else list(found)

    def limits(self, prompt: int, longest: int | None) -> tuple[int, int]:
        """Least and most tokens of a result, the prompt included.

        Args:
            prompt: tokens that are there already.
            longest: that the model has places for; None when it minds none.

        Raises:
            ShapeError: the prompt is as long as the result may be.
        """
        if self.max_new_tokens is not None:
            most = prompt + self.max_new_tokens
        elif self.max_length is not None:
            most = self.max_length
        else:
            most = min(prompt + NEW_TOKENS, longest or prompt + NEW_TOKENS)
        least = self.min_length
        if self.min_new_tokens is not None:
            least = prompt + self.min_new_tokens
        if most <= prompt:
            raise ShapeError(
                f"generate: the prompt has {prompt} tokens, and the result may have {most}; raise "
                "max_new_tokens (or max_length, which counts the prompt), or cut the prompt"
            )
        return least, most

    def check(self) -> None:
        """Refuse settings that contradict each other.

        Raises:
            ShapeError: a number is out of its range.
            DTypeError: one is no number, or early_stopping is none of its three values.
        """
        for name in NUMBERS:
            value = getattr(self, name)
            if not isinstance(value, int | float):
                raise DTypeError(f"generate: {name} is a number, got {value!r}")
        rules = {
            "num_beams >= 1": self.num_beams >= 1,
            "num_return_sequences >= 1": self.num_return_sequences >= 1,
            "temperature > 0": self.temperature > 0,
            "top_k >= 0": self.top_k >= 0,
            "0 <= top_p <= 1": 0 <= self.top_p <= 1,
            "0 <= min_p <= 1": self.min_p is None or 0 <= self.min_p <= 1,
            "repetition_penalty > 0": self.repetition_penalty > 0,
            "no_repeat_ngram_size >= 0": self.no_repeat_ngram_size >= 0,
        }
        for rule, kept in rules.items():
            if not kept:
                name = next(word for word in rule.split() if word.isidentifier())
                raise ShapeError(f"generate: wanted {rule}, got {name}={getattr(self, name)!r}")
        if self.early_stopping not in (True, False, "never"):
            raise DTypeError(
                f'generate: early_stopping={self.early_stopping!r}; wanted True, False or "never"'
            )
        if "" in self.stops:
            raise ShapeError('generate: stop_strings hold "", which is in every text; leave it out')
        several = self.num_return_sequences > 1
        if several and not self.do_sample and self.num_return_sequences > self.num_beams:
            raise ShapeError(
                f"generate: {self.num_return_sequences} different results want do_sample=True, or "
                f"as many beams; num_beams={self.num_beams}"
            )
