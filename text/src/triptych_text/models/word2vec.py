"""word2vec: vectors of words from the company they keep, by skip-gram or CBOW.

Source: Mikolov, Sutskever, Chen, Corrado and Dean 2013, "Distributed Representations of Words and
Phrases and their Compositionality" (negative sampling, frequent words); Mikolov, Chen, Corrado and
Dean 2013, "Efficient Estimation of Word Representations in Vector Space" (both models).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

import triptych as tp
from triptych import Generator, Tensor, nn, optim
from triptych.errors import DomainError, DTypeError, UnknownNameError
from triptych.nn import functional as F

__all__ = ["Word2Vec", "train_word2vec"]

NOISE_POWER = 0.75  # of the counts of words, for those drawn as wrong. Source: section 2.2


class Word2Vec(nn.Module):
    """Vectors of words, and of words as company, scored by their products.

    Args:
        words: n of them; their places are their ids.
        embedding_dim: d.

    Example:
        >>> model = Word2Vec(["rain", "again"], embedding_dim=4)
        >>> model["rain"].shape, model.most_similar("rain", 1)[0][0]
        (Size([4]), 'again')
    """

    def __init__(self, words: Sequence[str], embedding_dim: int = 100) -> None:
        super().__init__()
        self.words = list(words)
        self.ids = {word: index for index, word in enumerate(self.words)}
        self.vectors = nn.Embedding(len(self.words), embedding_dim)
        self.company = nn.Embedding(len(self.words), embedding_dim)
        # As the original program starts.
        nn.init.uniform_(self.vectors.weight, -0.5 / embedding_dim, 0.5 / embedding_dim)
        nn.init.zeros_(self.company.weight)

    def __getitem__(self, word: str) -> Tensor:
        """(d,) vector of a word.

        Raises:
            UnknownNameError: the word is not known.
        """
        return self.vectors.weight.detach()[self._id(word)]

    def __contains__(self, word: object) -> bool:
        return word in self.ids

    def __len__(self) -> int:
        return len(self.words)

    def most_similar(self, word: str, count: int = 10) -> list[tuple[str, float]]:
        """The words whose vectors point most nearly the same way.

        Args:
            word: a known one.
            count: how many others to name.

        Returns:
            Words with their cosines, the nearest first.

        Raises:
            UnknownNameError: the word is not known.
        """
        place = self._id(word)
        units = F.normalize(self.vectors.weight.detach(), dim=1).numpy()
        cosines = units @ units[place]
        order = [int(i) for i in np.argsort(-cosines, kind="stable") if i != place]
        return [(self.words[i], float(cosines[i])) for i in order[:count]]

    def loss(self, given: Tensor, mask: Tensor, right: Tensor, wrong: Tensor) -> Tensor:
        """Mean loss of telling right words from drawn ones.

        Args:
            given: (n, c) int64 words that are given; skip-gram has c = 1.
            mask: (n, c), 1 for those that count; their vectors' mean is taken.
            right: (n,) int64 the words to tell.
            wrong: (n, k) int64 drawn words; those that are the right one do not count.

        Returns:
            A number.

        Source: Mikolov, Sutskever et al. 2013, eq. 4.
        """
        share = mask / mask.sum(1, keepdim=True)
        centre = (share[:, None].to(self.vectors.weight.dtype) @ self.vectors(given))[:, 0]
        good = (self.company(right) * centre).sum(1)
        bad = (self.company(wrong) @ centre[:, :, None])[:, :, 0]
        real = (wrong != right[:, None]).to(bad.dtype)
        return -(F.logsigmoid(good) + (F.logsigmoid(-bad) * real).sum(1)).mean()

    def _id(self, word: str) -> int:
        if word not in self.ids:
            raise UnknownNameError(f"Word2Vec: {word!r} is none of the {len(self)} words")
        return self.ids[word]


def train_word2vec(
    sentences: Iterable[Sequence[str]],
    *,
    embedding_dim: int = 100,
    kind: str = "skip-gram",
    window: int = 5,
    negative: int = 5,
    min_count: int = 5,
    sample: float = 1e-3,
    epochs: int = 5,
    batch_size: int = 1024,
    lr: float = 0.01,
    generator: Generator | None = None,
) -> Word2Vec:
    """Learn vectors of words.

    Args:
        sentences: of words.
        embedding_dim: d.
        kind: "skip-gram" tells each neighbour by the word, "cbow" the word by its neighbours.
        window: farthest neighbour in words; for each word a smaller one is drawn, from 1 on.
        negative: drawn words for each right one.
        min_count: rarer words are left out.
        sample: share of a text above which a word is left out at random, the oftener the more;
            0 to keep all.
        epochs: how often all texts are read.
        batch_size: right words in a step.
        lr: rate of Adam, at the start; it falls to 0.
        generator: of all draws; default the global one.

    Returns:
        The model, in evaluation mode; its words are sorted, the most frequent first.

    Raises:
        DomainError: no two neighbours are left, or a number is out of its range.
        DTypeError: a sentence is one text, not a sequence of words.
        UnknownNameError: kind is neither of the two.
    """
    numbers = {"window": window, "negative": negative, "min_count": min_count, "epochs": epochs}
    _check(kind, **numbers, batch_size=batch_size, embedding_dim=embedding_dim)
    texts = [_words(sentence) for sentence in sentences]
    counts = Counter(word for text in texts for word in text)
    ranked = sorted((w for w in counts if counts[w] >= min_count), key=lambda w: (-counts[w], w))
    if len(ranked) < 2:
        raise DomainError(
            f"train_word2vec: {len(ranked)} of {len(counts)} words occur {min_count} times or "
            "more; give more text, or a lower min_count"
        )
    model = Word2Vec(ranked, embedding_dim)
    frequency = np.array([counts[word] for word in ranked], dtype=np.float64)
    with tp.no_grad():
        start = tp.rand(len(ranked), embedding_dim, generator=generator)
        model.vectors.weight.copy_((start - 0.5) / embedding_dim)
    rows = [np.array([model.ids[w] for w in t if w in model.ids], dtype=np.int64) for t in texts]
    noise = frequency**NOISE_POWER
    limits = np.cumsum(noise / noise.sum())
    limits[-1] = 1.0
    keep = _kept_share(frequency, sample)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    for epoch in range(epochs):
        examples = _examples(rows, keep, kind, window, generator)
        batches = _batches(examples, batch_size, generator)
        for place, (given, mask, right) in enumerate(batches):
            done = (epoch + place / len(batches)) / epochs
            optimizer.param_groups[0]["lr"] = lr * (1 - done)
            draws = _draw(len(right) * negative, generator).reshape(-1, negative)
            wrong = np.searchsorted(limits, draws)
            optimizer.zero_grad()
            model.loss(*(tp.from_numpy(x) for x in (given, mask, right, wrong))).backward()
            optimizer.step()
    return model.eval()


def _check(kind: str, **numbers: int) -> None:
    if kind not in ("skip-gram", "cbow"):
        raise UnknownNameError(f'train_word2vec: kind is "skip-gram" or "cbow", got {kind!r}')
    for name, number in numbers.items():
        if number < 1:
            raise DomainError(f"train_word2vec: {name} is 1 or more, got {number}")


def _words(sentence: Sequence[str]) -> list[str]:
    if isinstance(sentence, str | bytes):
        raise DTypeError(
            f"train_word2vec: a sentence is a sequence of words, got {sentence!r:.60}; cut it, for "
            'instance with triptych_text.data.get_tokenizer("basic_english")'
        )
    return list(sentence)


def _draw(count: int, generator: Generator | None) -> np.ndarray:
    """Numbers in [0, 1)."""
    return np.asarray(tp.rand(count, generator=generator, dtype=tp.float64).numpy())


def _kept_share(frequency: np.ndarray, sample: float) -> np.ndarray:
    """(n,) how often each word is kept. Source: the original program, word2vec.c."""
    if sample <= 0:
        return np.ones_like(frequency)
    ratio = frequency / (sample * frequency.sum())
    return np.minimum((np.sqrt(ratio) + 1) / ratio, 1.0)


def _examples(
    rows: Sequence[np.ndarray],
    keep: np.ndarray,
    kind: str,
    window: int,
    generator: Generator | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Words given (n, c), which of them count (n, c), and right words (n,)."""
    lengths = np.array([len(row) for row in rows])
    words, owner = np.concatenate(rows), np.repeat(np.arange(len(rows)), lengths)
    kept = _draw(len(words), generator) < keep[words]
    words, owner = words[kept], owner[kept]
    reach = 1 + (_draw(len(words), generator) * window).astype(np.int64)
    steps = np.array([step for step in range(-window, window + 1) if step])
    places = np.arange(len(words))[:, None] + steps  # (n, 2 window)
    inside = (places >= 0) & (places < len(words)) & (np.abs(steps) <= reach[:, None])
    places = places.clip(0, max(len(words) - 1, 0))
    mask = inside & (owner[places] == owner[:, None]) if len(words) else inside
    if not mask.any():
        raise DomainError(
            "train_word2vec: no two words stand beside each other; give more text, or a lower "
            "min_count, or a higher sample"
        )
    if kind == "cbow":
        some = mask.any(1)
        return words[places][some], mask[some].astype(np.float32), words[some]
    centre, side = np.nonzero(mask)
    ones = np.ones((len(centre), 1), dtype=np.float32)
    return words[centre][:, None], ones, words[places[centre, side]]


def _batches(
    examples: tuple[np.ndarray, np.ndarray, np.ndarray],
    size: int,
    generator: Generator | None,
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Examples in a drawn order, `size` at a time."""
    order = tp.randperm(len(examples[2]), generator=generator).numpy()
    cuts = (order[start : start + size] for start in range(0, len(order), size))
    given, mask, right = examples
    return [(given[cut], mask[cut], right[cut]) for cut in cuts]
