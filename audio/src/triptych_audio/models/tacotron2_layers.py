"""Parts of Tacotron 2: encoder, attention, pre-net and post-net, with torchaudio's names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import DomainError
from triptych.nn import functional as nnF
from triptych.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

__all__ = ["Attention", "Encoder", "Postnet", "Prenet", "linear", "padding_mask"]


def linear(in_dim: int, out_dim: int, bias: bool = True, gain: str = "linear") -> nn.Linear:
    """A linear layer with Xavier's first weights.

    Args:
        in_dim: features in.
        out_dim: features out.
        bias: with a bias.
        gain: the function behind it, as `init.calculate_gain` names it.
    """
    layer = nn.Linear(in_dim, out_dim, bias=bias)
    nn.init.xavier_uniform_(layer.weight, nn.init.calculate_gain(gain))
    return layer


def convolution(
    in_channels: int, out_channels: int, kernel_size: int, gain: str, bias: bool = True
) -> nn.Conv1d:
    """A convolution that keeps the length, with Xavier's first weights.

    Args:
        in_channels: channels in.
        out_channels: channels out.
        kernel_size: odd.
        gain: the function behind it.
        bias: with a bias.

    Raises:
        DomainError: kernel_size is even.
    """
    if kernel_size % 2 == 0:
        raise DomainError(f"Tacotron2: kernel sizes are odd, got {kernel_size}")
    layer = nn.Conv1d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=bias)
    nn.init.xavier_uniform_(layer.weight, nn.init.calculate_gain(gain))
    return layer


def padding_mask(lengths: Tensor) -> Tensor:
    """Where a batch is padded.

    Args:
        lengths: (n,) integers.

    Returns:
        (n, max of lengths) bool.

    Example:
        >>> padding_mask(tp.tensor([1, 3])).tolist()
        [[False, True, True], [False, False, False]]
    """
    steps = tp.arange(int(lengths.max()), device=lengths.device)
    return steps >= lengths.unsqueeze(1)


class Encoder(nn.Module):
    """Convolutions over the letters, then a recurrent layer in both directions.

    Args:
        encoder_embedding_dim: channels in and out.
        encoder_n_convolution: number of convolutions.
        encoder_kernel_size: of each.
    """

    def __init__(
        self, encoder_embedding_dim: int, encoder_n_convolution: int, encoder_kernel_size: int
    ) -> None:
        super().__init__()
        width = encoder_embedding_dim
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                convolution(width, width, encoder_kernel_size, "relu"), nn.BatchNorm1d(width)
            )
            for _ in range(encoder_n_convolution)
        )
        self.lstm = nn.LSTM(width, width // 2, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, input_lengths: Tensor) -> Tensor:
        """Encode a batch of texts.

        Args:
            x: (n, c, l) embedded letters.
            input_lengths: (n,) letters of each.

        Returns:
            (n, l, c), zero behind each text's end; l is the longest length.
        """
        for conv in self.convolutions:
            x = nnF.dropout(conv(x).relu(), 0.5, self.training)
        packed = pack_padded_sequence(
            x.transpose(1, 2), input_lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class LocationLayer(nn.Module):
    """What the attention looked at so far, as features of each letter.

    Args:
        attention_n_filter: channels of the convolution.
        attention_kernel_size: of the convolution.
        attention_hidden_dim: features out.
    """

    def __init__(
        self, attention_n_filter: int, attention_kernel_size: int, attention_hidden_dim: int
    ) -> None:
        super().__init__()
        self.location_conv = convolution(
            2, attention_n_filter, attention_kernel_size, "linear", bias=False
        )
        self.location_dense = linear(attention_n_filter, attention_hidden_dim, False, "tanh")

    def forward(self, attention_weights_cat: Tensor) -> Tensor:
        """(n, 2, l) last and summed weights to (n, l, attention_hidden_dim)."""
        return self.location_dense(self.location_conv(attention_weights_cat).transpose(1, 2))


class Attention(nn.Module):
    """Attention that knows where it was (Chorowski et al. 2015).

    Args:
        attention_rnn_dim: of the query.
        encoder_embedding_dim: of the encoded letters.
        attention_hidden_dim: where they are compared.
        attention_location_n_filter: channels of the location layer.
        attention_location_kernel_size: of the location layer.
    """

    def __init__(
        self,
        attention_rnn_dim: int,
        encoder_embedding_dim: int,
        attention_hidden_dim: int,
        attention_location_n_filter: int,
        attention_location_kernel_size: int,
    ) -> None:
        super().__init__()
        self.query_layer = linear(attention_rnn_dim, attention_hidden_dim, False, "tanh")
        self.memory_layer = linear(encoder_embedding_dim, attention_hidden_dim, False, "tanh")
        self.v = linear(attention_hidden_dim, 1, bias=False)
        self.location_layer = LocationLayer(
            attention_location_n_filter, attention_location_kernel_size, attention_hidden_dim
        )

    def forward(
        self,
        attention_hidden_state: Tensor,
        memory: Tensor,
        processed_memory: Tensor,
        attention_weights_cat: Tensor,
        mask: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Look at the letters once.

        Args:
            attention_hidden_state: (n, attention_rnn_dim) query.
            memory: (n, l, e) encoded letters.
            processed_memory: (n, l, d) the same through `memory_layer`.
            attention_weights_cat: (n, 2, l) last and summed weights.
            mask: (n, l) True where there is no letter.

        Returns:
            (n, e) what was seen, and (n, l) weights.
        """
        energies = self.query_layer(attention_hidden_state.unsqueeze(1))
        energies = energies + self.location_layer(attention_weights_cat) + processed_memory
        energies = self.v(energies.tanh()).squeeze(2).masked_fill(mask, -float("inf"))
        weights = energies.softmax(1)
        return tp.matmul(weights.unsqueeze(1), memory).squeeze(1), weights


class Prenet(nn.Module):
    """Linear layers with dropout that also acts in evaluation mode, which makes speech varied.

    Args:
        in_dim: features in.
        out_sizes: of each layer.
    """

    def __init__(self, in_dim: int, out_sizes: Sequence[int]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            linear(a, b, bias=False) for a, b in pairwise((in_dim, *out_sizes))
        )

    def forward(self, x: Tensor, generator: tp.Generator | None = None) -> Tensor:
        """(..., in_dim) to (..., last of out_sizes), half of the features zeroed by chance."""
        for layer in self.layers:
            x = nnF.dropout(layer(x).relu(), 0.5, True, generator=generator)
        return x


class Postnet(nn.Module):
    """Convolutions that say what is missing in a spectrogram.

    Args:
        n_mels: bands.
        postnet_embedding_dim: channels inside.
        postnet_kernel_size: of each convolution.
        postnet_n_convolution: number of convolutions.
    """

    def __init__(
        self,
        n_mels: int,
        postnet_embedding_dim: int,
        postnet_kernel_size: int,
        postnet_n_convolution: int,
    ) -> None:
        super().__init__()
        inner = [postnet_embedding_dim] * (postnet_n_convolution - 1)
        gains = [*["tanh"] * len(inner), "linear"]
        self.convolutions = nn.ModuleList(
            nn.Sequential(convolution(a, b, postnet_kernel_size, gain), nn.BatchNorm1d(b))
            for (a, b), gain in zip(pairwise((n_mels, *inner, n_mels)), gains, strict=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, n_mels, t) to the same."""
        last = len(self.convolutions) - 1
        for index, conv in enumerate(self.convolutions):
            x = conv(x) if index == last else conv(x).tanh()
            x = nnF.dropout(x, 0.5, self.training)
        return x
