"""Sentences with a tag for each word: rows of lists, the words and each kind of tag."""

from __future__ import annotations

from .classification import TORCHTEXT
from .language import TFDS
from .published import Description, File, Inside, loader
from .records import blocks
from .rows import Tagged

__all__ = ["CoNLL2000Chunking", "CoNLL2003", "UDPOS"]

_CHUNKS = "https://www.clips.uantwerpen.be/conll2000/chunking/"
CoNLL2000Chunking = loader(
    Description(
        "CoNLL2000Chunking",
        {
            "train": Inside(File(_CHUNKS + "train.txt.gz", "6969c2903a1f19a83569db643e43dcc8"),
                            blocks, Tagged(" "), num_rows=8_936),
            "test": Inside(File(_CHUNKS + "test.txt.gz", "a916e1c2d83eb3004b38fc6fcd628939"),
                           blocks, Tagged(" "), num_rows=2_012),
        },
        "News with parts of speech and chunks: rows [words, tags, chunks].",
        f"Tjong Kim Sang and Buchholz 2000; {TORCHTEXT}",
    )
)  # fmt: skip

_UDPOS = File("https://bitbucket.org/sivareddyg/public/downloads/en-ud-v2.zip",
              "bdcac7c52d934656bae1699541424545")  # fmt: skip
UDPOS = loader(
    Description(
        "UDPOS",
        {
            split: Inside(_UDPOS, blocks, Tagged("\t"), f"{name}.txt", size)
            for split, name, size in (
                ("train", "train", 12_543),
                ("valid", "dev", 2_002),
                ("test", "test", 2_077),
            )
        },
        "English of Universal Dependencies: rows [words, universal tags, Penn tags].",
        TORCHTEXT,
    )
)

_CONLL = File("https://data.deepai.org/conll2003.zip",
              "96a104d174ddae7558bab603f19382c5fe02ff1da5c077a7f3ce2ced1578a2c3")  # fmt: skip
CoNLL2003 = loader(
    Description(
        "CoNLL2003",
        {
            split: Inside(_CONLL, blocks, Tagged(" ", 4, "-DOCSTART-"), f"{name}.txt", size)
            for split, name, size in (
                ("train", "train", 14_041),
                ("valid", "valid", 3_250),
                ("test", "test", 3_453),
            )
        },
        "News with names of people, places and organisations: rows [words, tags, chunks, names], "
        "names in the scheme B-PER, I-PER, O.",
        f"Tjong Kim Sang and De Meulder 2003; {TFDS}",
    )
)
