"""Transcripts as files: text, subtitles, tables, JSON.

Source: openai/whisper, whisper/utils.py.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

__all__ = ["FORMATS", "format_timestamp", "formatted", "subtitles"]

LONG_PAUSE_S = 3.0
NO_LIMIT = 1000

Result = Mapping[str, Any]
Line = tuple[float, float, str]


def format_timestamp(seconds: float, hours: bool = False, decimal_mark: str = ".") -> str:
    """A time as subtitles have it.

    Args:
        seconds: 0 or more.
        hours: also where there are none.
        decimal_mark: before the milliseconds.

    Example:
        >>> format_timestamp(83.5), format_timestamp(1.25, hours=True, decimal_mark=",")
        ('01:23.500', '00:00:01,250')
    """
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, rest = divmod(whole, 60)
    count, minutes = divmod(minutes, 60)
    front = f"{count:02d}:" if hours or count else ""
    return f"{front}{minutes:02d}:{rest:02d}{decimal_mark}{milliseconds:03d}"


def subtitles(
    result: Result,
    *,
    max_line_width: int | None = None,
    max_line_count: int | None = None,
    max_words_per_line: int | None = None,
    highlight_words: bool = False,
) -> Iterator[Line]:
    """Start and end in seconds, and text, of each subtitle.

    Args:
        result: of `transcribe`; without words, its segments are the subtitles.
        max_line_width: letters of a line.
        max_line_count: lines of a subtitle; wants max_line_width, and joins segments.
        max_words_per_line: words of a line.
        highlight_words: one subtitle for each word, which is underlined in it.
    """
    segments = result["segments"]
    if not segments or "words" not in segments[0]:
        for segment in segments:
            yield segment["start"], segment["end"], segment["text"].strip().replace("-->", "->")
        return
    keeps = max_line_count is None or max_line_width is None
    layout = _Layout(max_line_width or NO_LIMIT, max_line_count, keeps)
    for words in layout.subtitles(segments, max_words_per_line or NO_LIMIT):
        start, end = words[0]["start"], words[-1]["end"]
        if highlight_words:
            yield from _highlighted(words)
        else:
            yield start, end, "".join(word["word"] for word in words)


def _highlighted(words: list[dict[str, Any]]) -> Iterator[Line]:
    texts, last = [word["word"] for word in words], words[0]["start"]
    for i, word in enumerate(words):
        if last != word["start"]:
            yield last, word["start"], "".join(texts)
        marked = re.sub(r"^(\s*)(.*)$", r"\1<u>\2</u>", texts[i])
        yield word["start"], word["end"], "".join([*texts[:i], marked, *texts[i + 1 :]])
        last = word["end"]


class _Layout:
    """Words to lines and subtitles."""

    def __init__(self, width: int, count: int | None, keeps_segments: bool) -> None:
        self.width, self.count, self.keeps = width, count, keeps_segments

    def subtitles(self, segments: Any, words_per_line: int) -> Iterator[list[dict[str, Any]]]:
        waiting: list[dict[str, Any]] = []
        length = lines = 0
        last = next((w["start"] for s in segments for w in s["words"]), 0.0)
        for segment in segments:
            for place, original in enumerate(segment["words"]):
                word = dict(original)
                begins = place % words_per_line == 0 and self.keeps
                pause = not self.keeps and word["start"] - last > LONG_PAUSE_S
                fits = length + len(word["word"]) <= self.width
                if waiting and fits and not pause and not begins:
                    length += len(word["word"])
                else:
                    word["word"] = word["word"].strip()
                    full = self.count is not None and (pause or lines >= self.count)
                    if waiting and (full or begins):
                        yield waiting
                        waiting, lines = [], 0
                    elif waiting:
                        word["word"] = "\n" + word["word"]
                    lines += 1
                    length = len(word["word"].strip())
                waiting.append(word)
                last = word["start"]
        if waiting:
            yield waiting


def _txt(result: Result, **_: Any) -> str:
    return "".join(f"{segment['text'].strip()}\n" for segment in result["segments"])


def _vtt(result: Result, **layout: Any) -> str:
    spans = (
        f"{format_timestamp(a)} --> {format_timestamp(b)}\n{text}\n\n"
        for a, b, text in subtitles(result, **layout)
    )
    return "WEBVTT\n\n" + "".join(spans)


def _srt(result: Result, **layout: Any) -> str:
    def told(seconds: float) -> str:
        return format_timestamp(seconds, hours=True, decimal_mark=",")

    return "".join(
        f"{i}\n{told(a)} --> {told(b)}\n{text}\n\n"
        for i, (a, b, text) in enumerate(subtitles(result, **layout), 1)
    )


def _tsv(result: Result, **_: Any) -> str:
    rows = (
        (round(1000 * s["start"]), round(1000 * s["end"]), s["text"].strip().replace("\t", " "))
        for s in result["segments"]
    )
    return "start\tend\ttext\n" + "".join(f"{a}\t{b}\t{text}\n" for a, b, text in rows)


def _json(result: Result, **_: Any) -> str:
    return json.dumps(result, ensure_ascii=False, indent=2) + "\n"


FORMATS: dict[str, Callable[..., str]] = {
    "json": _json,
    "srt": _srt,
    "tsv": _tsv,
    "txt": _txt,
    "vtt": _vtt,
}


def formatted(result: Result, format: str, **layout: Any) -> str:
    """A transcript as a file holds it.

    Args:
        result: of `transcribe`.
        format: a key of `FORMATS`; "tsv" counts milliseconds.
        **layout: options of `subtitles`, for "srt" and "vtt".

    Returns:
        The content of the file.

    Raises:
        UnknownNameError: there is no such format.

    Example:
        >>> segments = [{"start": 0.0, "end": 1.5, "text": " Hello."}]
        >>> print(formatted({"segments": segments}, "srt"), end="")
        1
        00:00:00,000 --> 00:00:01,500
        Hello.
        <BLANKLINE>
    """
    if format not in FORMATS:
        from triptych.errors import UnknownNameError

        raise UnknownNameError(f"transcript: format {format!r}, wanted one of {', '.join(FORMATS)}")
    return FORMATS[format](result, **layout)
