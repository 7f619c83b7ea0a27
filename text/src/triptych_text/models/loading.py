"""Weights of a checkpoint into a model, whatever prefix and age its names have."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any, TypeVar

import triptych as tp
from triptych import Tensor
from triptych.errors import DTypeError, FileFormatError
from triptych.nn import init
from triptych.serialization import load, load_file

from ..pretrained import ModelFiles, model_files
from .architectures import BASE_MODELS, architecture_of, find_architecture
from .base import PretrainedModel
from .generative import GenerativeModel

__all__ = ["fit_names", "from_pretrained", "load_model", "read_weights"]

M = TypeVar("M", bound=PretrainedModel)

SAFETENSORS, SAFETENSORS_INDEX = "model.safetensors", "model.safetensors.index.json"
TORCH, TORCH_INDEX = "pytorch_model.bin", "pytorch_model.bin.index.json"
# Names that early checkpoints use, converted from the original TensorFlow code.
OLD_NAMES = (
    (re.compile(r"LayerNorm\.gamma$"), "LayerNorm.weight"),
    (re.compile(r"LayerNorm\.beta$"), "LayerNorm.bias"),
)
# Not weights: numbers from zero, which some checkpoints carry along.
COUNTERS = re.compile(r"(^|\.)position_ids$")
LISTED = 5  # names in a message


def from_pretrained(
    source: str | os.PathLike[str] | ModelFiles,
    *,
    architecture: str | None = None,
    strict: bool = True,
    dtype: tp.dtype | str | None = None,
    mmap: bool = False,
) -> PretrainedModel:
    """Model with the weights of a checkpoint, in evaluation mode.

    Args:
        source: a folder with config.json and model.safetensors (or its parts and their index), or
            the name of a registered model, whose files are fetched first.
        architecture: name of the class, such as "BertForMaskedLM"; default what config.json says.
        strict: False gives weights that the checkpoint lacks fresh values and warns; for training
            a new head.
        dtype: of the weights, such as `triptych.bfloat16`; "auto" keeps what the files have;
            default the usual float32.
        mmap: map the files in place of reading them, so that weights take memory when they are
            used; for safetensors files whose dtype is kept. The files must stay as they are.

    Returns:
        The model.

    Raises:
        DTypeError: dtype is no floating type and not "auto".
        FileFormatError: the checkpoint lacks weights, or shapes differ, or a file is damaged, or
            it is of another family than the architecture.
        FileNotFoundError: a file is missing.
        UnknownNameError: neither a folder nor a registered name; or an unknown architecture.

    Warns:
        UserWarning: the checkpoint has weights that the model has no place for.
    """
    files = model_files(source)
    if architecture is None:
        cls = architecture_of(files.json("config.json", "the settings"))
    else:
        cls = find_architecture(architecture)
    if not issubclass(cls, PretrainedModel):  # another package's, which reads its own checkpoints
        folder = files.path("config.json", "the settings").parent
        found: PretrainedModel = cls.from_pretrained(folder, dtype=dtype)
        return found
    return load_model(cls, files, strict=strict, dtype=dtype, mmap=mmap)


def load_model(
    cls: type[M],
    source: str | os.PathLike[str] | ModelFiles,
    *,
    strict: bool = True,
    dtype: tp.dtype | str | None = None,
    mmap: bool = False,
) -> M:
    """Model of a class with the weights of a checkpoint, in evaluation mode.

    Args:
        cls: class of the model.
        source, strict, dtype, mmap: as in `from_pretrained`.

    Raises:
        DTypeError, FileFormatError, FileNotFoundError, UnknownNameError: as in `from_pretrained`.
    """
    _check_dtype(dtype)
    files = model_files(source)
    settings = files.json("config.json", "the settings")
    _check_family(cls, settings, files)
    config = cls.config_class.from_dict(settings)
    weights = read_weights(files, mmap=mmap)
    with init.skipped():  # the checkpoint's numbers come over them anyway
        model = cls(config)
    given = fit_names(weights, set(model.state_dict()), model)
    if strict:
        _drop_absent(model, given)
    own = model.state_dict()
    optional = [re.compile(pattern) for pattern in cls.optional]
    missing = [
        name
        for name in own
        if name not in given and not any(pattern.search(name) for pattern in optional)
    ]
    if missing and strict:
        raise FileFormatError(_missing_text(model, missing, given, files))
    if missing:
        model = cls(config)  # once more, with starting values for what is missing
        _warn(f"the checkpoint lacks {_listed(missing)}, which start fresh: train them")
    _check_shapes(model, own, given, files)
    spare = [name for name in given if name not in own]
    if spare:
        _warn(f"{type(model).__name__} has no place for {_listed(spare)} of the checkpoint")
    fitting = {name: _cast(given[name], own[name], dtype) for name in own if name in given}
    if isinstance(dtype, tp.dtype):
        model.to(dtype)  # also what the checkpoint lacks
    model.load_state_dict(fitting, strict=False, assign=True)
    _untie_what_differs(model, given)
    model.tie_weights()  # assigning has put several parameters where one should be
    _take_generation_config(model, files)
    return model.eval()


def _drop_absent(model: PretrainedModel, given: Mapping[str, Tensor]) -> None:
    """Do without parts that checkpoints of other heads leave out, such as BERT's pooler."""
    for part in model.droppable:
        if not any(name.startswith(f"{part}.") for name in given):
            setattr(model, part, None)


def _check_dtype(dtype: tp.dtype | str | None) -> None:
    floating = isinstance(dtype, tp.dtype) and dtype.is_floating_point
    if not (dtype is None or dtype == "auto" or floating):
        raise DTypeError(
            f'from_pretrained: dtype={dtype!r}; wanted a floating type, "auto", or None for float32'
        )


def _check_family(
    cls: type[PretrainedModel], settings: Mapping[str, Any], files: ModelFiles
) -> None:
    """Refuse settings of another family, whose names would be taken for this one's."""
    kind = settings.get("model_type")
    if kind is None or kind not in BASE_MODELS:
        return
    theirs = find_architecture(BASE_MODELS[kind]).config_class
    if theirs.__module__ != cls.config_class.__module__:
        raise FileFormatError(
            f"from_pretrained: {cls.__name__} wants settings of model_type "
            f"{cls.config_class.model_type!r}, config.json says {kind!r} ({files.describe()}). "
            f"Use {BASE_MODELS[kind]} and its kin, or triptych_text.from_pretrained, which picks "
            "the class"
        )


def _cast(given: Tensor, own: Tensor, dtype: tp.dtype | str | None) -> Tensor:
    """In the type that was asked for; whole numbers as the model has them."""
    if not own.dtype.is_floating_point or not given.dtype.is_floating_point or dtype is None:
        return given.to(own.dtype)
    return given if dtype == "auto" else given.to(dtype)


def _untie_what_differs(model: PretrainedModel, given: Mapping[str, Tensor]) -> None:
    """Some files call weights tied that they hold twice, with different numbers."""
    if not model.config.tie_word_embeddings:
        return
    for name, source in model.tied_embeddings.items():
        one, other = given.get(name), given.get(source)
        if one is None or other is None or one is other:
            continue
        if one.dtype != other.dtype or not tp.equal(one, other):
            model.config.tie_word_embeddings = False


def _take_generation_config(model: PretrainedModel, files: ModelFiles) -> None:
    """Defaults of `generate`; older checkpoints have them among the other settings."""
    if not isinstance(model, GenerativeModel):
        return
    from ..generation import GenerationConfig

    values = files.json("generation_config.json", default=None)
    if values is None:
        values = files.json("config.json")
    model.generation_config = GenerationConfig.from_dict(values, model.config)


def read_weights(files: ModelFiles, *, mmap: bool = False) -> dict[str, Tensor]:
    """All tensors of a checkpoint by name.

    Args:
        files: with model.safetensors, or pytorch_model.bin, whole or in parts with an index.
        mmap: map safetensors files in place of reading them.

    Raises:
        FileFormatError: a file is damaged, or the index names a part that lacks its tensors.
        FileNotFoundError: none of these files is there, or a part of them.
    """
    if files.find(SAFETENSORS) is None:
        for index in (SAFETENSORS_INDEX, TORCH_INDEX):
            if files.find(index) is not None:
                return _read_parts(files, index, mmap)
        if files.find(TORCH) is not None:
            return dict(load(files.path(TORCH, "the weights")))
    path = files.path(SAFETENSORS, f"the weights; {SAFETENSORS_INDEX} or {TORCH} would also do")
    return load_file(path, mmap=mmap)


def _read_parts(files: ModelFiles, index: str, mmap: bool) -> dict[str, Tensor]:
    """Tensors of a checkpoint that is cut into several files."""
    places = files.json(index, "the list of parts").get("weight_map")
    if not isinstance(places, Mapping):
        raise FileFormatError(f"from_pretrained: {index} has no weight_map; {files.describe()}")
    tensors: dict[str, Tensor] = {}
    for part in sorted(set(map(str, places.values()))):
        if PurePosixPath(part).is_absolute() or ".." in PurePosixPath(part).parts:
            raise FileFormatError(
                f"from_pretrained: {index} names the part {part!r}, which is outside the folder"
            )
        path = files.path(part, f"a part of the weights that {index} names")
        safe = part.endswith(".safetensors")
        tensors.update(load_file(path, mmap=mmap) if safe else load(path))
    lacking = [name for name in places if name not in tensors]
    if lacking:
        raise FileFormatError(
            f"from_pretrained: the parts lack {_listed(lacking)}, which {index} promises"
        )
    return tensors


def fit_names(
    weights: Mapping[str, Tensor], wanted: set[str], model: PretrainedModel
) -> dict[str, Tensor]:
    """Tensors of a checkpoint under the names that a model uses.

    Old names become new ones, the encoder's prefix is put on or taken off, and tied tensors that
    the file leaves out are filled in.

    Args:
        weights: as in the file.
        wanted: names in the model's state_dict.
        model: whose prefix and ties hold.

    Returns:
        The tensors; those that fit nowhere keep their name, but what belongs to another head is
        left out when the model is a bare encoder.
    """
    prefix = f"{model.base_prefix}."
    bare = not any(name.startswith(prefix) for name in wanted)
    has_prefix = any(name.startswith(prefix) for name in weights)
    ignored = [re.compile(pattern) for pattern in model.ignored]
    out: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if any(pattern.search(name) for pattern in ignored):
            continue
        for old, new in OLD_NAMES:
            name = old.sub(new, name)
        if COUNTERS.search(name) and name not in wanted:
            continue
        if bare and has_prefix:
            if not name.startswith(prefix):
                continue  # a head that the bare encoder does not have
            name = name.removeprefix(prefix)
        elif not bare and not has_prefix and name not in wanted:
            name = prefix + name
        out[name] = tensor
    for name, source in {**model.stand_ins, **model.ties()}.items():
        if name not in out and source in out:
            out[name] = out[source]
        elif source not in out and name in out:
            out[source] = out[name]
    return out


def _missing_text(
    model: PretrainedModel, missing: list[str], given: Mapping[str, Tensor], files: ModelFiles
) -> str:
    unexpected = [name for name in given if name not in set(model.state_dict())]
    also = f"; it has {_listed(unexpected)}, which the model lacks" if unexpected else ""
    return (
        f"from_pretrained: {type(model).__name__} wants {len(missing)} weights that the checkpoint "
        f"lacks: {_listed(missing)}{also} ({files.describe()}). To train a new head on this "
        "encoder pass strict=False"
    )


def _check_shapes(
    model: PretrainedModel,
    own: Mapping[str, Tensor],
    given: Mapping[str, Tensor],
    files: ModelFiles,
) -> None:
    wrong = [
        f"{name}: wanted {tuple(t.shape)}, got {tuple(given[name].shape)}"
        for name, t in own.items()
        if name in given and tuple(t.shape) != tuple(given[name].shape)
    ]
    if wrong:
        raise FileFormatError(
            f"from_pretrained: {len(wrong)} shapes of the checkpoint do not fit "
            f"{type(model).__name__}: {_listed(wrong)} ({files.describe()}). Do config.json and "
            "the weights belong together?"
        )


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    more = f" and {len(every) - LISTED} more" if len(every) > LISTED else ""
    return ", ".join(every[:LISTED]) + more


def _warn(text: str) -> None:
    warnings.warn(f"from_pretrained: {text}", UserWarning, stacklevel=4)
