"""Recordings of any length to text, by windows of 30 s.

Source: openai/whisper, whisper/transcribe.py; names and defaults are its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import DomainError
from triptych_audio.models.whisper.decoding import DecodingOptions, DecodingResult, tokenizer_of
from triptych_audio.models.whisper.features import (
    FRAMES_PER_SECOND,
    HOP_LENGTH,
    SAMPLE_RATE,
    RecordingFeatures,
)
from triptych_audio.models.whisper.hallucinations import (
    is_anomalous,
    last_word_end,
    silent_hallucination,
)
from triptych_audio.models.whisper.languages import language_code
from triptych_audio.models.whisper.model import WhisperForConditionalGeneration
from triptych_audio.models.whisper.segments import cut_segments
from triptych_audio.models.whisper.timing import APPENDED, PREPENDED, add_word_timestamps
from triptych_audio.models.whisper.tokenizer import Tokenizer
from triptych_audio.models.whisper.writing import format_timestamp
from triptych_datasets.progress import ProgressBar

__all__ = ["transcribe"]

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
WILD = 0.5  # above this temperature, a text is no context for the next one
FRAME_S = HOP_LENGTH / SAMPLE_RATE


def transcribe(
    model: WhisperForConditionalGeneration,
    audio: Any,
    *,
    verbose: bool | None = None,
    temperature: float | Sequence[float] = TEMPERATURES,
    compression_ratio_threshold: float | None = 2.4,
    logprob_threshold: float | None = -1.0,
    no_speech_threshold: float | None = 0.6,
    condition_on_previous_text: bool = True,
    initial_prompt: str | None = None,
    carry_initial_prompt: bool = False,
    word_timestamps: bool = False,
    prepend_punctuations: str = PREPENDED,
    append_punctuations: str = APPENDED,
    clip_timestamps: str | Sequence[float] = "0",
    hallucination_silence_threshold: float | None = None,
    tokenizer: Tokenizer | None = None,
    generator: Generator | None = None,
    **decode_options: Any,
) -> dict[str, Any]:
    """What is said in a recording of any length.

    Args:
        model: a Whisper.
        audio: path, address, encoded bytes or a file object, read piece by piece; or an array of
            samples at 16 kHz, (t,) or (channels, t), floating, in [-1, 1].
        verbose: True prints segments as they come, False shows a progress bar, None does neither.
        temperature: of `DecodingOptions`; of several, the next one is tried when a text fails.
        compression_ratio_threshold: a text that repeats itself more than this fails.
        logprob_threshold: a text whose mean log probability is below this fails.
        no_speech_threshold: a window is silence when the probability of no speech is above this,
            and the text is below logprob_threshold.
        condition_on_previous_text: give what was said before to each window as its prompt.
        initial_prompt: of the first window, such as names that will come.
        carry_initial_prompt: give it to all windows.
        word_timestamps: also say when each word is said.
        prepend_punctuations, append_punctuations: signs that go with the word after or before.
        clip_timestamps: start, end, start, end … in seconds of the parts to go through, as numbers
            or "0,10"; the last end may be left out.
        hallucination_silence_threshold: with word_timestamps, leave out silence longer than so many
            seconds where a text seems made up.
        tokenizer: default the model's.
        generator: draws where the temperature is above 0; default the global one.
        **decode_options: fields of `DecodingOptions`, such as language, task or beam_size.

    Returns:
        "text"; "language", its code; and "segments": of each "id", "seek" (frame of 10 ms where its
        window begins), "start" and "end" in seconds, "text", "tokens", "temperature",
        "avg_logprob", "compression_ratio", "no_speech_prob", and with word_timestamps "words" of
        "word", "start", "end" and "probability".

    Raises:
        DomainError: options that contradict each other, or no temperature.
        FileFormatError: the file is damaged.
        FileNotFoundError: there is no such file.
        UnknownNameError: there is no such language.
    """
    features = RecordingFeatures(audio, model.dims.n_mels)
    options = dict(decode_options)
    options["language"] = _language(model, features, options.get("language"), tokenizer)
    if tokenizer is None:
        task = options.get("task", "transcribe")
        tokenizer = tokenizer_of(model, options["language"], task)
    temperatures = [temperature] if isinstance(temperature, int | float) else list(temperature)
    if not temperatures:
        raise DomainError("transcribe: wanted at least one temperature")
    thresholds = (compression_ratio_threshold, logprob_threshold, no_speech_threshold)
    writer = _Writer(model, tokenizer, options, temperatures, thresholds, generator)
    context = _Context(
        tokenizer, model.dims.n_text_ctx // 2 - 1, initial_prompt, carry_initial_prompt,
        condition_on_previous_text,
    )  # fmt: skip
    words = None
    if word_timestamps:
        words = _Words(
            model, tokenizer, prepend_punctuations, append_punctuations,
            hallucination_silence_threshold,
        )  # fmt: skip
    session = _Session(model, features, writer, context, words, verbose)
    segments = session.run(_clips(clip_timestamps, features.num_frames))
    text = tokenizer.decode(context.written())
    return {"text": text, "segments": segments, "language": options["language"]}


def _language(
    model: WhisperForConditionalGeneration,
    features: RecordingFeatures,
    language: str | None,
    tokenizer: Tokenizer | None,
) -> str:
    """Code of the language; of the first 30 s when it is not said."""
    if not model.is_multilingual and tokenizer is None:
        return "en"
    if language is not None:
        return language_code(language)
    length = 2 * model.dims.n_audio_ctx
    _, likely = model.detect_language(features.window(0, length, length), tokenizer)
    return max(likely, key=likely.__getitem__)


def _clips(times: str | Sequence[float], end: int) -> list[tuple[int, int]]:
    """Pairs of frames."""
    if isinstance(times, str):
        times = [float(t) for t in times.split(",") if t.strip()]
    points = [min(round(t * FRAMES_PER_SECOND), end) for t in times] or [0]
    if len(points) % 2:
        points.append(end)
    return list(zip(points[::2], points[1::2], strict=True))


class _Context:
    """What was said so far, and what of it the next window is told."""

    def __init__(
        self, tokenizer: Tokenizer, room: int, prompt: str | None, carry: bool, follow: bool
    ) -> None:
        self.first = tokenizer.encode(f" {prompt.strip()}") if prompt is not None else []
        self.ids = list(self.first)
        self.room = room - len(self.first)
        self.carry, self.follow = carry, follow
        self.since = 0

    def prompt(self) -> list[int]:
        """Ids for the next window."""
        if not self.carry:
            return self.ids[self.since :]
        recent = self.ids[max(len(self.first), self.since) :]
        return self.first + (recent[-self.room :] if self.room > 0 else [])

    def add(self, ids: Sequence[int], temperature: float) -> None:
        """Put a window's ids behind the others."""
        self.ids.extend(ids)
        if not self.follow or temperature > WILD:
            self.since = len(self.ids)

    def written(self) -> list[int]:
        """All ids without the first prompt."""
        return self.ids[len(self.first) :]


class _Writer:
    """Text of a window, at rising temperatures until it is good enough."""

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        tokenizer: Tokenizer,
        options: dict[str, Any],
        temperatures: Sequence[float],
        thresholds: tuple[float | None, float | None, float | None],
        generator: Generator | None,
    ) -> None:
        self.model, self.tokenizer, self.generator = model, tokenizer, generator
        self.options, self.temperatures = options, temperatures
        self.most_ratio, self.least_logprob, self.most_silent = thresholds

    def write(self, mel: Tensor, prompt: list[int]) -> DecodingResult:
        """(mels, frames) to a text."""
        with tp.inference_mode():
            encoded = self.model.embed_audio(mel.unsqueeze(0))[0]
        for temperature in self.temperatures:
            other = ("beam_size", "patience") if temperature > 0 else ("best_of",)
            kept = {name: v for name, v in self.options.items() if name not in other}
            options = DecodingOptions(**kept, prompt=prompt, temperature=temperature)
            result: DecodingResult = self.model.decode(
                encoded, options, tokenizer=self.tokenizer, generator=self.generator
            )
            if not self._failed(result):
                break
        return result

    def _failed(self, result: DecodingResult) -> bool:
        repeats = self.most_ratio is not None and result.compression_ratio > self.most_ratio
        return (repeats or self._unlikely(result)) and not (
            self._unlikely(result) and self._silent(result)
        )

    def _unlikely(self, result: DecodingResult) -> bool:
        return self.least_logprob is not None and result.avg_logprob < self.least_logprob

    def _silent(self, result: DecodingResult) -> bool:
        return self.most_silent is not None and result.no_speech_prob > self.most_silent

    def nothing_said(self, result: DecodingResult) -> bool:
        """Whether a window is silence."""
        likely = self.least_logprob is not None and result.avg_logprob > self.least_logprob
        return self._silent(result) and not likely


class _Words:
    """Times of words, and where to go on because of them."""

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        tokenizer: Tokenizer,
        prepended: str,
        appended: str,
        silence: float | None,
    ) -> None:
        self.model, self.tokenizer = model, tokenizer
        self.prepended, self.appended = prepended, appended
        self.silence = silence
        self.last_speech = 0.0

    def put(
        self,
        segments: list[dict[str, Any]],
        result: DecodingResult,
        window: tuple[int, int, int, int],
        closed: bool,
        goes_on: int,
    ) -> int:
        """Words into segments.

        Args:
            segments: of one window; changed, and emptied where the text is made up.
            result: of the window.
            window: its first frame, frames of the recording in it, all its frames, and all frames
                of the recording.
            closed: nothing is said after the last time.
            goes_on: frame where the next window would begin.

        Returns:
            Frame where the next window begins.
        """
        first, size, _, _ = window
        add_word_timestamps(
            segments, self.model, self.tokenizer, result.audio_features, size,
            prepend_punctuations=self.prepended, append_punctuations=self.appended,
            last_speech_timestamp=self.last_speech,
        )  # fmt: skip
        end, start = last_word_end(segments), first * FRAME_S
        if not closed and end is not None and end > start:
            goes_on = round(end * FRAMES_PER_SECOND)
        if self.silence is not None:
            found = self._skip(segments, window, closed, goes_on)
            if found is not None:
                goes_on = found
                if not segments:
                    return goes_on
        end = last_word_end(segments)
        self.last_speech = self.last_speech if end is None else end
        return goes_on

    def _skip(
        self,
        segments: list[dict[str, Any]],
        window: tuple[int, int, int, int],
        closed: bool,
        goes_on: int,
    ) -> int | None:
        """Frame after silence around made-up text, which is taken out of segments."""
        first, size, full, total = window
        start, limit = first * FRAME_S, self.silence or 0.0
        window_end, end = (first + full) * FRAME_S, last_word_end(segments)
        if not closed and end is not None and end > start and window_end - end <= limit:
            goes_on = first + size
        leading = next((s for s in segments if s["words"]), None)
        if leading is not None and is_anomalous(leading):
            gap = leading["start"] - start
            if gap > limit:
                segments.clear()
                return first + round(gap * FRAMES_PER_SECOND)
        found = silent_hallucination(
            segments, start, size * FRAME_S, window_end, self.last_speech, limit
        )
        if found is not None:
            made_up = segments[found]
            goes_on = round(max(start + 1, made_up["start"]) * FRAMES_PER_SECOND)
            if total * FRAME_S - made_up["end"] < limit:
                goes_on = total
            del segments[found:]
        return goes_on


class _Session:
    """One recording, window after window."""

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        features: RecordingFeatures,
        writer: _Writer,
        context: _Context,
        words: _Words | None,
        verbose: bool | None,
    ) -> None:
        self.features, self.writer, self.context = features, writer, context
        self.words, self.verbose = words, verbose
        self.full = 2 * model.dims.n_audio_ctx
        self.segments: list[dict[str, Any]] = []

    def run(self, clips: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
        """Segments of all parts."""
        total = round(sum(max(b - a, 0) for a, b in clips) * FRAME_S)
        shown = self.verbose is False
        with closing(ProgressBar("transcribe", total, shown, unit="s")) as bar:
            for first, end in clips:
                told, at = 0, first
                while at < end:
                    at = self._window(at, end)
                    passed = round((min(at, end) - first) * FRAME_S)
                    bar.update(passed - told)
                    told = passed
        return self.segments

    def _window(self, first: int, end: int) -> int:
        """One window; returns the frame where the next one begins."""
        size = min(self.full, end - first)
        mel = self.features.window(first, size, self.full)
        result = self.writer.write(mel, self.context.prompt())
        if self.writer.nothing_said(result):
            return first + size
        tokenizer = self.writer.tokenizer
        found, moved, closed = cut_segments(result, tokenizer, first, size, self.full)
        goes_on = first + moved
        if self.words is not None:
            window = (first, size, self.full, self.features.num_frames)
            goes_on = self.words.put(found, result, window, closed, goes_on)
        self._keep(found, result.temperature)
        return max(goes_on, first + 1)  # time goes on whatever a text says

    def _keep(self, found: list[dict[str, Any]], temperature: float) -> None:
        for segment in found:
            if self.verbose:
                span = f"{format_timestamp(segment['start'])} --> "
                print(f"[{span}{format_timestamp(segment['end'])}] {segment['text']}")
            if segment["start"] == segment["end"] or not segment["text"].strip():
                segment |= {"text": "", "tokens": []}
                if self.words is not None:
                    segment["words"] = []
            self.segments.append({"id": len(self.segments), **segment})
        if found:
            self.context.add([i for s in found for i in s["tokens"]], temperature)
