"""Sound alone as it is served: the speech is the body, everything else is in headers."""

import json
import re
import time
from urllib.parse import unquote

import pytest
import requests
from testing import coded_speech
from testing import fake_openai as fake
from testing.builders import KEY, wav
from testing.fake_openai import TRANSCRIPT
from testing.fake_realtime import Readings
from testing.fake_streams import Pace, streams_chat, streams_speech
from testing.gunicorn_process import serving
from testing.raw_callers import connect, until_closed
from testing.served_streams import MODELS

REPLY = "Grüße! Its name is 東京, isn't it? (So I *think*.) " * 8
REPLY = REPLY.strip()
SPOKEN = REPLY.replace("*", "")


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    (folder / "models.md").write_text(MODELS)
    variables = {
        "PARLEY_OPENAI_BASE_URL": served_upstream.url,
        "PARLEY_DEADLINE": "4",
        "PARLEY_MODEL_LIST": str(folder / "models.md"),
        "PARLEY_ALLOWED_ORIGINS": "https://page.example",
    }
    with serving(folder / "log", variables) as running:
        yield running


def post(service, accept="audio/mpeg", **fields) -> requests.Response:
    return requests.post(
        service.conversation_url,
        headers={"X-OpenAI-API-Key": KEY, "Accept": accept, "Origin": "https://page.example"},
        files={"audio": wav()},
        data=fields,
        timeout=30,
    )


@pytest.mark.parametrize("model", ["tts-1", "reader-1"])
@pytest.mark.parametrize(("accept", "form"), [("audio/mpeg", "mp3"), ("audio/wav", "wav")])
def test_the_body_is_the_speech(service, upstream, accept, form, model):
    """Chunked, with the texts and the models in headers that any page may read."""
    if model == "reader-1":
        upstream.answers["tts"] = Readings()
    response = post(service, accept, tts_model=model)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == accept
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert unquote(response.headers["X-Transcript"]) == TRANSCRIPT
    assert unquote(response.headers["X-Text-Response"]) == REPLY
    assert "%E6%9D%B1" in response.headers["X-Text-Response"]
    assert "isn't%20it%3F%20(So%20I%20*think*.)" in response.headers["X-Text-Response"]
    used = f"stt=whisper-1, text=gpt-4o, tts={model}"
    assert response.headers["X-Models-Used"] == used
    assert response.headers["X-Voice"] == "alloy"
    assert "X-Errors" not in response.headers
    assert "Accept" in response.headers["Vary"]
    exposed = response.headers["Access-Control-Expose-Headers"]
    for name in ("X-Transcript", "X-Text-Response", "X-Models-Used", "X-Errors", "X-Voice"):
        assert name in exposed
    if (form, model) == ("mp3", "reader-1"):
        assert response.content[:2] in (b"\xff\xf3", b"\xff\xfb")
    else:
        assert coded_speech.decode(response.content, form) == SPOKEN


def test_long_texts_are_cut_in_the_headers(service, upstream):
    """At a whole character, with an ellipsis; proxies refuse longer headers."""
    reply = "東京は日本の首都です。" * 100
    upstream.answers["text"] = streams_chat(reply=lambda body: reply)
    header = post(service).headers["X-Text-Response"]
    assert len(header) <= 2000
    assert unquote(header, errors="strict").endswith("…")
    assert reply.startswith(unquote(header)[:-1])


def test_a_long_transcript_is_cut_sooner(service, upstream):
    """Both texts together, and what else the headers hold, stay below what proxies take."""
    heard = json.dumps({"text": "東京は日本の首都です。" * 100}).encode()
    upstream.answers["stt"] = lambda connection, _: connection.sendall(fake.http(heard)) or True
    header = post(service).headers["X-Transcript"]
    assert 900 < len(header) <= 1000
    assert unquote(header, errors="strict").endswith("…")


def test_a_reply_that_ended_early_is_spoken_with_its_error(service, upstream):
    """206, and the code beside the speech."""
    upstream.answers["text"] = lambda connection, _: (
        connection.sendall(
            fake.http(
                b'{"choices": [{"message": {"content": "It is"}, "finish_reason": "length"}]}'
            )
        )
        or True
    )
    response = post(service)
    assert (response.status_code, response.headers["X-Errors"]) == (206, "text_incomplete")
    assert coded_speech.decode(response.content, "mp3") == "It is"


def test_a_reply_of_which_nothing_can_be_said_is_empty_sound(service, upstream):
    """A piece of code is an answer, without a word in it."""
    upstream.answers["text"] = streams_chat(reply=lambda body: "```py\nx = 1\n```")
    response = post(service)
    assert (response.status_code, response.content) == (200, b"")
    assert "x = 1" in unquote(response.headers["X-Text-Response"])


@pytest.mark.parametrize(
    ("row", "code"), [("empty", "upstream_malformed"), ("fails", "upstream_unavailable")]
)
def test_a_failure_with_no_speech_is_json(service, upstream, row, code):
    """Nothing of the body was sent, so that the answer can still say what failed."""
    upstream.answers["tts"] = streams_speech(lambda text: row)
    response = post(service)
    assert response.status_code == 206
    assert response.json()["errors"][0]["code"] == code
    assert response.json()["text_response"] == REPLY


@pytest.mark.parametrize("said", ["<think>Hm.", "🙂"])
def test_a_reply_that_ended_before_it_said_a_word_is_json(service, upstream, said):
    """There is a failure and no speech, so that the answer says what failed."""
    choice = {"message": {"content": said}, "finish_reason": "length"}
    answer = fake.http(json.dumps({"choices": [choice]}).encode())
    upstream.answers["text"] = lambda connection, _: connection.sendall(answer) or True
    response = post(service)
    assert (response.status_code, response.headers["Content-Type"]) == (206, "application/json")
    assert response.json()["errors"][0]["code"] == "text_incomplete"


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("cut", "upstream_unavailable"),
        ("reset", "upstream_unavailable"),
        ("stalls", "deadline_exceeded"),
    ],
)
def test_a_failure_amid_the_speech_breaks_the_body(service, upstream, row, code):
    """What came is passed on, without a final chunk: nobody takes it for whole.

    The log has our line alone.
    """
    upstream.answers["tts"] = streams_speech(
        lambda text: row, pace=Pace(between=0.1) if row == "reset" else Pace()
    )
    upstream.answers["text"] = streams_chat(reply=lambda body: REPLY * 4)
    part = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
    body = part + wav() + b"\r\n--b--\r\n"
    head = (
        f"POST /api/conversation/ HTTP/1.1\r\nHost: x\r\nX-OpenAI-API-Key: {KEY}\r\n"
        "Accept: audio/wav\r\nContent-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with connect(service) as caller:
        caller.sendall(head.encode() + body)
        answer = until_closed(caller)
    head, _, sound = answer.partition(b"\r\n\r\n")
    assert b"Transfer-Encoding: chunked" in head
    assert b"RIFF" in sound
    assert not sound.endswith(b"0\r\n\r\n")
    request_id = re.search(rb"X-Request-ID: (\S+)", head)[1].decode()
    assert service.logs(request_id)
    [line] = [line for line in service.log.splitlines() if request_id in line]
    assert f"stage=tts code={code}" in line
    for noise in ("Traceback", "internal_error", "Error", "socket"):
        assert noise not in service.log


def test_a_long_speech_may_take_longer_than_the_deadline(service, upstream):
    """Its first piece is in time, and so is each that follows."""
    upstream.answers["tts"] = streams_speech(pace=Pace(between=1))
    upstream.answers["text"] = streams_chat(reply=lambda body: SPOKEN[:50])
    begun = time.monotonic()
    response = post(service, accept="audio/wav")
    assert response.status_code == 200
    assert time.monotonic() - begun > 4.5
    assert coded_speech.decode(response.content, "wav") == SPOKEN[:50]


def test_a_wait_amid_the_speech_may_take_the_whole_deadline(service, upstream):
    """As in a stream: what the calls before it took is not taken from it."""
    upstream.answers["text"] = streams_chat(reply=lambda body: SPOKEN[:20], pace=Pace(first=2.2))
    upstream.answers["tts"] = streams_speech(pace=Pace(between=2.2))
    response = post(service, accept="audio/wav")
    assert coded_speech.decode(response.content, "wav") == SPOKEN[:20]


def test_an_audio_format_must_agree(service):
    """Two wishes that differ are refused, and say so."""
    response = post(service, "audio/mpeg", audio_format="wav")
    assert response.status_code == 400
    assert json.loads(response.content)["errors"][0]["code"] == "option_invalid"
