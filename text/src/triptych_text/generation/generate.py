"""Generation of texts with any decoder, alone or behind an encoder."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import DTypeError, ShapeError

from ..models.generative import GenerativeModel
from ..models.outputs import ModelOutput
from .beams import beam_search
from .config import GenerationConfig
from .processors import AllowedTokens, LogitsProcessor, logits_processors
from .search import walk
from .steps import DecoderSteps, EncoderDecoderSteps, Steps
from .stopping import StoppingCriterion, Stops

__all__ = ["GenerateOutput", "generate", "stream_tokens"]


@dataclass
class GenerateOutput(ModelOutput):
    """What `generate` returns with return_dict_in_generate=True.

    Args:
        sequences: (rows, l) int64 ids, the prompt first unless an encoder has read it; filled up
            behind the ends.
        scores: for each step the processed scores of the next token, (rows, v), with
            output_scores=True; with beam search a row for each beam.
        sequences_scores: (rows,) of beam search: logarithms of probabilities, divided by
            length ** length_penalty.
    """

    sequences: Tensor
    scores: tuple[Tensor, ...] | None = None
    sequences_scores: Tensor | None = None


@dataclass
class _Task:
    """All that a search wants."""

    steps: Steps
    ids: np.ndarray
    config: GenerationConfig
    processors: list[LogitsProcessor]
    stops: Stops
    generator: Generator | None


def generate(
    model: GenerativeModel,
    input_ids: Tensor,
    generation_config: GenerationConfig | None = None,
    *,
    attention_mask: Tensor | None = None,
    decoder_input_ids: Tensor | None = None,
    logits_processor: Sequence[LogitsProcessor] = (),
    stopping_criteria: Sequence[StoppingCriterion] = (),
    prefix_allowed_tokens_fn: AllowedTokens | None = None,
    tokenizer: Any = None,
    streamer: Any = None,
    generator: Generator | None = None,
    **settings: Any,
) -> Tensor | GenerateOutput:
    """Continue texts, or, with an encoder, write new ones after reading them.

    Args:
        model: one with a head that scores words, in evaluation mode.
        input_ids: (n, l) int64 prompts, or the texts to read. Padding stands on the left for
            decoders without an encoder, so that all prompts end where the new text begins.
        generation_config: settings; default those of the model.
        attention_mask: (n, l), 1 for tokens and 0 for padding; default told by pad_token_id, where
            the prompts hold it and it is no end token.
        decoder_input_ids: (n, t) int64 begin of what is written, with an encoder; default the
            start token.
        logits_processor: further processors of scores; see `processors`.
        stopping_criteria: called with ids (rows, l) and scores; say which rows are finished.
        prefix_allowed_tokens_fn: called with the number of a prompt and the ids so far, (l,);
            returns the ids that may follow.
        tokenizer: reads what is written; wanted with stop_strings.
        streamer: its `put` gets the prompt and each new token as (rows,) or (n, l) tensors, its
            `end` is called last; not with beams.
        generator: source of the draws; default the global one.
        **settings: those of `GenerationConfig`, in place of the model's.

    Returns:
        (rows, l) int64 ids, n * num_return_sequences rows; or a `GenerateOutput` with
        return_dict_in_generate=True.

    Raises:
        DTypeError, ShapeError: input_ids is not (n, l) of whole numbers, or a setting is out of its
            range or contradicts another.
        UnknownNameError: no such setting, or stop strings without a tokenizer.

    Warns:
        UserWarning: padding on the right of a prompt.

    Example:
        >>> from triptych_text.models import GPT2Config, GPT2LMHeadModel
        >>> config = GPT2Config(vocab_size=9, n_positions=8, n_embd=8, n_layer=1, n_head=2)
        >>> model = GPT2LMHeadModel(config).eval()
        >>> out = generate(model, tp.tensor([[1, 2]]), max_new_tokens=4, min_new_tokens=4)
        >>> out.shape, out[0, :2].tolist()
        (Size([1, 6]), [1, 2])
    """
    config = (generation_config or model.generation_config).updated(**settings)
    with tp.inference_mode():
        task = _prepare(
            model, input_ids, config, attention_mask, decoder_input_ids, logits_processor,
            stopping_criteria, prefix_allowed_tokens_fn, tokenizer, generator,
        )  # fmt: skip
        if config.num_beams > 1:
            return _with_beams(task, streamer)
        return _by_walking(task, streamer)


def stream_tokens(model: GenerativeModel, input_ids: Tensor, **options: Any) -> Iterator[Tensor]:
    """The new tokens of `generate`, one step at a time.

    Args:
        model, input_ids, **options: as `generate` takes them, without beams.

    Yields:
        (rows,) int64 the new token of each row.

    Raises:
        ShapeError: num_beams is above 1; beams change their minds.

    Example:
        >>> from triptych_text.models import GPT2Config, GPT2LMHeadModel
        >>> config = GPT2Config(vocab_size=9, n_positions=8, n_embd=8, n_layer=1, n_head=2)
        >>> model = GPT2LMHeadModel(config).eval()
        >>> len(list(stream_tokens(model, tp.tensor([[1, 2]]), max_new_tokens=4, eos_token_id=[])))
        4
    """
    named = {name: options.pop(name) for name in list(options) if name in _OPTIONS}
    given = options.pop("generation_config", None) or model.generation_config
    config = given.updated(**options)
    if config.num_beams > 1:
        raise ShapeError("stream_tokens: num_beams must be 1; beams change what was written before")
    with tp.inference_mode():
        task = _prepare(model, input_ids, config, **{**_OPTIONS, **named})
    walked = walk(task.steps, task.ids, config, task.processors, task.stops, task.generator)
    while True:
        with tp.inference_mode():  # not around the yield: the caller's code is not in it
            step = next(walked, None)
        if step is None:
            return
        yield tp.from_numpy(step[0])


_OPTIONS: dict[str, Any] = {
    "attention_mask": None,
    "decoder_input_ids": None,
    "logits_processor": (),
    "stopping_criteria": (),
    "prefix_allowed_tokens_fn": None,
    "tokenizer": None,
    "generator": None,
}


def _prepare(
    model: GenerativeModel,
    input_ids: Tensor,
    config: GenerationConfig,
    attention_mask: Tensor | None,
    decoder_input_ids: Tensor | None,
    logits_processor: Sequence[LogitsProcessor],
    stopping_criteria: Sequence[StoppingCriterion],
    prefix_allowed_tokens_fn: AllowedTokens | None,
    tokenizer: Any,
    generator: Generator | None,
) -> _Task:
    config.check()
    _check_prompts(input_ids)
    mask = _mask(input_ids, attention_mask, config)
    steps: Steps
    if model.is_encoder_decoder:
        ids = _start(len(input_ids), decoder_input_ids, config)
        seen = None if mask is None else tp.from_numpy(mask)
        states: Tensor = model.encode(input_ids, seen).last_hidden_state
        steps = EncoderDecoderSteps(model, states, seen, config.use_cache)
    else:
        ids = input_ids.long().numpy()
        if mask is not None and not mask[:, -1].all():
            warnings.warn(
                "generate: a prompt has padding on its right, where the new text begins; pad on "
                'the left: Tokenizer(..., padding_side="left")',
                UserWarning,
                stacklevel=4,
            )
        steps = DecoderSteps(model, mask, config.use_cache)
    prompt = ids.shape[1]
    decoder_only = mask is not None and not model.is_encoder_decoder
    padding = (mask != 0).argmax(1) if mask is not None and decoder_only else None
    least, most = config.limits(prompt, getattr(model.config, "max_position_embeddings", None))
    processors = logits_processors(
        config, prompt, least, most, prefix_allowed_tokens_fn, logits_processor, padding
    )
    stops = Stops(config, prompt, most, tokenizer, stopping_criteria)
    return _Task(steps, ids, config, processors, stops, generator)


def _check_prompts(input_ids: Tensor) -> None:
    if not isinstance(input_ids, Tensor):
        raise DTypeError(
            f"generate: wanted input_ids as a tensor (n, l), got a {type(input_ids).__name__}; "
            "make one with triptych.tensor(...)"
        )
    shape = tuple(input_ids.shape)
    whole = not input_ids.is_floating_point()
    if len(shape) != 2 or 0 in shape or not whole:
        raise ShapeError(
            f"generate: wanted input_ids (n, l) of whole numbers, n and l above 0, got {shape} of "
            f"{input_ids.dtype}; for one text use input_ids[None]"
        )


def _mask(
    input_ids: Tensor, attention_mask: Tensor | None, config: GenerationConfig
) -> np.ndarray | None:
    """(n, l) int64; None where there is no padding."""
    padding = config.pad_token_id
    if attention_mask is not None:
        if tuple(attention_mask.shape) != tuple(input_ids.shape):
            raise ShapeError(
                f"generate: wanted attention_mask {tuple(input_ids.shape)} as input_ids, got "
                f"{tuple(attention_mask.shape)}"
            )
        mask = attention_mask.numpy().astype(np.int64)
    elif padding is not None and padding not in config.end_ids:
        mask = (input_ids.numpy() != padding).astype(np.int64)
    else:
        return None
    return None if mask.all() else mask


def _start(count: int, decoder_input_ids: Tensor | None, config: GenerationConfig) -> np.ndarray:
    """(n, t) int64 what the decoder starts from."""
    start = config.decoder_start_token_id
    if start is None:
        start = config.bos_token_id
    if decoder_input_ids is not None:
        ids = decoder_input_ids.long().numpy()
        if start is not None and not (ids[:, 0] == start).all():
            ids = np.concatenate([np.full((count, 1), start), ids], 1)
        return ids
    if start is None:
        raise ShapeError(
            "generate: neither decoder_start_token_id nor bos_token_id is set; set one, or give "
            "decoder_input_ids"
        )
    return np.full((count, 1), start, np.int64)


def _by_walking(task: _Task, streamer: Any) -> Tensor | GenerateOutput:
    config, ids = task.config, task.ids
    if streamer is not None:
        streamer.put(tp.from_numpy(ids))
    tokens: list[np.ndarray] = []
    kept: list[Tensor] = []
    walked = walk(task.steps, ids, config, task.processors, task.stops, task.generator)
    for new, scores in walked:
        tokens.append(new)
        if config.output_scores:
            kept.append(scores)
        if streamer is not None:
            streamer.put(tp.from_numpy(new))
    if streamer is not None:
        streamer.end()
    first = np.repeat(ids, config.num_return_sequences, 0)
    sequences = tp.from_numpy(np.concatenate([first, np.stack(tokens, 1)], 1))
    if not config.return_dict_in_generate:
        return sequences
    return GenerateOutput(sequences, tuple(kept) if config.output_scores else None)


def _with_beams(task: _Task, streamer: Any) -> Tensor | GenerateOutput:
    config = task.config
    if streamer is not None:
        raise ShapeError("generate: a streamer wants num_beams=1; beams change what was written")
    if config.num_return_sequences > config.num_beams:
        raise ShapeError(
            f"generate: wanted num_return_sequences <= num_beams = {config.num_beams}, got "
            f"{config.num_return_sequences}"
        )
    found = beam_search(task.steps, task.ids, config, task.processors, task.stops, task.generator)
    sequences = tp.from_numpy(found.ids)
    if not config.return_dict_in_generate:
        return sequences
    scores = tuple(found.steps) if config.output_scores else None
    return GenerateOutput(sequences, scores, tp.from_numpy(found.scores))
