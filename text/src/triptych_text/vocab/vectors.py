"""Word vectors from text files, with torchtext's names and gensim's questions."""

from __future__ import annotations

import codecs
import json
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import triptych as tp
from triptych import Tensor
from triptych.errors import FileFormatError, ShapeError, UnknownNameError
from triptych.safetensors import safe_open, save_file

__all__ = ["Vectors"]

logger = logging.getLogger(__name__)


class Vectors:
    """Vectors of words: tokens in order, and a matrix with a row for each.

    The first use reads the text file and writes a `.safetensors` file beside it in the cache;
    later uses read that one.

    Args:
        name: a text file ("word x1 x2 ..." a line, a header "count dim" allowed; packed by gzip,
            bzip2 or xz, or not), or its name in the cache.
        cache: folder of cached vectors; default ".vector_cache".
        url: where to get the file, or an archive with it, when it is not there.
        unk_init: makes the vector of an unknown word from a (dim,) tensor of zeros; default: the
            zeros.
        max_vectors: read only the first ones, in most files the commonest words.

    Attributes:
        itos: the tokens.
        stoi: token -> row.
        vectors: (v, dim) float32.
        dim: length of a vector.

    Raises:
        FileNotFoundError: there is no such file and no url.
        FileFormatError: rows differ in length, a number is none, or the file is damaged; also when
            the cached file holds something else.

    Source: torchtext 0.18's behaviour, except that the cache holds no pickle.
    """

    def __init__(
        self,
        name: str | os.PathLike[str],
        cache: str | os.PathLike[str] | None = None,
        url: str | None = None,
        unk_init: Callable[[Tensor], Tensor] | None = None,
        max_vectors: int | None = None,
    ) -> None:
        self.unk_init = unk_init or _as_it_is
        folder = Path(".vector_cache" if cache is None else cache)
        self.itos, self.vectors = self._load(str(name), folder, url, max_vectors)
        self.stoi = {token: row for row, token in enumerate(self.itos)}
        self.dim: int = self.vectors.shape[1]
        self._unit: np.ndarray | None = None

    @staticmethod
    def _load(
        name: str, folder: Path, url: str | None, max_vectors: int | None
    ) -> tuple[list[str], Tensor]:
        path = Path(name) if os.path.isfile(name) else folder / name
        part = f"_{max_vectors}" if max_vectors else ""
        cached = folder / f"{path.name}{part}.safetensors"
        if cached.is_file():
            logger.info("loading vectors from %s", cached)
            with safe_open(cached) as file:
                return _cached(cached, file.metadata().get("itos", "null"), file)
        if not path.is_file() and url:
            _bring(url, folder)
        if not path.is_file():
            cure = f"{url} does not hold them" if url else "pass url= to fetch them"
            raise _NoVectorsError(f"Vectors: no vectors found at {path}; {cure}")
        itos, matrix = _read_text(path, max_vectors)
        folder.mkdir(parents=True, exist_ok=True)
        vectors = tp.from_numpy(matrix)
        unfinished = cached.with_name(f"{cached.name}.part")
        save_file({"vectors": vectors}, unfinished, metadata={"itos": json.dumps(itos)})
        unfinished.replace(cached)
        return itos, vectors

    def __len__(self) -> int:
        return len(self.itos)

    def __contains__(self, token: object) -> bool:
        return token in self.stoi

    def __getitem__(self, token: str) -> Tensor:
        """(dim,) vector of a token; of an unknown one, what `unk_init` makes."""
        row = self.stoi.get(token)
        return self.unk_init(tp.zeros(self.dim)) if row is None else self.vectors[row]

    def get_vecs_by_tokens(
        self, tokens: str | Sequence[str], lower_case_backup: bool = False
    ) -> Tensor:
        """Vectors of tokens.

        Args:
            tokens: one, or a list.
            lower_case_backup: look for a token in lower case when it is unknown as it stands.

        Returns:
            (dim,) for one token, (n, dim) for a list.
        """
        wanted = [tokens] if isinstance(tokens, str) else list(tokens)
        if not wanted:
            return tp.zeros(0, self.dim)
        if lower_case_backup:
            wanted = [t if t in self.stoi else t.lower() for t in wanted]
        rows = tp.stack([self[token].reshape(-1) for token in wanted])
        return rows[0] if isinstance(tokens, str) else rows

    def most_similar(
        self,
        positive: str | Tensor | Sequence[str | Tensor],
        negative: str | Sequence[str | Tensor] = (),
        topn: int = 10,
    ) -> list[tuple[str, float]]:
        """Tokens whose vectors point the most the same way.

        Args:
            positive: tokens or (dim,) vectors that count for.
            negative: tokens or vectors that count against.
            topn: how many to give.

        Returns:
            (token, cosine from -1 to 1), the best first; the tokens asked with are left out.

        Raises:
            UnknownNameError: a token has no vector.
            ValueError: nothing was asked with.

        Source: Mikolov et al. 2013; the mean of unit vectors, as gensim's KeyedVectors.
        """
        plus, minus = _listed(positive), _listed(negative)
        if not plus and not minus:
            raise ValueError("Vectors.most_similar: give at least one token or vector")
        mean = sum(self._direction(x) for x in plus) - sum(self._direction(x) for x in minus)
        scores = self._units() @ _unit(np.asarray(mean) / (len(plus) + len(minus)))
        asked = [self.stoi[x] for x in (*plus, *minus) if isinstance(x, str)]
        scores[asked] = -np.inf
        best = np.argsort(-scores, kind="stable")[: max(0, min(topn, len(self) - len(set(asked))))]
        return [(self.itos[i], float(scores[i])) for i in best]

    def analogy(self, a: str, b: str, c: str, topn: int = 10) -> list[tuple[str, float]]:
        """What is to c as b is to a: the tokens most similar to b - a + c.

        Args:
            a: such as "man".
            b: such as "king".
            c: such as "woman".
            topn: how many to give.

        Returns:
            As `most_similar`.
        """
        return self.most_similar([b, c], [a], topn)

    def similarity(self, first: str, second: str) -> float:
        """Cosine of two tokens.

        Args:
            first: a token.
            second: another.

        Returns:
            From -1 to 1.

        Raises:
            UnknownNameError: a token has no vector.
        """
        return float(self._direction(first) @ self._direction(second))

    def _direction(self, wanted: str | Tensor) -> np.ndarray:
        if not isinstance(wanted, str):
            vector = np.asarray(tp.as_tensor(wanted).detach().cpu().numpy(), np.float32).reshape(-1)
            if len(vector) != self.dim:
                raise ShapeError(f"Vectors: wanted a vector of {self.dim}, got {len(vector)}")
            return _unit(vector)
        if wanted not in self.stoi:
            raise UnknownNameError(f"Vectors: no vector for {wanted!r} among {len(self)} tokens")
        return self._units()[self.stoi[wanted]]

    def _units(self) -> np.ndarray:
        if self._unit is None:
            self._unit = _unit(self.vectors.numpy())
        return self._unit


class _NoVectorsError(FileNotFoundError, RuntimeError):
    """Also a RuntimeError, as users of torchtext expect."""


def _as_it_is(vector: Tensor) -> Tensor:
    return vector


def _listed(wanted: Any) -> list[Any]:
    single = isinstance(wanted, str) or getattr(wanted, "ndim", 0) == 1
    return [wanted] if single else list(wanted)


def _unit(rows: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1))


def _bring(url: str, folder: Path) -> None:
    """Fetch a file or an archive and put what it holds in the folder."""
    from triptych_datasets.preparing import Remote

    is_archive = url.endswith((".zip", ".tar.gz", ".tgz"))
    Remote(url, unpack=is_archive).get(folder)


def _cached(path: Path, itos: str, file: Any) -> tuple[list[str], Tensor]:
    """Tokens and vectors of an opened file in the cache."""
    tokens, names = json.loads(itos), list(file.keys())
    vectors = file.get_tensor("vectors") if "vectors" in names else None
    if vectors is None or not isinstance(tokens, list) or len(tokens) != len(vectors):
        raise FileFormatError(
            f"Vectors: {path} holds no tokens with a vector each; delete it, and it is made anew"
        )
    return tokens, vectors


def _rows(lines: Iterable[bytes]) -> Iterable[tuple[bytes, list[bytes]]]:
    for number, line in enumerate(lines):
        line = line if number else line.removeprefix(codecs.BOM_UTF8)
        # Only the space parts: words may hold other kinds of white space.
        word, *entries = line.rstrip().split(b" ")
        if len(entries) == 1:
            logger.warning("Vectors: skipping %r with one number, likely a header", word)
        elif entries:
            yield word, entries


def _read_text(path: Path, max_vectors: int | None) -> tuple[list[str], np.ndarray]:
    """Tokens and (v, dim) float32 of a text file."""
    from ..datasets.streams import open_packed, reading

    itos: list[str] = []
    chunks: list[np.ndarray] = []
    dim = None
    with reading(path), open_packed(path) as lines:
        for word, entries in _rows(lines):
            dim = dim or len(entries)
            if len(entries) != dim:
                raise FileFormatError(
                    f"Vectors: {path}: {word!r} has {len(entries)} numbers, those before {dim}"
                )
            try:
                token = word.decode("utf-8")
                chunks.append(np.array(entries, dtype="S").astype(np.float32))
            except UnicodeDecodeError:
                logger.info("Vectors: skipping %r, which is not UTF-8", word)
                continue
            except ValueError as error:
                raise FileFormatError(f"Vectors: {path}: {word!r}: {error}") from error
            itos.append(token)
            if len(itos) == max_vectors:
                break
    if not itos:
        raise FileFormatError(f"Vectors: {path} holds no vectors")
    return itos, np.stack(chunks)
