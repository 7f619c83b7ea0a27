"""Addresses of files on Google Drive."""

import pytest

from triptych_datasets import Artifact, InvalidArtifact, drive_source


def test_an_id_becomes_a_source() -> None:
    source = drive_source("1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS")
    assert "id=1_ee_0u7vcNLOfNLegJRHmolfH5ICW-XS&" in source
    assert Artifact("a.txt", sources=(source,), md5="0" * 32).sources == (source,)


@pytest.mark.parametrize("text", ["", "https://drive.google.com/file/d/abc", "short"])
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidArtifact, match="the id of a file"):
        drive_source(text)
