import pytest

from triptych_datasets import Artifact, InvalidArtifact
from triptych_datasets.artifact import source_scheme

SHA = "a" * 64
SOURCE = "https://host/file"


def test_filename_is_the_last_part_of_the_name() -> None:
    assert Artifact("a/b/c.txt", sources=(SOURCE,), sha256=SHA).filename == "c.txt"


def test_digests_hold_what_is_given_and_sha256_goes_first() -> None:
    both = Artifact("x", sources=(SOURCE,), sha256=SHA, md5="b" * 32)
    assert list(both.digests.items()) == [("sha256", SHA), ("md5", "b" * 32)]
    assert Artifact("x", sources=(SOURCE,), md5="b" * 32).digests == {"md5": "b" * 32}


@pytest.mark.parametrize(
    "name", ["", "../x", "a//b", "/a", "a/", ".hidden", "a/../b", "a\\b", "-x"]
)
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(InvalidArtifact, match="a name is letters"):
        Artifact(name, sources=(SOURCE,), sha256=SHA)


@pytest.mark.parametrize(
    "source",
    ["ftp://host/file", "/plain/path", "https://", "file://host/x", "pypi:name", "pypi:a==1", ""],
)
def test_sources_of_another_form_are_refused(source: str) -> None:
    with pytest.raises(InvalidArtifact, match="no form that can be fetched"):
        Artifact("x", sources=(source,), sha256=SHA)


@pytest.mark.parametrize("sources", [(), SOURCE, [SOURCE]])
def test_sources_are_a_tuple_that_is_not_empty(sources: object) -> None:
    with pytest.raises(InvalidArtifact, match="at least one source"):
        Artifact("x", sources=sources, sha256=SHA)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("digests", "complaint"),
    [
        ({}, "no hash"),
        ({"sha256": "abc"}, "64 lower-case"),
        ({"sha256": "A" * 64}, "64 lower-case"),
        ({"sha256": SHA, "md5": "xyz"}, "32 lower-case"),
    ],
)
def test_malformed_hashes_are_refused(digests: dict[str, str], complaint: str) -> None:
    with pytest.raises(InvalidArtifact, match=complaint):
        Artifact("x", sources=(SOURCE,), **digests)  # type: ignore[arg-type]


def test_first_digits_of_a_hash_will_do() -> None:
    assert Artifact("x", sources=(SOURCE,), sha256=SHA[:8]).digests == {"sha256": SHA[:8]}
    with pytest.raises(InvalidArtifact, match="or its first 8 or more"):
        Artifact("x", sources=(SOURCE,), sha256=SHA[:7])


def test_negative_size_is_refused() -> None:
    with pytest.raises(InvalidArtifact, match="number of bytes, got -1"):
        Artifact("x", sources=(SOURCE,), sha256=SHA, size=-1)


@pytest.mark.parametrize(
    ("source", "scheme"), [("https://h/x", "https"), ("pypi:a==1#b", "pypi"), ("plain", "")]
)
def test_source_scheme(source: str, scheme: str) -> None:
    assert source_scheme(source) == scheme


def test_no_hash_is_said_aloud() -> None:
    source = ("https://host/file",)
    assert Artifact("a", sources=source, unverified=True).digests == {}
    with pytest.raises(InvalidArtifact, match="unverified=True when"):
        Artifact("a", sources=source)
    with pytest.raises(InvalidArtifact, match="leave one of them out"):
        Artifact("a", sources=source, md5="0" * 32, unverified=True)
