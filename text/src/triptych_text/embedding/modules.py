"""What sentence-transformers' folders list in modules.json behind the pooling.

Source: sentence-transformers, models.Dense and models.Normalize, for names of files, settings and
tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from triptych import Registry, Tensor, nn
from triptych.errors import FileFormatError
from triptych.nn import functional as F

from ..models.loading import read_weights
from ..pretrained import ModelFiles

__all__ = ["Dense", "Normalize", "PartFiles", "SentenceModules", "read_modules"]

# Behind a Dense layer: last word of the setting's name -> function.
ACTIVATIONS: Registry[Callable[[], nn.Module]] = Registry("activation of a Dense layer")
for _name in ("GELU", "Identity", "ReLU", "Sigmoid", "SiLU", "Tanh"):
    ACTIVATIONS.register(_name, getattr(nn, _name))


class Dense(nn.Module):
    """A linear map of a text's vector, and an activation.

    Args:
        in_features: width of the vector.
        out_features: width of the result.
        bias: with numbers added.
        activation: name of the activation, such as "Tanh".

    Example:
        >>> import triptych as tp
        >>> Dense(4, 2)(tp.zeros(3, 4)).shape
        Size([3, 2])
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, activation: str = "Tanh"
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(in_features, out_features, bias=bias)
        self.activation = ACTIVATIONS[activation]()

    @classmethod
    def from_files(cls, files: ModelFiles) -> Dense:
        """Layer with the weights of a module's folder.

        Args:
            files: with config.json and the weights.

        Raises:
            FileFormatError: settings or weights are missing, or do not fit each other.
            UnknownNameError: the activation is not known.
        """
        settings = files.json("config.json", "the settings of a Dense layer")
        try:
            sizes = settings["in_features"], settings["out_features"]
        except KeyError as error:
            raise FileFormatError(
                f"SentenceEncoder: the settings of a Dense layer lack {error} ({files.describe()})"
            ) from error
        name = settings.get("activation_function", "Tanh").rpartition(".")[2]
        layer = cls(*sizes, settings.get("bias", True), name)
        try:
            layer.load_state_dict({k: v.float() for k, v in read_weights(files).items()})
        except RuntimeError as error:
            raise FileFormatError(
                f"SentenceEncoder: the weights of a Dense layer do not fit: {error}"
            ) from error
        return layer

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, in_features) to (n, out_features)."""
        return self.activation(self.linear(vectors))


class Normalize(nn.Module):
    """Vectors of length one."""

    def forward(self, vectors: Tensor) -> Tensor:
        """(n, d) to (n, d)."""
        return F.normalize(vectors, dim=-1)


class PartFiles(ModelFiles):
    """Files in a folder of a model's.

    Args:
        files: of the model.
        part: the folder, such as "2_Dense"; empty for the model's own.
    """

    def __init__(self, files: ModelFiles, part: str) -> None:
        if ".." in Path(part).parts or Path(part).is_absolute():
            raise FileFormatError(
                f"SentenceEncoder: modules.json names the folder {part!r}, outside the model's"
            )
        self.files, self.part = files, part

    def find(self, name: str) -> Path | None:
        """Where a file lies, as in `ModelFiles.find`."""
        return self.files.find(f"{self.part}/{name}" if self.part else name)

    def describe(self) -> str:
        """What these files are."""
        return f"{self.part or 'the main folder'} of {self.files.describe()}"


class SentenceModules:
    """The parts of a sentence encoder, as modules.json lists them.

    Args:
        transformer: files of the language model and its tokenizer.
        pooling: settings of the pooling; None for the mean.
        after: what happens to vectors behind the pooling.
    """

    def __init__(
        self,
        transformer: ModelFiles,
        pooling: Mapping[str, Any] | None = None,
        after: tuple[nn.Module, ...] = (),
    ) -> None:
        self.transformer, self.pooling, self.after = transformer, pooling, after


# Kind of a module behind the pooling -> how it is read.
MODULES: Registry[Callable[[ModelFiles], nn.Module]] = Registry("module of a sentence encoder")
MODULES.register("Dense", Dense.from_files)
MODULES.register("Normalize", lambda files: Normalize())


def read_modules(files: ModelFiles) -> SentenceModules:
    """The parts of a sentence encoder.

    Args:
        files: of a folder; without modules.json it is one language model, with the settings of
            1_Pooling where there are some.

    Raises:
        FileFormatError: modules.json is damaged, or lists them in another order than transformer,
            pooling, others.
        UnknownNameError: a module is not known.
    """
    if files.find("modules.json") is None:
        return SentenceModules(files, files.json("1_Pooling/config.json", default=None))
    listed = [(_kind(entry), _folder(entry)) for entry in files.json_list("modules.json")]
    kinds = [kind for kind, _ in listed]
    if kinds[:2] != ["Transformer", "Pooling"]:
        raise FileFormatError(
            "SentenceEncoder: modules.json should list Transformer, Pooling and others behind "
            f"them; it lists {', '.join(kinds) or 'nothing'} ({files.describe()})"
        )
    parts = [PartFiles(files, folder) for _, folder in listed]
    after = (MODULES[kind](part) for kind, part in zip(kinds[2:], parts[2:], strict=True))
    pooling = parts[1].json("config.json", "the settings of the pooling")
    return SentenceModules(parts[0] if listed[0][1] else files, pooling, tuple(after))


def _kind(entry: Any) -> str:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("type"), str):
        raise FileFormatError(f"SentenceEncoder: modules.json has an entry without type: {entry!r}")
    return str(entry["type"]).rpartition(".")[2]


def _folder(entry: Mapping[str, Any]) -> str:
    return str(entry.get("path", ""))
