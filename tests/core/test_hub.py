"""Weights by address, and models from folders of one's own."""

import contextlib
import functools
import hashlib
import http.server
import os
import threading

import pytest

import triptych as tp
from triptych import hub


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_chosen", None)
    monkeypatch.setenv("TRIPTYCH_HOME", str(tmp_path / "home"))


@pytest.fixture
def weights(tmp_path):
    """A file of weights: its address and its hash."""
    path = tmp_path / "served" / "net.safetensors"
    path.parent.mkdir()
    tp.save({"w": tp.arange(3)}, path)
    return path.as_uri(), hashlib.sha256(path.read_bytes()).hexdigest()


def kept():
    folder = os.path.join(hub.get_dir(), "checkpoints")
    return sorted(os.listdir(folder)) if os.path.isdir(folder) else []


def test_folders(tmp_path, monkeypatch):
    assert hub.get_dir() == str(tmp_path / "home" / "hub")
    monkeypatch.delenv("TRIPTYCH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert hub.get_dir() == str(tmp_path / "cache" / "triptych" / "hub")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hub.get_dir() == str(tmp_path / ".cache" / "triptych" / "hub")
    hub.set_dir(tmp_path / "mine")
    assert hub.get_dir() == str(tmp_path / "mine")


def test_weights_are_fetched_once(weights, tmp_path):
    url, digest = weights
    state = hub.load_state_dict_from_url(url, sha256=digest, progress=False)
    assert state["w"].tolist() == [0, 1, 2] and kept() == ["net.safetensors"]
    (tmp_path / "served" / "net.safetensors").unlink()
    assert hub.load_state_dict_from_url(url, sha256=digest.upper())["w"].tolist() == [0, 1, 2]


def test_other_folders_and_names(weights, tmp_path):
    url, _ = weights
    hub.load_state_dict_from_url(url, tmp_path / "here", file_name="other", map_location="cpu")
    assert os.listdir(tmp_path / "here") == ["other"]


def test_a_wrong_hash_keeps_nothing(weights):
    url, _ = weights
    with pytest.raises(tp.FileFormatError, match=r"has sha256 \w{64}, wanted 00000000"):
        hub.load_state_dict_from_url(url, sha256="0" * 64)
    assert kept() == []


def test_a_kept_file_that_was_damaged_is_fetched_anew(weights):
    url, digest = weights
    hub.load_state_dict_from_url(url)
    path = os.path.join(hub.get_dir(), "checkpoints", "net.safetensors")
    with open(path, "ab") as stream:
        stream.write(b"x")
    assert hub.load_state_dict_from_url(url, sha256=digest[:12])["w"].tolist() == [0, 1, 2]


def test_hashes_in_names(weights, tmp_path):
    url, digest = weights
    named = tmp_path / "served" / f"net-{digest[:8]}.safetensors"
    named.write_bytes((tmp_path / "served" / "net.safetensors").read_bytes())
    assert hub.load_state_dict_from_url(named.as_uri(), check_hash=True)["w"].tolist() == [0, 1, 2]
    lying = tmp_path / "served" / "net-00000000.safetensors"
    lying.write_bytes(named.read_bytes())
    with pytest.raises(tp.FileFormatError, match="wanted 00000000"):
        hub.load_state_dict_from_url(lying.as_uri(), check_hash=True)
    with pytest.raises(tp.FileFormatError, match="has no hash in its name"):
        hub.load_state_dict_from_url(url, check_hash=True)


@pytest.mark.parametrize("url", ["ftp://host/x.pt", "x.pt", "data:,x.pt"])
def test_other_addresses(url):
    with pytest.raises(ValueError, match="should start with one of"):
        hub.load_state_dict_from_url(url)


def test_addresses_without_a_file():
    with pytest.raises(ValueError, match="names no file; give file_name="):
        hub.load_state_dict_from_url("https://host/")


def test_files_that_ask_for_code_are_refused(tmp_path, weights):
    url, _ = weights
    with pytest.raises(tp.errors.UnsafeFileError, match="weights_only=False"):
        hub.load_state_dict_from_url(url, weights_only=False)


@contextlib.contextmanager
def serving(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


class Breaking(Quiet):
    """Promises more than it sends."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"x" * 10)


def test_over_http(weights, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    _, digest = weights
    with serving(functools.partial(Quiet, directory=tmp_path / "served")) as address:
        state = hub.load_state_dict_from_url(f"{address}/net.safetensors?x=1", sha256=digest)
        assert state["w"].tolist() == [0, 1, 2] and kept() == ["net.safetensors"]
        with pytest.raises(OSError, match="404"):
            hub.load_state_dict_from_url(f"{address}/missing.pt")
    with (
        serving(Breaking) as address,
        pytest.raises(tp.FileFormatError, match="broke off after 10"),
    ):
        hub.load_state_dict_from_url(f"{address}/broken.pt")
    assert kept() == ["net.safetensors"]


class Terminal:
    def __init__(self):
        self.text = ""

    def isatty(self):
        return True

    def write(self, text):
        self.text += text


def test_progress_is_for_terminals(weights, tmp_path, monkeypatch, capsys):
    url, _ = weights
    hub.download_url_to_file(url, tmp_path / "quiet")
    assert capsys.readouterr().err == ""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    hub.download_url_to_file(url, tmp_path / "shown")
    hub.download_url_to_file(url, tmp_path / "silent", progress=False)
    assert terminal.text == "\rshown: 0 MiB of 0 MiB\n"


# Models


@pytest.fixture
def models(tmp_path):
    (tmp_path / "parts.py").write_text("WIDTH = 3\n")
    (tmp_path / "hubconf.py").write_text(
        "import parts\n"
        "SIZE = 4\n"
        "def net(scale=1, *, bias=0):\n"
        '    """A small net."""\n'
        "    return parts.WIDTH * scale + bias\n"
        "def _hidden():\n"
        "    pass\n"
    )
    return tmp_path


def test_models_of_a_folder(models):
    assert hub.load(models, "net") == 3 and hub.load(str(models), "net", 2, bias=1) == 7
    assert hub.list(models) == ["net"] and hub.help(models, "net") == "A small net."
    with pytest.raises(tp.UnknownNameError, match=r"no function 'nett'; there are \['net'\]"):
        hub.load(models, "nett")
    with pytest.raises(FileNotFoundError, match=r"hub\.load: there is no .*hubconf\.py"):
        hub.load(models / "nowhere", "net")


@pytest.mark.parametrize("call", [hub.load, hub.help, lambda *a, **k: hub.list(a[0], **k)])
def test_code_from_the_network_is_refused(call):
    with pytest.raises(tp.errors.UnsafeFileError, match="would fetch code and run it"):
        call("owner/repository", "net", source="github")
