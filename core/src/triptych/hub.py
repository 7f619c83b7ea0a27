"""Models and weights by address: files are fetched once, checked, and read without running them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import IO, Any
from urllib.parse import unquote, urlparse

from .errors import FileFormatError, UnknownNameError, UnsafeFileError
from .serialization.atomic import atomic_write
from .serialization.save_load import load as _load_file

__all__ = [
    "download_url_to_file",
    "get_dir",
    "help",
    "list",
    "load",
    "load_state_dict_from_url",
    "set_dir",
]

_CHUNK = 1 << 20  # bytes
_TIMEOUT_S = 60.0
_SCHEMES = ("https", "http", "file")
_HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.")  # as in resnet18-f37072fd.pth
_chosen: Path | None = None


def get_dir() -> str:
    """The folder for downloads: what `set_dir` said, else ``hub`` in the folder of the variable
    TRIPTYCH_HOME, else in the user's cache folder.
    """
    if _chosen is not None:
        return str(_chosen)
    home = os.environ.get("TRIPTYCH_HOME")
    if home:
        return str(Path(home).expanduser() / "hub")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return str(Path(cache) / "triptych" / "hub")


def set_dir(d: str | os.PathLike[str]) -> None:
    """Use another folder for downloads; it is made when first needed."""
    global _chosen
    _chosen = Path(d).expanduser()


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike[str] | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
    *,
    sha256: str | None = None,
) -> Any:
    """The weights in a file at an address; the file is fetched once and kept.

    Args:
        url: ``https:``, ``http:`` or ``file:``, of any format that `triptych.load` reads.
        model_dir: where the file is kept; default ``checkpoints`` in `get_dir`.
        map_location: device the tensors go to; default the CPU.
        progress: show on standard error how far the download is, if that is a terminal.
        check_hash: compare the file with the hash in its name, as in ``resnet18-f37072fd.pth``.
        file_name: another name for the kept file.
        weights_only: only True; nothing in a file is ever executed.
        sha256: the hash of the right file, or its first digits. A kept file with another hash is
            fetched anew.

    Raises:
        FileFormatError: the file has another hash, or check_hash finds none in the name; the
            damaged file is not kept.
        UnsafeFileError: the file asks for code to be run.
        OSError: the address cannot be reached.
    """
    name = file_name or os.path.basename(unquote(urlparse(url).path))
    if not name or name in (".", ".."):
        raise ValueError(f"load_state_dict_from_url: {url!r} names no file; give file_name=")
    wanted = sha256 or (_hash_in(name) if check_hash else None)
    target = Path(model_dir or Path(get_dir()) / "checkpoints") / name
    if not target.is_file() or (wanted and not _sha256(target).startswith(wanted.lower())):
        target.parent.mkdir(parents=True, exist_ok=True)
        download_url_to_file(url, target, wanted, progress)
    return _load_file(target, map_location=map_location, weights_only=weights_only)


def _hash_in(name: str) -> str:
    found = _HASH_IN_NAME.search(name)
    if found is None:
        raise FileFormatError(
            f"load_state_dict_from_url: check_hash=True, but {name!r} has no hash in its name, as "
            "name-<sha256>.pth has; give sha256="
        )
    return found[1]


def download_url_to_file(
    url: str, dst: str | os.PathLike[str], hash_prefix: str | None = None, progress: bool = True
) -> None:
    """Fetch a file; it appears under its name whole and checked, or not at all.

    Args:
        url: ``https:``, ``http:`` or ``file:``.
        dst: the path to write, in an existing folder.
        hash_prefix: the first digits of its sha256, or all.
        progress: show on standard error how far it is, if that is a terminal.

    Raises:
        FileFormatError: the file has another hash, or the connection ended early.
        OSError: the address cannot be reached.
    """
    from urllib.request import Request, urlopen  # 20 ms to import: only those who download pay

    scheme = urlparse(url).scheme
    if scheme not in _SCHEMES:
        raise ValueError(f"download_url_to_file: {url!r} should start with one of {_SCHEMES}")
    digest = hashlib.sha256()
    request = Request(url, headers={"User-Agent": "triptych"})
    with urlopen(request, timeout=_TIMEOUT_S) as answer:
        length = int(answer.headers.get("Content-Length") or -1)
        with atomic_write(dst, "download_url_to_file") as stream:
            done = 0
            for chunk in _chunks(answer):
                stream.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                _show(progress, dst, done, length)
            _check(url, done, length, digest.hexdigest(), hash_prefix)


def _chunks(answer: IO[bytes]) -> Iterator[bytes]:
    while chunk := answer.read(_CHUNK):
        yield chunk


def _show(progress: bool, dst: str | os.PathLike[str], done: int, length: int) -> None:
    if progress and sys.stderr.isatty():
        share = f" of {length >> 20} MiB" if length > 0 else ""
        sys.stderr.write(f"\r{os.path.basename(dst)}: {done >> 20} MiB{share}")
        if done == length:
            sys.stderr.write("\n")


def _check(url: str, done: int, length: int, came: str, wanted: str | None) -> None:
    if length >= 0 and done != length:
        raise FileFormatError(
            f"download_url_to_file: {url} broke off after {done} of {length} bytes; try again"
        )
    if wanted and not came.startswith(wanted.lower()):
        raise FileFormatError(
            f"download_url_to_file: {url} has sha256 {came}, wanted {wanted}...; the file at the "
            "address changed, or the hash is that of another one"
        )


def _sha256(path: Path) -> str:
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# Models


def load(
    repo_or_dir: str | os.PathLike[str],
    model: str,
    *args: Any,
    source: str = "local",
    **kwargs: Any,
) -> Any:
    """A model from a folder of your own: what the function ``model`` in its ``hubconf.py`` returns.

    That file is Python and is imported, as any module of yours would be. Code from the network is
    never fetched and run: there is no other source than "local".

    Args:
        repo_or_dir: the folder.
        model: the name of a function in its hubconf.py.
        *args: what it is called with.
        source: only "local".
        **kwargs: what it is called with.

    Raises:
        UnsafeFileError: source asks for code from the network.
        UnknownNameError: there is no such function.
        FileNotFoundError: the folder has no hubconf.py.
    """
    return _entry("load", repo_or_dir, model, source)(*args, **kwargs)


def list(repo_or_dir: str | os.PathLike[str], *, source: str = "local") -> Any:
    """The names of the functions in a folder's ``hubconf.py`` (see `load`), in order."""
    return sorted(_entries(_configuration("list", repo_or_dir, source)))


def help(repo_or_dir: str | os.PathLike[str], model: str, *, source: str = "local") -> str | None:
    """The docstring of a function in a folder's ``hubconf.py`` (see `load`)."""
    return _entry("help", repo_or_dir, model, source).__doc__


def _entry(
    caller: str, folder: str | os.PathLike[str], model: str, source: str
) -> Callable[..., Any]:
    found = _entries(_configuration(caller, folder, source))
    if model not in found:
        raise UnknownNameError(
            f"hub.{caller}: hubconf.py has no function {model!r}; there are {sorted(found)}"
        )
    return found[model]


def _entries(module: ModuleType) -> dict[str, Callable[..., Any]]:
    return {n: v for n, v in vars(module).items() if callable(v) and not n.startswith("_")}


def _configuration(caller: str, folder: str | os.PathLike[str], source: str) -> ModuleType:
    if source != "local":
        raise UnsafeFileError(
            f"hub.{caller}: source={source!r} would fetch code and run it, which Triptych never "
            "does; fetch the repository yourself, look at it, and pass its folder, or install the "
            "model's package and use load_state_dict_from_url for its weights"
        )
    path = Path(folder) / "hubconf.py"
    if not path.is_file():
        raise FileNotFoundError(f"hub.{caller}: there is no {path}; a folder of models has one")
    spec = importlib.util.spec_from_file_location("hubconf", path)
    module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]
    sys.path.insert(0, str(path.parent))  # its imports of neighbours, as in torch
    try:
        spec.loader.exec_module(module)  # type: ignore[union-attr]
    finally:
        sys.path.remove(str(path.parent))
    return module
