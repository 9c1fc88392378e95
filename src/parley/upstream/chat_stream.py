"""A chat reply, whole in JSON or as it is written in events: bytes in, the reply's deltas out."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from parley.errors import TextIncomplete, ThoughtsAlone, UpstreamMalformed, UpstreamUnavailable
from parley.upstream.error_reports import SPACE, FailureIn, error_field_of, not_json, report_of
from parley.upstream.json_values import json_in, refusal_in, text_in, value_at
from parley.upstream.sent_events import EVENT_BYTES, SentEvent, events_in
from parley.wire.bodies import filled

# What the value of `finish_reason` holds for a reply that the model did not finish: OpenAI's, and
# those of Mistral, Anthropic, Zhipu, Gemini, Bedrock and Cohere that gateways pass on.
INCOMPLETE = re.compile(
    r"length|max_\w*tokens|context|limit|filter|sensitive|safety|recitation|blocklist|prohibited"
    r"|spii|guardrail|refusal|toxic"
)
# What the whole value is for a failure amid the reply: OpenRouter's, vLLM's, Zhipu's, DeepSeek's.
FAILED = re.compile(r"(?!no_)(\w+_)?(error|abort\w*|cancel\w*|failed|time_?d?_?out)|insuff\w+")
UNFINISHED = ("", "null", "none")  # Those that hosts write amid a reply instead of null.
# What gateways put before data that make events of a stream's lines: its own "data:", and comments.
NESTED = re.compile(rb"\A(?:data:\s*|:[^\n]*\n?)++")
UTF_16 = codecs.getincrementaldecoder("utf-16-le")
# Where thoughts stand in a message: vLLM's, OpenRouter's, and Mistral's first part.
THOUGHTS = (("reasoning_content",), ("reasoning",), ("content", 0, "thinking"))
# How a stream of events begins, though none of them may be whole.
FIELD = re.compile(rb"\s*(?::|(?:event|data|id|retry)\b)")


def deltas_of(pieces: Iterable[bytes], failure_in: FailureIn) -> Iterator[str]:
    """The reply's text, delta by delta; a whole reply in JSON is one delta.

    Texts count and thoughts do not; a refusal counts where there is no content. At the end, raises
    TextIncomplete where the model did not finish the reply, UpstreamUnavailable where the stream
    was cut, and UpstreamMalformed where all of it was blank. Raises what `failure_in` makes of an
    error under a success's status, after what was written before it.
    """
    pieces = iter(pieces)
    begun = next(filter(None, (piece.lstrip(SPACE) for piece in pieces)), b"")
    reply = _Reply(failure_in)
    if begun.startswith((b"{", b"[")):
        body = filled(begun, pieces, EVENT_BYTES + 1)
        if len(body) > EVENT_BYTES:
            raise UpstreamMalformed()
        yield from reply.read(json_in(body), "message")
        reply.require_whole(is_ended=True)
        return
    event, is_ended = None, False
    for event in events_in(chain((begun,), pieces)):
        if event.name == b"error":
            told = json_in(event.data) or event.data.decode(errors="replace")
            raise reply.failure_in({"code": event.status.decode("latin-1"), "error": told})
        data = NESTED.sub(b"", event.data.strip())
        if is_ended := data.strip(b'"').upper().startswith(b"[DONE]"):
            break
        if (value := _value_of(event, data)) is not None:
            yield from reply.read(value, "delta")
    if event is None and begun and not FIELD.match(begun):
        raise not_json(begun)
    reply.require_whole(is_ended=is_ended)


@dataclass
class _Reply:
    """What was read of a reply so far."""

    failure_in: FailureIn
    reason: Any = None
    # Where content was found: some send a message as one event, others again after its deltas.
    place: str = ""
    is_blank: bool = True
    has_thoughts: bool = False
    # That of the first choice. Where it is 0 or None, choices of another are passed over; else it
    # does not count: TGI before 1.4.4 numbers its events so.
    index: Any = None
    # Some hosts count in UTF-16, and part surrogate pairs: it keeps a half until the other comes.
    utf_16: codecs.IncrementalDecoder = field(default_factory=lambda: UTF_16("replace"))
    suspect: Any = None  # JSON that is no part of a reply, and may be a failure without `error`.
    is_note: bool = False  # Whether that may as well be about the reply, such as its title.
    last: Any = None  # What the last choice stands in: MiniMax says there why a reply is blank.

    def read(self, value: Any, name: str) -> Iterator[str]:
        """The texts in an answer, or in the data of an event; raise the failure that it tells."""
        choice = self._choice_in(value_at(value, "choices"))
        self.last = value if choice else self.last
        place = self.place or (name if value_at(choice, name) is not None else "message")
        said = value_at(choice, place)
        content = text_in(value_at(said, "content"))
        if content.strip():
            self.place = place
        refusal = "" if self.place else refusal_in(said)
        text = content + refusal
        if not text.isascii() or self.utf_16.getstate()[0]:
            text = self.utf_16.decode(text.encode("utf-16-le", "surrogatepass"))
        if text:
            self.is_blank = self.is_blank and text.isspace()
            yield text
        elif not self.has_thoughts:
            self.has_thoughts = any(value_at(said, *path) for path in THOUGHTS)
        reason = value_at(choice, "finish_reason")
        if self.reason and INCOMPLETE.search(self.reason):
            pass  # Some gateways end each stream with a "stop" of their own.
        elif isinstance(reason, str) and reason.lower() not in UNFINISHED:
            self.reason = reason.lower()
        elif text:
            self.reason = None  # Where text follows, it was no end: some begin with "stop".
        if error := (error_field_of(value) and value) or error_field_of(choice):
            raise self.failure_in(error)
        if self.reason and FAILED.fullmatch(self.reason) and not INCOMPLETE.search(self.reason):
            raise UpstreamUnavailable()
        is_open = self.suspect is None or self.is_note  # No note hides a failure.
        if choice is None and is_open and (report := report_of(value)).message:
            self.suspect, self.is_note = value, report.is_note

    def _choice_in(self, choices: Any) -> Any:
        for choice in choices if isinstance(choices, list) else ():
            index = value_at(choice, "index")
            self.index = index if self.index is None else self.index
            if self.index or index in (None, self.index):
                return choice
        return None

    def require_whole(self, *, is_ended: bool) -> None:
        """Raise the failure of a reply that has ended and is not whole."""
        has_failed = self.reason is None and not self.is_note
        if self.suspect is not None and (self.is_blank or has_failed):
            raise self.failure_in(self.suspect)
        if self.reason is None and not is_ended:
            raise UpstreamUnavailable()
        if self.reason and INCOMPLETE.search(self.reason):
            raise TextIncomplete()
        if self.is_blank:
            raise ThoughtsAlone() if self.has_thoughts else self.failure_in(self.last)


def _value_of(event: SentEvent, data: bytes) -> Any:
    """The event's JSON; None where it is to be passed over: what has no data, or is unknown."""
    is_unnamed = event.name in (b"", b"message")
    value = json_in(data)
    if value is None and data not in (b"", b"null"):
        # Gateways write their error into the event that they could not finish (sub2api).
        value = json_in(re.split(rb"\n|data: ?", data)[-1])
        if not error_field_of(value):
            if is_unnamed and not event.is_cut:
                raise UpstreamMalformed()
            return None
    return value if is_unnamed or value_at(value, "choices") or error_field_of(value) else None
