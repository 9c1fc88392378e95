"""Forms: how an upload is read, strictly and within bounds."""

import re
from collections.abc import Collection, Iterator
from contextlib import suppress

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected

from parley import log
from parley.errors import CallerDisconnected, Overloaded, RequestMalformed, UploadTimeout
from parley.memory import Spool, Usage
from parley.recordings import AUDIO_BYTES
from parley.web.form_parts import FormBroken, FormEnded, FormTooLarge, Part, parameters_of, parts
from parley.web.serving.slots import RETRY_SECONDS, SLOT
from parley.wire.bodies import filled

FORM_BYTES = AUDIO_BYTES + 1024 * 1024  # With the other fields and the multipart framing.
PARTS = 32
TEXT_BYTES = 128 * 1024  # All texts but the history; Flask's own 500 kB, 1,000 times, is too much.
HISTORY_BYTES = 256 * 1024
FORM = re.compile(r"(?:multipart/form-data(?![^;,\s])[;,\s]*)+", re.IGNORECASE)
"""How a form's Content-Type begins; RFC 1867 has a comma there, and some clients a space."""
CHARSETS = re.compile(
    r"(?:windows-|cp)\d{3,4}|iso-8859-\d{1,2}|latin1|koi8-[ru]|utf-16(?:le|be)?"
    r"|shift_jis|euc-(?:jp|kr)|gb(?:k|2312|18030)|big5"
)
"""The charsets of texts beside UTF-8, all decoded in linear time; Python's are not."""
WIDER = {"iso-8859-1": "cp1252", "latin1": "cp1252", "shift_jis": "cp932", "euc-kr": "cp949"}
WIDER |= {"gb2312": "gb18030", "gbk": "gb18030"}
"""What clients that name these write (WHATWG Encoding Standard, 4.2), browsers above all."""


def fields_of(request: Request, names: Collection[str]) -> dict[str, str | Spool]:
    """The form's fields of these names; others are passed over.

    The recording and the history are files, closed with the request's slot, and the others texts.
    Raises RequestMalformed for what is not one whole form within the bounds, CallerDisconnected or
    UploadTimeout where it does not arrive, and Overloaded where there is no room for it.
    """
    stream, kind = request.stream, request.content_type or ""
    if not (form := FORM.match(kind)):
        raise RequestMalformed()
    try:
        boundary = parameters_of(f"form; {kind[form.end() :]}").get("boundary", "").encode("ascii")
        return _fields(parts(stream, boundary), names, request.environ[SLOT].uploads)
    except ClientDisconnected as disconnected:
        # Werkzeug raises this for a timeout of the socket, too.
        if isinstance(disconnected.__context__, TimeoutError):
            raise UploadTimeout() from None
        raise CallerDisconnected() from None
    except OSError as error:  # Neither the disk nor the budget has room.
        log.unexpected(error, "request")
        raise Overloaded(retry_after=RETRY_SECONDS) from None
    except FormEnded:
        if stream.tell() < (request.content_length or 0):
            raise CallerDisconnected() from None
        raise
    except (UnicodeEncodeError, ParseException):
        raise FormBroken() from None


def _fields(
    read: Iterator[tuple[Part, Iterator[bytes]]], names: Collection[str], usage: Usage
) -> dict[str, str | Spool]:
    fields: dict[str, bytes | Spool] = {}
    charsets, default, text_bytes = {}, "", 0
    for count, (part, content) in enumerate(read, start=1):
        name, is_wanted = part.name, part.name in names
        if count > PARTS:
            raise FormTooLarge()
        if name in fields:
            raise RequestMalformed(f"The field '{name}' came more than once; send it once.")
        if part.is_encoded and is_wanted:
            raise RequestMalformed(f"Send '{name}' as it is, with no Content-Transfer-Encoding.")
        charsets[name] = part.charset
        if name == "audio" and part.file_name is None:
            fields[name] = b""  # A text: no recording is there, and AudioMissing says so.
        elif name in ("audio", "history"):  # On disk if they are long: a history may have 256 KB.
            fields[name] = usage.spool(content, prefers_disk=True)
        elif is_wanted or part.file_name is None:
            text = filled(b"", content, TEXT_BYTES - text_bytes + 1)
            text_bytes += len(text)
            if text_bytes > TEXT_BYTES:
                raise FormTooLarge()
            if is_wanted:
                fields[name] = text
            elif name == "_charset_":  # Of texts, not files (RFC 7578, 4.6).
                default = text.decode("ascii", "replace").strip().lower()
    return {name: _meant(name, x, charsets[name] or default, usage) for name, x in fields.items()}


def _meant(name: str, sent: bytes | Spool, charset: str, usage: Usage) -> str | Spool:
    """A field in UTF-8, but for a recording, and for a history that is too long anyway."""
    if isinstance(sent, bytes):
        return _decoded(sent, charset).replace("\r\n", "\n")  # Forms end a text's lines so.
    if name == "history" and CHARSETS.fullmatch(charset) and sent.size <= HISTORY_BYTES:
        return usage.spool([_decoded(sent.read(), charset).encode()], prefers_disk=True)
    return sent


def _decoded(text: bytes, charset: str) -> str:
    if CHARSETS.fullmatch(charset):
        with suppress(LookupError):
            return text.decode(WIDER.get(charset, charset.replace("windows-", "cp")), "replace")
    return text.decode("utf-8-sig", "replace")  # An editor may have put a byte order mark there.
