"""Sound alone as it is served: the speech is the body, everything else is in headers."""

import json
import time
from contextlib import closing, nullcontext
from urllib.parse import unquote

import pytest
from testing import coded_speech
from testing import fake_openai as fake
from testing import served_streams as streams
from testing.fake_openai import TRANSCRIPT
from testing.fake_streams import Pace, streams_chat, streams_speech
from testing.raw_callers import until_closed
from testing.served_streams import SPEAKERS, caller, post, speaks
from testing.upstream_faults import says

DEADLINE, LIMITS = 3, ""

REPLY = "Grüße! Its name is 東京, isn't it? (So I *think*.) " * 8
REPLY = REPLY.strip()
SPOKEN = REPLY.replace("*", "")


@pytest.mark.parametrize("model", SPEAKERS)
@pytest.mark.parametrize(("accept", "form"), [("audio/mpeg", "mp3"), ("audio/wav", "wav")])
def test_the_body_is_the_speech(service, upstream, accept, form, model):
    """Chunked, with the texts and the models in headers."""
    upstream.answers["tts"] = speaks(model)
    with closing(post(service, accept, tts_model=model)) as response:
        sound = response.content
    assert response.status_code == 200
    assert response.headers["Content-Type"] == accept
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert unquote(response.headers["X-Transcript"]) == TRANSCRIPT
    assert unquote(response.headers["X-Text-Response"]) == REPLY
    assert "%E6%9D%B1" in response.headers["X-Text-Response"]
    assert "isn't%20it%3F%20(So%20I%20*think*.)" in response.headers["X-Text-Response"]
    assert response.headers["X-Models-Used"] == f"stt=whisper-1, text=gpt-4o, tts={model}"
    assert response.headers["X-Voice"] == "alloy"
    assert "X-Errors" not in response.headers
    if (form, model) == ("mp3", "reader-1"):
        assert sound[:2] in (b"\xff\xf3", b"\xff\xfb")
    else:
        assert coded_speech.decode(sound, form) == SPOKEN


@pytest.mark.parametrize(
    ("stage", "header", "most"), [("text", "X-Text-Response", 2000), ("stt", "X-Transcript", 1000)]
)
def test_long_texts_are_cut_in_the_headers(service, upstream, stage, header, most):
    """At a whole character, with an ellipsis; proxies refuse longer headers."""
    long = "東京は日本の首都です。" * 100
    upstream.answers["stt"] = says(fake.http(json.dumps({"text": long}).encode()))
    upstream.answers["text"] = streams_chat(reply=lambda body: long)
    with closing(post(service, "audio/mpeg")) as response:
        told = response.headers[header]
    assert 0.9 * most < len(told) <= most
    assert unquote(told, errors="strict").endswith("…")
    assert long.startswith(unquote(told)[:-1])


@pytest.mark.parametrize("said", ["<think>Hm.", "🙂"])
def test_a_reply_that_ended_before_it_said_a_word_is_json(service, upstream, said):
    """There is a failure and no speech, so that the answer says what failed."""
    choice = {"message": {"content": said}, "finish_reason": "length"}
    upstream.answers["text"] = says(fake.http(json.dumps({"choices": [choice]}).encode()))
    with closing(post(service, "audio/mpeg")) as response:
        assert (response.status_code, response.headers["Content-Type"]) == (206, "application/json")
        assert response.json()["errors"][0]["code"] == "text_incomplete"


@pytest.mark.parametrize(
    ("row", "version", "code"),
    [
        ("cut", "1.1", "upstream_unavailable"),
        ("cut", "1.0", "upstream_unavailable"),
        ("reset", "1.1", "upstream_unavailable"),
        ("stalls", "1.1", "deadline_exceeded"),
    ],
)
def test_a_failure_amid_the_speech_breaks_the_body(service, upstream, row, version, code):
    """What came is passed on, no final chunk or a reset follows, and the log has our line alone."""
    ends = nullcontext() if version == "1.1" else pytest.raises(ConnectionResetError)
    upstream.answers["tts"] = streams_speech(
        lambda text: row, pace=Pace(between=0.1) if row == "reset" else Pace()
    )
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY * 4)
    with caller(service, "audio/wav", version=version, audio_format="wav") as connection, ends:
        answer = streams.until(connection, b"RIFF")
        answer += until_closed(connection)
    head, _, sound = answer.partition(b"\r\n\r\n")
    assert (b"Transfer-Encoding: chunked" in head) is (version == "1.1")
    assert b"RIFF" in sound
    assert not sound.endswith(b"0\r\n\r\n")
    assert f"stage=tts code={code}" in streams.log_line(service, streams.request_id_of(head))
    for noise in ("Traceback", "internal_error", "Error", "socket"):
        assert noise not in service.log


def test_a_long_speech_may_take_longer_than_the_deadline(service, upstream):
    """Its first piece is in time, and each wait that follows may be as long as the deadline."""
    text, wait = SPOKEN[:20], 0.55 * DEADLINE
    upstream.answers["text"] = streams_chat(reply=lambda body: text, pace=Pace(first=wait))
    upstream.answers["tts"] = streams_speech(pace=Pace(between=wait))
    begun = time.monotonic()
    with closing(post(service, "audio/wav", audio_format="wav")) as response:
        assert coded_speech.decode(response.content, "wav") == text
    assert time.monotonic() - begun > 1.5 * DEADLINE


def fails_late(connection, request):
    """A failure that is worth another try, but for the time that it takes."""
    time.sleep(0.7 * DEADLINE)
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
    with closing(post(service, "audio/mpeg")) as response:
        [error] = response.json()["errors"]
    assert time.monotonic() - begun < DEADLINE + streams.END_SECONDS
    assert (response.status_code, error["code"]) == (206, code)
