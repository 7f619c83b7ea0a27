"""CMU ARCTIC: the same thousand sentences in 18 voices."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from triptych.errors import FileFormatError
from triptych_audio.io import load
from triptych_datasets import Remote, prepare
from triptych_datasets.placing import name_in

from .base import AudioDataset, Loader, PathLike, Transform, read_lines

__all__ = ["CMUARCTIC"]

BASE = "http://festvox.org/cmu_arctic/packed/"
CHECKSUMS = {
    "aew": "645cb33c0f0b2ce41384fdd8d3db2c3f5fc15c1e688baeb74d2e08cab18ab406",
    "ahw": "024664adeb892809d646a3efd043625b46b5bfa3e6189b3500b2d0d59dfab06c",
    "aup": "2c55bc3050caa996758869126ad10cf42e1441212111db034b3a45189c18b6fc",
    "awb": "d74a950c9739a65f7bfc4dfa6187f2730fa03de5b8eb3f2da97a51b74df64d3c",
    "axb": "dd65c3d2907d1ee52f86e44f578319159e60f4bf722a9142be01161d84e330ff",
    "bdl": "26b91aaf48b2799b2956792b4632c2f926cd0542f402b5452d5adecb60942904",
    "clb": "3f16dc3f3b97955ea22623efb33b444341013fc660677b2e170efdcc959fa7c6",
    "eey": "8a0ee4e5acbd4b2f61a4fb947c1730ab3adcc9dc50b195981d99391d29928e8a",
    "fem": "3fcff629412b57233589cdb058f730594a62c4f3a75c20de14afe06621ef45e2",
    "gka": "dc82e7967cbd5eddbed33074b0699128dbd4482b41711916d58103707e38c67f",
    "jmk": "3a37c0e1dfc91e734fdbc88b562d9e2ebca621772402cdc693bbc9b09b211d73",
    "ksp": "8029cafce8296f9bed3022c44ef1e7953332b6bf6943c14b929f468122532717",
    "ljm": "b23993765cbf2b9e7bbc3c85b6c56eaf292ac81ee4bb887b638a24d104f921a0",
    "lnh": "4faf34d71aa7112813252fb20c5433e2fdd9a9de55a00701ffcbf05f24a5991a",
    "rms": "c6dc11235629c58441c071a7ba8a2d067903dfefbaabc4056d87da35b72ecda4",
    "rxr": "1fa4271c393e5998d200e56c102ff46fcfea169aaa2148ad9e9469616fbfdd9b",
    "slp": "54345ed55e45c23d419e9a823eef427f1cc93c83a710735ec667d068c916abf1",
    "slt": "7c173297916acf3cc7fcab2713be4c60b27312316765a90934651d367226b4ea",
}
LINE = re.compile(r'\(\s*(\S+)\s+"(.*)"\s*\)\s*')  # ( arctic_a0001 "Author of the danger trail." )


class CMUARCTIC(AudioDataset):
    """1,132 sentences, balanced in their sounds, read by one of 18 voices at 16 kHz.

    Samples are (waveform, sample_rate, transcript, utterance id).

    Args:
        root: the files lie in `root/ARCTIC/cmu_us_aew_arctic/`.
        url: the voice: "aew", "ahw", "aup", "awb", "axb", "bdl", "clb", "eey", "fem", "gka",
            "jmk", "ksp", "ljm", "lnh", "rms", "rxr", "slp" or "slt"; or the address of an archive.
        folder_in_archive: the folder below root.
        download: fetch the files when they are missing.
        transform: called with the waveform.
        loader: called with a path, gives a waveform and its rate.

    Raises:
        MissingDataError: files are missing and download is False.

    Source: J. Kominek and A. Black 2003, http://festvox.org/cmu_arctic/.
    """

    def __init__(
        self,
        root: PathLike,
        url: str = "aew",
        folder_in_archive: str = "ARCTIC",
        download: bool = False,
        *,
        transform: Transform | None = None,
        loader: Loader = load,
    ) -> None:
        super().__init__(root, transform=transform, loader=loader)
        checksum = CHECKSUMS.get(url)
        address = f"{BASE}cmu_us_{url}_arctic.tar.bz2" if checksum else url
        name = f"{folder_in_archive}/{name_in(address).partition('.')[0]}"
        remote = Remote(address, checksum, folder=folder_in_archive)
        prepare(type(self).__name__, self.root, {name: None}, [remote], download=download)
        self.folder = self.root / name
        table = self.folder / "etc" / "txt.done.data"
        self.rows = [_row(table, line) for line in read_lines(table)]

    def entry(self, n: int) -> tuple[Sequence[Path], tuple[Any, ...]]:
        """The file of sample n, and its labels."""
        name, transcript = self.rows[n]
        return [self.folder / "wav" / f"{name}.wav"], (transcript, name.partition("_")[2])

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.rows)


def _row(table: Path, line: str) -> tuple[str, str]:
    match = LINE.fullmatch(line)
    if match is None:
        raise FileFormatError(f'{table}: wanted ( NAME "SENTENCE" ), found {line!r}')
    return match[1], match[2]
