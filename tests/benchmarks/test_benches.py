"""What the benches measure is right, so that no figure counts what is wrong."""

import asyncio
import base64
import itertools
import json
import sys
from contextlib import suppress
from dataclasses import replace

import pytest

import callers
import dialogue
import growth
import servers
import spoken_dialogue
from answers import Kind
from comparison import few

RECORDING = dialogue.Recording(1, 1000, 500)


def right(recording: dialogue.Recording) -> dict[str, str]:
    reply = dialogue.reply(recording.transcript)
    audio = base64.b64encode(dialogue.speech(reply)).decode()
    return {"transcript": recording.transcript, "text_response": reply, "audio": audio}


async def answered(body: bytes, *, kind: Kind) -> callers.Outcome:
    """What a caller says of this body, from a service that answers the first request with it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"--\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (body[:50], body[50:], b""):
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        return await callers.converse(port, size=1000, wanted=500, kind=kind)


@pytest.fixture(autouse=True)
def the_recording_is_known(monkeypatch):
    """Every caller sends the same recording."""
    monkeypatch.setattr(callers, "NUMBERS", itertools.repeat(RECORDING.number))


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, ""),
        ({"transcript": "Recording 2 wants 500 bytes of speech."}, "another's transcript"),
        ({"text_response": "Something else."}, "another's reply"),
        ({"audio": base64.b64encode(b"ID3").decode()}, "another's speech"),
    ],
)
def test_each_part_of_an_answer_is_checked(changes, problem):
    """The transcript, the reply and the speech must be those of the caller's own recording."""
    body = json.dumps(right(RECORDING) | changes).encode()
    assert asyncio.run(answered(body, kind=Kind.JSON)).problem == problem


def test_sound_alone_is_checked_to_its_last_byte():
    """A peer that answers with sound alone is held to the same speech."""
    speech = dialogue.speech(dialogue.reply(RECORDING.transcript))
    for body, problem in ((speech, ""), (speech[:-1], "another's speech")):
        assert asyncio.run(answered(body, kind=Kind.SOUND)).problem == problem


def test_a_caller_whose_connection_is_lost_goes_on_with_another():
    """One reset costs one conversation, not all that the caller still has."""
    body = json.dumps(right(dialogue.Recording(RECORDING.number, 100_000, 30_000))).encode()
    opened = itertools.count()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        is_first = next(opened) == 0
        with suppress(asyncio.IncompleteReadError):
            while True:
                await reader.readuntil(b"--\r\n")
                if is_first:
                    break
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        writer.close()

    async def run() -> list[callers.Outcome]:
        async with await asyncio.start_server(serve, "127.0.0.1", 0, limit=1_000_000) as server:
            port = server.sockets[0].getsockname()[1]
            return await few.on_kept(port, callers=1, times=4, kind=Kind.JSON)

    assert [bool(outcome.problem) for outcome in asyncio.run(run())] == [True, False, False, False]
    assert next(opened) == 2


def spoken(*parts: str) -> bytes:
    return b"".join(spoken_dialogue.speech(part, "pcm") for part in parts)


@pytest.mark.parametrize(
    ("sound", "right"),
    [
        (spoken("One two. Three."), True),
        (spoken("One two.", "Three."), True),
        (spoken("Three.", "One two."), False),
        (spoken("One two."), False),
        (spoken("One two. Three.")[:-2], False),
        (spoken("One two. Three.") + b"\0", False),
    ],
)
def test_speech_is_checked_in_whatever_parts_it_was_asked_for(sound, right):
    """Spaces between parts may be lost; a part that is missing, cut or misplaced is seen."""
    assert spoken_dialogue.is_speech_of(sound, "One two. Three.", "pcm") is right


def test_the_floor_answers_what_was_asked():
    """The simulated upstream, a peer and the callers agree, over real sockets."""
    floor = replace(servers.FLOOR, python=sys.executable)
    with (
        servers.upstream(0) as url,
        servers.serving(floor, url, settled=False, threads=4) as (port, _),
    ):
        outcomes = asyncio.run(callers.repeatedly(port, 4, 3))
    assert not callers.problems(outcomes)
    assert len(outcomes) == 12


@pytest.mark.parametrize("every", [1, growth.DELTA])
@pytest.mark.parametrize("kind", growth.KINDS)
def test_a_reply_of_each_kind_is_told(kind, every):
    """As a stream tells it; what is told is the reply, or `tell` fails."""
    assert growth.tell(growth.text_of(kind, 2), every) > 0
