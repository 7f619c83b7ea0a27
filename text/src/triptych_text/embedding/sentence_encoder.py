"""`SentenceEncoder`: tokenizer, language model and pooling in one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Self

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DTypeError
from triptych.nn import functional as F

from ..models.architectures import BASE_MODELS, architecture_of, find_architecture
from ..models.base import PretrainedModel
from ..models.loading import load_model
from ..pretrained import ModelFiles, model_files
from ..tokenizers import Tokenizer
from .modules import read_modules
from .pooling import Pooling

__all__ = ["SentenceEncoder", "batches_by_length"]

# A batch costs some work however small it is: about as much as this many tokens of padding.
BATCH_COST_TOKENS = 16


class SentenceEncoder(nn.Module):
    """Texts to vectors; texts that mean the same get vectors that point the same way.

    Args:
        model: an encoder whose output has `last_hidden_state`.
        tokenizer: the one the model was trained with.
        pooling: one vector for each text; default the mean over tokens.
        max_length: longer texts are cut to this many tokens; default the tokenizer's own.
        after: what happens to vectors behind the pooling, such as `Dense`.

    Example:
        >>> from triptych_text.models import BertConfig, BertModel
        >>> from triptych_text.tokenizers import Tokenizer, word_piece_backend
        >>> words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "rain", "again"]
        >>> tokenizer = Tokenizer(word_piece_backend({w: i for i, w in enumerate(words)}))
        >>> config = BertConfig(vocab_size=6, hidden_size=8, num_hidden_layers=1,
        ...                     num_attention_heads=2, intermediate_size=16)
        >>> encoder = SentenceEncoder(BertModel(config), tokenizer, max_length=16)
        >>> encoder.encode(["Rain", "rain again"]).shape
        Size([2, 8])
    """

    def __init__(
        self,
        model: PretrainedModel,
        tokenizer: Tokenizer,
        pooling: Pooling | None = None,
        max_length: int | None = None,
        after: Sequence[nn.Module] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.pooling = Pooling() if pooling is None else pooling
        self.after = nn.Sequential(*after)
        self.tokenizer = tokenizer
        self.max_length = max_length or tokenizer.max_length

    @classmethod
    def from_pretrained(cls, source: str | os.PathLike[str] | ModelFiles) -> Self:
        """Sentence encoder in evaluation mode.

        Args:
            source: a folder as sentence-transformers writes it (modules.json with 1_Pooling,
                2_Dense, 3_Normalize, or without it a language model), or the name of a registered
                model such as "all-MiniLM-L6-v2", whose files are fetched first.

        Raises:
            FileFormatError: a file is damaged or does not fit the others.
            FileNotFoundError: a file is missing.
            UnknownNameError: neither a folder nor a registered name.
            triptych_datasets.DatasetsError: the files cannot be fetched.
        """
        modules = read_modules(model_files(source))
        files = modules.transformer
        settings = files.json("config.json", "the settings")
        bare = BASE_MODELS[settings["model_type"]] if "model_type" in settings else None
        model = load_model(find_architecture(bare) if bare else architecture_of(settings), files)
        tokenizer = Tokenizer.from_pretrained(files)
        length = files.json("sentence_bert_config.json", default={}).get("max_seq_length")
        pool = None if modules.pooling is None else Pooling.from_dict(modules.pooling)
        return cls(model, tokenizer, pool, length, modules.after).eval()

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
    ) -> Tensor:
        """Vectors of encoded texts, for training.

        Args:
            input_ids: (n, l) int64.
            attention_mask: (n, l), 1 for tokens and 0 for padding; None when there is no padding.
            token_type_ids: (n, l) segments; default all 0.

        Returns:
            (n, d), of any length.
        """
        encoded = self.model(input_ids, attention_mask, token_type_ids)
        return self.after(self.pooling(encoded.last_hidden_state, attention_mask))

    def encode(
        self,
        texts: str | Sequence[str],
        batch_size: int = 32,
        normalize: bool = True,
        progress: bool | None = None,
    ) -> Tensor:
        """Vectors of texts.

        Texts of similar length are worked on together, so that little padding is computed; the
        order of the result is that of the texts.

        Args:
            texts: n texts, cut to `max_length` tokens each; or a single one.
            batch_size: how many to work on at once, at most.
            normalize: scale each vector to length one, so that products are cosines.
            progress: show a progress bar; None shows one on a terminal when it takes longer than
                a second.

        Returns:
            (n, d) float32, or (d,) for a single text.

        Raises:
            DTypeError: a text is not a `str`.
            ValueError: batch_size is below 1.
        """
        if isinstance(texts, str):
            return self.encode([texts], batch_size, normalize, progress)[0]
        if batch_size < 1:
            raise ValueError(f"SentenceEncoder.encode: batch_size is 1 or more, got {batch_size}")
        if not isinstance(texts, Sequence):
            raise DTypeError(
                f"SentenceEncoder.encode: wanted a list of str, got a {type(texts).__name__}"
            )
        training = self.training
        self.eval()
        try:
            with tp.inference_mode(), _progress_bar(len(texts), progress) as bar:
                return self._encode(texts, batch_size, normalize, bar)
        finally:
            if training:
                self.train()

    def _encode(self, texts: Sequence[str], batch_size: int, normalize: bool, bar: Any) -> Tensor:
        rows = self.tokenizer(
            texts,
            padding=None,
            truncation=self.max_length is not None,
            max_length=self.max_length,
            return_tensors=None,
        )
        ids, types = rows["input_ids"], rows["token_type_ids"]
        device = next(self.parameters()).device
        order: list[int] = []
        parts = []
        for places in batches_by_length([len(row) for row in ids], batch_size):
            batch = self.tokenizer.pad([ids[i] for i in places], [types[i] for i in places])
            if len({len(ids[i]) for i in places}) == 1:
                batch["attention_mask"] = None  # no padding: nothing to mask
            if not any(any(types[i]) for i in places):
                batch["token_type_ids"] = None
            parts.append(self(**{k: v if v is None else v.to(device) for k, v in batch.items()}))
            order += places
            bar.update(len(places))
        if not parts:
            return tp.zeros(0, self._width())
        vectors = tp.cat(parts)
        vectors = F.normalize(vectors, dim=1) if normalize else vectors
        return vectors[tp.argsort(tp.tensor(order))]

    def _width(self) -> int:
        """d, found by encoding nothing but the special tokens."""
        return int(self(**self.tokenizer([""])).shape[1])


def batches_by_length(lengths: Sequence[int], batch_size: int) -> Iterator[list[int]]:
    """Put rows of similar length together, the longest first.

    A batch is full at `batch_size` rows, or when filling up its rows would cost more than to start
    another batch.

    Args:
        lengths: of the rows, in tokens.
        batch_size: most rows of a batch.

    Yields:
        Places of rows; each occurs once.

    Example:
        >>> list(batches_by_length([3, 300, 4, 290], batch_size=32))
        [[1, 3], [2, 0]]
    """
    batch: list[int] = []
    wasted = 0
    for place in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        lacking = lengths[batch[0]] - lengths[place] if batch else 0
        if batch and (len(batch) == batch_size or wasted + lacking > BATCH_COST_TOKENS):
            yield batch
            batch, wasted, lacking = [], 0, 0
        batch.append(place)
        wasted += lacking
    if batch:
        yield batch


def _progress_bar(total: int, progress: bool | None) -> Any:
    from tqdm import tqdm

    hidden = None if progress is None else not progress  # None: hidden unless on a terminal
    delay_s = 1.0 if progress is None else 0.0
    return tqdm(total=total, unit="text", disable=hidden, delay=delay_s, leave=bool(progress))
