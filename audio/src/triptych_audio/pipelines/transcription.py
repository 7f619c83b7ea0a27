"""A recording to text in one call."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import triptych as tp
from triptych import Tensor
from triptych_audio.functional import merge_words
from triptych_audio.io import stream
from triptych_audio.models import whisper
from triptych_audio.models.decoder import greedy_ctc_decode
from triptych_audio.models.whisper import WhisperForConditionalGeneration
from triptych_audio.pipelines.wav2vec2_bundles import Wav2Vec2ASRBundle

__all__ = ["transcribe"]

WINDOW_S, MARGIN_S = 20, 4  # of CTC models; what is in the margins is heard twice, and told once
FRAME = 320  # samples of a wav2vec 2.0 frame


def transcribe(
    audio: Any,
    model: str | os.PathLike[str] | WhisperForConditionalGeneration | Wav2Vec2ASRBundle = "tiny",
    **options: Any,
) -> dict[str, Any]:
    """What is said in a recording of any length, which is read piece by piece.

    ```
    print(triptych_audio.pipelines.transcribe("talk.flac", "small", word_timestamps=True)["text"])
    ```

    Args:
        audio: path, address, encoded bytes or a file object; for Whisper also an array of samples
            at 16 kHz.
        model: a Whisper, or the name or folder of one, as for `whisper.load_model`; or a bundle
            such as WAV2VEC2_ASR_BASE_960H, whose likeliest letters are taken.
        **options: of `models.whisper.transcribe`, for Whisper; of the bundle's `get_model`, for
            a bundle.

    Returns:
        "text", "language" (None for a bundle) and "segments" of "start", "end" and "text"; for a
        bundle, one segment with its "words". More for Whisper: see `models.whisper.transcribe`.

    Raises:
        FileFormatError: the file is damaged.
        FileNotFoundError: there is no such file.
        triptych_datasets.FetchError: the weights are not cached and no source gives them.
        UnknownNameError: there is no such model.
    """
    if isinstance(model, Wav2Vec2ASRBundle):
        return _letters(audio, model, options)
    if isinstance(model, str | os.PathLike):
        model = whisper.load_model(model)
    return whisper.transcribe(model, audio, **options)


def _letters(audio: Any, bundle: Wav2Vec2ASRBundle, options: dict[str, Any]) -> dict[str, Any]:
    """The likeliest letters of every frame."""
    model = bundle.get_model(**options)
    with tp.inference_mode():
        scores = [_scored(model, *window) for window in _windows(audio, bundle.sample_rate)]
    spans = greedy_ctc_decode(tp.cat(scores)[None].log_softmax(-1))[0] if scores else []
    frame_s = FRAME / bundle.sample_rate
    words: list[dict[str, Any]] = [
        {
            "word": word.word,
            "start": round(word.start * frame_s, 2),
            "end": round(word.end * frame_s, 2),
        }
        for word in merge_words(spans, bundle.get_labels())
    ]
    text = " ".join(word["word"] for word in words)
    ends = {"start": words[0]["start"], "end": words[-1]["end"]} if words else {}
    segments = [{"id": 0, **ends, "text": text, "words": words}] if words else []
    return {"text": text, "segments": segments, "language": None}


def _windows(audio: Any, rate: int) -> Iterator[tuple[Tensor, int, bool]]:
    """Overlapping windows, the frames to leave out before each, and whether it is the last."""
    hop = (WINDOW_S - 2 * MARGIN_S) * rate
    blocks = stream(audio, WINDOW_S * rate, hop_length=hop, sr=rate, mono=True)
    before: Tensor | None = None
    count = 0
    for block, _ in blocks:
        if before is not None:
            yield before, MARGIN_S * rate // FRAME if count else 0, False
            count += 1
        before = block
    if before is not None and before.shape[-1]:
        yield before, MARGIN_S * rate // FRAME if count else 0, True


def _scored(model: Any, waveform: Tensor, skipped: int, last: bool) -> Tensor:
    """(frames, labels) of the middle of a window; samples are added so that frames do not shift."""
    if waveform.shape[-1] < 2 * FRAME:
        waveform = tp.nn.functional.pad(waveform, (0, 2 * FRAME - waveform.shape[-1]))
    scores: Tensor = model(waveform)[0][0]
    end = None if last else (WINDOW_S - MARGIN_S) * 50
    return scores[skipped:end]
