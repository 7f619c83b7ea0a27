"""Finds the names and keywords of CuPy that source code uses, without running it.

The array namespace goes by the names `xp` and `cupy`, also as an attribute (``self.xp``).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .snapshot import Entry

ROOTS = frozenset(("xp", "cupy"))
UFUNC_KEYWORDS = frozenset(("casting", "dtype", "out"))
MODULES = frozenset(("cuda", "cuda.runtime", "fft", "lib", "lib.stride_tricks", "linalg", "random"))


@dataclass(frozen=True)
class Use:
    """One place: ``path`` such as linalg.svd, and the keywords if it is called there."""

    file: str
    line: int
    path: str
    keywords: tuple[str, ...]


def uses(file: Path, name: str) -> Iterator[Use]:
    """Every use in a file, which is called `name` in the result."""
    tree = ast.parse(file.read_text())
    calls = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
    inner = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or id(node) in inner:
            continue
        path = _path(node)
        if path is None:
            continue
        call = calls.get(id(node))
        keywords = () if call is None else tuple(k.arg for k in call.keywords if k.arg)
        yield Use(name, node.lineno, path, keywords)


def _path(node: ast.Attribute) -> str | None:
    """What stands behind the namespace, or None where the chain starts elsewhere."""
    parts: list[str] = []
    current: ast.expr = node
    while isinstance(current, ast.Attribute):
        if current.attr in ROOTS and parts:
            return ".".join(reversed(parts))
        parts.append(current.attr)
        current = current.value
    known = isinstance(current, ast.Name) and current.id in ROOTS
    return ".".join(reversed(parts)) if known else None


def complaint(use: Use, names: dict[str, Entry]) -> str | None:
    """What is wrong with a use, or None."""
    entry = _find(use.path, names)
    if entry is None:
        return f"CuPy has no {use.path}"
    for keyword in use.keywords:
        if entry.kind == "ufunc" and keyword not in UFUNC_KEYWORDS:
            return f"{use.path} takes no {keyword}="
        if entry.kind == "function" and not entry.takes(keyword):
            return f"{use.path} takes no {keyword}="
    return None


def _find(path: str, names: dict[str, Entry]) -> Entry | None:
    if path in MODULES:
        return Entry("module", None)
    if path in names:
        return names[path]
    owner, _, last = path.rpartition(".")
    above = names.get(owner)
    if above is None:
        return None
    return names.get(f"ufunc.{last}") if above.kind == "ufunc" else None
