"""Settings of a model, read from and written to Hugging Face's config.json."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from triptych.errors import DTypeError, FileFormatError

__all__ = ["ModelConfig"]


@dataclass(kw_only=True)
class ModelConfig:
    """What every model's settings have; each family derives its own.

    Args:
        initializer_range: deviation of fresh weights.
        pad_token_id: id of the padding token; None when there is none.
        tie_word_embeddings: output weights are those of the word embeddings.
        id2label: number of a class -> its name; None for as many as the family has by default,
            mostly two.
        problem_type: "regression", "single_label_classification", "multi_label_classification", or
            None to tell by the labels.

    Example:
        >>> from triptych_text.models import BertConfig
        >>> config = BertConfig.from_dict({"hidden_size": 64, "num_labels": 3})
        >>> config.hidden_size, config.num_labels, config.num_hidden_layers
        (64, 3, 12)
    """

    model_type: ClassVar[str] = ""
    default_num_labels: ClassVar[int] = 2  # where a file says nothing of classes
    # Settings that change the mathematics and have one value here; other values are refused.
    only: ClassVar[Mapping[str, Any]] = {
        "is_decoder": False,
        "add_cross_attention": False,
        "position_embedding_type": "absolute",
    }

    initializer_range: float = 0.02
    pad_token_id: int | None = 0
    tie_word_embeddings: bool = True
    id2label: dict[int, str] | None = None
    problem_type: str | None = None

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Settings of a config.json; keys that this family does not know are left out.

        Args:
            values: the content of the file.

        Raises:
            FileFormatError: a setting asks for something this implementation does not compute, or
                is of another type.
        """
        for name, wanted in cls.only.items():
            if values.get(name, wanted) != wanted:
                raise FileFormatError(
                    f"{cls.__name__}: {name}={values[name]!r} is not implemented, only {wanted!r}; "
                    "the model would compute something else than it was trained for"
                )
        types = {field.name: str(field.type) for field in dataclasses.fields(cls)}
        known = {name: value for name, value in values.items() if name in types}
        _check_types(cls.__name__, known, types)
        known["id2label"] = _labels(values)
        return cls(**known)

    def to_dict(self) -> dict[str, Any]:
        """Settings as a config.json holds them."""
        values = dataclasses.asdict(self)
        return {"model_type": self.model_type, **values}

    @property
    def num_labels(self) -> int:
        """How many classes a classification head tells apart."""
        return self.default_num_labels if self.id2label is None else len(self.id2label)


# Annotation of a setting -> what a file may give for it; others are taken as they come.
NUMBERS: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float)}


def _check_types(model: str, given: Mapping[str, Any], types: Mapping[str, str]) -> None:
    for name, value in given.items():
        wanted = types[name].partition(" | ")[0]
        if value is None or wanted not in NUMBERS or "list" in types[name]:
            continue
        if isinstance(value, bool) or not isinstance(value, NUMBERS[wanted]):
            raise FileFormatError(f"{model}: {name} is a number ({wanted}), got {value!r}")


def _labels(values: Mapping[str, Any]) -> dict[int, str] | None:
    """Names of the classes; the keys are numbers, which JSON can only write as text."""
    named = values.get("id2label")
    if named is None:
        count = values.get("num_labels")
        return None if count is None else {i: f"LABEL_{i}" for i in range(count)}
    if not isinstance(named, Mapping):
        raise DTypeError(f"config: id2label is a mapping, got a {type(named).__name__}")
    try:
        return {int(index): str(label) for index, label in named.items()}
    except (TypeError, ValueError):
        raise FileFormatError(
            f"config: id2label maps numbers of classes to names, got the keys {list(named)[:5]}"
        ) from None
