"""Forms: how an upload is parsed, strictly and within bounds."""

import time
from collections.abc import Collection
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser, MultiPartParser
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData
from werkzeug.wsgi import LimitedStream

from parley.errors import RequestMalformed, UploadTimeout

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

LONG = frozenset({"history"})
"""The texts that are kept as files are, on disk if they are long: they may have 256 KB."""

SPOOLED_BYTES = 128 * 1024
"""The largest file that stays in memory: four seconds of WAV at 16 kHz, say."""


class BoundedMultiPartParser(MultiPartParser):
    """Werkzeug's parser, but the bound on texts holds for all of them together."""

    def parse(
        self, stream: IO[bytes], boundary: bytes, content_length: int | None
    ) -> tuple[MultiDict[str, str], MultiDict[str, FileStorage]]:
        """The texts and the files; LONG texts are among the files."""
        decoder = MultipartDecoder(
            boundary, self.max_form_memory_size, max_parts=self.max_form_parts
        )
        texts: list[tuple[str, str]] = []
        files: list[tuple[str, FileStorage]] = []
        part: Field | File | None = None
        file: IO[bytes] | None = None
        text_bytes = 0
        data: bytes | None = b""
        while data is not None:
            data = stream.read(self.buffer_size) or None
            decoder.receive_data(data)
            while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
                match event:
                    case Field() | File():
                        part, is_text = event, isinstance(event, Field) and event.name not in LONG
                        file = None if is_text else self.stream_factory(content_length, None, None)
                        pieces: list[bytes] = []
                    case Data() if part:
                        text_bytes += len(event.data) if is_text else 0
                        if text_bytes > (self.max_form_memory_size or text_bytes):
                            raise RequestEntityTooLarge()
                        (file.write if file else pieces.append)(event.data)
                        if event.more_data:
                            continue
                        if file is None:
                            charset = self.get_part_charset(part.headers)
                            texts.append((part.name, b"".join(pieces).decode(charset, "replace")))
                        else:
                            file.seek(0)
                            name = getattr(part, "filename", "")
                            sent = FileStorage(file, name, part.name, headers=part.headers)
                            files.append((part.name, sent))
        return self.cls(texts), self.cls(files)


class StrictFormParser(FormDataParser):
    """Werkzeug's parser, but broken multipart is an error instead of an empty form."""

    def _parse_multipart(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str],
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        parser = BoundedMultiPartParser(
            stream_factory=self.stream_factory,
            max_form_memory_size=self.max_form_memory_size,
            max_form_parts=self.max_form_parts,
            cls=self.cls,
        )
        boundary = options.get("boundary", "").encode("ascii")
        if not boundary:
            raise ValueError("Missing boundary")
        texts, files = parser.parse(stream, boundary, content_length)
        return stream, texts, files

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        """Parse multipart/form-data; raise RequestMalformed on anything else."""
        if mimetype != "multipart/form-data":
            raise RequestMalformed()
        self.silent = False
        try:
            return super().parse(stream, mimetype, content_length, options)
        except ClientDisconnected as disconnected:
            # Werkzeug raises this for a timeout of the socket, too.
            if isinstance(disconnected.__context__, TimeoutError):
                raise UploadTimeout() from None
            raise
        except (ValueError, ParseException):
            raise RequestMalformed(
                "The multipart body is broken; let your HTTP client build it, with its boundary."
            ) from None
        except RequestEntityTooLarge:
            if content_length is None and isinstance(stream, LimitedStream) and stream.is_exhausted:
                raise  # The whole request is too large; without a length, only reading it tells.
            raise RequestMalformed(
                "The form has too many parts, or too long a text; send only the documented fields."
            ) from None


class Upload(SpooledTemporaryFile[bytes]):
    """A file that arrives. Under gevent, a write to disk does not let other greenlets run."""

    def write(self, data: Any) -> int:
        """Let other greenlets run, then write."""
        time.sleep(0)
        return super().write(data)


class FormRequest(Request):
    """Flask's request with the strict parser; files are closed even where parsing fails."""

    form_data_parser_class = StrictFormParser
    # Parse whatever the Content-Type: without one, Werkzeug would see an empty form.
    want_form_data_parsed = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Pass on what Flask gives; no file is open yet."""
        super().__init__(*arguments, **options)
        self._streams: list[IO[bytes]] = []

    def _get_file_stream(self, *arguments: Any, **options: Any) -> IO[bytes]:
        stream = cast(IO[bytes], Upload(SPOOLED_BYTES))
        self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Close every file; Flask calls this at the end of the request.

        On a full disk closing fails as writing did, since it writes what is still buffered.
        """
        for stream in self._streams:
            with suppress(OSError):
                stream.close()


def fields_of(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The form's fields by name; raise RequestMalformed where one of `names` came twice."""
    fields: dict[str, Any] = {}
    for source in (request.form, request.files):
        for name, value in source.items(multi=True):
            if name in fields and name in names:
                raise RequestMalformed(f"The field '{name}' came more than once; send it once.")
            fields[name] = value
    return fields
