"""Flickr8k and Flickr30k: photographs with five sentences each."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from .folder import default_loader
from .listed import ListedDataset, Loader, read_lines
from .preparing import prepare
from .vision import OneTransform, PathLike, rooted

__all__ = ["Flickr30k", "Flickr8k"]


class _Sentences(HTMLParser):
    """Reads Flickr8k's page: a table with a link to each photograph, and a list of sentences."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.found: dict[str, list[str]] = {}
        self._in_table, self._tag, self._photograph = False, "", ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._tag = tag
        self._in_table |= tag == "table"

    def handle_endtag(self, tag: str) -> None:
        self._tag = ""
        self._in_table &= tag != "table"

    def handle_data(self, data: str) -> None:
        if not self._in_table:
            return
        if data == "Image Not Found":
            self._photograph = ""
        elif self._tag == "a":
            paths = sorted(self.folder.glob(f"{data.split('/')[-2]}_*.jpg"))
            self._photograph = str(paths[0]) if paths else ""
            if self._photograph:
                self.found[self._photograph] = []
        elif self._tag == "li" and self._photograph:
            self.found[self._photograph].append(data.strip())


class _Flickr(ListedDataset):
    """What both share: a folder of photographs and a file of sentences."""

    annotations: dict[str, list[str]]
    page = ""

    def __init__(
        self,
        root: PathLike,
        ann_file: PathLike,
        transform: OneTransform | None = None,
        target_transform: OneTransform | None = None,
        loader: Loader = default_loader,
    ) -> None:
        super().__init__(root, transform, target_transform, loader)
        self.ann_file = str(rooted(ann_file))
        path, name = Path(self.ann_file), type(self).__name__
        cure = f"ask the publisher for them: {self.page}"
        prepare(name, path.parent, {path.name: None}, by_hand=cure)
        prepare(name, self.folder.parent, {self.folder.name: None}, by_hand=cure)
        self.annotations = self._read(path)
        self.ids = sorted(self.annotations)
        self.samples = [(str(self.folder / id), self.annotations[id]) for id in self.ids]

    def _read(self, path: Path) -> dict[str, list[str]]:
        raise NotImplementedError


class Flickr8k(_Flickr):
    """8,000 photographs with five sentences each.

    Args:
        root: folder of the photographs.
        ann_file: the publisher's page of sentences.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the list of sentences.
        loader: called with a path, gives the image.

    Attributes:
        ids: path of each photograph, sorted.
        annotations: sentences of each.

    Raises:
        MissingDataError: folder or file are missing.

    Source: M. Hodosh, P. Young and J. Hockenmaier 2013, "Framing Image Description as a Ranking
    Task".
    """

    page = "http://hockenmaier.cs.illinois.edu/8k-pictures.html"

    def _read(self, path: Path) -> dict[str, list[str]]:
        parser = _Sentences(self.folder)
        parser.feed(path.read_text(encoding="utf-8"))
        return parser.found


class Flickr30k(_Flickr):
    """31,783 photographs with five sentences each.

    Args:
        root: folder of the photographs.
        ann_file: a line for each sentence, "name.jpg#0", a tab, and the sentence.
        transform: called with the image, a PIL image in mode RGB.
        target_transform: called with the list of sentences.
        loader: called with a path, gives the image.

    Attributes:
        ids: name of each photograph, sorted.
        annotations: sentences of each.

    Raises:
        MissingDataError: folder or file are missing.

    Source: P. Young et al. 2014, "From image descriptions to visual denotations".
    """

    page = "https://bryanplummer.com/Flickr30kEntities/"

    def _read(self, path: Path) -> dict[str, list[str]]:
        found: dict[str, list[Any]] = defaultdict(list)
        for line in read_lines(path):
            name, _, sentence = line.partition("\t")
            found[name.rpartition("#")[0]].append(sentence)
        return dict(found)
