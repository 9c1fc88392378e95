"""How an answer ends early: by the deadline, a stop, or a caller who leaves or stalls.

Over both interfaces of speech: the Realtime API's WebSocket stays open between two segments.
"""

import time
from contextlib import ExitStack, closing, suppress
from itertools import chain, cycle

import pytest
from testing import fake_openai as fake
from testing import served_streams as streams
from testing.fake_streams import Silent, Streamed, streams_chat
from testing.raw_callers import connect, memory, until_closed
from testing.served_streams import REPLY, SPEAKERS
from testing.stream_readers import events_of, heard

DEADLINE, SILENCE, LIMITS = 25, 1, ""
JSON, STREAM = "application/json", {}
SOUND = {"accept": "audio/wav", "audio_format": "wav"}
# By an event of a stream: what the chat and the speech do when it was told and nothing follows.
WHILE = {
    "transcript": ("silent", "whole"),
    "text": ("stalls", "silent"),
    "segment": ("stalls", "stalls"),
    "audio": ("whole", "stalls"),
}


def stopped_at(upstream, model, chat, speech):
    """Have the upstream go no further; what is then still under way."""
    reply = Silent() if chat == "silent" else streams_chat(chat, reply=lambda body: REPLY)
    upstream.answers |= {"text": reply, "tts": streams.speaks(model, lambda text: speech)}
    calls = zip((chat, speech), (reply, upstream.answers["tts"]), strict=True)
    return [call for row, call in calls if row != "whole"]


@pytest.fixture(scope="module")
def impatient_service(served_upstream, tmp_path_factory):
    """One that waits for the upstream for SILENCE at most, and for its callers no longer."""
    limits = f"\nconnection_limits.SILENCE_SECONDS = {SILENCE}\n"
    folder = tmp_path_factory.mktemp("impatient")
    with streams.served(folder, served_upstream.url, limits, SILENCE) as running:
        yield running


@pytest.mark.parametrize("model", SPEAKERS)
@pytest.mark.parametrize("event", WHILE)
def test_the_deadline_ends_a_silence_at_any_event(impatient_service, upstream, event, model):
    """No sooner and not much later; what was written before is told, then `error` and `done`."""
    stopped_at(upstream, model, *WHILE[event])
    stream = streams.listen(impatient_service, tts_model=model)
    assert stream.code == "deadline_exceeded"
    stages = {"audio": ("tts",), "transcript": ("text",)}.get(event, ("text", "tts"))
    assert stream.error["stage"] in stages
    assert event in stream.names
    assert event != "audio" or stream.text == REPLY
    last, end, _ = stream.times[-3:]  # Of what the upstream sent, of `error` and of `done`.
    assert 1000 * SILENCE <= end < last + 1000 * (SILENCE + streams.END_SECONDS)
    streams.is_quiet(impatient_service)


# By what a caller waits for when it leaves: what it has read, the stage under way, how the reply
# and the speech go on, and the status in the log.
LEFT = {
    "transcript-of-a-stream": (STREAM, b"", "stt", ("whole", "whole"), 400),
    "reply-of-a-stream": (STREAM, b"event: transcript\n", "text", WHILE["transcript"], 200),
    "first-segment": (STREAM, b"event: text\n", "tts", WHILE["text"], 200),
    "its-sound": (STREAM, b"event: segment\n", "tts", WHILE["segment"], 200),
    "the-next-segment": (STREAM, b"event: audio\n", "tts", WHILE["audio"], 200),
    "transcript": (SOUND, b"", "stt", ("whole", "whole"), 400),
    "reply": (SOUND, b"", "text", ("silent", "whole"), 206),
    "speech": (SOUND, b"", "tts", ("whole", "silent"), 206),
    "rest-of-the-speech": (SOUND, b"RIFF", "tts", ("whole", "stalls"), 200),
}
LEAVES = cycle((leave, more) for more in (b"", b"x") for leave in streams.LEAVES)


def line_of(service, name):
    """The line of a conversation that its caller left, the only one that names it."""
    line = streams.log_line(service, name)
    assert service.log.count(f"={name} ") == 1
    assert line.startswith("at=WARNING ")
    assert "event=answer_cut" in line
    streams.is_quiet(service)
    return line


@pytest.mark.parametrize(
    ("awaited", "model", "leave", "more"),
    [(awaited, model, *next(LEAVES)) for model in SPEAKERS for awaited in LEFT],
)
def test_nothing_is_done_for_a_caller_who_has_left(service, upstream, awaited, model, leave, more):
    """However it leaves, also after more than its request, all calls end within a second."""
    asked, read, stage, rows, status = LEFT[awaited]
    calls, name = stopped_at(upstream, model, *rows), f"{awaited}-{model}"
    if stage == "stt":
        calls = [upstream.answers.setdefault("stt", Silent())]
    with streams.caller(service, **asked, request_id=name, tts_model=model) as connection:
        streams.until(connection, read)
        streams.until_asked(upstream, stage)
        connection.sendall(more)
        left = time.monotonic()
        streams.LEAVES[leave](connection)
        for call in calls:
            assert call.left.wait(left + streams.END_SECONDS - time.monotonic()), call
        line = line_of(service, name)
    assert f"status={status} stage={stage} code=caller_disconnected" in line
    assert upstream.requests[-1].stage == stage


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("leave", streams.LEAVES)
def test_a_caller_may_leave_before_the_upload_has_ended(service, leave, framing):
    """Whichever way the body's end was promised."""
    name = f"upload-{leave}-{framing}"
    sent = streams.request(JSON, name)[:-100]
    if framing == "chunks":
        head, _, body = sent.partition(b"\r\n\r\n")
        head = head.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX-Length")
        sent = head + b"\r\n\r\n%x\r\n" % (len(body) + 100) + body
    with connect(service) as connection:
        connection.sendall(sent)
        streams.LEAVES[leave](connection)
        if leave == "half-closes":
            assert b'"request_malformed"' in until_closed(connection)
        line = line_of(service, name)
    assert "status=400 stage=request code=caller_disconnected" in line


@pytest.mark.parametrize("leave", streams.LEAVES)
@pytest.mark.parametrize(
    ("stage", "answers", "more", "told"),
    [
        ("stt", fake.good, b"", "status=206 stage=stt code=caller_disconnected"),
        ("text", fake.good, b"x", "status=206 stage=text code=caller_disconnected"),
        ("tts", fake.good, b"", "status=200 stage=tts code=caller_disconnected"),
        ("tts", lambda asked: fake.http(b"{}", "400 No"), b"x", "stage=tts code=upstream_rejected"),
    ],
)
def test_json_that_comes_too_late_is_told_as_it_was(
    service, upstream, leave, stage, answers, more, told
):
    """At the stage that ran when it left; the first failure stands, and no later call is made."""
    name = f"json-{leave}-{stage}-{answers.__name__.strip('<>')}"

    def answers_late(connection, asked):
        with suppress(OSError):  # It has left already where an earlier stage was tried again.
            caller.sendall(more)
        streams.LEAVES[leave](caller)
        time.sleep(0.2)
        return connection.sendall(answers(asked)) or True

    upstream.answers = {stage: answers_late}
    with connect(service) as caller:
        caller.sendall(streams.request(JSON, name))
        assert told in line_of(service, name)
    assert upstream.requests[-1].stage == stage


def test_whoever_reads_the_whole_answer_has_not_left(service):
    """Though it closes the connection as soon as it has it."""
    with closing(streams.post(service, JSON)) as response:
        assert response.content
    assert "event" not in streams.log_line(service, response.headers["X-Request-ID"])


def endless(body, pieces=240, seconds=0.0):
    """Sound without an end that a test sees: 64 kB in each piece."""
    yield b"ID3"
    for _ in range(pieces):
        time.sleep(seconds)
        yield bytes(65_536)


def test_slow_readers_fill_no_memory_and_are_left(impatient_service, upstream):
    """The upstream waits for them, up to the time that any caller may read nothing for."""
    service = impatient_service
    speech = upstream.answers["tts"] = Streamed(endless, lambda body: "audio/mpeg")
    before = memory(service)
    with ExitStack() as stack:
        callers = [stack.enter_context(streams.caller(service, version="1." + x)) for x in "0101"]
        names = [streams.request_id_of(streams.until(each, b"event: audio\n")) for each in callers]
        time.sleep(SILENCE * 0.75)
        assert memory(service) - before < 20  # MB; all of it would be 60.
        assert not any(name in service.log for name in names)
        assert speech.left.wait(streams.END_SECONDS)
        for name in names:
            assert "status=200 stage=tts code=caller_disconnected" in line_of(service, name)
        with pytest.raises(ConnectionResetError):
            until_closed(callers[0])


def late(body):
    """Sound that begins after the end of streams, and takes no time."""
    time.sleep(streams.GRACE - 3.5)
    yield from (b"ID3", bytes(1_000))


SOUNDS = {"nova": lambda body: endless(body, 600, 0.05), "onyx": late}  # By the voice.
STOPPED = [*((event, "tts-1") for event in WHILE), ("text", "reader-1"), ("audio", "reader-1")]


def test_a_stopping_service_ends_what_goes_on(tmp_path, upstream):
    """In time before the grace period's end: a stream tells it, and a sound without end breaks."""
    upstream.answers["tts"] = Streamed(
        lambda body: SOUNDS[body["voice"]](body), lambda body: "audio/mpeg"
    )
    with ExitStack() as opened:
        hosts = [opened.enter_context(fake.running()) for _ in STOPPED]
        calls = [
            stopped_at(host, model, *WHILE[event])
            for host, (event, model) in zip(hosts, STOPPED, strict=True)
        ]
        limits = {"PARLEY_CAPACITY": "8", "PARLEY_ALLOWED_BASE_URLS": "*"}
        service = opened.enter_context(
            streams.served(tmp_path, upstream.url, deadline=DEADLINE, **limits)
        )
        without_end, begun_late = (
            opened.enter_context(streams.caller(service, "audio/mpeg", voice=voice))
            for voice in SOUNDS
        )
        answer = streams.until(without_end, b"ID3")
        assert fake.soon(lambda: sum(call.stage == "tts" for call in upstream.requests) == 2)
        begun = []
        for host, (event, model) in zip(hosts, STOPPED, strict=True):
            response = opened.enter_context(
                closing(streams.post(service, base_url=host.url, tts_model=model))
            )
            told = [next(rest := events_of(response.iter_content(None)))]
            while told[-1][0] != event:
                told.append(next(rest))
            begun.append(chain(told, rest))
        service.process.terminate()
        for (event, model), events, under_way in zip(STOPPED, begun, calls, strict=True):
            stream = heard(events)
            assert stream.code == "interrupted", (event, model)
            assert stream.error["stage"] == ("tts" if event == "audio" else "text")
            assert all(call.left.wait(streams.END_SECONDS) for call in under_way), (event, model)
        for connection, said, is_whole in (
            (without_end, "stage=tts code=interrupted", False),
            (begun_late, "stage= code=", True),
        ):
            with suppress(OSError):
                answer += until_closed(connection)
            assert answer.endswith(b"\r\n0\r\n\r\n") is is_whole
            assert f"status=200 {said}" in streams.log_line(service, streams.request_id_of(answer))
            answer = b""
        assert service.process.wait(streams.GRACE + streams.END_SECONDS) == 0
        streams.is_quiet(service)
