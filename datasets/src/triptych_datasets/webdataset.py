"""Samples from tar files, read as a stream: nothing is unpacked, nothing in a file is executed.

The one module here that needs triptych, for its generators and the workers of its loader. The
packages for images, sound and text add what decodes their files.
"""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import product
from typing import IO, Any

import numpy as np

import triptych as tp
from triptych.errors import FileFormatError, UnknownNameError
from triptych.utils.data import IterableDataset, get_worker_info

__all__ = ["DECODERS", "Decoder", "WebDataset", "expand_shards"]

PathLike = str | os.PathLike[str]
Decoder = Callable[[bytes], Any]
Sample = dict[str, Any]
_SEED_RANGE = 1 << 63
TIMEOUT_S = 60.0  # without an answer
_BRACES = re.compile(r"\{([^{}]*)\}")
_DAMAGE = (tarfile.TarError, EOFError, zlib.error)


def expand_shards(urls: PathLike | Iterable[PathLike]) -> list[str]:
    """Names of shards, with braces written out.

    Args:
        urls: one name or several; `{000..012}` stands for numbers, `{a,b}` for texts.

    Returns:
        The names in order.

    Raises:
        ValueError: a range that counts down.

    Example:
        >>> expand_shards("train-{08..10}.tar")
        ['train-08.tar', 'train-09.tar', 'train-10.tar']
    """
    names = [urls] if isinstance(urls, str | os.PathLike) else urls
    return [name for pattern in names for name in _expanded(os.fspath(pattern))]


def _expanded(pattern: str) -> list[str]:
    pieces = _BRACES.split(pattern)  # text, content of braces, text, ...
    choices = [[p] if i % 2 == 0 else _choices(p, pattern) for i, p in enumerate(pieces)]
    return ["".join(parts) for parts in product(*choices)]


def _choices(content: str, pattern: str) -> list[str]:
    numbers = re.fullmatch(r"(\d+)\.\.(\d+)", content)
    if numbers is None:
        return content.split(",")
    first, last = int(numbers[1]), int(numbers[2])
    if last < first:
        raise ValueError(f"expand_shards: {pattern}: {{{content}}} counts down")
    return [f"{number:0{len(numbers[1])}d}" for number in range(first, last + 1)]


def _number(raw: bytes) -> int:
    return int(raw.decode("ascii"))


def _array(raw: bytes) -> Any:
    return np.load(io.BytesIO(raw), allow_pickle=False)


DECODERS: dict[str, Decoder] = {
    **dict.fromkeys(("cls", "cls2", "class", "index", "count"), _number),
    **dict.fromkeys(("txt", "text", "caption", "transcript"), bytes.decode),
    **dict.fromkeys(("json", "jsn"), json.loads),
    "npy": _array,
}


class WebDataset(IterableDataset[Any]):
    """A stream of samples from tar files, "shards", as the webdataset library writes them.

    Files that follow each other and are called alike up to the first dot are one sample: `7.jpg`,
    `7.cls` and `7.seg.png` give {"__key__": "7", "__url__": the shard, "jpg": ..., "cls": ...,
    "seg.png": ...}. With several processes or workers each reads shards of its own, so there
    should be at least as many shards.

    Args:
        urls: paths or http(s) addresses of tar or compressed tar files, one or several; braces are
            written out as in `expand_shards`.
        decode: True makes numbers, texts, JSON and arrays of the files that are called so, and what
            a subclass adds in `known`; False leaves bytes; a mapping from extensions to functions
            of bytes goes before that. What has no decoder stays bytes, pickles above all.
        keys: extensions to take, for a tuple in place of the dict; "jpg;png" is the first of them
            that a sample has.
        transform: called with the dict or tuple.
        shuffle: how many samples wait to be drawn from; 0 keeps the order. Above 0, shards are
            shuffled as well.
        generator: draws the order; default the global one. In workers the loader's seed has a
            part in it.
        rank: the number of this process, from 0; default: the environment's ``RANK``, or 0.
        num_replicas: how many processes there are; default: the environment's ``WORLD_SIZE``, or 1.
        max_bytes: of one file; a larger one is refused.

    Raises:
        FileNotFoundError: there is no such shard.
        FileFormatError: a shard is damaged, or a file cannot be decoded.
        UnknownNameError: a sample lacks one of the keys.

    Example:
        >>> WebDataset("train-{000..146}.tar", keys=("txt", "cls"), shuffle=5000)
        WebDataset(147 shards, shuffle=5000, keys=('txt', 'cls'))
    """

    known: Mapping[str, Decoder] = DECODERS

    def __init__(
        self,
        urls: PathLike | Iterable[PathLike],
        *,
        decode: bool | Mapping[str, Decoder] = True,
        keys: Sequence[str] | None = None,
        transform: Callable[[Any], Any] | None = None,
        shuffle: int = 0,
        generator: tp.Generator | None = None,
        rank: int | None = None,
        num_replicas: int | None = None,
        max_bytes: int = 1 << 30,
    ) -> None:
        self.urls = expand_shards(urls)
        own = decode if isinstance(decode, Mapping) else {}
        self.decoders: dict[str, Decoder] = {**(self.known if decode is not False else {}), **own}
        self.keys = None if keys is None else tuple(keys)
        self.transform = transform
        self.shuffle, self.generator = shuffle, generator
        self.rank = int(os.environ.get("RANK", 0)) if rank is None else rank
        count = os.environ.get("WORLD_SIZE", 1) if num_replicas is None else num_replicas
        self.num_replicas = int(count)
        if not 0 <= self.rank < self.num_replicas:
            raise ValueError(f"WebDataset: rank {self.rank} of {self.num_replicas} processes")
        self.max_bytes = max_bytes

    def __iter__(self) -> Iterator[Any]:
        """The samples of this process and worker."""
        worker = get_worker_info()
        part, parts = (0, 1) if worker is None else (worker.id, worker.num_workers)
        common = self._seed()  # one for all workers: they must agree on the order of the shards
        shards = self.urls
        if self.shuffle:
            draw = tp.Generator().manual_seed(common)
            shards = [shards[i] for i in tp.randperm(len(shards), generator=draw).tolist()]
        mine = shards[self.rank :: self.num_replicas][part::parts]
        samples: Iterator[Sample] = (sample for url in mine for sample in self._read(url))
        if self.shuffle:
            own = tp.Generator().manual_seed((common + 1 + part) % _SEED_RANGE)
            samples = _shuffled(samples, self.shuffle, own)
        return map(self._finished, samples)

    def _seed(self) -> int:
        worker = get_worker_info()
        if worker is None:
            high = _SEED_RANGE - 1
            return int(tp.randint(0, high, (), generator=self.generator).item())
        given = 0 if self.generator is None else self.generator.initial_seed()
        return (worker.seed - worker.id + given) % _SEED_RANGE

    def _read(self, url: str) -> Iterator[Sample]:
        """The samples of a shard, as bytes."""
        sample: Sample = {}
        for name, raw in self._members(url):
            folder, slash, base = name.rpartition("/")
            stem, dot, extension = base.partition(".")
            key = f"{folder}{slash}{stem}"
            if not dot or base.startswith("__"):
                continue
            if sample and sample["__key__"] != key:
                yield sample
                sample = {}
            if not sample:
                sample = {"__key__": key, "__url__": url}
            if extension.lower() in sample:
                raise FileFormatError(f"WebDataset: {url}: {name} comes twice")
            sample[extension.lower()] = raw
        if sample:
            yield sample

    def _members(self, url: str) -> Iterator[tuple[str, bytes]]:
        with _stream(url) as file:
            try:
                with tarfile.open(fileobj=file, mode="r|*") as tar:
                    for info in tar:
                        if info.isfile():
                            yield info.name, self._content(tar, info, url)
            except _DAMAGE as error:
                raise FileFormatError(
                    f"WebDataset: {url}: is no tar file, or damaged: {error}"
                ) from error

    def _content(self, tar: tarfile.TarFile, info: tarfile.TarInfo, url: str) -> bytes:
        if info.size > self.max_bytes:
            raise FileFormatError(
                f"WebDataset: {url}: {info.name} has {info.size} bytes, more than "
                f"max_bytes={self.max_bytes}"
            )
        file = tar.extractfile(info)
        raw = b"" if file is None else file.read()
        if len(raw) != info.size:
            raise FileFormatError(f"WebDataset: {url}: {info.name} is cut short")
        return raw

    def _finished(self, sample: Sample) -> Any:
        result: Any = sample
        if self.keys is not None:
            result = tuple(self._decoded(sample, self._chosen(sample, key)) for key in self.keys)
        else:
            for name in sample:
                if not name.startswith("__"):
                    sample[name] = self._decoded(sample, name)
        return result if self.transform is None else self.transform(result)

    def _chosen(self, sample: Sample, key: str) -> str:
        found = next((name for name in key.split(";") if name in sample), None)
        if found is None:
            raise UnknownNameError(
                f"WebDataset: {sample['__url__']}: sample {sample['__key__']} has no {key}; it has "
                f"{', '.join(name for name in sample if not name.startswith('__'))}"
            )
        return found

    def _decoded(self, sample: Sample, name: str) -> Any:
        if name.startswith("__"):
            return sample[name]
        decoder = self.decoders.get(name) or self.decoders.get(name.rpartition(".")[2])
        if decoder is None:
            return sample[name]
        try:
            return decoder(sample[name])
        except (ValueError, OSError, SyntaxError) as error:  # of Pillow, json, int and numpy
            raise FileFormatError(
                f"WebDataset: {sample['__url__']}: {sample['__key__']}.{name} cannot be decoded: "
                f"{error}"
            ) from error

    def __repr__(self) -> str:
        told = f"{len(self.urls)} shards, shuffle={self.shuffle}, keys={self.keys}"
        return f"{type(self).__name__}({told})"


@contextmanager
def _stream(url: str) -> Iterator[IO[bytes]]:
    if not url.startswith(("http://", "https://")):
        with open(url.removeprefix("file://"), "rb") as file:
            yield file
        return
    from urllib.request import urlopen  # loads half of the HTTP library: only when needed

    with urlopen(url, timeout=TIMEOUT_S) as response:
        yield response


def _shuffled(samples: Iterator[Sample], size: int, draw: tp.Generator) -> Iterator[Sample]:
    """One of the last `size` samples at a time, at random."""
    waiting: list[Sample] = []
    for sample in samples:
        if len(waiting) < size:
            waiting.append(sample)
            continue
        at = int(tp.randint(0, size, (), generator=draw).item())
        waiting[at], sample = sample, waiting[at]
        yield sample
    for at in tp.randperm(len(waiting), generator=draw).tolist():
        yield waiting[at]
