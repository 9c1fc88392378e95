"""How a form is taken in: strictly, within bounds, and to its end even when it is refused."""

import socket
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from tempfile import SpooledTemporaryFile
from typing import IO, Any, cast

from flask import Request, Response
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.wsgi import LimitedStream

from parley.errors import RequestMalformed, UploadTimeout
from parley.web.caller_connections import CallerConnection

AUDIO_BYTES = 26_214_400
"""The largest file that OpenAI's speech-to-text takes: 25 MB."""

LIMITS = {
    # What the other fields and the multipart framing may add to the largest file.
    "MAX_CONTENT_LENGTH": AUDIO_BYTES + 256 * 1024,
    "MAX_FORM_PARTS": 32,
}
"""Flask's own settings that bound a form."""

SPOOLED_BYTES = 128 * 1024
"""The largest file that stays in memory: four seconds of WAV at 16 kHz, say."""

DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_SECONDS = 20
STALLED_SECONDS = 2
CHUNK_BYTES = 64 * 1024


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
        except ClientDisconnected as gone:
            # Werkzeug hides which of the socket's errors it was.
            if isinstance(gone.__context__, TimeoutError):
                raise UploadTimeout() from None
            raise
        except (ValueError, ParseException):
            raise RequestMalformed(
                "The multipart body is broken; let your HTTP client write it and its boundary."
            ) from None
        except RequestEntityTooLarge:
            if content_length is None and isinstance(stream, LimitedStream) and stream.is_exhausted:
                raise  # The request as a whole is too large, which nobody knew beforehand.
            raise RequestMalformed(
                "The form has too many parts, or too long a text; send only the documented fields."
            ) from None


class Upload(SpooledTemporaryFile[bytes]):
    """A file that arrives. Writing to disk does not wait, so that others must be let on."""

    def write(self, data: Any) -> int:
        """Write, and let other callers go on."""
        time.sleep(0)
        return super().write(data)


class FormRequest(Request):
    """Flask's request with the strict parser; files are closed even where parsing fails."""

    form_data_parser_class = StrictFormParser
    # Whatever the body claims to be: where it claims nothing, Werkzeug would see an empty form.
    want_form_data_parsed = True

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what Flask gives; no file is open yet."""
        super().__init__(*arguments, **options)
        self._streams: list[IO[bytes]] = []

    def _get_file_stream(self, *arguments: Any, **options: Any) -> IO[bytes]:
        stream = cast(IO[bytes], Upload(SPOOLED_BYTES))
        self._streams.append(stream)
        return stream

    def close(self) -> None:
        """Close every file, as Flask asks at the request's end.

        On a full disk closing fails as writing did: what was not written yet is tried once more.
        """
        for stream in self._streams:
            with suppress(OSError):
                stream.close()


def fields_of(request: Request, names: Collection[str]) -> dict[str, Any]:
    """The form's texts and files of these names; raise RequestMalformed where one comes twice."""
    fields: dict[str, Any] = {}
    for source in (request.form, request.files):
        for name, value in source.items(multi=True):
            if name in fields and name in names:
                raise RequestMalformed(f"The field '{name}' came more than once; send it once.")
            fields[name] = value
    return fields


def caller_waits(request: Request) -> Callable[[], bool]:
    """A question that can be asked later: whether the caller still keeps the connection open.

    A caller who has only closed their own side (a FIN) counts as gone. Where the server is not
    gunicorn nobody can tell, and the answer is yes.
    """
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return lambda: True

    def waits() -> bool:
        timeout = connection.gettimeout()
        try:
            connection.settimeout(0)
            # CallerConnection.recv would apply the request's time limit, which does not matter here.
            return bool(socket.socket.recv(connection, 1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            connection.settimeout(timeout)

    return waits


def finish(request: Request, response: Response) -> Response:
    """Give the answer its own time, then read what the caller is still sending, within bounds.

    Closing a socket that still receives resets the connection, and the caller, busy sending,
    would never see the answer.
    """
    body = request.environ["wsgi.input"]
    connection = request.environ.get("gunicorn.socket")

    def drain() -> None:
        if isinstance(connection, CallerConnection):
            # gunicorn notes where reading has failed: who stalled once is not waited for again.
            connection.drain(STALLED_SECONDS if getattr(body, "failed", False) else DRAIN_SECONDS)
        left = DRAIN_BYTES
        # The caller may have gone, or stalled, or be sending nonsense: all end what there was to
        # read. An error here would keep what is to follow from happening, and be logged with text.
        with suppress(Exception):
            while left > 0 and (chunk := body.read(CHUNK_BYTES)):
                left -= len(chunk)
        if left <= 0:
            body.failed = True  # gunicorn would go on reading to find the next request.

    if isinstance(connection, CallerConnection):
        connection.answer()
    response.call_on_close(drain)
    return response
