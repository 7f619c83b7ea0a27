"""Source `https:` and `http:`: resumed, retried, with time-outs."""

import re
from typing import TYPE_CHECKING

from triptych_datasets.cache import CHUNK
from triptych_datasets.errors import SourceError
from triptych_datasets.part import Part
from triptych_datasets.retrying import Interrupted, parse_retry_after, with_retries

if TYPE_CHECKING:
    from requests import Response

__all__ = ["copy_http"]

TIMEOUT_S = (10.0, 60.0)  # to connect; between two pieces of the answer
WHOLE, PARTIAL, RANGE_NOT_SATISFIABLE = 200, 206, 416
PAGES = ("text/html", "application/xhtml")
PAGE_SUFFIXES = (".html", ".htm", ".xhtml")
BUSY = {408, 425, 429, 500, 502, 503, 504}  # statuses that often pass


def copy_http(source: str, part: Part) -> None:
    """Bring the file of an address into `part`, going on where an earlier try stopped.

    Args:
        source: the address.
        part: takes the bytes.

    Raises:
        SourceError: the server cannot be reached, refuses, or keeps breaking off.
        HashMismatch: more bytes come than the record says.
        NotEnoughSpace: the disk is too full.
    """
    with_retries(lambda: _attempt(source, part), progress=lambda: part.size)


def _attempt(source: str, part: Part) -> None:
    import requests  # takes 50 ms to load: only those who download pay
    import urllib3  # requests stands on it; its errors come through while the body is read

    start = part.resume(source)
    if start and start == part.artifact.size:
        return
    try:
        with requests.get(
            source, headers=_headers(part, start), stream=True, timeout=TIMEOUT_S
        ) as response:
            _receive(response, source, part)
    except requests.exceptions.ConnectionError as error:
        raise Interrupted(f"cannot connect: {_root_cause(error)}", offline=True) from error
    except requests.exceptions.Timeout as error:
        raise Interrupted(f"no answer in time: {_root_cause(error)}", offline=True) from error
    except urllib3.exceptions.HTTPError as error:
        raise Interrupted(f"broke off after {part.size} bytes: {_root_cause(error)}") from error
    except requests.exceptions.RequestException as error:  # too many redirects, a bad address
        raise SourceError(f"{type(error).__name__}: {error}") from error


def _headers(part: Part, start: int) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity", "User-Agent": "triptych-datasets"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if part.mark:
            headers["If-Range"] = part.mark  # the whole file comes when it has changed since
    return headers


def _receive(response: "Response", source: str, part: Part) -> None:
    _refuse_page(response, part.artifact.filename)
    start = _prepare(response, source, part)
    length = response.headers.get("Content-Length", "")
    total = start + int(length) if length.isdigit() else None
    part.reserve(total)
    # The raw body: some servers label a .gz file as gzip-encoded, and decoding would alter it.
    for chunk in response.raw.stream(CHUNK, decode_content=False):
        part.write(chunk)
    expected = part.artifact.size if total is None else total
    if expected is not None and part.size < expected:
        raise Interrupted(f"broke off after {part.size} of {expected} bytes")


def _prepare(response: "Response", source: str, part: Part) -> int:
    """Look at the status; returns the offset at which the coming bytes go."""
    if response.status_code == PARTIAL and _range_start(response) == part.size:
        return part.size
    if response.status_code == WHOLE:  # a first request, a server without ranges, a changed file
        part.restart(source, mark=_mark(response))
        return 0
    if response.status_code in (PARTIAL, RANGE_NOT_SATISFIABLE):
        part.restart()  # what is there does not fit: the next attempt asks for everything
        raise Interrupted(f"offers no range that goes on from byte {part.size}")
    reason = f"HTTP {response.status_code} {response.reason}"
    if response.status_code in BUSY:
        wait_s = parse_retry_after(response.headers.get("Retry-After"))
        raise Interrupted(reason, retry_after_s=wait_s)
    raise SourceError(reason)


def _refuse_page(response: "Response", filename: str) -> None:
    """Quotas, sign-in forms and parked domains answer 200 with a page in place of the file."""
    kind = response.headers.get("Content-Type", "").lower()
    if response.ok and kind.startswith(PAGES) and not filename.lower().endswith(PAGE_SUFFIXES):
        raise SourceError(
            "a web page came in place of the file: a quota is used up, one has to sign in, or the "
            "file has moved; open the address in a browser"
        )


def _range_start(response: "Response") -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _mark(response: "Response") -> str | None:
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):  # a weak tag does not promise the same bytes
        return tag
    return response.headers.get("Last-Modified")


def _root_cause(error: BaseException) -> str:
    """The innermost reason; the outer ones repeat it with addresses of objects."""
    inner = getattr(error, "reason", None)
    if not isinstance(inner, BaseException):
        inner = next((arg for arg in error.args if isinstance(arg, BaseException)), None)
    if inner is not None:
        return _root_cause(inner)
    text = re.sub(r"^(<.*? object at 0x[0-9a-f]+>|HTTPS?Connection\w*\(.*?\)): ", "", str(error))
    return text or type(error).__name__
