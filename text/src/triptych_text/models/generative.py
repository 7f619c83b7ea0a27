"""Base class of models that write text, token by token."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from triptych import Tensor

from .base import PretrainedModel
from .cache import KeyValueCache

if TYPE_CHECKING:
    from ..generation import GenerateOutput, GenerationConfig

__all__ = ["GenerativeModel"]


class GenerativeModel(PretrainedModel):
    """A model with `generate`.

    Attributes:
        is_encoder_decoder: it reads a text before it writes one.
        generation_config: defaults of `generate`; those of generation_config.json, where a
            checkpoint has one, else what config.json says.
    """

    is_encoder_decoder: ClassVar[bool] = False

    def cache_windows(self) -> Sequence[int | None]:
        """For each layer of the decoder, how many tokens a query sees; None for all."""
        raise NotImplementedError(f"{type(self).__name__} has no cache_windows")

    def new_cache(self) -> KeyValueCache:
        """An empty cache, to hand over as `past_key_values`."""
        return KeyValueCache(self.cache_windows())

    @property
    def generation_config(self) -> GenerationConfig:
        """Defaults of `generate`; may be replaced, or changed in place."""
        from ..generation import GenerationConfig

        found: GenerationConfig | None = self.__dict__.get("_generation_config")
        if found is None:
            found = GenerationConfig.from_model_config(self.config)
            self.__dict__["_generation_config"] = found
        return found

    @generation_config.setter
    def generation_config(self, value: GenerationConfig) -> None:
        self.__dict__["_generation_config"] = value

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config.json, model.safetensors and, where they were set, the defaults of
        `generate` as generation_config.json.

        Args:
            folder: made when missing.
        """
        super().save_pretrained(folder)
        if "_generation_config" in self.__dict__:
            text = json.dumps(self.generation_config.to_dict(), indent=2, sort_keys=True)
            Path(folder, "generation_config.json").write_text(text + "\n", encoding="utf-8")

    def generate(self, input_ids: Tensor, **options: Any) -> Tensor | GenerateOutput:
        """Continue texts, or answer them; see `triptych_text.generation.generate`.

        Args:
            input_ids: (n, l) int64; padding, if any, on the left for decoders without an encoder.
            **options: as `triptych_text.generation.generate` takes them.

        Returns:
            (n, t) int64 ids, or an output object with return_dict_in_generate=True.
        """
        from ..generation import generate

        return generate(self, input_ids, **options)
