"""EnCodec's codebooks: a frame as a few whole numbers.

The codebooks are those of a checkpoint and stay as they are; gradients pass through them to the
encoder, so that encoder and decoder can be trained further around them.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError, ShapeError
from triptych.nn import functional as nnF

__all__ = ["QuantizedResult", "ResidualVectorQuantizer"]


class QuantizedResult(NamedTuple):
    """What the codebooks make of frames.

    Args:
        quantized: (n, d, frames) nearest sums of codebook rows.
        codes: (books, n, frames) numbers of the rows.
        bandwidth: () kilobits per second.
        penalty: () mean squared distance, whose gradient goes to the encoder.
    """

    quantized: Tensor
    codes: Tensor
    bandwidth: Tensor
    penalty: Tensor


class EuclideanCodebook(nn.Module):
    """Rows, of which the nearest one stands for a frame.

    Args:
        dim: of a frame.
        codebook_size: rows.
    """

    def __init__(self, dim: int, codebook_size: int) -> None:
        super().__init__()
        rows = tp.empty(codebook_size, dim)
        nn.init.kaiming_uniform_(rows)
        self.register_buffer("inited", tp.ones(1))
        self.register_buffer("cluster_size", tp.zeros(codebook_size))
        self.register_buffer("embed", rows)
        self.register_buffer("embed_avg", rows.clone())

    def encode(self, x: Tensor) -> Tensor:
        """(n, frames, d) to (n, frames) numbers of rows."""
        rows = self.embed
        distance = rows.square().sum(1) - 2 * tp.matmul(x, rows.T)  # up to |x|², same for all rows
        return distance.argmin(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """(n, frames) numbers to (n, frames, d)."""
        return nnF.embedding(codes, self.embed)


class VectorQuantization(nn.Module):
    """One codebook.

    Args:
        dim: of a frame.
        codebook_size: rows.
    """

    def __init__(self, dim: int, codebook_size: int) -> None:
        super().__init__()
        self._codebook = EuclideanCodebook(dim, codebook_size)

    def encode(self, x: Tensor) -> Tensor:
        """(n, d, frames) to (n, frames)."""
        codes: Tensor = self._codebook.encode(x.transpose(1, 2))
        return codes

    def decode(self, codes: Tensor) -> Tensor:
        """(n, frames) to (n, d, frames)."""
        rows: Tensor = self._codebook.decode(codes)
        return rows.transpose(1, 2)


class ResidualVectorQuantization(nn.Module):
    """Codebooks, each for what those before it left over.

    Args:
        num_quantizers: codebooks.
        dim: of a frame.
        codebook_size: rows of each.
    """

    def __init__(self, num_quantizers: int, dim: int, codebook_size: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            VectorQuantization(dim, codebook_size) for _ in range(num_quantizers)
        )


class ResidualVectorQuantizer(nn.Module):
    """Codebooks one behind the other; the more of them, the better the sound.

    Args:
        dimension: of a frame.
        n_q: codebooks.
        bins: rows of each, a power of two.

    Raises:
        DomainError: bins are no power of two.

    Example:
        >>> quantizer = ResidualVectorQuantizer(dimension=4, n_q=8, bins=1024)
        >>> quantizer.encode(tp.zeros(1, 4, 10), 75, bandwidth=3.0).shape
        Size([4, 1, 10])
    """

    def __init__(self, dimension: int = 256, n_q: int = 8, bins: int = 1024) -> None:
        super().__init__()
        if bins < 2 or bins & (bins - 1):
            raise DomainError(f"ResidualVectorQuantizer: bins are a power of two, got {bins}")
        self.n_q, self.dimension, self.bins = n_q, dimension, bins
        self.vq = ResidualVectorQuantization(n_q, dimension, bins)

    def get_bandwidth_per_quantizer(self, frame_rate: float) -> float:
        """Kilobits per second of one codebook.

        Args:
            frame_rate: frames per second.
        """
        return math.log2(self.bins) * frame_rate / 1000

    def get_num_quantizers_for_bandwidth(
        self, frame_rate: float, bandwidth: float | None = None
    ) -> int:
        """How many codebooks a bandwidth allows, at least one.

        Args:
            frame_rate: frames per second.
            bandwidth: in kilobits per second; None or 0 for all codebooks.
        """
        if not bandwidth:
            return self.n_q
        allowed = math.floor(bandwidth / self.get_bandwidth_per_quantizer(frame_rate))
        return min(max(1, allowed), self.n_q)

    def encode(self, x: Tensor, frame_rate: float, bandwidth: float | None = None) -> Tensor:
        """Frames as numbers.

        Args:
            x: (n, d, frames).
            frame_rate: frames per second.
            bandwidth: in kilobits per second; None for all codebooks.

        Returns:
            (books, n, frames) int64.
        """
        codes = []
        for layer in self._layers(self.get_num_quantizers_for_bandwidth(frame_rate, bandwidth)):
            codes.append(layer.encode(x))
            x = x - layer.decode(codes[-1])
        return tp.stack(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """Numbers as frames.

        Args:
            codes: (books, n, frames).

        Returns:
            (n, d, frames).

        Raises:
            ShapeError: there are more books than the model has.
        """
        if codes.ndim != 3 or not 0 < codes.shape[0] <= self.n_q:
            raise ShapeError(
                f"ResidualVectorQuantizer.decode: wanted (books, n, frames) with 1 to {self.n_q} "
                f"books, got {tuple(codes.shape)}"
            )
        parts = [
            layer.decode(book)
            for layer, book in zip(self._layers(codes.shape[0]), codes.unbind(0), strict=True)
        ]
        return tp.stack(parts).sum(0)

    def forward(
        self, x: Tensor, frame_rate: float, bandwidth: float | None = None
    ) -> QuantizedResult:
        """Frames as they come back, with the gradient of frames that were never quantised.

        Args:
            x: (n, d, frames).
            frame_rate: frames per second.
            bandwidth: in kilobits per second; None for all codebooks.

        Returns:
            The frames, their codes and how far they are from x.
        """
        codes = self.encode(x.detach(), frame_rate, bandwidth)
        nearest = self.decode(codes)
        spent = codes.shape[0] * self.get_bandwidth_per_quantizer(frame_rate)
        return QuantizedResult(
            x + (nearest - x).detach(),
            codes,
            tp.tensor(spent, dtype=x.dtype, device=x.device),
            nnF.mse_loss(x, nearest.detach()),
        )

    def _layers(self, count: int) -> list[Any]:
        return list(self.vq.layers)[:count]
