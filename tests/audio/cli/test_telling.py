"""Errors in the words of the command line."""

import pytest

from triptych_audio.cli.telling import told_as


@pytest.mark.parametrize("kind", [ValueError, FileNotFoundError])
def test_the_name_of_the_function_goes(kind):
    with pytest.raises(kind, match=r"^vad: no file 'a: b'$"), told_as("vad"):
        raise kind("info: no file 'a: b'")


@pytest.mark.parametrize("text", ["nothing to tell", "this is: no name", "[Errno 2] No: such"])
def test_other_texts_stay(text):
    error = ValueError(text)
    with pytest.raises(ValueError) as told, told_as("vad"):  # noqa: PT011, the same one
        raise error
    assert told.value is error


def test_hidden_names_are_replaced():
    with (
        pytest.raises(ValueError, match=r"^convert: 'a.xyz': no"),
        told_as("convert", {".t": "a.xyz"}),
    ):
        raise ValueError("f: '.t': no")
