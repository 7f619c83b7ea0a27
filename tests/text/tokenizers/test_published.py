import hashlib

import pytest

from triptych.errors import UnknownNameError
from triptych_datasets import Artifact, Catalog
from triptych_text.tokenizer_files import ARTIFACTS, TOKENIZER_FILES
from triptych_text.tokenizers import (
    Tokenizer,
    encoding_for_model,
    encoding_name_for_model,
    get_encoding,
    list_encoding_names,
    write_ranks,
)
from triptych_text.tokenizers import published as module
from triptych_text.tokenizers.patterns import PATTERNS


def test_tables_are_well_formed():
    assert len(Catalog(ARTIFACTS)) == len(TOKENIZER_FILES)
    for name in list_encoding_names():
        row = module.ENCODINGS[name]
        assert row.pattern in PATTERNS
        assert set(row.files) <= set(TOKENIZER_FILES)
    for names in (module.MODELS, module.PREFIXES):
        assert set(names) <= set(list_encoding_names())


def test_special_tokens_are_those_of_tiktoken(monkeypatch):
    public = pytest.importorskip("tiktoken_ext.openai_public")
    for loader in ("load_tiktoken_bpe", "data_gym_to_mergeable_bpe_ranks"):
        monkeypatch.setattr(public, loader, lambda *args, **kwargs: {})
    for name, build in public.ENCODING_CONSTRUCTORS.items():
        assert module.ENCODINGS[name].special == build()["special_tokens"]


def test_models_are_those_of_tiktoken():
    models = pytest.importorskip("tiktoken.model")
    for model, name in models.MODEL_TO_ENCODING.items():
        assert encoding_name_for_model(model) == name
    for prefix in models.MODEL_PREFIX_TO_ENCODING:
        assert encoding_name_for_model(prefix + "x") == models.encoding_name_for_model(prefix + "x")
    with pytest.raises(UnknownNameError, match="cl100k_base"):
        encoding_name_for_model("unheard-of")


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A file on this disk in place of the published one."""
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "cache"))
    path = tmp_path / "r50k_base.tiktoken"
    write_ranks({bytes([i]): i for i in range(256)} | {b"ab": 256}, path)
    artifact = Artifact(
        "toy/r50k_base.tiktoken",
        sources=(path.as_uri(),),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
    )
    monkeypatch.setitem(TOKENIZER_FILES, "r50k_base.tiktoken", artifact)
    get_encoding.cache_clear()
    yield
    get_encoding.cache_clear()


def test_by_name(small):
    encoding = get_encoding("r50k_base")
    assert encoding is encoding_for_model("davinci")
    assert encoding.encode("abc") == [256, 99]
    assert encoding.eot_token == 50256
    tokenizer = Tokenizer.from_encoding("r50k_base")
    assert tokenizer.encode("abc<|endoftext|>").ids == [256, 99, 50256]
    with pytest.raises(UnknownNameError, match="r50k_base"):
        get_encoding("r50k_bas")
