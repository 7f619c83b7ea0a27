"""Deep Speech, the first of its line.

Source: Hannun et al. 2014, "Deep Speech: Scaling up end-to-end speech recognition"; parameter names
and defaults are torchaudio's.
"""

from __future__ import annotations

from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych.nn import functional as nnF
from triptych_audio.interop import same_kind

__all__ = ["DeepSpeech", "FullyConnected"]


class FullyConnected(nn.Module):
    """A linear layer, a ReLU with a ceiling, and dropout.

    Args:
        n_feature: features in.
        n_hidden: features out.
        dropout: part of the outputs that are zeroed while training.
        relu_max_clip: the ceiling.
    """

    def __init__(
        self, n_feature: int, n_hidden: int, dropout: float, relu_max_clip: int = 20
    ) -> None:
        super().__init__()
        self.fc = nn.Linear(n_feature, n_hidden)
        self.relu_max_clip = relu_max_clip
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """(..., n_feature) to (..., n_hidden)."""
        x = nnF.hardtanh(self.fc(x), 0.0, float(self.relu_max_clip))
        return nnF.dropout(x, self.dropout, self.training) if self.dropout else x


class DeepSpeech(nn.Module):
    """Three layers over each frame, a recurrent one in both directions, one more, and the scores.

    Args:
        n_feature: features per frame.
        n_hidden: width of the layers.
        n_class: characters, with the blank of CTC.
        dropout: part of the features that are zeroed while training.

    Example:
        >>> import triptych as tp
        >>> DeepSpeech(64, n_hidden=16, n_class=29)(tp.zeros(2, 1, 40, 64)).shape
        Size([2, 40, 29])
    """

    def __init__(
        self, n_feature: int, n_hidden: int = 2048, n_class: int = 40, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.n_hidden = n_hidden
        self.fc1 = FullyConnected(n_feature, n_hidden, dropout)
        self.fc2 = FullyConnected(n_hidden, n_hidden, dropout)
        self.fc3 = FullyConnected(n_hidden, n_hidden, dropout)
        self.bi_rnn = nn.RNN(n_hidden, n_hidden, nonlinearity="relu", bidirectional=True)
        self.fc4 = FullyConnected(n_hidden, n_hidden, dropout)
        self.out = nn.Linear(n_hidden, n_class)

    @same_kind
    def forward(self, x: Tensor) -> Tensor:
        """Score the characters in every frame.

        Args:
            x: (n, 1, t, n_feature).

        Returns:
            (n, t, n_class) logarithms of probabilities.

        Raises:
            ShapeError: x is not (n, 1, t, n_feature).
        """
        if x.ndim != 4 or x.shape[1] != 1:
            raise ShapeError(
                f"DeepSpeech: wanted (n, 1, t, features), got {tuple(x.shape)}; "
                "x.unsqueeze(1) adds the channel"
            )
        x = self.fc3(self.fc2(self.fc1(x.squeeze(1))))
        x, _ = self.bi_rnn(x.transpose(0, 1))  # (t, n, 2 * hidden)
        x = self.fc4(x[..., : self.n_hidden] + x[..., self.n_hidden :])
        return nnF.log_softmax(self.out(x).transpose(0, 1), -1)
