"""The options of a conversation, each read from the form or refused with what to send instead."""

import json
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields
from werkzeug.datastructures import FileStorage

from parley.upstream.options import AUDIO_FORMATS

LINE_CHARACTERS = 200
PROMPT_CHARACTERS = 8000
HISTORY_TURNS = 100
HISTORY_BYTES = 256 * 1024
LANGUAGE = re.compile("[A-Za-z]{2}")
"""ISO 639-1: two letters."""


class LineField(fields.String):
    """A model's name, a voice, or any other line of text: who uses it decides what it means."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = value.strip() if isinstance(value, str) else "\n"
        if len(text) > LINE_CHARACTERS or not text.isprintable():
            raise ValidationError(
                f"Send '{attr}' as one line of text of at most {LINE_CHARACTERS} characters, "
                "or leave it out."
            )
        return text


class AudioFormatField(fields.String):
    """One of the AUDIO_FORMATS."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = value.strip().lower() if isinstance(value, str) else ""
        if text not in AUDIO_FORMATS:
            raise ValidationError(f"Send '{attr}' as {' or '.join(AUDIO_FORMATS)}.")
        return text


class LanguageField(fields.String):
    """The two letters of a language."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not LANGUAGE.fullmatch(text):
            raise ValidationError(f"Send '{attr}' as the two letters of ISO 639-1, such as en.")
        return text.lower()


class SystemPromptField(fields.String):
    """What the chat model is told first, instead of the operator's own prompt."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        if not isinstance(value, str) or len(value) > PROMPT_CHARACTERS:
            raise ValidationError(
                f"Send '{attr}' as a text of at most {PROMPT_CHARACTERS} characters."
            )
        return value


class HistoryField(fields.Field[list[dict[str, str]]]):
    """Earlier turns, as a text or as a file: curl cuts a text at a semicolon."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> list[dict[str, str]]:
        if isinstance(value, FileStorage):
            text = value.stream.read(HISTORY_BYTES + 1)
        else:
            text = str(value).encode()
        if not text.strip():
            return []  # A blank file is as if it were not sent, as a blank text is.
        try:
            turns = json.loads(text) if len(text) <= HISTORY_BYTES else None
        except (ValueError, RecursionError):
            turns = None
        if (
            not isinstance(turns, list)
            or len(turns) > HISTORY_TURNS
            or not all(map(_is_turn, turns))
        ):
            raise ValidationError(
                f"Send '{attr}' as a JSON list of at most {HISTORY_TURNS} turns and "
                f'{HISTORY_BYTES // 1024} KB, each {{"role": "user" or "assistant", '
                '"content": "…"}.'
            )
        return [{"role": turn["role"], "content": turn["content"]} for turn in turns]


def _is_turn(turn: Any) -> bool:
    match turn:
        case {"role": "user" | "assistant", "content": str()}:
            return True
    return False
