"""The parts of a form are what its client wrote, however the bytes arrive."""

from io import BytesIO
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3 import encode_multipart_formdata
from werkzeug.test import encode_multipart

from parley.web.form_parts import (
    HEAD_BYTES,
    HEAD_LINES,
    PIECE_BYTES,
    FormBroken,
    FormTooLarge,
    parts,
)

NAMED = b'--b\r\nContent-Disposition: form-data; name="a"'
names = st.text("abé ;", min_size=1, max_size=5)
contents = st.text("-b\r\n é", max_size=12).filter(lambda text: "--b" not in text)
ENCODERS = {
    "urllib3": lambda fields: encode_multipart_formdata(fields, boundary="b")[0],
    # It leaves out the line break before a content that is empty.
    "Werkzeug": lambda fields: encode_multipart(dict(fields), boundary="b")[1],
    "by hand": lambda fields: "".join(
        [*(f'--b\nContent-Disposition: form-data; name="{n}"\n\n{c}\n' for n, c in fields), "--b--"]
    ).encode(),
}


class Trickle(BytesIO):
    """A stream that gives a few bytes at a time, whatever it is asked for."""

    size = PIECE_BYTES

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.size)


def read_in(size: int, body: bytes, boundary: bytes = b"b") -> list[tuple[str, str | None, bytes]]:
    """The name, the file's name and the content of each part, from a stream in such pieces."""
    stream = Trickle(body)
    stream.size = size
    read = parts(stream, boundary)
    return [(part.name, part.file_name, b"".join(content)) for part, content in read]


def read(body: bytes) -> list[tuple[str, str | None, bytes]]:
    """The same, which does not depend on the pieces."""
    whole = read_in(PIECE_BYTES, body)
    assert read_in(1, body) == read_in(7, body) == whole
    return whole


@pytest.mark.parametrize("encoder", ENCODERS)
@settings(max_examples=200, deadline=None)
@given(fields=st.dictionaries(names, contents, max_size=4), size=st.integers(1, 40))
def test_what_a_client_wrote_is_read(encoder, fields, size):
    """Clients' forms, empty contents too, in pieces that end anywhere."""
    expected = [(name, None, content.encode()) for name, content in fields.items()]
    assert read_in(size, ENCODERS[encoder](list(fields.items()))) == expected


@pytest.mark.parametrize("ends", list(product([b"\n", b"\r\n"], repeat=5)))
def test_each_line_may_end_with_lf_alone(ends):
    """Some clients mix both; where the first line has no CR, a content keeps its own."""
    first, header, blank, content, later = ends
    head = NAMED[3:].lstrip() + header + b"X: y" + header + blank
    end = content.removesuffix(b"\n") if first == b"\n" else b""
    texts = b"1\n\n2", b"x: y\r\n\r\nz"
    body = b"--b" + first + head + texts[0] + content + b"--b" + later + head
    body += texts[1] + content + b"--b--" + later
    assert read(body) == [("a", None, text + end) for text in texts]


@pytest.mark.parametrize(
    ("headers", "file_name"),
    [
        (b'; filename="a b.wav"\r\nContent-Type: audio/wav', "a b.wav"),
        (b"; filename=a.wav; filename*=utf-8''b.wav", "b.wav"),
        (b"; filename*=utf-8''%C3%A9.wav", "é.wav"),
        (b';\r\n filename="folded.wav"', "folded.wav"),
        (b"; filename=two words.wav ; x=1", "two words.wav"),
        ("; filename=録音.wav".encode(), "録音.wav"),
        (b"; filename=C:\\a\\", "C:\\a\\"),
        (b'; filename="\xe9.wav"', "\ufffd.wav"),
        (b'; filename=""', ""),
        (b"", None),
    ],
)
def test_a_file_is_what_has_the_name_of_one(headers, file_name):
    body = b"preamble\r\n" + NAMED + headers + b"\r\n\r\nRIFF\r\n-\r\n--b--\r\nthe rest"
    assert read(body) == [("a", file_name, b"RIFF\r\n-")]


@pytest.mark.parametrize("before", [b"", b"\r\n\r\n", b"\xef\xbb\xbf", b"a preamble\n"])
@pytest.mark.parametrize("padding", [b" ", b"\t", b" \t " * 50])
def test_what_stands_around_a_boundary_is_passed_over(before, padding):
    """RFC 2046, 5.1.1: a gateway may have added spaces and tabs; Unity sends lines, .NET a mark."""
    part = NAMED[3:] + b"\r\n\r\n 1 \r\n--b"
    body = before + b"--b" + padding + part + padding + part + b"--" + padding + b"\r\n"
    assert read(body) == [("a", None, b" 1 ")] * 2


def test_what_nobody_reads_is_passed_over():
    """However long; to the stream's end, since whoever still sends would not read an answer."""
    long = bytes(3 * PIECE_BYTES)
    part = NAMED + b"\r\n\r\n"
    stream = BytesIO(part + long + b"\r\n" + part + b"1\r\n--b--" + long)
    assert [part.name for part, _ in parts(stream, b"b")] == ["a", "a"]
    assert stream.read() == b""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"no boundary",
        NAMED,
        NAMED + b"\r\n\r\nwithout an end",
        NAMED + b"\r\n\r\n\r\n--bother",
        NAMED + b"\r\n\r\n1\r\n--bother" + NAMED[3:] + b"\r\n\r\n2\r\n--b--",
        b"--b\r\nContent-Type: text/plain\r\n\r\nwithout a name\r\n--b--",
        b"--b\r\n\r\nwithout headers\r\n" + NAMED + b"\r\n\r\n1\r\n--b--",
        NAMED + b"\r\n" + NAMED + b"\r\n\r\n1\r\n--b--",
        NAMED + b"\r\nno blank line\r\n" + NAMED + b"\r\n\r\n1\r\n--b--",
        b"a preamble --b and more\r\n" + NAMED + b"\r\n\r\n1\r\n--b--",
        b"--b\r" + NAMED[3:] + b"\r\n\r\na CR more\r\n--b--",
    ],
)
@pytest.mark.parametrize("boundary", [b"b", b"b:b"])
@pytest.mark.parametrize("size", [1, PIECE_BYTES])
def test_what_is_broken_is_an_error(body, size, boundary):
    """Never half of a form, which would answer something else than what was asked."""
    with pytest.raises(FormBroken):
        read_in(size, body.replace(b"--b", b"--" + boundary), boundary)


def test_a_form_has_a_boundary():
    """Without one, any line that begins with two hyphens would be taken for it."""
    with pytest.raises(FormBroken, match="no boundary"):
        list(parts(BytesIO(NAMED.replace(b"--b", b"--") + b"\r\n\r\n1\r\n----"), b""))


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (NAMED, b"\0"),
        (NAMED, b"\nx:"),
        (NAMED, b"\r\n "),
        (NAMED, b"\nx:" + bytes(HEAD_BYTES // 2)),
        (NAMED + b"\nX:" * HEAD_LINES + b"\n\n1\n--b--", b"x"),
        (b"--b", b" "),
    ],
    ids=["one line", "lines", "folded", "long lines", "many lines", "padding"],
)
def test_headers_without_an_end_are_not_kept(begun, more):
    """Only as much is read as a part's headers may have, or the padding before them."""
    stream = BytesIO(begun + more * ((HEAD_BYTES + 5 * PIECE_BYTES) // len(more)))
    with pytest.raises(FormTooLarge):
        list(parts(stream, b"b"))
    assert stream.tell() <= HEAD_BYTES + 2 * PIECE_BYTES
