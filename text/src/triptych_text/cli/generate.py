"""`triptych-text generate`: what a model writes on."""

from __future__ import annotations

import argparse
from typing import Any

import triptych as tp

from ..pipelines import AUSTEN_LM, TextGeneration

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Print the prompt and what follows it, at once or as it is written.

    Args:
        arguments: `prompt`, `model`, `stream`, `max_new_tokens`, `temperature`, `top_k`, `top_p`,
            `seed` and `stop`.

    Returns:
        0.

    Raises:
        FileFormatError, FileNotFoundError, UnknownNameError: there is no such model.
    """
    name = arguments.model
    writer = AUSTEN_LM.get_generator() if name is None else TextGeneration.from_pretrained(name)
    if arguments.seed is not None:
        tp.manual_seed(arguments.seed)
    options = _options(arguments)
    if not writer.model.is_encoder_decoder:
        print(arguments.prompt, end="", flush=True)
    if arguments.stream:
        for piece in writer.stream(arguments.prompt, **options):
            print(piece, end="", flush=True)
        print()
    else:
        print(writer(arguments.prompt, **options))
    return 0


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    options: dict[str, Any] = {"max_new_tokens": arguments.max_new_tokens}
    if arguments.stop:
        options["stop_strings"] = arguments.stop
    if not arguments.temperature:
        return options | {"do_sample": False}
    drawing = {"temperature": arguments.temperature, "top_k": arguments.top_k}
    return options | drawing | {"do_sample": True, "top_p": arguments.top_p}
