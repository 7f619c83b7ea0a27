"""VGGish: a vector for every second of sound, by which recordings are compared.

Source: Hershey et al. 2017, "CNN Architectures for Large-Scale Audio Classification"; layers,
features and parameter names are torchaudio.prototype's, which follow the original's.
"""

from __future__ import annotations

import functools

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["VGGish", "VGGishInputProcessor"]

SAMPLE_RATE = 16000
WINDOW, HOP, N_FFT = 400, 160, 512  # samples: 25 ms windows, a hundred a second
BANDS, LOWEST, HIGHEST = 64, 125.0, 7500.0  # of the mel scale, in Hz
OFFSET = 0.01  # added before the logarithm
FRAMES = 96  # in an example, 0.96 s
STAGES = ((64,), (128,), (256, 256), (512, 512))  # channels; each stage ends by halving


class VGGish(nn.Module):
    """Six convolutions and three linear layers.

    Example:
        >>> VGGish().eval()(VGGishInputProcessor()(tp.zeros(16000))).shape
        Size([1, 128])
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for stage in STAGES:
            for width in stage:
                layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU(inplace=True)]
                before = width
            layers.append(nn.MaxPool2d(2, 2))
        self.features_network = nn.Sequential(*layers)
        self.embedding_network = nn.Sequential(
            nn.Linear(before * (FRAMES // 16) * (BANDS // 16), 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 4096),
            nn.ReLU(inplace=True),
            nn.Linear(4096, 128),
            nn.ReLU(inplace=True),
        )

    @same_kind
    def forward(self, input: Tensor) -> Tensor:
        """Vectors of examples.

        Args:
            input: (n, 1, 96, 64) logarithmic mel spectrograms, from `VGGishInputProcessor`.

        Returns:
            (n, 128), no value negative.
        """
        maps = self.features_network(input)  # (n, c, frames, bands)
        return self.embedding_network(maps.permute(0, 2, 3, 1).flatten(1))


class VGGishInputProcessor:
    """Waveforms to examples of 0.96 seconds, one behind the other."""

    @same_kind
    def __call__(self, input: Tensor) -> Tensor:
        """Cut and transform a recording.

        Args:
            input: (t,) samples in [-1, 1] at 16 kHz.

        Returns:
            (n, 1, 96, 64); the last incomplete example is left out.

        Raises:
            ShapeError: input is not (t,), or shorter than an example.
        """
        shortest = WINDOW + (FRAMES - 1) * HOP
        if input.ndim != 1 or input.shape[0] < shortest:
            raise ShapeError(
                f"VGGishInputProcessor: wanted (t,) with {shortest} samples or more, got "
                f"{tuple(input.shape)}; mix channels down with waveform.mean(0)"
            )
        window, bank = _features(input.dtype)
        frames = input.unfold(0, WINDOW, HOP) * window.to(input.device)
        magnitude = tp.fft.rfft(frames, N_FFT).abs()
        levels = (tp.matmul(magnitude, bank.to(input.device)) + OFFSET).log()
        return levels.unfold(0, FRAMES, FRAMES).transpose(1, 2).unsqueeze(1)


@functools.cache
def _features(dtype: tp.dtype) -> tuple[Tensor, Tensor]:
    """The window, and (bins, bands) triangles that are straight over mel, not over Hz."""

    def mel(hertz: Tensor) -> Tensor:
        return 1127.0 * (1.0 + hertz / 700.0).log()

    bins = mel(tp.linspace(0.0, SAMPLE_RATE / 2, N_FFT // 2 + 1, dtype=tp.float64))
    ends = mel(tp.tensor([LOWEST, HIGHEST], dtype=tp.float64))
    edges = tp.linspace(float(ends[0]), float(ends[1]), BANDS + 2, dtype=tp.float64)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    rising = (bins.unsqueeze(1) - low) / (centre - low)
    falling = (high - bins.unsqueeze(1)) / (high - centre)
    bank = tp.minimum(rising, falling).clamp(min=0.0)
    bank[0] = 0.0  # no band hears the constant part
    return tp.hann_window(WINDOW, dtype=dtype), bank.to(dtype)
