"""What belongs to a pretrained wav2vec 2.0, HuBERT or WavLM: weights, sample rate, labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import triptych as tp
from triptych import Tensor, nn
from triptych.errors import UnknownNameError
from triptych_audio.models import Wav2Vec2Model, wav2vec2_model, wavlm_model
from triptych_audio.pipelines import alignment
from triptych_audio.pipelines.checkpoints import checkpoint
from triptych_audio.pipelines.wav2vec2_wrapping import ExtendedWav2Vec2Model
from triptych_datasets import Artifact

__all__ = ["Wav2Vec2ASRBundle", "Wav2Vec2Bundle", "Wav2Vec2FABundle", "without_rows"]

SAMPLE_RATE = 16000
SPARE = (1, 2, 3)  # rows of fairseq's dictionary for padding, end of sentence and the unknown
HEAD = ("aux.weight", "aux.bias")

BUILDERS: dict[str, Callable[..., Wav2Vec2Model]] = {
    "Wav2Vec2": wav2vec2_model,
    "WavLM": wavlm_model,
}


def without_rows(state_dict: Mapping[str, Tensor], axes: Iterable[int]) -> dict[str, Tensor]:
    """Weights whose last layer has lost some labels.

    Args:
        state_dict: with aux.weight and aux.bias.
        axes: rows of both to leave out.

    Returns:
        The weights.

    Example:
        >>> weights = {"aux.weight": tp.zeros(5, 2), "aux.bias": tp.arange(5)}
        >>> without_rows(weights, (1, 2))["aux.bias"]
        tensor([0, 3, 4])
    """
    gone = frozenset(axes)
    kept = tp.tensor([i for i in range(state_dict[HEAD[1]].shape[0]) if i not in gone])
    return {**state_dict, **{key: state_dict[key][kept] for key in HEAD}}


@dataclass(frozen=True, eq=False)
class Wav2Vec2Bundle:
    """A model that gives features of speech, and its weights.

    ```
    bundle = triptych_audio.pipelines.WAV2VEC2_BASE
    waveform, sample_rate = triptych_audio.load("speech.wav")
    waveform = triptych_audio.functional.resample(waveform, sample_rate, bundle.sample_rate)
    features, _ = bundle.get_model().extract_features(waveform)
    ```

    Args:
        weights: the checkpoint, fetched on first use.
        params: arguments of the model's builder.
        normalize_waveform: the model wants waveforms with mean 0 and variance 1, and gives them
            that itself.
        model_type: "Wav2Vec2" or "WavLM".
        sample_rate: of the waveforms, in Hz.
    """

    weights: Artifact
    params: Mapping[str, Any] = field(repr=False)
    normalize_waveform: bool = False
    model_type: str = "Wav2Vec2"
    sample_rate: int = SAMPLE_RATE

    def get_model(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> nn.Module:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`, and `model_dir`, a folder whose
                file is taken if it is there; see `triptych_audio.pipelines.checkpoints`.

        Returns:
            A model with `forward` and `extract_features`, as `Wav2Vec2Model`.

        Raises:
            triptych_datasets.FetchError: the weights are not cached and no source gives them.
        """
        model = self._loaded(dl_kwargs)
        if self.normalize_waveform:
            return ExtendedWav2Vec2Model(model, normalize_waveform=True).eval()
        return model.eval()

    def _loaded(self, dl_kwargs: Mapping[str, Any] | None) -> Wav2Vec2Model:
        if self.model_type not in BUILDERS:
            raise UnknownNameError(
                f"{type(self).__name__}: model_type is one of {', '.join(BUILDERS)}, got "
                f"{self.model_type!r}"
            )
        with nn.init.skipped():  # the file overwrites whatever would be drawn
            model = BUILDERS[self.model_type](**self.params)
        model.load_state_dict(self._state_dict(dl_kwargs))
        return model

    def _state_dict(self, dl_kwargs: Mapping[str, Any] | None) -> dict[str, Tensor]:
        return dict(checkpoint(self.weights, dl_kwargs))


@dataclass(frozen=True, eq=False)
class Wav2Vec2ASRBundle(Wav2Vec2Bundle):
    """A model that scores letters in every frame, its weights and its letters.

    ```
    bundle = triptych_audio.pipelines.WAV2VEC2_ASR_BASE_960H
    model, labels = bundle.get_model(), bundle.get_labels()
    with triptych.inference_mode():
        scores, _ = model(waveform)  # (1, frames, labels)
    best = [key for key, _ in itertools.groupby(scores[0].argmax(-1).tolist())]
    text = "".join(labels[i] for i in best if i != 0).replace("|", " ")
    ```

    Args:
        weights: the checkpoint, fetched on first use.
        params: arguments of the model's builder.
        normalize_waveform: the model wants waveforms with mean 0 and variance 1, and gives them
            that itself.
        model_type: "Wav2Vec2" or "WavLM".
        sample_rate: of the waveforms, in Hz.
        labels: what the scores stand for, without the blank before them.
        remove_aux_axis: labels of the checkpoint that the model does not have.
    """

    labels: tuple[str, ...] = ()
    remove_aux_axis: tuple[int, ...] = SPARE

    def get_labels(self, *, blank: str = "-") -> tuple[str, ...]:
        """What the scores stand for, in their order.

        Args:
            blank: for no label, the first one.

        Returns:
            The labels.
        """
        return (blank, *self.labels)

    def _state_dict(self, dl_kwargs: Mapping[str, Any] | None) -> dict[str, Tensor]:
        return without_rows(super()._state_dict(dl_kwargs), self.remove_aux_axis)


@dataclass(frozen=True, eq=False)
class Wav2Vec2FABundle(Wav2Vec2ASRBundle):
    """A model that finds where in time known words are.

    ```
    bundle = triptych_audio.pipelines.MMS_FA
    model, tokenizer, aligner = bundle.get_model(), bundle.get_tokenizer(), bundle.get_aligner()
    with triptych.inference_mode():
        scores, _ = model(waveform)
    words = aligner(scores[0], tokenizer(["this", "is", "*", "sentence"]))
    seconds = waveform.shape[1] / bundle.sample_rate / scores.shape[1]  # of one frame
    first = words[0][0].start * seconds
    ```

    Args:
        weights: the checkpoint, fetched on first use.
        params: arguments of the model's builder.
        normalize_waveform: the model wants waveforms with mean 0 and variance 1, and gives them
            that itself.
        model_type: "Wav2Vec2" or "WavLM".
        sample_rate: of the waveforms, in Hz.
        labels: what the scores stand for, without the blank before them.
        remove_aux_axis: labels of the checkpoint that the model does not have.
    """

    Tokenizer = alignment.Tokenizer
    Aligner = alignment.Aligner

    def get_labels(self, star: str | None = "*", blank: str = "-") -> tuple[str, ...]:
        """What the scores stand for, in their order.

        Args:
            star: for unknown words, the last one; None for a model without it.
            blank: for no label, the first one.

        Returns:
            The labels.
        """
        labels = (blank, *self.labels)
        return labels if star is None else (*labels, star)

    def get_model(
        self, with_star: bool = True, *, dl_kwargs: Mapping[str, Any] | None = None
    ) -> nn.Module:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            with_star: give one more label at the end, which always has probability 1.
            dl_kwargs: `progress`, `check_hash`, `map_location`, `model_dir`, as above.

        Returns:
            A model that gives log probabilities.

        Raises:
            triptych_datasets.FetchError: the weights are not cached and no source gives them.
        """
        model = self._loaded(dl_kwargs)
        return ExtendedWav2Vec2Model(model, self.normalize_waveform, True, with_star).eval()

    def get_dict(self, star: str | None = "*", blank: str = "-") -> dict[str, int]:
        """Number of each label.

        Args:
            star: for unknown words; None for a model without it.
            blank: for no label.

        Returns:
            Numbers by label.
        """
        return {label: i for i, label in enumerate(self.get_labels(star, blank))}

    def get_tokenizer(self) -> alignment.Tokenizer:
        """What turns words into numbers."""
        return alignment.Tokenizer(self.get_dict())

    def get_aligner(self) -> alignment.Aligner:
        """What finds the numbers in the scores."""
        return alignment.Aligner(blank=0)
