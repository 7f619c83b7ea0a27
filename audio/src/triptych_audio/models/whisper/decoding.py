"""Up to 30 s of sound to text.

Source: openai/whisper, whisper/decoding.py; names and defaults are its own.
"""

from __future__ import annotations

import dataclasses
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import triptych as tp
from triptych import Generator, Tensor
from triptych.errors import DomainError, ShapeError
from triptych_audio.models.whisper.model import WhisperForConditionalGeneration
from triptych_audio.models.whisper.rules import (
    Rule,
    SuppressBlank,
    SuppressTokens,
    TimestampRules,
    log_softmax,
)
from triptych_audio.models.whisper.searching import (
    BeamSearch,
    Candidate,
    GreedySearch,
    best_candidate,
)
from triptych_audio.models.whisper.tokenizer import Tokenizer, get_tokenizer

__all__ = [
    "DecodingOptions",
    "DecodingResult",
    "compression_ratio",
    "decode",
    "detect_language",
    "tokenizer_of",
]

WINDOW_S = 30.0


@dataclass(frozen=True)
class DecodingOptions:
    """How a text is written.

    Args:
        task: "transcribe", "translate" into English, or "lang_id" for the language alone.
        language: that is spoken, by code or name; None to find out.
        temperature: 0 for the likeliest ids, larger ones draw.
        sample_len: most ids to write; default half of the places.
        best_of: texts that are drawn, of which the best is taken; for temperatures above 0.
        beam_size: beams; for temperature 0.
        patience: how many ended beams are waited for, as a multiple of beam_size.
        length_penalty: alpha from 0 to 1 of Wu et al. 2016; None divides by the length.
        prompt: what was said before, as text or ids.
        prefix: how the text begins, as text or ids.
        suppress_tokens: ids that never come, as numbers or "1,2"; -1 stands for names of speakers,
            sounds in brackets and the like.
        suppress_blank: no text begins with a space alone.
        without_timestamps: text alone.
        max_initial_timestamp: latest first time in seconds; None for any.
        fp16: only for calls that were written for other libraries; the weights' dtype decides.

    Raises:
        DomainError: options that contradict each other.
    """

    task: str = "transcribe"
    language: str | None = None
    temperature: float = 0.0
    sample_len: int | None = None
    best_of: int | None = None
    beam_size: int | None = None
    patience: float | None = None
    length_penalty: float | None = None
    prompt: str | Sequence[int] | None = None
    prefix: str | Sequence[int] | None = None
    suppress_tokens: str | Sequence[int] | None = "-1"
    suppress_blank: bool = True
    without_timestamps: bool = False
    max_initial_timestamp: float | None = 1.0
    fp16: bool = False

    def __post_init__(self) -> None:
        wrong = {
            "beam_size and best_of exclude each other": bool(self.beam_size and self.best_of),
            "best_of wants a temperature above 0": bool(self.best_of and not self.temperature),
            "beam_size wants temperature=0": bool(self.beam_size and self.temperature),
            "patience wants beam_size": self.patience is not None and self.beam_size is None,
            "beam_size is at least 1": self.beam_size is not None and self.beam_size < 1,
            "temperature is at least 0": self.temperature < 0,
            "length_penalty is from 0 to 1": not 0 <= (self.length_penalty or 0) <= 1,
            'task is "transcribe", "translate" or "lang_id"': self.task
            not in ("transcribe", "translate", "lang_id"),
        }
        for text, holds in wrong.items():
            if holds:
                raise DomainError(f"DecodingOptions: {text}; got {self}")


@dataclass(frozen=True)
class DecodingResult:
    """A text and how sure it is.

    Args:
        audio_features: (s, d) of the encoder.
        language: code.
        language_probs: of all languages, when the language was looked for.
        tokens: ids of the text, with times.
        text: without times.
        avg_logprob: mean log probability of the ids.
        no_speech_prob: probability that nobody speaks.
        temperature: at which it was written.
        compression_ratio: of the text; repetitions raise it.
    """

    audio_features: Tensor = field(repr=False)
    language: str
    language_probs: dict[str, float] | None = None
    tokens: list[int] = field(default_factory=list)
    text: str = ""
    avg_logprob: float = math.nan
    no_speech_prob: float = math.nan
    temperature: float = math.nan
    compression_ratio: float = math.nan


def compression_ratio(text: str) -> float:
    """How much shorter a text gets by zlib.

    Args:
        text: any.

    Example:
        >>> compression_ratio("so " * 40) > 5 > compression_ratio("so it is")
        True
    """
    data = text.encode()
    return len(data) / len(zlib.compress(data))


def tokenizer_of(
    model: WhisperForConditionalGeneration, language: str | None = None, task: str | None = None
) -> Tokenizer:
    """The tokenizer of a model: of its folder, or OpenAI's.

    Args:
        model: whose vocabulary counts.
        language: that is spoken; default English.
        task: "transcribe" or "translate".
    """
    return get_tokenizer(
        model.is_multilingual,
        num_languages=model.num_languages,
        language=language,
        task=task,
        folder=getattr(model, "vocabulary_folder", None),
    )


def _encoded(model: WhisperForConditionalGeneration, mel: Tensor) -> Tensor:
    """(n, s, d) of a spectrogram (n, mels, frames); what is encoded already stays."""
    states = (model.dims.n_audio_ctx, model.dims.n_audio_state)
    if tuple(mel.shape[-2:]) == states:
        return mel.to(model.proj_out.weight)
    return model.embed_audio(mel)


def detect_language(
    model: WhisperForConditionalGeneration, mel: Tensor, tokenizer: Tokenizer | None = None
) -> tuple[Tensor, Any]:
    """Which language is spoken.

    Args:
        model: multilingual.
        mel: (mels, 3000) or (n, mels, 3000) of `log_mel_spectrogram`, or what the encoder made of
            it.
        tokenizer: default the model's.

    Returns:
        () or (n,) ids of the likeliest languages, and the probability of each by code; a list of
        these for a batch.

    Raises:
        DomainError: the model knows English alone.
    """
    tokenizer = tokenizer or tokenizer_of(model)
    if tokenizer.language is None:
        raise DomainError("detect_language: this model knows English alone")
    with tp.inference_mode():
        batch = mel if mel.ndim == 3 else mel.unsqueeze(0)
        encoded = _encoded(model, batch)
        start = tp.full((encoded.shape[0], 1), tokenizer.sot, dtype=tp.int64)
        scores = model(None, start.to(encoded.device), encoder_outputs=encoded).logits[:, 0]
    languages = np.array(tokenizer.all_language_tokens)
    likely = np.exp(log_softmax(_array(scores)[:, languages]))
    best = tp.tensor(languages[likely.argmax(-1)])
    found = [dict(zip(tokenizer.all_language_codes, row, strict=True)) for row in likely.tolist()]
    return (best, found) if mel.ndim == 3 else (best[0], found[0])


def _array(scores: Tensor) -> np.ndarray:
    """On the processor, in float32."""
    array: np.ndarray = scores.detach().to(tp.float32).cpu().numpy()
    return array


def decode(
    model: WhisperForConditionalGeneration,
    mel: Tensor,
    options: DecodingOptions | None = None,
    *,
    tokenizer: Tokenizer | None = None,
    generator: Generator | None = None,
    **changes: Any,
) -> Any:
    """What is said in up to 30 s.

    Args:
        model: a Whisper.
        mel: (mels, 3000) or (n, mels, 3000) of `log_mel_spectrogram`, or what the encoder made of
            it.
        options: how the text is written.
        tokenizer: default the model's.
        generator: draws where the temperature is above 0; default the global one.
        **changes: fields of `DecodingOptions` that replace those of options.

    Returns:
        A `DecodingResult`, or a list of them for a batch.

    Raises:
        DomainError: options that contradict each other.
        ShapeError: mel has another shape.
    """
    options = dataclasses.replace(options or DecodingOptions(), **changes)
    if mel.ndim not in (2, 3):
        raise ShapeError(
            f"decode: wanted (mels, frames) or (n, mels, frames), got {tuple(mel.shape)}"
        )
    with tp.inference_mode():
        task = _Decoding(model, options, tokenizer, generator)
        found = task.run(mel if mel.ndim == 3 else mel.unsqueeze(0))
    return found if mel.ndim == 3 else found[0]


class _Decoding:
    """One call of `decode`."""

    def __init__(
        self,
        model: WhisperForConditionalGeneration,
        options: DecodingOptions,
        tokenizer: Tokenizer | None,
        generator: Generator | None,
    ) -> None:
        self.model, self.options, self.generator = model, options, generator
        task = "transcribe" if options.task == "lang_id" else options.task
        self.tokenizer = tokenizer or tokenizer_of(model, options.language, task)
        self.group = options.beam_size or options.best_of or 1
        self.places = model.dims.n_text_ctx
        self.sample_len = options.sample_len or self.places // 2
        self.given = self._given()
        self.sot_index = self.given.index(self.tokenizer.sot)
        self.rules = self._rules()

    def run(self, mel: Tensor) -> list[DecodingResult]:
        """(n, mels, frames) to n results."""
        encoded = _encoded(self.model, mel)
        ids = np.array([self.given] * encoded.shape[0])
        languages, likely = self._languages(encoded, ids)
        if self.options.task == "lang_id":
            return [
                DecodingResult(features, language, probs)
                for features, language, probs in zip(encoded, languages, likely, strict=True)
            ]
        silent, candidates = self._write(encoded, ids)
        each = zip(encoded, languages, likely, silent, candidates, strict=True)
        return [self._result(*fields) for fields in each]

    def _result(
        self,
        features: Tensor,
        language: str,
        likely: dict[str, float] | None,
        silent: float,
        candidates: list[Candidate],
    ) -> DecodingResult:
        best = best_candidate(candidates, self.options.length_penalty)
        text = self.tokenizer.decode(best.ids).strip()
        return DecodingResult(
            audio_features=features,
            language=language,
            language_probs=likely,
            tokens=best.ids,
            text=text,
            avg_logprob=best.sum_logprob / (len(best.ids) + 1),
            no_speech_prob=silent,
            temperature=self.options.temperature,
            compression_ratio=compression_ratio(text),
        )

    def _languages(
        self, encoded: Tensor, ids: np.ndarray
    ) -> tuple[list[str], list[dict[str, float] | None]]:
        """Languages of the sounds; where they were looked for, they go into the given ids."""
        count = len(ids)
        wanted, looked_for = self.options.language, self.options.task == "lang_id"
        if self.tokenizer.language is None or (wanted is not None and not looked_for):
            return [self.tokenizer.language or "en"] * count, [None] * count
        tokens, likely = detect_language(self.model, encoded, self.tokenizer)
        if wanted is None:
            ids[:, self.sot_index + 1] = tokens.numpy()
        return [max(probs, key=probs.__getitem__) for probs in likely], likely

    def _write(self, encoded: Tensor, ids: np.ndarray) -> tuple[list[float], list[list[Candidate]]]:
        """Probabilities of silence, and the texts of each sound."""
        search = self._search()
        cache = self.model.new_cache()
        silent, fed = [math.nan] * len(ids), ids
        for step in range(self.sample_len):
            tokens = tp.tensor(fed).to(encoded.device)
            hidden = self.model.model.decoder(tokens, encoded, cache)
            places = [self.sot_index, -1] if step == 0 else [-1]
            scores = _array(self.model.proj_out(hidden[:, places]))
            logits = scores[:, -1].copy()
            if step == 0:
                first = np.exp(log_softmax(scores[:, 0]))
                silent = first[:, self.tokenizer.no_speech].tolist()
                rows = np.repeat(np.arange(len(ids)), self.group)
                ids, logits = ids[rows], logits[rows]
                if self.group > 1:
                    cache.reorder(tp.tensor(rows).to(encoded.device))
            for rule in self.rules:
                rule(logits, ids)
            ids, rows, done = search.step(ids, logits)
            if done or ids.shape[1] > self.places:
                break
            if (rows != np.arange(len(rows))).any():
                cache.reorder(tp.tensor(rows).to(encoded.device))
            fed = ids[:, -1:]
        return silent, search.results(ids, len(self.given))

    def _search(self) -> GreedySearch | BeamSearch:
        options, end = self.options, self.tokenizer.eot
        if options.beam_size is not None:
            return BeamSearch(options.beam_size, end, options.patience)
        return GreedySearch(self.group, end, options.temperature, self.generator)

    def _given(self) -> list[int]:
        """Ids before the first that is written: prompt, start, prefix."""
        tokenizer = self.tokenizer
        plain = self.options.without_timestamps
        ids = [*(tokenizer.sot_sequence_including_notimestamps if plain else
                 tokenizer.sot_sequence)]  # fmt: skip
        prefix = self._ids(self.options.prefix)
        room = self.places // 2 - self.sample_len
        ids += prefix[-room:] if room > 0 else prefix
        prompt = self._ids(self.options.prompt)
        if prompt:
            ids = [tokenizer.sot_prev, *prompt[-(self.places // 2 - 1) :], *ids]
        return ids

    def _ids(self, text: str | Sequence[int] | None) -> list[int]:
        if not text:
            return []
        return self.tokenizer.encode(f" {text.strip()}") if isinstance(text, str) else list(text)

    def _rules(self) -> list[Rule]:
        options, begin = self.options, len(self.given)
        rules: list[Rule] = []
        if options.suppress_blank:
            rules.append(SuppressBlank(self.tokenizer, begin))
        if options.suppress_tokens:
            rules.append(SuppressTokens(self._suppressed()))
        if not options.without_timestamps:
            latest = None
            if options.max_initial_timestamp:
                step = WINDOW_S / self.model.dims.n_audio_ctx
                latest = round(options.max_initial_timestamp / step)
            rules.append(TimestampRules(self.tokenizer, begin, latest))
        return rules

    def _suppressed(self) -> list[int]:
        wanted = self.options.suppress_tokens or ()
        numbers = [int(i) for i in (wanted.split(",") if isinstance(wanted, str) else wanted)]
        tokenizer = self.tokenizer
        found = {i for i in numbers if i >= 0}
        if -1 in numbers:
            found.update(tokenizer.non_speech_tokens)
        found.update(
            (tokenizer.transcribe, tokenizer.translate, tokenizer.sot, tokenizer.sot_prev,
             tokenizer.sot_lm, tokenizer.no_speech)
        )  # fmt: skip
        return sorted(found)
