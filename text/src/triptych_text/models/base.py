"""Base class of all models: settings, starting values, pretrained weights."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import ClassVar, Self

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import init

from ..pretrained import ModelFiles
from .config import ModelConfig

__all__ = ["PretrainedModel", "Ties", "check_ids", "draw_weights"]

Ties = Mapping[str, str]


class PretrainedModel(nn.Module):
    """A model that is built from settings and filled from a checkpoint.

    Args:
        config: settings of the model's family.

    Attributes:
        config_class: class of the settings.
        base_prefix: name under which models with a head hold the encoder, such as "bert".
        tied: state_dict name -> name of the tensor it is the same as; files may leave it out.
        tied_embeddings: the same, where config.tie_word_embeddings says so.
        stand_ins: state_dict name -> name of the tensor whose numbers it takes where a file leaves
            it out, tied or not.
        ignored: patterns of names in checkpoints that belong to no weight of this model.
        optional: patterns of names that checkpoints may leave out; they are computed.
        droppable: parts of the model, such as "pooler", that it does without where a checkpoint has
            nothing of them.
    """

    config_class: ClassVar[type[ModelConfig]] = ModelConfig
    base_prefix: ClassVar[str] = ""
    tied: ClassVar[Ties] = {}
    tied_embeddings: ClassVar[Ties] = {}
    stand_ins: ClassVar[Ties] = {}
    ignored: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    droppable: ClassVar[tuple[str, ...]] = ()

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config

    def ties(self) -> Ties:
        """state_dict name -> name of the tensor it is the same as, under these settings."""
        embeddings = self.tied_embeddings if self.config.tie_word_embeddings else {}
        return {**self.tied, **embeddings}

    def tie_weights(self) -> None:
        """Make one parameter of those that `ties` names."""
        for name, source in self.ties().items():
            path, _, attribute = name.rpartition(".")
            setattr(self.get_submodule(path), attribute, self.get_parameter(source))

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str] | ModelFiles,
        *,
        strict: bool = True,
        dtype: tp.dtype | str | None = None,
        mmap: bool = False,
    ) -> Self:
        """Model with the weights of a checkpoint, in evaluation mode.

        Args:
            source: a folder with config.json and model.safetensors, or a registered name.
            strict: False gives weights that the checkpoint lacks fresh values and warns; for
                training a new head.
            dtype: of the weights; "auto" keeps what the files have; default float32.
            mmap: map the files in place of reading them.

        Raises:
            DTypeError: dtype is no floating type and not "auto".
            FileFormatError: the checkpoint lacks weights, or shapes differ, or it is of another
                family.
            FileNotFoundError: a file is missing.
            UnknownNameError: neither a folder nor a registered name.
        """
        from .loading import load_model

        return load_model(cls, source, strict=strict, dtype=dtype, mmap=mmap)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Write config.json and model.safetensors, which `from_pretrained` and other tools read.

        Args:
            folder: made when missing.
        """
        from triptych.serialization import save_file

        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        values = {"architectures": [type(self).__name__], **self.config.to_dict()}
        text = json.dumps(values, indent=2, sort_keys=True)
        (path / "config.json").write_text(text + "\n", encoding="utf-8")
        spare = self.ties()
        tensors = {name: t for name, t in self.state_dict().items() if name not in spare}
        save_file(tensors, path / "model.safetensors")


def draw_weights(modules: Iterable[nn.Module], std: float) -> None:
    """Fresh weights as BERT starts with: normal in matrices, zero in biases, one in norms.

    Args:
        modules: those to fill, with everything in them.
        std: deviation of the normal distribution.

    Source: Devlin et al. 2018, the original code's initializer_range.
    """
    for module in (inner for outer in modules for inner in outer.modules()):
        if isinstance(module, nn.Linear | nn.Embedding):
            init.normal_(module.weight, 0.0, std)
        if isinstance(module, nn.Linear) and module.bias is not None:
            init.zeros_(module.bias)
        padding = getattr(module, "padding_idx", None)
        if padding is not None:
            _clear_row(module.weight, padding)


def _clear_row(weight: Tensor, row: int) -> None:
    init.zeros_(weight.detach()[row])


def check_ids(model: str, input_ids: Tensor, max_length: int) -> None:
    """Refuse ids of the wrong shape, or more of them than a model has places for.

    Args:
        model: name for the error text.
        input_ids: should be (n, l).
        max_length: largest l.

    Raises:
        ShapeError: they do not fit.
    """
    shape = tuple(input_ids.shape)
    if len(shape) != 2:
        raise ShapeError(f"{model}: wanted input_ids of shape (n, l), got {shape}")
    if shape[1] > max_length:
        raise ShapeError(
            f"{model}: {shape[1]} tokens, the model has places for {max_length}; cut the text with "
            f"tokenizer(..., truncation=True, max_length={max_length})"
        )
