"""Downloads over HTTP against a local server."""

import hashlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triptych_datasets import (
    Artifact,
    FetchError,
    HashMismatch,
    NotEnoughSpace,
    Offline,
    blob_path,
    fetch,
    retrying,
)

ArtifactOf = Callable[..., Artifact]
Server = Any  # of conftest.py


def leftovers(artifact: Artifact) -> list[str]:
    folder = blob_path(artifact).parent
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_download(server: Server, artifact_of: ArtifactOf) -> None:
    artifact = artifact_of(server.content, server.url())
    path = fetch(artifact)
    assert path.read_bytes() == server.content
    assert leftovers(artifact) == ["file.bin"]
    assert fetch(artifact) == path
    assert len(server.requests) == 1  # the second came from the cache


def test_broken_connection_goes_on_where_it_stopped(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, pauses: list[float]
) -> None:
    server.script = [answers.broken_off(100_000)]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content
    assert server.requests[1]["Range"] == "bytes=100000-"
    assert server.requests[1]["If-Range"] == server.etag
    assert len(pauses) == 1


def test_end_without_announced_length_is_noticed(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, pauses: list[float]
) -> None:
    server.script = [answers.broken_off(100_000, announce=False)]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content
    assert len(pauses) == 1


def test_next_process_resumes(
    server: Server,
    artifact_of: ArtifactOf,
    answers: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retrying, "MAX_ATTEMPTS", 1)
    artifact = artifact_of(server.content, server.url())
    server.script = [answers.broken_off(70_000)]
    with pytest.raises(FetchError, match="broke off after 70000"):
        fetch(artifact)
    assert leftovers(artifact) == ["file.bin.part", "file.bin.part.json"]
    assert fetch(artifact).read_bytes() == server.content
    assert server.requests[1]["Range"] == "bytes=70000-"
    assert leftovers(artifact) == ["file.bin"]


def test_file_that_changed_meanwhile_comes_whole(
    server: Server,
    artifact_of: ArtifactOf,
    answers: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(retrying, "MAX_ATTEMPTS", 1)
    right = server.content
    artifact = artifact_of(right, server.url())
    server.content, server.script = b"x" * len(right), [answers.broken_off(70_000)]
    with pytest.raises(FetchError):
        fetch(artifact)
    server.content, server.etag = right, '"second"'
    assert fetch(artifact).read_bytes() == right


def test_wrong_first_half_is_fetched_again(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace
) -> None:
    artifact = artifact_of(server.content, server.url())
    part = blob_path(artifact).with_name("file.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"z" * 1000)
    part.with_name("file.bin.part.json").write_text(json.dumps({"source": server.url()}))
    assert fetch(artifact).read_bytes() == server.content
    assert ["Range" in headers for headers in server.requests] == [True, False]


@pytest.mark.parametrize("note", ["", "{", "[]", '{"source": "https://elsewhere/"}'])
def test_part_of_unknown_origin_is_not_used(
    server: Server, artifact_of: ArtifactOf, note: str
) -> None:
    artifact = artifact_of(server.content, server.url())
    part = blob_path(artifact).with_name("file.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(b"z" * 1000)
    part.with_name("file.bin.part.json").write_text(note)
    assert fetch(artifact).read_bytes() == server.content
    assert ["Range" in headers for headers in server.requests] == [False]


def test_server_that_ignores_range_starts_again(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, pauses: list[float]
) -> None:
    server.script = [answers.broken_off(100_000), answers.whole]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content


def test_range_that_cannot_be_served_starts_again(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, pauses: list[float]
) -> None:
    server.script = [answers.broken_off(100_000), answers.status(416)]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content
    assert "Range" not in server.requests[2]


@pytest.mark.parametrize("code", [429, 500, 503])
def test_busy_server_is_asked_again(
    server: Server,
    artifact_of: ArtifactOf,
    answers: SimpleNamespace,
    pauses: list[float],
    code: int,
) -> None:
    server.script = [answers.status(code, Retry_After="3"), answers.status(code)]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content
    assert pauses[0] == 3.0
    assert len(pauses) == 2


def test_missing_file_is_not_asked_for_again(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, pauses: list[float]
) -> None:
    server.script = [answers.status(404)]
    artifact = artifact_of(server.content, server.url())
    with pytest.raises(FetchError, match="HTTP 404 Not Found") as caught:
        fetch(artifact)
    assert not isinstance(caught.value, Offline)
    assert pauses == []
    assert leftovers(artifact) == []


def test_nobody_listens(artifact_of: ArtifactOf, pauses: list[float]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        artifact = artifact_of(b"abc", f"http://127.0.0.1:{port}/x")
        with pytest.raises(Offline, match=r"cannot connect: .*refused") as caught:
            fetch(artifact)
    assert "object at 0x" not in str(caught.value)
    assert len(pauses) == retrying.MAX_ATTEMPTS - 1


def test_wrong_content_is_not_kept(server: Server, artifact_of: ArtifactOf) -> None:
    right, server.content = server.content, b"?" * len(server.content)
    artifact = artifact_of(right, server.url())
    with pytest.raises(HashMismatch) as caught:
        fetch(artifact)
    text = str(caught.value)
    got = hashlib.sha256(server.content).hexdigest()
    assert all(part in text for part in ("toy/file.bin", artifact.sha256, got, server.url()))
    assert leftovers(artifact) == []
    assert len(server.requests) == 1


def test_content_too_short_or_long_is_wrong(server: Server, artifact_of: ArtifactOf) -> None:
    short = artifact_of(server.content + b"more", server.url())
    with pytest.raises(HashMismatch, match=r"got .*256000 bytes"):
        fetch(short)
    with pytest.raises(HashMismatch, match="wanted 255999 bytes, more came"):
        fetch(artifact_of(server.content[:-1], server.url()))


def test_md5_alone_decides_when_there_is_no_sha256(server: Server) -> None:
    digest = hashlib.md5(server.content, usedforsecurity=False).hexdigest()
    path = fetch(Artifact("old.bin", sources=(server.url(),), md5=digest))
    assert path.parts[-4:] == ("md5", digest[:2], digest, "old.bin")
    with pytest.raises(HashMismatch, match="wanted md5 0000"):
        fetch(Artifact("old.bin", sources=(server.url(),), md5="0" * 32))


def test_file_labelled_as_gzip_encoded_stays_as_it_is(
    server: Server, artifact_of: ArtifactOf
) -> None:
    def labelled(handler: Any) -> None:
        handler.begin(200, len(server.content), Content_Encoding="gzip")
        handler.wfile.write(server.content)

    server.script = [labelled]
    assert fetch(artifact_of(server.content, server.url())).read_bytes() == server.content


def test_full_disk_is_told_before_the_download(
    server: Server, artifact_of: ArtifactOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1000))
    artifact = artifact_of(server.content, server.url())
    with pytest.raises(NotEnoughSpace, match=r"needs 256000 bytes more, 1000 are free in .*HOME"):
        fetch(artifact)
    assert not blob_path(artifact).exists()


def test_progress_bar(
    server: Server, artifact_of: ArtifactOf, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(artifact_of(server.content, server.url()))
    assert capsys.readouterr().err == ""  # not a terminal
    fetch(artifact_of(server.content, server.url(), name="again.bin"), progress=True)
    assert "again.bin: 100%" in capsys.readouterr().err
    fetch(artifact_of(server.content, server.url(), name="third.bin"), progress=False)
    assert capsys.readouterr().err == ""


def test_two_processes_download_once(
    server: Server, artifact_of: ArtifactOf, answers: SimpleNamespace, tmp_path: Path
) -> None:
    import time

    def slow(handler: Any) -> None:
        time.sleep(0.3)
        answers.whole(handler)

    server.script = [slow]
    artifact = artifact_of(server.content, server.url())
    code = f"from triptych_datasets import Artifact, fetch; print(fetch({artifact!r}))"
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    paths = {run.communicate(timeout=60)[0].strip() for run in runs}
    assert paths == {str(blob_path(artifact))}
    assert len(server.requests) == 1


def test_a_page_in_place_of_the_file_is_refused(server: Any, artifact_of: Any) -> None:
    def page(handler: Any) -> None:
        handler.begin(200, 4, Content_Type="text/html; charset=utf-8")
        handler.wfile.write(b"busy")

    server.script.append(page)
    with pytest.raises(FetchError, match="a web page came in place"):
        fetch(artifact_of(server.content, server.url()))


def test_a_page_that_is_wanted_is_taken(server: Any, artifact_of: Any) -> None:
    def page(handler: Any) -> None:
        handler.begin(200, 4, Content_Type="text/html")
        handler.wfile.write(b"busy")

    server.script.append(page)
    assert fetch(artifact_of(b"busy", server.url(), name="index.html")).read_bytes() == b"busy"
