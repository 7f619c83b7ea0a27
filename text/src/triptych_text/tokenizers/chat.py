"""Chat templates: from a list of messages to the text that a model was trained on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from triptych.errors import DTypeError, MissingDependencyError

from .chat_limits import ChatTemplateError, Meter, bounded_environment, measured

__all__ = ["ChatTemplate", "ChatTemplateError"]

Message = Mapping[str, Any]
LONGEST_SOURCE = 1_000_000  # characters


class ChatTemplate:
    """Template in Jinja, as `chat_template` of a tokenizer_config.json has it.

    It runs in a sandbox, without files, network or Python's insides, and within bounds of time
    and size, so that a hostile one ends with an error.

    Args:
        source: the template.
        special_tokens: names that it may use, such as "bos_token" -> "<s>".
        meter: the bounds; default one million steps, ten million characters, ten seconds.

    Raises:
        ChatTemplateError: it is malformed.
        MissingDependencyError: jinja2 is not installed.

    Example:
        >>> source = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}"
        >>> ChatTemplate(source).render([{"role": "user", "content": "Hello"}])
        '<user>Hello'
    """

    def __init__(
        self,
        source: str,
        special_tokens: Mapping[str, str] | None = None,
        meter: Meter | None = None,
    ) -> None:
        if not isinstance(source, str):
            raise DTypeError(f"ChatTemplate: source is a str, got {type(source).__name__}")
        if len(source) > LONGEST_SOURCE:
            raise ChatTemplateError(
                f"ChatTemplate: a template of {len(source):,} characters; the limit is "
                f"{LONGEST_SOURCE:,}"
            )
        try:
            import jinja2
        except ImportError as error:
            raise MissingDependencyError(
                'ChatTemplate: jinja2 is not installed; pip install "triptych-text[chat]"'
            ) from error
        self.source, self.special_tokens = source, dict(special_tokens or {})
        self._meter = meter or Meter()
        environment = bounded_environment(self._meter)
        environment.filters["tojson"] = measured(_to_json, self._meter)
        environment.globals["raise_exception"] = _raise_exception
        environment.globals["strftime_now"] = _now
        try:
            self._template = environment.from_string(source)
        except (jinja2.TemplateError, RecursionError, SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None)
            place = "" if line is None else f", line {line}"
            raise ChatTemplateError(f"ChatTemplate: malformed{place}: {error}") from error

    def render(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = False,
        tools: Sequence[Mapping[str, Any]] | None = None,
        documents: Sequence[Mapping[str, Any]] | None = None,
        continue_final_message: bool = False,
        **variables: Any,
    ) -> str:
        """The text of a conversation.

        Args:
            messages: dicts with "role" and "content", as the template wants them.
            add_generation_prompt: end with what comes before an answer.
            tools: JSON schemas of functions that the model may call.
            documents: dicts with "title" and "text", for templates that know them.
            continue_final_message: end within the last message, for the model to go on with.
            **variables: further names that the template uses.

        Returns:
            The text, special tokens in it as text.

        Raises:
            ChatTemplateError: the template refuses the messages, fails, or passes its bounds.
            DTypeError: `messages` are no list of dicts.
        """
        _check_messages(messages)
        if continue_final_message and (add_generation_prompt or not messages):
            raise ChatTemplateError(
                "render: continue_final_message needs a message to go on with, and excludes "
                "add_generation_prompt"
            )
        names = self.special_tokens | {
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            "documents": None if documents is None else list(documents),
            "add_generation_prompt": add_generation_prompt,
        }
        text = self._run(names | variables)
        return _up_to_last(text, messages[-1]) if continue_final_message else text

    def _run(self, names: Mapping[str, Any]) -> str:
        from jinja2 import TemplateError

        parts, length = [], 0
        self._meter.start()
        try:
            for part in self._template.generate(**names):
                parts.append(part)
                length += len(part)
                if length > self._meter.size:
                    raise ChatTemplateError(
                        f"chat template: stopped after {length:,} characters; is it cyclic?"
                    )
        except RecursionError as error:
            raise ChatTemplateError(
                "chat template: macros or messages that contain themselves: it has no end"
            ) from error
        except ChatTemplateError:
            raise
        except (
            TemplateError, ArithmeticError, AssertionError, LookupError, MemoryError, TypeError,
            ValueError,
        ) as error:  # fmt: skip
            raise ChatTemplateError(f"chat template: {type(error).__name__}: {error}") from error
        return "".join(parts)


def _check_messages(messages: Any) -> None:
    if isinstance(messages, str | bytes | Mapping) or not isinstance(messages, Sequence):
        raise DTypeError(
            f"render: messages are a list of dicts, got {type(messages).__name__}; for one "
            'message write [{"role": "user", "content": "..."}]'
        )
    for i, message in enumerate(messages):
        if not isinstance(message, Mapping) or "role" not in message:
            raise DTypeError(f'render: message {i} is no dict with a "role": {message!r:.60}')


def _up_to_last(text: str, message: Message) -> str:
    """The text up to the end of the last message's content."""
    content = message.get("content")
    content = content.strip() if isinstance(content, str) else ""
    at = text.rfind(content)
    if not content or at < 0:
        raise ChatTemplateError(
            "render: continue_final_message: the template does not write the last message's "
            "content as it is"
        )
    return text[: at + len(content)]


def _to_json(value: Any, indent: int | None = None, **options: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, **options)
    except (TypeError, ValueError, RecursionError) as error:  # also what is cyclic
        raise ChatTemplateError(f"chat template: tojson: {error}") from error


def _raise_exception(message: str) -> None:
    raise ChatTemplateError(f"chat template: {message}")


def _now(form: str) -> str:
    return datetime.now().strftime(form)
