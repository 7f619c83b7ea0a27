"""Dual-path recurrent networks: short stretches, then the same place in all stretches.

Source: Luo, Chen and Yoshioka 2020, "Dual-path RNN: efficient long sequence modeling for
time-domain single-channel speech separation"; the order of operations is torchaudio's.
"""

from __future__ import annotations

from collections.abc import Callable

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych.nn import functional as nnF

__all__ = ["DPRNN", "SingleRNN"]

RNNS: dict[str, Callable[..., nn.Module]] = {"GRU": nn.GRU, "LSTM": nn.LSTM, "RNN": nn.RNN}
EPS = 1e-8  # of the norms


class SingleRNN(nn.Module):
    """A recurrent layer in both directions and a linear one that restores the width.

    Args:
        rnn_type: "RNN", "LSTM" or "GRU".
        input_size: features in and out.
        hidden_size: features inside.

    Raises:
        DomainError: rnn_type is none of the three.
    """

    def __init__(self, rnn_type: str, input_size: int, hidden_size: int) -> None:
        super().__init__()
        if rnn_type not in RNNS:
            raise DomainError(f"SingleRNN: rnn_type is one of {sorted(RNNS)}, got {rnn_type!r}")
        self.rnn = RNNS[rnn_type](input_size, hidden_size, batch_first=True, bidirectional=True)
        self.proj = nn.Linear(hidden_size * 2, input_size)

    def forward(self, x: Tensor) -> Tensor:
        """(n, t, input_size) to the same."""
        return self.proj(self.rnn(x)[0])


class DPRNN(nn.Module):
    """Recurrent layers within chunks and across them.

    Args:
        feat_dim: features in.
        hidden_dim: of the recurrent layers.
        num_blocks: pairs of layers.
        rnn_type: "RNN", "LSTM" or "GRU".
        d_model: features out.
        chunk_size: frames in a chunk.
        chunk_stride: frames between chunks.
    """

    def __init__(
        self,
        feat_dim: int = 64,
        hidden_dim: int = 128,
        num_blocks: int = 6,
        rnn_type: str = "LSTM",
        d_model: int = 256,
        chunk_size: int = 100,
        chunk_stride: int = 50,
    ) -> None:
        super().__init__()
        self.num_blocks = num_blocks
        self.row_rnn, self.col_rnn = (
            nn.ModuleList(SingleRNN(rnn_type, feat_dim, hidden_dim) for _ in range(num_blocks))
            for _ in range(2)
        )
        self.row_norm, self.col_norm = (
            nn.ModuleList(nn.GroupNorm(1, feat_dim, eps=EPS) for _ in range(num_blocks))
            for _ in range(2)
        )
        self.conv = nn.Sequential(nn.Conv2d(feat_dim, d_model, 1), nn.PReLU())
        self.chunk_size = chunk_size
        self.chunk_stride = chunk_stride

    def chunking(self, x: Tensor) -> tuple[Tensor, int]:
        """Cut into two interleaved rows of chunks.

        Args:
            x: (n, c, t).

        Returns:
            (n, c, chunk_size, chunks), and the number of zeros behind the end.
        """
        n, c, t = x.shape
        size, stride = self.chunk_size, self.chunk_stride
        rest = size - (stride + t % size) % size
        x = nnF.pad(x, (stride, rest + stride))
        rows = [part.reshape(n, c, -1, size) for part in (x[..., :-stride], x[..., stride:])]
        return tp.stack(rows, 3).flatten(2, 3).transpose(2, 3), rest

    def merging(self, x: Tensor, rest: int) -> Tensor:
        """The sum of the two rows of chunks; the inverse of `chunking` up to that.

        Args:
            x: (n, c, chunk_size, chunks).
            rest: zeros behind the end.

        Returns:
            (n, c, t).
        """
        n, c = x.shape[:2]
        pairs = x.transpose(2, 3).reshape(n, c, -1, 2, self.chunk_size)
        first, second = (pairs[:, :, :, k].flatten(2) for k in (0, 1))
        total = first[..., self.chunk_stride :] + second[..., : -self.chunk_stride]
        return total[..., : total.shape[-1] - rest]

    def forward(self, x: Tensor) -> Tensor:
        """(n, feat_dim, t) to (n, t, d_model)."""
        x, rest = self.chunking(x)
        n, c, size, chunks = x.shape
        for row_rnn, row_norm, col_rnn, col_norm in zip(
            self.row_rnn, self.row_norm, self.col_rnn, self.col_norm, strict=True
        ):
            rows = row_rnn(x.permute(0, 3, 2, 1).reshape(n * chunks, size, c))
            x = x + row_norm(rows.reshape(n, chunks, size, c).permute(0, 3, 2, 1))
            columns = col_rnn(x.permute(0, 2, 3, 1).reshape(n * size, chunks, c))
            x = x + col_norm(columns.reshape(n, size, chunks, c).permute(0, 3, 1, 2))
        return self.merging(self.conv(x), rest).transpose(1, 2)
