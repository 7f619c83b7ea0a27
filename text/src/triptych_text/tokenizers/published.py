"""Published byte pair encodings by name, and which models use them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

from triptych import Registry
from triptych.errors import UnknownNameError

from ..tokenizer_files import TOKENIZER_FILES
from .byte_pair_encoding import BytePairEncoding
from .rank_files import read_gpt2_ranks, read_ranks

__all__ = [
    "ENCODINGS",
    "PublishedEncoding",
    "encoding_for_model",
    "encoding_name_for_model",
    "get_encoding",
    "list_encoding_names",
]


@dataclass(frozen=True, slots=True)
class PublishedEncoding:
    """A row of `ENCODINGS`.

    Args:
        files: in `TOKENIZER_FILES`: a rank file, or GPT-2's two.
        pattern: in `PATTERNS`.
        special: special tokens, text -> id.
    """

    files: tuple[str, ...]
    pattern: str
    special: dict[str, int] = field(default_factory=dict)


END, PROMPT_END = "<|endoftext|>", "<|endofprompt|>"
FIM = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
HARMONY = {
    "<|startoftext|>": 199998,
    END: 199999,
    "<|return|>": 200002,
    "<|constrain|>": 200003,
    "<|channel|>": 200005,
    "<|start|>": 200006,
    "<|end|>": 200007,
    "<|message|>": 200008,
    "<|call|>": 200012,
    PROMPT_END: 200018,
}
RESERVED = {f"<|reserved_{i}|>": i for i in range(200000, 201088) if i not in HARMONY.values()}
QWEN_SPECIAL = (END, "<|im_start|>", "<|im_end|>", *(f"<|extra_{i}|>" for i in range(205)))

ENCODINGS: Registry[PublishedEncoding] = Registry("encoding")
# Source: tiktoken_ext/openai_public.py; for Qwen, its tokenization_qwen.py
for _name, _row in {
    "gpt2": PublishedEncoding(("gpt2/encoder.json", "gpt2/vocab.bpe"), "gpt2", {END: 50256}),
    "r50k_base": PublishedEncoding(("r50k_base.tiktoken",), "gpt2", {END: 50256}),
    "p50k_base": PublishedEncoding(("p50k_base.tiktoken",), "gpt2", {END: 50256}),
    "p50k_edit": PublishedEncoding(
        ("p50k_base.tiktoken",),
        "gpt2",
        {END: 50256} | {name: 50281 + i for i, name in enumerate(FIM)},
    ),
    "cl100k_base": PublishedEncoding(
        ("cl100k_base.tiktoken",),
        "cl100k",
        {END: 100257} | {name: 100258 + i for i, name in enumerate(FIM)} | {PROMPT_END: 100276},
    ),
    "o200k_base": PublishedEncoding(
        ("o200k_base.tiktoken",), "o200k", {END: 199999, PROMPT_END: 200018}
    ),
    "o200k_harmony": PublishedEncoding(
        ("o200k_base.tiktoken",), "o200k", HARMONY | RESERVED | {"<|reserved_200018|>": 200018}
    ),
    "qwen": PublishedEncoding(
        ("qwen.tiktoken",), "qwen", {name: 151643 + i for i, name in enumerate(QWEN_SPECIAL)}
    ),
}.items():
    ENCODINGS.register(_name, _row)

# Source: tiktoken/model.py
MODELS = {
    "o200k_base": ("o1", "o3", "o4-mini", "gpt-5", "gpt-4.1", "gpt-4o"),
    "cl100k_base": (
        *("gpt-4", "gpt-3.5-turbo", "gpt-3.5", "gpt-35-turbo", "davinci-002", "babbage-002"),
        *("text-embedding-ada-002", "text-embedding-3-small", "text-embedding-3-large"),
    ),
    "p50k_base": (
        *("text-davinci-003", "text-davinci-002"),
        *("code-davinci-002", "code-davinci-001", "code-cushman-002", "code-cushman-001"),
        *("davinci-codex", "cushman-codex"),
    ),
    "p50k_edit": ("text-davinci-edit-001", "code-davinci-edit-001"),
    "r50k_base": (
        *("text-davinci-001", "text-curie-001", "text-babbage-001", "text-ada-001"),
        *("davinci", "curie", "babbage", "ada"),
        *(f"text-similarity-{name}-001" for name in ("davinci", "curie", "babbage", "ada")),
        *("text-search-davinci-doc-001", "text-search-curie-doc-001"),
        *("text-search-babbage-doc-001", "text-search-ada-doc-001"),
        *("code-search-babbage-code-001", "code-search-ada-code-001"),
    ),
    "gpt2": ("gpt2", "gpt-2"),
}
PREFIXES = {
    "o200k_base": (
        *("o1-", "o3-", "o4-mini-", "gpt-5", "gpt-4.5-", "gpt-4.1-", "chatgpt-4o-", "gpt-4o-"),
        "ft:gpt-4o",
    ),
    "o200k_harmony": ("gpt-oss-",),
    "cl100k_base": (
        *("gpt-4-", "gpt-3.5-turbo-", "gpt-35-turbo-", "ft:gpt-4", "ft:gpt-3.5-turbo"),
        *("ft:davinci-002", "ft:babbage-002"),
    ),
}


def list_encoding_names() -> list[str]:
    """Names that `get_encoding` takes, sorted."""
    return ENCODINGS.names()


@cache
def get_encoding(name: str) -> BytePairEncoding:
    """Published encoding by name; its file is fetched the first time and checked by sha256.

    Args:
        name: such as "cl100k_base"; `list_encoding_names` has them all.

    Returns:
        One and the same object for the whole process.

    Raises:
        UnknownNameError: nothing has this name; the text says which ones are close.
        triptych_datasets.DatasetsError: the file cannot be fetched.
    """
    from triptych_datasets import fetch_all

    row = ENCODINGS[name]
    paths = fetch_all(TOKENIZER_FILES[file] for file in row.files)
    ranks = read_ranks(paths[0]) if len(paths) == 1 else read_gpt2_ranks(*paths)
    return BytePairEncoding(name, ranks, row.pattern, row.special)


def encoding_name_for_model(model_name: str) -> str:
    """Name of the encoding that a model of OpenAI reads.

    Args:
        model_name: such as "gpt-4o" or "gpt-4-0613".

    Raises:
        UnknownNameError: no such model is known; name the encoding instead.

    Example:
        >>> encoding_name_for_model("gpt-4o"), encoding_name_for_model("gpt-4-0613")
        ('o200k_base', 'cl100k_base')
    """
    for name, models in MODELS.items():
        if model_name in models:
            return name
    fitting = [(p, name) for name, ps in PREFIXES.items() for p in ps if model_name.startswith(p)]
    if not fitting:
        raise UnknownNameError(
            f"encoding_name_for_model: {model_name!r} is not known; call get_encoding with one of "
            f"{', '.join(list_encoding_names())}"
        )
    return max(fitting, key=lambda row: len(row[0]))[1]


def encoding_for_model(model_name: str) -> BytePairEncoding:
    """Encoding that a model of OpenAI reads; errors as `encoding_name_for_model`.

    Args:
        model_name: such as "gpt-4o".
    """
    return get_encoding(encoding_name_for_model(model_name))
