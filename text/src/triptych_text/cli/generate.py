"""`triptych-text generate`: what a model writes on."""

from __future__ import annotations

import argparse
import sys
from typing import Any

import triptych as tp
from triptych.errors import DomainError

from ..pipelines import AUSTEN_LM, TextGeneration
from .texts import argument

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the prompt and what follows it, at once or as it is written.

    Args:
        arguments: `prompt`, `model`, `stream`, `max_new_tokens`, `temperature`, `top_k`, `top_p`,
            `seed` and `stop`.

    Returns:
        0.

    Raises:
        DomainError: the prompt is empty, or fills all the places that the model has.
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such model.
    """
    name = arguments.model
    writer = AUSTEN_LM.get_generator() if name is None else TextGeneration.from_pretrained(name)
    if arguments.seed is not None:
        tp.manual_seed(arguments.seed)
    prompt, options = argument(arguments.prompt), _options(arguments)
    options["max_new_tokens"] = _fitting(writer, prompt, arguments.max_new_tokens)
    if not writer.model.is_encoder_decoder:
        print(prompt, end="", flush=True)
    if arguments.stream:
        for piece in writer.stream(prompt, **options):
            print(piece, end="", flush=True)
        print()
    else:
        print(writer(prompt, **options))
    return 0


def _fitting(writer: TextGeneration, prompt: str, wanted: int) -> int:
    """How many tokens there is room for behind the prompt, at most as many as are wanted."""
    used = len(writer.tokenizer.encode(prompt).ids)
    if not used:
        raise DomainError("generate: the prompt is empty; begin with a word or two")
    places = getattr(writer.model.config, "n_positions", None)  # rotary models have no such end
    if writer.model.is_encoder_decoder or not isinstance(places, int) or used + wanted <= places:
        return wanted
    if used >= places:
        raise DomainError(
            f"generate: the prompt has {used} tokens and the model {places} places; shorten it"
        )
    print(f"triptych-text: room for {places - used} more tokens only", file=sys.stderr)
    return places - used


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if arguments.stop:
        options["stop_strings"] = arguments.stop
    if not arguments.temperature:
        return options | {"do_sample": False}
    drawing = {"temperature": arguments.temperature, "top_k": arguments.top_k}
    return options | drawing | {"do_sample": True, "top_p": arguments.top_p}
