"""Silero VAD: how likely it is that somebody speaks, 31 times a second."""

from __future__ import annotations

from typing import NamedTuple

import triptych as tp
import triptych.nn.functional as nnF
from triptych import Tensor, nn
from triptych.errors import ShapeError
from triptych_audio.interop import same_kind

__all__ = ["SileroVAD", "SileroVADState"]

SAMPLE_RATE = 16000
FRAME = 512  # new samples per probability, 32 ms
CONTEXT = 64  # samples of the frame before that are looked at again
TAIL = 64  # samples mirrored at the end of a frame
BINS = 129  # of the spectrum
WIDTH = 128  # of the recurrent state
FRAMES_AT_ONCE = 1024  # frames that go through the convolutions together; bounds memory


class SileroVADState(NamedTuple):
    """What the model remembers between two stretches of a recording.

    Args:
        context: (n, 64) the last samples.
        hidden: (n, 128) output of the recurrent cell.
        cell: (n, 128) memory of the recurrent cell.
    """

    context: Tensor
    hidden: Tensor
    cell: Tensor


class SileroVAD(nn.Module):
    """Voice activity detector for speech at 16 kHz.

    A learned spectrum, four convolutions and a recurrent cell. Frames go through all but the cell
    together, so a whole recording takes little longer than its last stage. The parameter names are
    those of the official file; `triptych_audio.pipelines.SILERO_VAD` loads it.

    Example:
        >>> model = SileroVAD().eval()
        >>> model(tp.zeros(16000)).shape
        Size([32])

    Source: Silero Team, https://github.com/snakers4/silero-vad, version 6.2.
    """

    sample_rate = SAMPLE_RATE
    frame_length = FRAME

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * BINS, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm_cell = nn.LSTMCell(128, WIDTH)
        self.final_conv = nn.Conv1d(WIDTH, 1, 1)
        self.reset_states()

    @same_kind
    def forward(self, waveform: Tensor) -> Tensor:
        """Probabilities for a whole recording; does not touch the state of `stream`.

        Args:
            waveform: (t,) or (n, t) samples in [-1, 1] at 16 kHz. Zeros complete the last frame.

        Returns:
            (frames,) or (n, frames) in [0, 1], frames = ceil(t / 512); frame k is the 512 samples
            from 512 k on.

        Raises:
            ShapeError: waveform has no samples or more than two dims.
        """
        batch = _batched(waveform, "SileroVAD")
        if batch.shape[-1] == 0:
            raise ShapeError(f"SileroVAD: wanted samples, got shape {tuple(waveform.shape)}")
        batch = nnF.pad(batch, (0, -batch.shape[-1] % FRAME))
        probabilities: Tensor = self.advance(batch)[0].reshape(*waveform.shape[:-1], -1)
        return probabilities

    def initial_state(self, batch_size: int = 1) -> SileroVADState:
        """The state before the first sample.

        Args:
            batch_size: number of recordings.
        """
        like = self.conv1.weight
        return SileroVADState(*(like.new_zeros(batch_size, n) for n in (CONTEXT, WIDTH, WIDTH)))

    def advance(
        self, waveform: Tensor, state: SileroVADState | None = None
    ) -> tuple[Tensor, SileroVADState]:
        """Go on from a state.

        Args:
            waveform: (n, t) samples at 16 kHz, t a multiple of 512.
            state: after the samples before; default the start of a recording.

        Returns:
            (n, t / 512) probabilities, and the state after them.

        Raises:
            ShapeError: t is no multiple of 512, or n does not fit the state.
        """
        state = self.initial_state(waveform.shape[0]) if state is None else state
        if waveform.ndim != 2 or waveform.shape[-1] % FRAME or not waveform.shape[-1]:
            raise ShapeError(
                f"SileroVAD.advance: wanted (n, t) with t a multiple of {FRAME}, got "
                f"{tuple(waveform.shape)}; use stream() for pieces of any length"
            )
        if state.hidden.shape[0] != waveform.shape[0]:
            raise ShapeError(
                f"SileroVAD.advance: the state is of {state.hidden.shape[0]} recordings, waveform "
                f"has {waveform.shape[0]}; call reset_states() or initial_state(n) first"
            )
        samples = tp.cat([state.context, waveform.to(state.context.dtype)], -1)
        frames = samples.unfold(-1, CONTEXT + FRAME, FRAME)  # (n, k, 576)
        blocks = frames.split(FRAMES_AT_ONCE, 1)
        features = tp.cat([self._features(block) for block in blocks], 1)  # (n, k, 128)
        outputs, hidden, cell = self._remember(features, state.hidden, state.cell)
        logits = self.final_conv(outputs.relu().transpose(1, 2))  # (n, 1, k)
        context = samples[:, -CONTEXT:].clone()
        return logits[:, 0].sigmoid(), SileroVADState(context, hidden, cell)

    def _features(self, frames: Tensor) -> Tensor:
        """(n, k, 576) samples to (n, k, 128), every frame on its own."""
        x = nnF.pad(frames.reshape(-1, CONTEXT + FRAME), (0, TAIL), "reflect")
        x = x.unfold(-1, *self.stft_conv.kernel_size, *self.stft_conv.stride).contiguous()
        x = tp.matmul(x, self.stft_conv.weight[:, 0].mT)  # (n * k, 4, 258), as a convolution would
        x = (x[..., :BINS].square() + x[..., BINS:].square()).sqrt().transpose(1, 2)
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            x = conv(x).relu()
        features: Tensor = x.reshape(*frames.shape[:2], -1)
        return features

    def _remember(
        self, features: Tensor, hidden: Tensor, cell: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The recurrent cell over (n, k, 128); what needs no state is done for all k at once."""
        lstm = self.lstm_cell
        gates = nnF.linear(features.transpose(0, 1), lstm.weight_ih, lstm.bias_ih + lstm.bias_hh)
        outputs, cells = nnF.lstm_scan(gates, lstm.weight_hh, hidden, cell)  # (k, n, 128) each
        return outputs.transpose(0, 1), outputs[-1], cells[-1]

    # Streaming

    def reset_states(self) -> None:
        """Forget what `stream` has heard, before another recording."""
        self._state: SileroVADState | None = None
        self._rest: Tensor | None = None

    @same_kind
    def stream(self, chunk: Tensor) -> Tensor:
        """Probabilities of the frames that a further piece of the recording completes.

        No gradients are recorded. Samples that do not fill a frame wait for the next piece.

        Args:
            chunk: (t,) or (n, t) samples at 16 kHz, of any length; n stays the same until
                `reset_states`.

        Returns:
            (frames,) or (n, frames); frames may be 0.

        Raises:
            ShapeError: n has changed.
        """
        with tp.no_grad():
            samples = _batched(chunk, "SileroVAD.stream").to(self.conv1.weight.dtype)
            if self._rest is not None:
                if self._rest.shape[0] != samples.shape[0]:
                    raise ShapeError(
                        f"SileroVAD.stream: began with {self._rest.shape[0]} recording(s), got "
                        f"{samples.shape[0]}; call reset_states() first"
                    )
                samples = tp.cat([self._rest, samples], -1)
            ready = samples.shape[-1] // FRAME * FRAME
            self._rest = samples[:, ready:].clone()
            probabilities = samples[:, :0]
            if ready:
                probabilities, self._state = self.advance(samples[:, :ready], self._state)
            shaped: Tensor = probabilities.reshape(*chunk.shape[:-1], -1)
        return shaped


def _batched(waveform: Tensor, name: str) -> Tensor:
    """(n, t)."""
    if waveform.ndim not in (1, 2) or not waveform.is_floating_point():
        raise ShapeError(
            f"{name}: wanted (t,) or (n, t) floating samples in [-1, 1], got "
            f"{tuple(waveform.shape)} {waveform.dtype}"
        )
    return waveform if waveform.ndim == 2 else waveform.unsqueeze(0)
