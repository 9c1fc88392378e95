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
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import LimitedStream

from parley.errors import RequestMalformed, UploadTimeout

AUDIO_BYTES = 26_214_400
"""The largest file that OpenAI's speech-to-text takes: 25 MB."""

LIMITS = {
    # What the other fields and the multipart framing may add to the largest file.
    "MAX_CONTENT_LENGTH": AUDIO_BYTES + 1024 * 1024,
    "MAX_FORM_PARTS": 32,
    # Each text, and the headers of a part. A history is the longest text of all: 256 kB, to which a
    # little is added so that a longer one is told what is wrong with it. Flask's own bound is
    # 500 kB, which for each of a thousand callers would be more than a small dyno has.
    "MAX_FORM_MEMORY_SIZE": 320 * 1024,
}
"""Flask's own settings that bound a form."""

SPOOLED_BYTES = 128 * 1024
"""The largest file that stays in memory: four seconds of WAV at 16 kHz, say."""


class StrictFormParser(FormDataParser):
    """Werkzeug's parser, but broken multipart is an error instead of an empty form."""

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
