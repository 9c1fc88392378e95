"""Forms: how an upload is parsed, strictly and within bounds."""

import time
from collections.abc import Collection
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from parley.errors import CallerDisconnected, RequestMalformed, UploadTimeout
from parley.web.form_parts import FormBroken, FormEnded, FormTooLarge, parts

AUDIO_BYTES = 26_214_400
"""The largest file that OpenAI's speech-to-text takes: 25 MB."""

LIMITS = {
    # What the other fields and the multipart framing may add to the largest file.
    "MAX_CONTENT_LENGTH": AUDIO_BYTES + 1024 * 1024,
    "MAX_FORM_PARTS": 32,
    # All texts together but the LONG ones, and the headers of a part; Flask's own 500 kB for each
    # of a thousand callers would be more than a small dyno has.
    "MAX_FORM_MEMORY_SIZE": 128 * 1024,
}
"""Flask's own settings that bound a form."""

AUDIO = "audio"
"""The field that is a file. A text in its place is not kept, however long it is."""

LONG = frozenset({"history"})
"""The texts that are kept as files are, on disk if they are long: they may have 256 KB."""

CHARSETS = frozenset({"us-ascii", "iso-8859-1"})
"""Those that a text may name beside UTF-8."""

TOO_LARGE = "The form has too many parts, or too long a text; send only the documented fields."

SPOOLED_BYTES = 128 * 1024
"""How much of a form's files stays in memory: four seconds of WAV at 16 kHz, say."""

FILES_ON_DISK = 3
"""How many files of a form may be longer: each takes a file descriptor."""


class StrictFormParser(FormDataParser):
    """Werkzeug's parser, but broken multipart is an error instead of an empty form."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse multipart/form-data; raise RequestMalformed on anything else.

        Raises CallerDisconnected where the caller left before the promised end of it.
        """
        if mimetype != "multipart/form-data":
            raise RequestMalformed()
        try:
            boundary = (options or {}).get("boundary", "").encode("ascii")
            texts, files = self._read(stream, boundary)
        except ClientDisconnected as disconnected:
            # Werkzeug raises this for a timeout of the socket, too.
            if isinstance(disconnected.__context__, TimeoutError):
                raise UploadTimeout() from None
            raise
        except FormTooLarge:
            raise RequestMalformed(TOO_LARGE) from None
        except (FormBroken, UnicodeEncodeError, ParseException) as broken:
            if isinstance(broken, FormEnded) and stream.tell() < (content_length or 0):
                raise CallerDisconnected() from None
            raise RequestMalformed(
                "The multipart body is broken; let your HTTP client build it, with its boundary."
            ) from None
        return stream, self.cls(texts), self.cls(files)

    def _read(
        self, stream: IO[bytes], boundary: bytes
    ) -> tuple[list[tuple[str, str]], list[tuple[str, FileStorage]]]:
        """The texts and the files by name; LONG texts are among the files."""
        texts: list[tuple[str, str]] = []
        files: list[tuple[str, FileStorage]] = []
        count, text_bytes = 0, 0
        for part, content in parts(stream, boundary):
            count, text_bytes = count + 1, text_bytes + len(part.name)
            if count > (self.max_form_parts or count):
                raise FormTooLarge()
            if part.file_name is not None or part.name in LONG:
                file = self.stream_factory(None, None, None)
                for piece in content:
                    file.write(piece)
                file.seek(0)
                files.append((part.name, FileStorage(file, part.file_name or "", part.name)))
                continue
            text = bytearray()
            for piece in content if part.name != AUDIO else ():
                text_bytes += len(piece)
                if text_bytes > (self.max_form_memory_size or text_bytes):
                    raise FormTooLarge()
                text += piece
            charset = part.charset if part.charset in CHARSETS else "utf-8"
            texts.append((part.name, text.decode(charset, "replace")))
        return texts, files


class Upload(SpooledTemporaryFile[bytes]):
    """A file that arrives. Under gevent, a write to disk does not let other greenlets run."""

    is_on_disk = False
    in_memory = 0
    """How many of its bytes are not on disk."""

    def write(self, data: Any) -> int:
        """Let other greenlets run, then write."""
        time.sleep(0)
        self.in_memory += 0 if self.is_on_disk else len(data)
        return super().write(data)

    def rollover(self) -> None:
        """Move it to disk."""
        self.is_on_disk, self.in_memory = True, 0
        super().rollover()


class FormRequest(Request):
    """Flask's request with the strict parser; files are closed even where parsing fails."""

    form_data_parser_class = StrictFormParser
    # Parse whatever the Content-Type: without one, Werkzeug would see an empty form.
    want_form_data_parsed = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Pass on what Flask gives; no file is open yet."""
        super().__init__(*arguments, **options)
        self._streams: list[Upload] = []

    def _get_file_stream(self, *arguments: Any, **options: Any) -> IO[bytes]:
        """A file for the next part that is one; raise FormTooLarge past FILES_ON_DISK.

        All files of a form share SPOOLED_BYTES of memory: there may be 32 of them.
        """
        if sum(stream.is_on_disk for stream in self._streams) >= FILES_ON_DISK:
            raise FormTooLarge()
        left = SPOOLED_BYTES - sum(stream.in_memory for stream in self._streams)
        self._streams.append(Upload(max(1, left)))  # 0 would mean that it never moves to disk.
        return cast(IO[bytes], self._streams[-1])

    def close(self) -> None:
        """Close every file; Flask calls this at the end of the request.

        On a full disk closing fails as writing did, since it writes what is still buffered.
        """
        for stream in self._streams:
            with suppress(OSError):
                stream.close()


def fields_of(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The form's fields by name; an option that came as a file is read as its text.

    Raises RequestMalformed where one of `names` came twice, or such a text is too long.
    """
    fields: dict[str, Any] = {}
    for source in (request.form, request.files):
        for name, value in source.items(multi=True):
            if name in fields and name in names:
                raise RequestMalformed(f"The field '{name}' came more than once; send it once.")
            is_text = name in names and name not in LONG and name != AUDIO
            fields[name] = _text_in(value) if is_text else value
    return fields


def _text_in(value: str | FileStorage) -> str:
    """A text, or what a file holds; a text editor may have put a byte order mark before it."""
    if isinstance(value, str):
        return value
    text = value.stream.read(LIMITS["MAX_FORM_MEMORY_SIZE"] + 1)
    if len(text) > LIMITS["MAX_FORM_MEMORY_SIZE"]:
        raise RequestMalformed(TOO_LARGE)
    return text.decode("utf-8-sig", "replace")
