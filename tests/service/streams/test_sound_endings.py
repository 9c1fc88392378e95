"""Sound alone that ends before its reply does: the deadline, and callers who leave."""

import re
import time
from contextlib import ExitStack, closing, suppress

import pytest
from testing import fake_openai as fake
from testing import served_streams as streams
from testing.fake_openai import soon
from testing.fake_streams import Pace, Silent, Streamed
from testing.raw_callers import until_closed

# By what a caller waits for: the stage that is silent then, and in which way if it has several.
# "its beginning" comes after the caller has left, and before that is seen.
AWAITED = {
    "transcript": ("stt", ""),
    "reply": ("text", ""),
    "speech": ("tts", "silent"),
    "its beginning": ("tts", "stalls"),
    "its rest": ("tts", "stalls"),
}
WAV = {"accept": "audio/wav", "audio_format": "wav"}


def silent_at(upstream, awaited, model):
    """The call that goes no further."""
    stage, row = AWAITED[awaited]
    pace = Pace(first=0.1 if awaited == "its beginning" else 0)
    silent = upstream.answers[stage] = streams.speaks(model, row, pace) if row else Silent()
    return stage, silent


@pytest.mark.parametrize("model", streams.SPEAKERS)
@pytest.mark.parametrize("leave", streams.LEAVES)
@pytest.mark.parametrize("awaited", AWAITED)
def test_nothing_is_done_for_a_caller_who_has_left(
    patient_service, upstream, awaited, leave, model
):
    """Whatever it waits for, and however it leaves, the call under way ends within a second."""
    stage, silent = silent_at(upstream, awaited, model)
    name = f"{awaited.replace(' ', '-')}-{leave}-{model}"
    with streams.caller(patient_service, **WAV, request_id=name, tts_model=model) as connection:
        streams.until_asked(upstream, stage)
        if awaited == "its rest":
            streams.until(connection, b"RIFF")
        left = time.monotonic()
        streams.LEAVES[leave](connection)
        assert silent.left.wait(left + streams.END_SECONDS - time.monotonic())
        line = streams.log_line(patient_service, name)
    assert "event=answer_cut" in line
    status = {"transcript": "400", "its beginning": "20[06]", "its rest": "200"}.get(awaited, "206")
    assert re.search(f"status={status} stage={stage} code=caller_disconnected", line)
    assert [request.stage for request in upstream.requests][-1] == stage
    streams.is_quiet(patient_service)


def fails_late(connection, request):
    """A failure that is worth another try, but for the time that it takes."""
    time.sleep(0.7 * streams.DEADLINE)
    connection.sendall(fake.http(b"{}", "500 Oops"))
    return True


def drips_its_head(connection, request):
    """A header now and then, so that no single wait is long, and never a body."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        time.sleep(0.2)
        connection.sendall(b"X-%d: y\r\n" % number)


@pytest.mark.parametrize(
    ("answer", "code"),
    [(fails_late, "upstream_unavailable"), (drips_its_head, "deadline_exceeded")],
)
def test_the_first_sound_comes_within_the_deadline(service, upstream, answer, code):
    """All tries together, however short each wait is: nothing was sent yet, so JSON tells it."""
    upstream.answers["tts"] = answer
    begun = time.monotonic()
    with closing(streams.post(service, "audio/mpeg")) as response:
        [error] = response.json()["errors"]
    assert time.monotonic() - begun < streams.DEADLINE + streams.END_SECONDS
    assert (response.status_code, error["code"]) == (206, code)


def endless(body):
    """Half a minute of sound, little by little."""
    yield b"ID3"
    for _ in range(600):
        time.sleep(0.05)
        yield bytes(1_000)


def late(body):
    """Sound that begins after the end of streams, and takes no time."""
    time.sleep(streams.GRACE - 3.5)
    yield b"ID3"
    yield bytes(1_000)


SOUNDS = {"endless": endless, "late": late}


def test_sound_under_way_in_a_service_that_stops(tmp_path, upstream):
    """Without end, its body breaks before the grace period's end, and the log says why."""
    upstream.answers["tts"] = Streamed(
        lambda body: SOUNDS[body["voice"]](body), lambda body: "audio/mpeg"
    )
    with ExitStack() as opened:
        service = opened.enter_context(streams.served(tmp_path, upstream.url, deadline=25))
        without_end, begun_late = (
            opened.enter_context(streams.caller(service, "audio/mpeg", voice=voice))
            for voice in SOUNDS
        )
        answer = streams.until(without_end, b"ID3")
        assert soon(lambda: sum(asked.stage == "tts" for asked in upstream.requests) == len(SOUNDS))
        service.process.terminate()
        for connection, told, is_whole in (
            (without_end, "stage=tts code=interrupted", False),
            (begun_late, "stage= code=", True),
        ):
            with suppress(OSError):
                answer += until_closed(connection)
            assert answer.endswith(b"\r\n0\r\n\r\n") is is_whole
            assert f"status=200 {told}" in streams.log_line(service, streams.request_id_of(answer))
            answer = b""
