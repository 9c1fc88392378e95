"""Requests as they were met in the field: recordings and forms, in all three representations."""

import pytest
from testing.builders import FROZEN_LIST, wav
from testing.conversation_forms import MAIN, PATH
from testing.fake_openai import REPLY, TRANSCRIPT
from testing.recordings import NO_RECORDINGS, RECORDINGS
from testing.representations import REPRESENTATIONS, bodies, body, post, told
from urllib3 import encode_multipart_formdata

from parley.recordings import KINDS


@REPRESENTATIONS
@pytest.mark.parametrize("name", RECORDINGS)
def test_what_any_decoder_takes_is_sent_on(met, accept, name):
    """Whole, under the name of its kind."""
    file_name, recording = RECORDINGS[name]
    answer = told(post(met, accept, audio=recording))
    assert (answer.status, answer.transcript, answer.reply) == (200, TRANSCRIPT, REPLY)
    [sent] = bodies(met, "stt")
    [mime_type] = [kind.mime_type for kind in KINDS if kind.file_name == file_name]
    assert f'filename="{file_name}"\r\nContent-Type: {mime_type}\r\n'.encode() in sent
    assert recording in sent


@REPRESENTATIONS
@pytest.mark.parametrize("name", NO_RECORDINGS)
def test_what_is_no_recording_is_sent_nowhere(met, accept, name):
    """It costs nothing, and the sentence says what is taken."""
    answer = told(post(met, accept, audio=NO_RECORDINGS[name]))
    assert (answer.status, answer.code, answer.stage) == (400, "audio_unsupported", "request")
    assert all(word in answer.message for word in ("mpeg", "whole", "Base64"))
    assert met.requests == []


@REPRESENTATIONS
@pytest.mark.parametrize("size", [5, 194_000, 400_000])
def test_a_recording_sent_as_a_text_is_missing(met, accept, size):
    """However long it is; the sentence shows how a file is sent."""
    answer = told(post(met, accept, audio="x" * size, history=b""))
    assert (answer.status, answer.code) == (400, "audio_missing")
    assert "-F audio=@" in answer.message


@REPRESENTATIONS
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
def test_an_option_that_came_as_a_file_is_read_as_its_text(met, accept, mark):
    """Clients that send everything as a file are understood, and blank files count as nothing."""
    sent = {"text_model": mark + b"gpt-4o-mini\n", "voice": b"nova", "audio_format": b"mp3"}
    sent |= {"system_prompt": mark + "Be brief, José.".encode(), "language": b"en"}
    assert told(post(met, accept, stt_model=b"", **sent)).status == 200
    asked = body(met, "text")
    assert (asked["model"], asked["messages"][0]["content"]) == ("gpt-4o-mini", "Be brief, José.")
    assert body(met, "tts")["voice"] == "nova"
    assert b'name="language"\r\n\r\nen\r\n' in bodies(met, "stt")[0]
    assert "gpt-4o-mini" in FROZEN_LIST.read_text()


@REPRESENTATIONS
@pytest.mark.parametrize(
    ("boundary", "written"),
    [
        ("-XrQHxml_qhW/dc2hip09.OiqW", "; boundary=-XrQHxml_qhW/dc2hip09.OiqW"),  # React Native
        ("=_Part_0(-1234'+_,-./:=?)", "; boundary==_Part_0(-1234'+_,-./:=?); charset=UTF-8"),
        ("=_Part_0(-1234'+_,-./:=?)", '; boundary="=_Part_0(-1234\'+_,-./:=?)"'),
        ("{4b39 ed14}", "; charset=UTF-8;Boundary={4b39 ed14} "),
        ("AaB03x", ", boundary=AaB03x"),  # As RFC 1867 shows it.
        ("77f77c04", " boundary=77f77c04"),
        ("multipart/form-data", "; boundary=multipart/form-data"),
        ("AaB03x", ",multipart/form-data; boundary=AaB03x"),
    ],
)
@pytest.mark.parametrize("line_break", [b"\r\n", b"\n"])
def test_a_boundary_is_read_as_clients_write_it(met, accept, line_break, boundary, written):
    """Also one that needs quotes and has none (RFC 2045, 5.1), and lines that end with LF alone."""
    form = encode_multipart_formdata({"audio": ("a.wav", wav())}, boundary)[0]
    form = form.replace(b"\r\n", line_break)
    headers = {**MAIN, "Accept": accept, "Content-Type": f"Multipart/form-data{written}"}
    with met.client.post(PATH, data=form, headers=headers) as response:
        assert told(response).status == 200
