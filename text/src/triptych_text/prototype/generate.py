"""torchtext's GenerationUtils, a thin layer over `triptych_text.generation`.

Source: torchtext 0.18, prototype.generate, for names, defaults and results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError

from ..generation import GenerationConfig
from ..generation.search import walk
from ..generation.steps import EncoderDecoderSteps
from ..generation.stopping import Stops
from ..models.t5_torchtext import TorchtextT5Model

__all__ = ["DEFAULT_MAX_SEQ_LEN", "GenerationUtils", "GenerationUtilsForT5"]

DEFAULT_MAX_SEQ_LEN = 256


class GenerationUtils(nn.Module):
    """Generates texts with a model of torchtext's, or with any of this package.

    Args:
        model: with an encoder and a decoder, or a decoder alone.
        is_encoder_decoder: which of the two; default told by the model.
        is_huggingface_model: accepted, and not needed.

    Example:
        >>> from triptych_text.models import T5Conf, T5Model
        >>> conf = T5Conf(
        ...     linear_head=True, embedding_dim=8, qkv_dim=4, num_attention_heads=2,
        ...     num_encoder_layers=1, num_decoder_layers=1, ffn_dimension=16, vocab_size=9,
        ... )
        >>> utils = GenerationUtils(T5Model(conf))
        >>> utils.generate(tp.tensor([[3, 4, 1]]), max_length=4, eos_idx=8).shape[0]
        1
    """

    def __init__(
        self,
        model: nn.Module,
        is_encoder_decoder: bool = True,
        is_huggingface_model: bool = False,
    ) -> None:
        super().__init__()
        self.model = model
        self.is_encoder_decoder = is_encoder_decoder
        self.is_huggingface_model = is_huggingface_model

    @property
    def _inner(self) -> Any:
        return self.model.t5 if isinstance(self.model, TorchtextT5Model) else self.model

    def generate(
        self,
        inputs: Tensor,
        num_beams: int | None = None,
        max_length: int = DEFAULT_MAX_SEQ_LEN,
        pad_idx: int = 0,
        eos_idx: int = 1,
    ) -> Tensor:
        """Texts for prompts.

        Args:
            inputs: (n, l) int64 texts to read, or to continue.
            num_beams: above 1 for beam search.
            max_length: longest result in tokens, with what it starts from.
            pad_idx: id of the padding token, which also begins what is written.
            eos_idx: id of the end token.

        Returns:
            (n, t) int64 ids.

        Raises:
            ShapeError: num_beams is below 1, or the model has no scores of words.
        """
        beams = 1 if num_beams is None else num_beams
        if beams < 1:
            raise ShapeError(f"GenerationUtils: wanted num_beams >= 1, got {num_beams}")
        found: Tensor = self.model.generate(
            inputs,
            attention_mask=(inputs != pad_idx).long(),
            num_beams=beams,
            max_length=max_length,
            pad_token_id=pad_idx,
            eos_token_id=eos_idx,
            decoder_start_token_id=pad_idx,
        )
        return found

    def greedy_search(
        self,
        input_ids: Tensor,
        max_length: int,
        eos_idx: int,
        pad_idx: int,
        model_kwargs: Mapping[str, Any],
    ) -> Tensor:
        """Take the best next token each time, after the encoder has run.

        Args:
            input_ids: (n, t) int64 what is written already.
            max_length: longest result in tokens.
            eos_idx: id of the end token.
            pad_idx: id that fills up finished texts.
            model_kwargs: "encoder_outputs", whose "encoder_output" is (n, l, d), and
                "encoder_padding_mask", (n, l) boolean, True at padding.

        Returns:
            (n, up to max_length) int64 ids.
        """
        outputs = model_kwargs["encoder_outputs"]
        padding = model_kwargs.get("encoder_padding_mask")
        config = GenerationConfig(eos_token_id=eos_idx, pad_token_id=pad_idx)
        states = outputs["encoder_output"] if isinstance(outputs, Mapping) else outputs[0]
        seen = None if padding is None else (~padding).long()
        with tp.inference_mode():
            steps = EncoderDecoderSteps(self._inner, states, seen, use_cache=True)
            ids = input_ids.numpy()
            stops = Stops(config, ids.shape[1], max_length)
            new = [tokens for tokens, _ in walk(steps, ids, config, [], stops)]
        return tp.from_numpy(np.concatenate([ids, np.stack(new, 1)], 1))

    def beam_search(self, input_ids: Tensor, num_beams: int, max_length: int | None) -> Tensor:
        """Beam search, which torchtext left open.

        Args:
            input_ids: (n, l) int64 texts to read, or to continue.
            num_beams: texts that are followed at once.
            max_length: longest result in tokens; None for 256.

        Returns:
            (n, t) int64 ids.
        """
        return self.generate(input_ids, num_beams, max_length or DEFAULT_MAX_SEQ_LEN)


class GenerationUtilsForT5(GenerationUtils):
    """The same; torchtext needed a class of its own for T5."""
