"""Pretrained transducers: from sound to text, whole or while somebody speaks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from triptych import nn
from triptych_audio.models import RNNT, RNNTBeamSearch, emformer_rnnt_base
from triptych_audio.pipelines import rnnt_features
from triptych_audio.pipelines.checkpoints import loaded
from triptych_audio.recognition_weights import RECOGNITION
from triptych_datasets import Artifact, fetch

__all__ = [
    "EMFORMER_RNNT_BASE_LIBRISPEECH",
    "EMFORMER_RNNT_BASE_MUSTC",
    "EMFORMER_RNNT_BASE_TEDLIUM3",
    "RNNTBundle",
]


@dataclass(frozen=True, eq=False)
class RNNTBundle:
    """A transducer, its weights, and what goes before and after it.

    A whole recording:

    ```
    bundle = triptych_audio.pipelines.EMFORMER_RNNT_BASE_LIBRISPEECH
    extractor, decoder = bundle.get_feature_extractor(), bundle.get_decoder()
    text_of = bundle.get_token_processor()
    features, length = extractor(waveform)  # (t,) samples at bundle.sample_rate
    hypotheses = decoder(features, length, 10)
    text = text_of(hypotheses[0][0])
    ```

    While somebody speaks:

    ```
    extractor = bundle.get_streaming_feature_extractor()
    step = bundle.segment_length * bundle.hop_length
    size = step + bundle.right_context_length * bundle.hop_length
    state = hypotheses = None
    for start in range(0, len(waveform), step):
        segment = waveform[start : start + size]
        segment = triptych.nn.functional.pad(segment, (0, size - len(segment)))
        features, length = extractor(segment)
        hypotheses, state = decoder.infer(features, length, 10, state, hypotheses)
    text = text_of(hypotheses[0][0])
    ```

    Args:
        weights: the checkpoint, fetched on first use.
        factory: builds the model.
        stats: mean and inverse standard deviation of each band.
        sp_model: the pieces of words, a model of SentencePiece.
        right_padding: frames of zeros after a whole recording.
        blank: number of the symbol that stands for none.
        sample_rate: of the waveforms in Hz.
        n_fft: samples of a window.
        n_mels: bands.
        hop_length: samples between frames.
        segment_length: frames of a segment.
        right_context_length: frames after a segment that it sees.
    """

    FeatureExtractor = rnnt_features.FeatureExtractor
    TokenProcessor = rnnt_features.TokenProcessor

    weights: Artifact
    factory: Callable[[], RNNT]
    stats: Artifact
    sp_model: Artifact
    right_padding: int
    blank: int
    sample_rate: int
    n_fft: int
    n_mels: int
    hop_length: int
    segment_length: int
    right_context_length: int

    def get_model(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> RNNT:
        """The pretrained model, in evaluation mode; a new one at every call.

        Args:
            dl_kwargs: `progress`, `check_hash`, `map_location`, `model_dir`; see
                `checkpoint` in triptych_audio.pipelines.checkpoints.

        Raises:
            triptych_datasets.FetchError: the weights are not cached and no source gives them.
        """
        with nn.init.skipped():  # the file overwrites whatever would be drawn
            model = self.factory()
        return loaded(model, self.weights, dl_kwargs)

    def get_decoder(self, *, dl_kwargs: Mapping[str, Any] | None = None) -> RNNTBeamSearch:
        """The search for the best symbols with the pretrained model.

        Args:
            dl_kwargs: as in `get_model`.
        """
        return RNNTBeamSearch(self.get_model(dl_kwargs=dl_kwargs), self.blank)

    def get_feature_extractor(self) -> rnnt_features.FeatureExtractor:
        """Features of a whole recording, with frames of zeros after it."""
        return self._extractor(self.right_padding)

    def get_streaming_feature_extractor(self) -> rnnt_features.FeatureExtractor:
        """Features of a segment with its right context."""
        return self._extractor(0)

    def _extractor(self, right_padding: int) -> rnnt_features.FeatureExtractor:
        mean, invstddev = rnnt_features.global_stats(fetch(self.stats))
        return rnnt_features.FeatureExtractor(
            self.sample_rate,
            self.n_fft,
            self.n_mels,
            self.hop_length,
            mean,
            invstddev,
            right_padding,
        )

    def get_token_processor(self) -> rnnt_features.TokenProcessor:
        """Text of symbols.

        Raises:
            MissingDependencyError: the library sentencepiece is not installed.
        """
        return rnnt_features.TokenProcessor(fetch(self.sp_model))


def _emformer(corpus: str, pieces: int) -> RNNTBundle:
    return RNNTBundle(
        weights=RECOGNITION[f"emformer_rnnt_base_{corpus}.pt"],
        factory=functools.partial(emformer_rnnt_base, num_symbols=pieces + 1),
        stats=RECOGNITION[f"global_stats_rnnt_{corpus}.json"],
        sp_model=RECOGNITION[f"spm_bpe_{pieces}_{corpus}.model"],
        right_padding=4,
        blank=pieces,
        sample_rate=16000,
        n_fft=400,
        n_mels=80,
        hop_length=160,
        segment_length=16,
        right_context_length=4,
    )


EMFORMER_RNNT_BASE_LIBRISPEECH = _emformer("librispeech", 4096)
"""English, 960 hours of LibriSpeech; 76.7 million parameters, 4,096 pieces of words."""

EMFORMER_RNNT_BASE_MUSTC = _emformer("mustc", 500)
"""English, MuST-C 2.0 (talks); 500 pieces of words."""

EMFORMER_RNNT_BASE_TEDLIUM3 = _emformer("tedlium3", 500)
"""English, TED-LIUM 3 (talks); 500 pieces of words."""
