"""What a caller makes of a stream of events, read by a parser that is not ours."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sseclient import SSEClient

from testing import coded_speech
from testing.conversation_forms import SIX_KEYS as KEYS

SHAPES = {
    "transcript": {"at", "text", "model"},
    "text": {"at", "delta"},
    "segment": {"at", "segment", "text", "voice", "format", "began"},
    "audio": {"at", "segment", "data", "last"},
}
Told = tuple[str, dict[str, Any]]


def events_of(pieces: Iterable[bytes]) -> Iterator[Told]:
    """Each event's name and data, as its bytes arrive."""
    for event in SSEClient(pieces).events():
        yield event.event, json.loads(event.data)


@dataclass
class Heard:
    """A whole stream, put together as a caller does; the contract's order and shapes hold."""

    transcript: str = ""
    text: str = ""
    segments: list[str] = field(default_factory=list)
    sounds: list[bytes] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    """The segments whose last piece was there, in order."""
    form: str = "mp3"
    voices: set[str] = field(default_factory=set)
    error: dict[str, Any] | None = None
    done: dict[str, Any] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    """When each event was told, in milliseconds."""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str | None:
        return self.error["code"] if self.error else None

    @property
    def spoken(self) -> list[str]:
        """What was said of each segment that ended, read back from its sound."""
        return [coded_speech.decode(self.sounds[number], self.form) for number in self.ended]


def heard(events: Iterable[Told]) -> Heard:
    """All that a stream told; fails where the contract is broken."""
    stream, at = Heard(), 0
    for name, data in events:
        assert not stream.done, f"{name} after done"
        assert stream.error is None or name == "done", f"{name} after error"
        assert bool(stream.names) == (name != "transcript"), "the transcript is first, and once"
        assert set(data) == SHAPES.get(name, set(data))
        assert at <= data["at"] < 1_000_000
        at = data.pop("at")
        stream.names.append(name)
        stream.times.append(at)
        _take(stream, name, data)
    assert stream.names[-1:] == ["done"], "the stream was cut"
    assert stream.done["transcript"] == stream.transcript
    assert stream.done["text_response"] == stream.text
    assert stream.done["audio"] == ""
    assert stream.done["errors"] == ([stream.error] if stream.error else [])
    assert stream.done["success"] is (stream.error is None)
    assert list(stream.done) == KEYS
    told = "".join(stream.segments)
    assert stream.text.startswith(told) if stream.error else stream.text == told
    return stream


def _take(stream: Heard, name: str, data: dict[str, Any]) -> None:
    match name:
        case "transcript":
            stream.transcript = data["text"]
        case "text":
            assert data["delta"]
            stream.text += data["delta"]
        case "segment":
            assert data["segment"] == len(stream.segments)
            stream.segments.append(data["text"])
            stream.sounds.append(b"")
            stream.form = data["format"]
            stream.voices.add(data["voice"])
        case "audio":
            assert data["segment"] == len(stream.segments) - 1, "in order, after its segment event"
            assert data["segment"] not in stream.ended
            stream.sounds[-1] += base64.b64decode(data["data"], validate=True)
            if data["last"]:
                stream.ended.append(data["segment"])
        case "error":
            stream.error = data
        case "done":
            stream.done = data
        case _:
            raise AssertionError(f"an event of no known name: {name}")
