"""Forms: how an upload is parsed, strictly and within bounds."""

from collections.abc import Collection
from typing import IO, Any, cast

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.formparser import FormDataParser

from parley import log
from parley.errors import CallerDisconnected, Overloaded, RequestMalformed, UploadTimeout
from parley.memory import Usage
from parley.recordings import AUDIO_BYTES
from parley.web.form_parts import FormBroken, FormEnded, FormTooLarge, parameters_of, parts
from parley.web.serving.slots import RETRY_SECONDS, SLOT

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

FILES_ON_DISK = 3
"""How many files of a form may lie on disk: each takes a file descriptor."""


Texts = MultiDict[str, str]
Files = MultiDict[str, FileStorage]


class StrictFormParser(FormDataParser):
    """Werkzeug's parser, but broken multipart is an error instead of an empty form."""

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], Texts, Files]:
        """Parse multipart/form-data; raise RequestMalformed on anything else.

        Raises CallerDisconnected where the caller left before the promised end of it.
        """
        if mimetype != "multipart/form-data":
            raise RequestMalformed()
        try:
            boundary = (options or {}).get("boundary", "").encode("ascii")
            return stream, *self._read(stream, boundary)
        except ClientDisconnected as disconnected:
            # Werkzeug raises this for a timeout of the socket, too.
            if isinstance(disconnected.__context__, TimeoutError):
                raise UploadTimeout() from None
            raise CallerDisconnected() from None
        except FormTooLarge:
            raise RequestMalformed(TOO_LARGE) from None
        except OSError as error:  # Neither the disk nor the budget has room.
            log.unexpected(error, "request")
            raise Overloaded(retry_after=RETRY_SECONDS) from None
        except (FormBroken, UnicodeEncodeError, ParseException) as broken:
            if isinstance(broken, FormEnded) and stream.tell() < (content_length or 0):
                raise CallerDisconnected() from None
            raise RequestMalformed(
                "The multipart body is broken; let your HTTP client build it, with its boundary."
            ) from None

    def _read(self, stream: IO[bytes], boundary: bytes) -> tuple[Texts, Files]:
        """The texts and the files by name; LONG texts are among the files."""
        texts, files = Texts(), Files()
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
                files.add(part.name, FileStorage(file, part.file_name or "", part.name))
                continue
            text = bytearray()
            for piece in content if part.name != AUDIO else ():
                text_bytes += len(piece)
                if text_bytes > (self.max_form_memory_size or text_bytes):
                    raise FormTooLarge()
                text += piece
            charset = part.charset if part.charset in CHARSETS else "utf-8"
            texts.add(part.name, text.decode(charset, "replace"))
        return texts, files


class FormRequest(Request):
    """Flask's request with the strict parser."""

    form_data_parser_class = StrictFormParser
    # Parse whatever the Content-Type: without one, Werkzeug would see an empty form.
    want_form_data_parsed = True

    @property
    def mimetype_params(self) -> dict[str, str]:
        """The parameters of the Content-Type: the boundary."""
        return parameters_of(self.content_type or "")

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        """A file for the next part that is one; raise FormTooLarge past FILES_ON_DISK.

        It is closed when the request's slot is released.
        """
        uploads: Usage = self.environ[SLOT].uploads
        if uploads.files_on_disk >= FILES_ON_DISK:
            raise FormTooLarge()
        return cast(IO[bytes], uploads.spool(prefers_disk=True))


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
