"""The parts of a form, multipart/form-data, as they arrive (RFC 2046, 5.1.1, and RFC 7578)."""

import re
from collections import deque
from collections.abc import Iterator
from typing import IO, NamedTuple

from werkzeug.http import parse_options_header

from parley.errors import RequestMalformed
from parley.wire.bodies import filled

PIECE_BYTES = 64 * 1024  # How much of a form is read at once.
HEAD_BYTES = 16 * 1024  # The longest headers of a part, and the longest padding of a boundary.
HEAD_LINES = 64  # Real ones have one to four; each costs a copy of what is held.
AS_IT_IS = ("7bit", "8bit", "binary", "")  # Content-Transfer-Encodings that encode nothing.
# A quoted string, which stays as it is, or a value that is not quoted.
VALUE = re.compile(r"""\"(?:[^"\\]|\\.)*"?|(?<![*])=([^\s";][^";]*)""", re.DOTALL)
consume = deque[bytes](maxlen=0).extend  # Passes over what pieces there still are.


class FormBroken(RequestMalformed):
    message = "The form is broken or compressed; let an HTTP client build it and its Content-Type."


class FormEnded(FormBroken):
    """A form ends before its last boundary."""


class FormTooLarge(RequestMalformed):
    message = "The form has too many parts, or too long a text; send only the documented fields."


class Part(NamedTuple):
    """What the headers of a part say; nothing that they do not say is guessed."""

    name: str
    file_name: str | None
    charset: str  # Blank where a text names none.
    is_encoded: bool  # Whether its bytes are not the content itself, but encoded, as in base64.


def parts(stream: IO[bytes], boundary: bytes) -> Iterator[tuple[Part, Iterator[bytes]]]:
    """Each part, and its content, which need not be read. Raises FormBroken, FormTooLarge.

    Any line may end with LF alone, as Werkzeug takes it: clients mix both, and forms written by
    hand have no CR. Where the first boundary's line has none, a content's last CR is its own.
    """
    if not boundary:
        raise FormBroken("Content-Type names no boundary; leave that header to the HTTP client.")
    reader, delimiter, carriage_return = _Reader(stream), b"--" + boundary, None
    consume(reader.until(delimiter))  # .NET puts a byte order mark before it, on the same line.
    while not reader.skip(b"--"):
        rest = reader.line()
        if carriage_return is None:
            carriage_return = b"\r" if rest.endswith(b"\r") else b""
        if rest.removesuffix(b"\r").strip(b" \t"):  # RFC 2046's padding may follow a boundary.
            raise FormBroken()
        part = _part(reader.head())
        # A part with no content may leave out the line break before it, as Werkzeug's client does.
        is_absent = reader.skip(delimiter)
        content = iter(()) if is_absent else reader.until(b"\n" + delimiter, carriage_return)
        yield part, content
        consume(content)
    while stream.read(PIECE_BYTES):
        pass  # What follows the last boundary means nothing.


def parameters_of(header: str) -> dict[str, str]:
    """The parameters of a header, quoted or not: clients leave out the quotes that some need."""
    return parse_options_header(VALUE.sub(_quoted, header))[1]


def _quoted(value: re.Match[str]) -> str:
    bare: str | None = value[1]
    return '="{}"'.format(bare.strip().replace("\\", r"\\")) if bare else value[0]


def _part(head: bytes) -> Part:
    headers = {}
    for line in head.decode(errors="replace").split("\n"):
        name, colon, value = line.partition(":")
        if not colon or name.startswith("--"):  # A boundary: the blank line before it is missing.
            raise FormBroken()
        headers[name.strip().lower()] = value.strip()
    if "content-disposition" not in headers:
        raise FormBroken()
    named = parameters_of(headers["content-disposition"])
    file_name = named.get("filename")
    charset = parameters_of(headers.get("content-type", "")).get("charset", "").lower()
    is_encoded = headers.get("content-transfer-encoding", "").lower() not in AS_IT_IS
    default = "" if file_name is None else "utf-8"
    return Part(named.get("name", ""), file_name, charset or default, is_encoded)


class _Reader:
    """A stream, and what was read of it too early."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._held = b""

    def until(self, mark: bytes, before: bytes = b"") -> Iterator[bytes]:
        """What comes before the mark, in pieces; the mark, and `before` it, are passed over."""
        while (end := self._held.find(mark)) < 0:
            # The last bytes may be the beginning of the mark, or what may come before it.
            if (sure := len(self._held) - len(before + mark) + 1) > 0:
                yield self.take(sure)
            self._hold(len(self._held) + 1)
        if end:
            yield self.take(end).removesuffix(before)
        self.take(len(mark))

    def head(self) -> bytes:
        """The headers of a part, unfolded, each on a line; raise FormTooLarge past the limits."""
        head = b""
        for _ in range(HEAD_LINES):
            line = self.line().removesuffix(b"\r")
            if not line:
                return head.removeprefix(b"\n")
            head += line if line.startswith((b" ", b"\t")) else b"\n" + line
            if len(head) > HEAD_BYTES:
                break
        raise FormTooLarge()

    def line(self) -> bytes:
        """The rest of a line, without its LF; raise FormTooLarge past HEAD_BYTES."""
        rest = filled(b"", self.until(b"\n"), HEAD_BYTES + 1)
        if len(rest) > HEAD_BYTES:
            raise FormTooLarge()
        return rest

    def take(self, size: int) -> bytes:
        """Exactly the next `size` bytes."""
        self._hold(size)
        taken, self._held = self._held[:size], self._held[size:]
        return taken

    def skip(self, text: bytes) -> bool:
        """Whether `text` comes next; it is passed over if it does."""
        self._hold(len(text))
        if found := self._held.startswith(text):
            self.take(len(text))
        return found

    def _hold(self, size: int) -> None:
        while len(self._held) < size:
            piece = self._stream.read(PIECE_BYTES)
            if not piece:
                raise FormEnded()
            self._held += piece
