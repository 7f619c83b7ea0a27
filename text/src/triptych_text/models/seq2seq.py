"""What models with an encoder and a decoder share."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor
from triptych.errors import ShapeError

from .cache import KeyValueCache, LayerCache
from .generative import GenerativeModel
from .losses import token_loss
from .outputs import DecoderOutput, EncoderOutput, Seq2SeqLMOutput, Seq2SeqOutput

__all__ = ["EncoderDecoder", "Seq2SeqLM", "Seq2SeqModel", "encoder_memory", "shift_right"]

IGNORED = -100  # label of tokens that do not count


def shift_right(labels: Tensor, start: int, padding: int) -> Tensor:
    """Inputs of a decoder that is to write given ids.

    Args:
        labels: (n, t) int64, -100 where nothing is asked.
        start: id that the decoder starts from.
        padding: id in place of -100.

    Returns:
        (n, t) int64: start, then all labels but the last.

    Example:
        >>> shift_right(tp.tensor([[5, 6, -100]]), 2, 1).tolist()
        [[2, 5, 6]]
    """
    known = tp.where(labels == IGNORED, padding, labels)
    return tp.cat([tp.full_like(labels[:, :1], start), known[:, :-1]], 1)


def encoder_memory(cache: LayerCache | None, make: Any) -> tuple[Tensor, Tensor]:
    """Keys and values of the encoder's output, computed once per text.

    Args:
        cache: of the layer; None computes them anew.
        make: computes the pair.
    """
    if cache is not None and cache.cross is not None:
        return cache.cross
    pair: tuple[Tensor, Tensor] = make()
    if cache is not None:
        cache.cross = pair
    return pair


class EncoderDecoder(GenerativeModel):
    """An encoder and a decoder that looks at what it made of a text.

    A family says how it encodes and decodes.
    """

    is_encoder_decoder: ClassVar[bool] = True

    @abstractmethod
    def encode(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        output_hidden_states: bool = False,
    ) -> EncoderOutput:
        """Read a text.

        Args:
            input_ids: (n, l) int64.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            output_hidden_states: also return the output of every layer.
        """

    @abstractmethod
    def decode(
        self,
        decoder_input_ids: Tensor,
        encoder_states: Tensor,
        attention_mask: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
    ) -> DecoderOutput:
        """Go on writing.

        Args:
            decoder_input_ids: (n, t) int64.
            encoder_states: (n, l, d) what `encode` returned.
            attention_mask: (n, l) that of the text which was read.
            decoder_attention_mask: (n, s) that of the text which is written.
            past_key_values, use_cache: as in `DecoderModel.forward`.
            output_hidden_states: also return the output of every layer.
        """

    def start_ids(self, input_ids: Tensor | None) -> Tensor:
        """(n, t) int64: what the decoder reads when it is given nothing.

        Raises:
            ShapeError: the family wants decoder_input_ids or labels.
        """
        raise ShapeError(
            f"{type(self).__name__}: wanted decoder_input_ids, or labels, beside input_ids"
        )

    def run(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        decoder_input_ids: Tensor | None,
        decoder_attention_mask: Tensor | None,
        encoder_outputs: Any,
        past_key_values: KeyValueCache | None,
        use_cache: bool,
        output_hidden_states: bool,
    ) -> Seq2SeqOutput:
        """Encode, unless that was done before, and decode; arguments as in `Seq2SeqLM.forward`.

        Raises:
            ShapeError: neither input_ids nor encoder_outputs.
        """
        if encoder_outputs is None:
            if input_ids is None:
                raise ShapeError(f"{type(self).__name__}: wanted input_ids or encoder_outputs")
            encoder_outputs = self.encode(input_ids, attention_mask, output_hidden_states)
        elif not isinstance(encoder_outputs, EncoderOutput):
            encoder_outputs = EncoderOutput(encoder_outputs[0])
        if decoder_input_ids is None:
            decoder_input_ids = self.start_ids(input_ids)
        encoded = encoder_outputs.last_hidden_state
        out = self.decode(
            decoder_input_ids, encoded, attention_mask, decoder_attention_mask,
            past_key_values, use_cache, output_hidden_states,
        )  # fmt: skip
        return Seq2SeqOutput(
            out.last_hidden_state,
            out.past_key_values,
            out.hidden_states,
            encoded,
            encoder_outputs.hidden_states,
        )


class Seq2SeqModel(EncoderDecoder):
    """Encoder and decoder without a head."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
    ) -> Seq2SeqOutput:
        """Read one text, and what was written of the other so far.

        Args:
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask, encoder_outputs,
                past_key_values, use_cache, output_hidden_states: as in `Seq2SeqLM.forward`.

        Returns:
            last_hidden_state (n, t, d) of the decoder, and the fields of `Seq2SeqOutput`.

        Raises:
            ShapeError: neither input_ids nor encoder_outputs.
        """
        return self.run(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask,
            encoder_outputs, past_key_values, use_cache, output_hidden_states,
        )  # fmt: skip


class Seq2SeqLM(EncoderDecoder):
    """An encoder, a decoder, and scores of the next token."""

    @abstractmethod
    def project(self, hidden: Tensor) -> Tensor:
        """(n, t, d) to (n, t, v)."""

    @property
    def start_token_id(self) -> int:
        """Id that the decoder starts from.

        Raises:
            ShapeError: the settings name none.
        """
        for name in ("decoder_start_token_id", "bos_token_id", "pad_token_id"):
            found = getattr(self.config, name, None)
            if found is not None:
                return int(found)
        raise ShapeError(
            f"{type(self).__name__}: config.decoder_start_token_id is None; set it, or give "
            "decoder_input_ids"
        )

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """(n, t) inputs of the decoder for which it is to write the labels."""
        padding = self.config.pad_token_id
        return shift_right(labels, self.start_token_id, 0 if padding is None else padding)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        encoder_outputs: Any = None,
        past_key_values: KeyValueCache | None = None,
        labels: Tensor | None = None,
        use_cache: bool = False,
        output_hidden_states: bool = False,
        logits_to_keep: int = 0,
    ) -> Seq2SeqLMOutput:
        """Read one text, and score each next token of the other.

        Args:
            input_ids: (n, l) int64, the text to read.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            decoder_input_ids: (n, t) int64, what was written so far; default made from the labels.
            decoder_attention_mask: (n, s) as attention_mask, for what was written.
            encoder_outputs: what `encode` returned before, in place of input_ids.
            past_key_values: what an earlier call returned; it is extended.
            labels: (n, t) int64 the text to write, -100 for tokens that do not count; with them
                the loss is computed.
            use_cache: return keys and values, for a call with the tokens that follow.
            output_hidden_states: also return the outputs of all layers.
            logits_to_keep: only score what follows the last so many tokens; 0 for all.

        Returns:
            logits (n, t, v), loss, and the fields of `Seq2SeqLMOutput`.

        Raises:
            ShapeError: neither input_ids nor encoder_outputs, or nothing for the decoder.
        """
        if labels is not None and decoder_input_ids is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        out = self.run(
            input_ids, attention_mask, decoder_input_ids, decoder_attention_mask,
            encoder_outputs, past_key_values, use_cache, output_hidden_states,
        )  # fmt: skip
        hidden = out.last_hidden_state
        if logits_to_keep and labels is None:
            hidden = hidden[:, -logits_to_keep:]
        logits = self.project(hidden)
        return Seq2SeqLMOutput(
            loss=None if labels is None else token_loss(logits, labels),
            logits=logits,
            past_key_values=out.past_key_values,
            decoder_hidden_states=out.decoder_hidden_states,
            encoder_last_hidden_state=out.encoder_last_hidden_state,
            encoder_hidden_states=out.encoder_hidden_states,
        )
