"""Published word vectors by name.

Source: the addresses are those of torchtext 0.18.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import triptych as tp
from triptych import Tensor
from triptych.errors import UnknownNameError

from .vectors import Vectors

__all__ = ["CharNGram", "FastText", "GloVe", "pretrained_aliases"]


class GloVe(Vectors):
    """Vectors of Pennington, Socher and Manning (2014).

    Args:
        name: "6B", "42B", "840B" or "twitter.27B": the corpus, in tokens.
        dim: length of a vector: 50, 100, 200, 300 for 6B; 25, 50, 100, 200 for Twitter; else 300.
        **kwargs: as in `Vectors`.

    Raises:
        UnknownNameError: there is no such corpus.
    """

    url: ClassVar[dict[str, str]] = {
        "42B": "http://nlp.stanford.edu/data/glove.42B.300d.zip",
        "840B": "http://nlp.stanford.edu/data/glove.840B.300d.zip",
        "twitter.27B": "http://nlp.stanford.edu/data/glove.twitter.27B.zip",
        "6B": "http://nlp.stanford.edu/data/glove.6B.zip",
    }

    def __init__(self, name: str = "840B", dim: int | str = 300, **kwargs: Any) -> None:
        if name not in self.url:
            raise UnknownNameError(f"GloVe: no corpus {name!r}; there are {sorted(self.url)}")
        super().__init__(f"glove.{name}.{dim}d.txt", url=self.url[name], **kwargs)


class FastText(Vectors):
    """Vectors of Bojanowski et al. (2017), trained on Wikipedia.

    Args:
        language: its code, such as "en".
        **kwargs: as in `Vectors`.
    """

    url_base = "https://dl.fbaipublicfiles.com/fasttext/vectors-wiki/wiki.{}.vec"

    def __init__(self, language: str = "en", **kwargs: Any) -> None:
        super().__init__(f"wiki.{language}.vec", url=self.url_base.format(language), **kwargs)


class CharNGram(Vectors):
    """Vectors of character n-grams of Hashimoto et al. (2017): a word is the mean of its grams.

    Args:
        **kwargs: as in `Vectors`.
    """

    name = "charNgram.txt"
    url = (
        "http://www.logos.t.u-tokyo.ac.jp/~hassy/publications/arxiv2016jmt/"
        "jmt_pre-trained_embeddings.tar.gz"
    )

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("url", self.url)
        super().__init__(self.name, **kwargs)

    def __getitem__(self, token: str) -> Tensor:
        """(1, dim) mean over the 2-, 3- and 4-grams that have a vector."""
        chars = ["#BEGIN#", *token, "#END#"]
        keys = [
            f"{n}gram-{''.join(chars[i : i + n])}"
            for n in (2, 3, 4)
            for i in range(len(chars) - n + 1)
        ]
        rows = [self.stoi[key] for key in keys if key in self.stoi]
        if token == "<unk>" or not rows:
            return self.unk_init(tp.zeros(1, self.dim))
        return self.vectors[rows].mean(dim=0, keepdim=True)


GLOVE_SIZES = {
    "42B": (300,),
    "840B": (300,),
    "twitter.27B": (25, 50, 100, 200),
    "6B": (50, 100, 200, 300),
}

pretrained_aliases: dict[str, Callable[..., Vectors]] = {
    "charngram.100d": partial(CharNGram),
    "fasttext.en.300d": partial(FastText, language="en"),
    "fasttext.simple.300d": partial(FastText, language="simple"),
    **{
        f"glove.{name}.{dim}d": partial(GloVe, name=name, dim=dim)
        for name, sizes in GLOVE_SIZES.items()
        for dim in sizes
    },
}
