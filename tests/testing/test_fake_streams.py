"""What the streamed tests lean on: the simulated streams are the upstream's, by its own SDK."""

import base64
import io
import json
import time
from collections.abc import Iterator
from contextlib import suppress

import av
import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletionChunk
from websockets.exceptions import ConnectionClosed

from testing import coded_speech
from testing.fake_openai import Upstream, running
from testing.fake_realtime import READINGS, Readings
from testing.fake_streams import CHATS, SPEECHES, Pace, streams_chat, streams_speech

TEXT = "Grüße aus 東京, und viel Glück! 🙂 " * 4
MESSAGES = [{"role": "user", "content": "Hello."}]
CUT = (httpx2.NetworkError, httpx2.RemoteProtocolError, openai.APIConnectionError)
TIMEOUT = (httpx2.ReadTimeout, openai.APITimeoutError)
# The SDK asks the library for a connection in a way that the library has begun to advise against.
pytestmark = pytest.mark.filterwarnings("ignore:connect:DeprecationWarning")


@pytest.fixture
def server() -> Iterator[Upstream]:
    with running() as upstream:
        yield upstream


@pytest.fixture
def client(server: Upstream) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.url, api_key="x", max_retries=0, timeout=2) as sdk:
        yield sdk


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What drips does so fast; a reading that stalls is soon cut."""
    for module in ("fake_streams", "fake_realtime"):
        monkeypatch.setattr(f"testing.{module}.DRIP_SECONDS", 0.01)
    monkeypatch.setattr("testing.fake_realtime.STALL_SECONDS", 0.5)


# What the SDK makes of each: the text, or its part; how it ends.
WHOLE = ("usage", "split characters", "one piece", "comments and CRLF", "empty choices")
WHOLE += ("null content", "no [DONE]", "drips")
ENDS = {
    "whole": (TEXT, "stop"),
    "length": (TEXT, "length"),
    "content_filter": (TEXT, "content_filter"),
    "no finish_reason": (TEXT, None),
    "no end at all": (TEXT, None),
    "blank": ("", "stop"),
    "refusal": ("", "stop"),
    "silent": ("", TIMEOUT),
    "head alone": ("", TIMEOUT),
    "stalls": (TEXT[: len(TEXT) // 2], TIMEOUT),
    "cut": (TEXT[: len(TEXT) // 2], CUT),
    "reset": (TEXT[: len(TEXT) // 2], CUT),
    "error": (TEXT[: len(TEXT) // 2], openai.APIError),
    "not JSON": (TEXT[: len(TEXT) // 2], json.JSONDecodeError),
    "fails": ("", openai.InternalServerError),
    "far too long": (TEXT * 1000, None),
    **dict.fromkeys(WHOLE, (TEXT, "stop")),
}


@pytest.mark.parametrize("row", CHATS)
def test_each_chat_stream_is_what_it_is_called(server, client, row, quick):
    """OpenAI's SDK reads it to the end that its name promises; each chunk is of the SDK's type."""
    server.answers["text"] = streams_chat(row, reply=lambda body: TEXT)
    expected, end = ENDS[row]
    text, came_to = outcome(client)
    assert text == expected
    assert isinstance(came_to, end) if isinstance(end, type | tuple) else came_to == end


def outcome(client: openai.OpenAI) -> tuple[str, str | Exception | None]:
    """The text of a streamed reply, and why it ended: its reason, or an error."""
    text, reason = "", None
    try:
        for part in client.chat.completions.create(model="m", messages=MESSAGES, stream=True):
            ChatCompletionChunk.model_validate(part.model_dump(), strict=True)
            for choice in part.choices:
                text += choice.delta.content or ""
                reason = choice.finish_reason or reason
    except (httpx2.TransportError, openai.OpenAIError, ValueError) as error:
        return text, error
    return text, reason


def test_the_plain_chat_stream_is_typed_whole(server):
    """Nothing is in its chunks that the SDK does not know, and nothing is missing."""
    server.answers["text"] = streams_chat("usage", reply=lambda body: TEXT)
    answer = httpx2.post(f"{server.url}/chat/completions", json={"stream": True})
    *events, done, end = answer.text.split("\n\n")
    assert (done, end) == ("data: [DONE]", "")
    for line in events:
        sent = json.loads(line.removeprefix("data: "))
        chunk = ChatCompletionChunk.model_validate(sent, strict=True)
        assert chunk.model_dump(exclude_unset=True) == sent
        assert not chunk.model_extra


def test_characters_are_really_split(server):
    """No piece of that stream can be decoded alone."""
    pieces = CHATS["split characters"](TEXT)
    broken = 0
    for piece in pieces:
        try:
            piece.decode()
        except UnicodeDecodeError:
            broken += 1
    assert broken > 20


def test_a_chat_without_a_stream_gets_the_same_text(server, client):
    """One upstream serves both kinds of callers at once."""
    server.answers["text"] = streams_chat(reply=lambda body: body["messages"][-1]["content"])
    reply = client.chat.completions.create(model="m", messages=MESSAGES)
    assert reply.choices[0].message.content == "Hello."


@pytest.mark.parametrize("form", ["mp3", "wav", "pcm"])
def test_coded_speech_tells_its_text(server, client, form):
    """It is a real file that plays as long as it should; joined, or short of a part, it shows."""
    server.answers["tts"] = streams_speech()
    speech = client.audio.speech.create(
        model="m", voice="alloy", input=TEXT, response_format=form
    ).content
    assert coded_speech.decode(speech, form) == TEXT
    assert coded_speech.decode(speech + coded_speech.encode("!", form), form) == TEXT + "!"
    with pytest.raises(AssertionError):
        coded_speech.decode(speech[:-7], form)
    size = len(TEXT.encode())
    raw = {"format": "s16le", "options": {"sample_rate": "24000"}} if form == "pcm" else {}
    with av.open(io.BytesIO(speech), **raw) as container:
        seconds = sum(frame.samples for frame in container.decode(audio=0)) / 24_000
    frames = -(-size // coded_speech.FRAME_TEXT) * coded_speech.FRAME_SECONDS
    assert seconds == pytest.approx(frames if form == "mp3" else size / 100, abs=0.1)


@pytest.mark.parametrize("row", SPEECHES)
def test_each_speech_stream_is_what_it_is_called(server, client, row, quick):
    """One text's speech goes by the row, another's is whole."""
    server.answers["tts"] = streams_speech(lambda text: row if text == TEXT else "whole")
    wanted = coded_speech.encode(TEXT, "pcm")
    got, problem = b"", None
    try:
        with client.audio.speech.with_streaming_response.create(
            model="m", voice="alloy", input=TEXT, response_format="pcm"
        ) as response:
            for part in response.iter_bytes():
                got += part
    except (httpx2.TransportError, openai.OpenAIError) as error:
        problem = error
    problems = {"silent": TIMEOUT, "head alone": TIMEOUT, "stalls": TIMEOUT, "cut": CUT}
    problems |= {"reset": CUT, "fails": openai.InternalServerError}
    assert isinstance(problem, problems.get(row, type(None))), repr(problem)
    assert (got == wanted) is (row in ("whole", "odd pieces", "drips"))
    assert got == wanted[: len(got)]
    other = client.audio.speech.create(model="m", voice="alloy", input="A", response_format="pcm")
    assert coded_speech.decode(other.content, "pcm") == "A"


def test_a_stream_keeps_its_pace(server, client):
    """The first piece comes after its wait, the three others after theirs."""
    server.answers["text"] = streams_chat(reply=lambda body: "Hi.", pace=Pace(0.3, 0.1))
    begun = time.monotonic()
    assert outcome(client) == ("Hi.", "stop")
    assert time.monotonic() - begun >= 0.6


def test_a_stream_notices_who_leaves(server, client):
    """While it waits, not only when it sends: `left` is set at once."""
    server.answers["text"] = answer = streams_chat(pace=Pace(between=20.0))
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    next(iter(stream))
    assert not answer.left.is_set()
    stream.close()
    assert answer.left.wait(5)


# By what the first text comes to: the events that end it, and whether the session goes on.
ENDINGS = {
    **dict.fromkeys(("whole", "drips", "empty", "reworded"), ("completed", True)),
    **dict.fromkeys(("closes after", "cut after"), ("completed", False)),
    **dict.fromkeys(("closes amid", "cut amid", "silent", "stalls"), (None, False)),
    "error": ("error", True),
    "failed": ("failed", True),
    "incomplete": ("incomplete", True),
}


@pytest.mark.parametrize("row", READINGS)
def test_each_reading_is_what_it_is_called(server, client, row, quick):
    """Several texts in one session, each read as its row says, in events of the SDK's types."""
    server.answers["tts"] = readings = Readings(lambda text: row if text == TEXT else "whole")
    status, goes_on = ENDINGS[row]
    results = []
    with client.realtime.connect(model="m") as connection:
        assert connection.recv().type == "session.created"
        with suppress(ConnectionClosed, ConnectionError):
            for text in (TEXT, "A", "B"):
                results.append(read(connection, text))  # noqa: PERF401  # Kept after an error.
    whole = coded_speech.encode(TEXT, "pcm")
    assert [end for end, _ in results[:1]] == [status] * bool(status)
    assert (results[:1] == [("completed", whole)]) is (status == "completed" and row != "empty")
    others = [("completed", coded_speech.encode(text, "pcm")) for text in ("A", "B")]
    assert results[1:] == others * goes_on
    assert readings.left.wait(5) if goes_on else not readings.left.is_set()


def read(connection, text: str) -> tuple[str, bytes]:
    """How a response ended, and its sound."""
    content = [{"type": "input_text", "text": text}]
    message = {"type": "message", "role": "user", "content": content}
    connection.response.create(response={"conversation": "none", "input": [message]})
    pcm = b""
    for event in connection:
        match event.type:
            case "response.output_audio.delta":
                pcm += base64.b64decode(event.delta)
            case "response.done":
                return event.response.status, pcm
            case "error":
                return "error", pcm
    raise ConnectionError("The upstream said goodbye.")


def test_a_reading_notices_who_leaves_amid_it(server, client):
    """Paced as a text is spoken; `left` is set long before the text would be over."""
    server.answers["tts"] = readings = Readings(pace=Pace(between=20.0))
    with client.realtime.connect(model="m") as connection:
        connection.recv()
        content = [{"type": "input_text", "text": TEXT * 10}]
        message = {"type": "message", "role": "user", "content": content}
        connection.response.create(response={"conversation": "none", "input": [message]})
        connection.recv()
        assert not readings.left.is_set()
    assert readings.left.wait(5)
