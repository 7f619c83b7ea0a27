"""Recurrent models of tutorials: an LSTM that classifies texts, GRUs that turn one into another.

Source: Hochreiter and Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Bahdanau, Cho and Bengio
2014, "Neural Machine Translation by Jointly Learning to Align and Translate" (attention).
"""

from __future__ import annotations

from typing import Any

import triptych as tp
from triptych import Generator, Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as F

__all__ = ["AdditiveAttention", "GRUSeq2Seq", "LSTMClassifier"]


def _mask(ids: Tensor, padding_idx: int, model: str) -> Tensor:
    """(n, l), true for tokens.

    Raises:
        ShapeError: the ids have other axes, or there are none.
    """
    if ids.ndim != 2 or 0 in ids.shape:
        raise ShapeError(
            f"{model}: wanted ids of shape (n, l), n and l of 1 or more, got {tuple(ids.shape)}"
        )
    return ids != padding_idx


def _read(layers: nn.Module, x: Tensor, lengths: Tensor) -> tuple[Tensor, Any]:
    """Recurrent layers, forwards and maybe backwards, that do not see padding on the right.

    (n, l, e) to (n, l, directions times h), zero at padding, and the last states.
    """
    packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    out, state = layers(packed)
    padded, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True, total_length=x.shape[1])
    return padded, state


class LSTMClassifier(nn.Module):
    """Classes of texts, read by an LSTM in both directions.

    Args:
        vocab_size: v.
        num_classes: c.
        embedding_dim: width of the embeddings.
        hidden_size: width of the LSTM in each direction.
        num_layers: layers of it.
        bidirectional: read backwards, too.
        dropout: share of activations set to zero in training.
        padding_idx: id of the padding token, which stands on the right.

    Example:
        >>> LSTMClassifier(vocab_size=9, num_classes=3)(tp.tensor([[4, 5, 0], [7, 8, 3]])).shape
        Size([2, 3])
    """

    def __init__(
        self,
        vocab_size: int,
        num_classes: int,
        embedding_dim: int = 100,
        hidden_size: int = 128,
        num_layers: int = 1,
        bidirectional: bool = True,
        dropout: float = 0.3,
        padding_idx: int = 0,
    ) -> None:
        super().__init__()
        self.padding_idx = padding_idx
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx)
        self.lstm = nn.LSTM(
            embedding_dim,
            hidden_size,
            num_layers,
            batch_first=True,
            bidirectional=bidirectional,
            dropout=dropout if num_layers > 1 else 0.0,
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size * (1 + bidirectional), num_classes)

    def forward(self, input_ids: Tensor) -> Tensor:
        """Score classes.

        Args:
            input_ids: (n, l) int64; a text of padding only counts as one such token.

        Returns:
            (n, c) logits, from the last state in each direction.

        Raises:
            ShapeError: the ids have other axes, or there are none.
        """
        lengths = _mask(input_ids, self.padding_idx, "LSTMClassifier").sum(1).clamp(min=1)
        x = self.dropout(self.embedding(input_ids))
        _, (hidden, _) = _read(self.lstm, x, lengths)
        last = hidden[-2:] if self.lstm.bidirectional else hidden[-1:]
        return self.classifier(self.dropout(last.transpose(0, 1).flatten(1)))


class AdditiveAttention(nn.Module):
    """What a state looks at, by a small network.

    Args:
        state_dim: width of the state.
        key_dim: width of what is looked at.
        hidden_size: width between.

    Source: Bahdanau, Cho and Bengio 2014, appendix A.1.2.
    """

    def __init__(self, state_dim: int, key_dim: int, hidden_size: int) -> None:
        super().__init__()
        self.state = nn.Linear(state_dim, hidden_size)
        self.keys = nn.Linear(key_dim, hidden_size, bias=False)
        self.score = nn.Linear(hidden_size, 1, bias=False)

    def forward(
        self, state: Tensor, encoded: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Look.

        Args:
            state: (n, state_dim).
            encoded: (n, l, key_dim).
            keys: (n, l, hidden_size): `self.keys(encoded)`, which is the same for every state.
            mask: (n, l), true for tokens.

        Returns:
            (n, key_dim) a mean of `encoded`, and its weights (n, l).
        """
        scores = self.score(tp.tanh(self.state(state)[:, None] + keys)).squeeze(-1)
        weights = F.softmax(scores.masked_fill(~mask, tp.finfo(scores.dtype).min), dim=-1)
        return (weights[:, None] @ encoded)[:, 0], weights


class GRUSeq2Seq(nn.Module):
    """One text to another: a GRU reads it in both directions, one with attention writes.

    Args:
        source_vocab_size: of the texts read.
        target_vocab_size: of the texts written.
        embedding_dim: width of the embeddings.
        hidden_size: width of the GRUs.
        dropout: share of activations set to zero in training.
        padding_idx, bos_idx, eos_idx: ids of padding (on the right), of the token that begins
            what is written, and of the one that ends it.

    Example:
        >>> model = GRUSeq2Seq(9, 11, embedding_dim=4, hidden_size=8).eval()
        >>> source = tp.tensor([[4, 5, 2], [7, 2, 0]])
        >>> model(source, tp.tensor([[1, 5], [1, 6]])).shape
        Size([2, 2, 11])
        >>> model.generate(source, max_length=5).shape[0]
        2
    """

    def __init__(
        self,
        source_vocab_size: int,
        target_vocab_size: int,
        embedding_dim: int = 128,
        hidden_size: int = 256,
        dropout: float = 0.1,
        padding_idx: int = 0,
        bos_idx: int = 1,
        eos_idx: int = 2,
    ) -> None:
        super().__init__()
        self.padding_idx, self.bos_idx, self.eos_idx = padding_idx, bos_idx, eos_idx
        self.source_embedding = nn.Embedding(source_vocab_size, embedding_dim, padding_idx)
        self.target_embedding = nn.Embedding(target_vocab_size, embedding_dim, padding_idx)
        self.encoder = nn.GRU(embedding_dim, hidden_size, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hidden_size, hidden_size)
        self.attention = AdditiveAttention(hidden_size, 2 * hidden_size, hidden_size)
        self.decoder = nn.GRUCell(embedding_dim + 2 * hidden_size, hidden_size)
        self.output = nn.Linear(3 * hidden_size + embedding_dim, target_vocab_size)
        self.dropout = nn.Dropout(dropout)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read texts.

        Args:
            source: (n, l) int64.

        Returns:
            (n, l, 2 h), the first state of what is written (n, h), and a mask (n, l).

        Raises:
            ShapeError: the ids have other axes, or there are none.
        """
        mask = _mask(source, self.padding_idx, "GRUSeq2Seq")
        x = self.dropout(self.source_embedding(source))
        encoded, hidden = _read(self.encoder, x, mask.sum(1).clamp(min=1))
        return encoded, tp.tanh(self.bridge(hidden.transpose(0, 1).flatten(1))), mask

    def forward(
        self,
        source: Tensor,
        target: Tensor,
        *,
        teacher_forcing: float = 1.0,
        generator: Generator | None = None,
    ) -> Tensor:
        """Score the tokens that follow.

        Args:
            source: (n, l) int64 texts to read.
            target: (n, t) int64 what was written, with the token that begins it.
            teacher_forcing: how often, in [0, 1], the next step is given the right token, not the
                model's own choice; one draw for all texts in each step.
            generator: of these draws; default the global one.

        Returns:
            (n, t, v) logits of the token behind each.

        Raises:
            DomainError: teacher_forcing is out of its range.
            ShapeError: source or target has other axes, or holds nothing, or their n differ.
        """
        if not 0 <= teacher_forcing <= 1:
            raise DomainError(
                f"GRUSeq2Seq: wanted 0 <= teacher_forcing <= 1, got {teacher_forcing}"
            )
        if target.ndim != 2 or 0 in target.shape or len(target) != len(source):
            raise ShapeError(
                f"GRUSeq2Seq: wanted target of shape ({len(source)}, t), t of 1 or more, got "
                f"{tuple(target.shape)}"
            )
        encoded, state, mask = self.encode(source)
        keys = self.attention.keys(encoded)
        given, steps = target[:, 0], []
        forced = tp.rand(target.shape[1], generator=generator) < teacher_forcing
        for place, right in enumerate(forced.tolist(), 1):
            logits, state = self._step(given, state, encoded, keys, mask)
            steps.append(logits)
            if place < target.shape[1]:
                given = target[:, place] if right else logits.detach().argmax(-1)
        return tp.stack(steps, 1)

    def loss(self, source: Tensor, target: Tensor, **options: Any) -> Tensor:
        """Mean cross entropy of each token given those before it, padding left out.

        Args:
            source, target, **options: as in `forward`; target holds the ending token, too, and so
                two tokens or more.

        Returns:
            A number.

        Raises:
            DomainError, ShapeError: as in `forward`.
        """
        logits = self(source, target[:, :-1], **options)
        return F.cross_entropy(
            logits.flatten(0, 1), target[:, 1:].flatten(), ignore_index=self.padding_idx
        )

    def generate(self, source: Tensor, max_length: int = 50) -> Tensor:
        """The likeliest token, one after the other.

        Args:
            source: (n, l) int64.
            max_length: most tokens to write.

        Returns:
            (n, t) int64 without the token that begins, with the one that ends, padding behind it.

        Raises:
            DomainError: max_length is below 1.
            ShapeError: the ids have other axes, or there are none.
        """
        if max_length < 1:
            raise DomainError(f"GRUSeq2Seq.generate: max_length is 1 or more, got {max_length}")
        with tp.inference_mode():
            encoded, state, mask = self.encode(source)
            keys = self.attention.keys(encoded)
            given = tp.full((len(source),), self.bos_idx, dtype=tp.int64)
            done, rows = tp.zeros(len(source), dtype=tp.bool), []
            for _ in range(max_length):
                logits, state = self._step(given, state, encoded, keys, mask)
                given = logits.argmax(-1).masked_fill(done, self.padding_idx)
                rows.append(given)
                done = done | (given == self.eos_idx)
                if bool(done.all()):
                    break
            return tp.stack(rows, 1)

    def _step(
        self, given: Tensor, state: Tensor, encoded: Tensor, keys: Tensor, mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(n,) ids and (n, h) to logits (n, v) and the next state."""
        x = self.dropout(self.target_embedding(given))
        seen, _ = self.attention(state, encoded, keys, mask)
        state = self.decoder(tp.cat([x, seen], 1), state)
        return self.output(self.dropout(tp.cat([state, seen, x], 1))), state
