"""The bodies of requests: JSON, and forms that stream a recording."""

import json
from collections.abc import Iterator

from urllib3 import encode_multipart_formdata

from parley.deadline import let_others_run
from parley.wire.messages import Body, Form

# How much of a recording is read and sent at once; 16 KiB would cost twice the time.
BLOCK_BYTES = 64 * 1024


def encoded_body(body: Body) -> tuple["bytes | StreamedForm", str]:
    """A mapping as JSON, or a form that streams its recording; and its content type."""
    if isinstance(body, Form):
        form = StreamedForm(body)
        return form, form.content_type
    return json.dumps(body).encode(), "application/json"


class StreamedForm:
    """A form in blocks (RFC 7578), of which the recording is read only while they are sent."""

    def __init__(self, form: Form) -> None:
        """Lay out what comes before the recording, and what comes after it."""
        kind = form.recording.kind
        file = (kind.file_name, b"", kind.mime_type)
        empty, self.content_type = encode_multipart_formdata([*form.fields, (form.file, file)])
        self._tail = empty[empty.rindex(b"\r\n--") :]
        self._head = empty.removesuffix(self._tail)
        self._recording = form.recording
        self._recording.stream.seek(0)  # Another try may have read it.

    def __len__(self) -> int:
        return len(self._head) + self._recording.size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """The blocks; the first and the last hold the framing, too, so that it needs no packet.

        No more than one is in memory at once: a thousand conversations may wait here.
        """
        head, left = self._head, self._recording.size
        while left > 0:
            size = min(left, BLOCK_BYTES)
            left -= size
            yield head + self._recording.stream.read(size) + (b"" if left else self._tail)
            if left:
                let_others_run()  # Neither reading a file nor an upstream that takes it all waits.
            head = b""
