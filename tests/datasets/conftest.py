"""A cache of its own for every test, and a web server that can be told to misbehave."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest

from triptych_datasets import Artifact, retrying

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Gives the next answer of the server's script, then the whole content for ever."""

    server: "Server"

    def do_GET(self) -> None:
        self.server.requests.append(dict(self.headers))
        answer = self.server.script.pop(0) if self.server.script else whole_or_range
        answer(self)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def begin(self, status: int, length: int | None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()


class Server(ThreadingHTTPServer):
    """Serves one content under every path."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = bytes(range(256)) * 1000
        self.etag = '"first"'
        self.script: list[Answer] = []
        self.requests: list[dict[str, str]] = []

    def url(self, path: str = "file.bin") -> str:
        return f"http://127.0.0.1:{self.server_port}/{path}"


def whole_or_range(handler: Handler) -> None:
    """What a good server does."""
    content, etag = handler.server.content, handler.server.etag
    wanted = handler.headers.get("Range")
    if wanted is None or handler.headers.get("If-Range", etag) != etag:
        handler.begin(200, len(content), ETag=etag)
        handler.wfile.write(content)
        return
    start = int(wanted.removeprefix("bytes=").removesuffix("-"))
    span = f"bytes {start}-{len(content) - 1}/{len(content)}"
    handler.begin(206, len(content) - start, ETag=etag, Content_Range=span)
    handler.wfile.write(content[start:])


def whole(handler: Handler) -> None:
    """Ignores Range."""
    handler.begin(200, len(handler.server.content))
    handler.wfile.write(handler.server.content)


def broken_off(num_bytes: int, *, announce: bool = True) -> Answer:
    """Closes the connection after some bytes."""

    def answer(handler: Handler) -> None:
        content, etag = handler.server.content, handler.server.etag
        handler.begin(200, len(content) if announce else None, ETag=etag)
        handler.wfile.write(content[:num_bytes])

    return answer


def status(code: int, **headers: str) -> Answer:
    """Nothing but a status."""
    return lambda handler: handler.begin(code, 0, **headers)


@pytest.fixture
def answers() -> SimpleNamespace:
    return SimpleNamespace(
        whole=whole, whole_or_range=whole_or_range, broken_off=broken_off, status=status
    )


@pytest.fixture(autouse=True)
def cache_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "cache home"
    monkeypatch.setenv("TRIPTYCH_HOME", str(home))
    for proxy in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    return home


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that would have been waited between attempts; nobody waits."""
    waited: list[float] = []
    clock = SimpleNamespace(sleep=waited.append, time=retrying.time.time)
    monkeypatch.setattr(retrying, "time", clock)
    return waited


@pytest.fixture
def artifact_of() -> Callable[..., Artifact]:
    """Record of some bytes that lie at the given sources."""

    def build(content: bytes, *sources: str, name: str = "toy/file.bin", **more: str) -> Artifact:
        digest = hashlib.sha256(content).hexdigest()
        return Artifact(name, sources=sources, sha256=digest, size=len(content), **more)

    return build
