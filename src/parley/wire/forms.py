"""The bodies of requests: JSON, and forms that stream a recording."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from urllib3 import encode_multipart_formdata

from parley.deadline import let_others_run
from parley.recordings import Recording

BLOCK_BYTES = 64 * 1024  # What is read of a recording and sent at once; 16 KiB take twice the time.


class Form:
    """A form in blocks (RFC 7578), of which the recording is read only while they are sent."""

    def __init__(self, fields: Sequence[tuple[str, str]], name: str, recording: Recording) -> None:
        """Lay out the texts by name, and the recording, from its start, in the field `name`."""
        file = (recording.kind.file_name, b"", recording.kind.mime_type)
        empty, self.content_type = encode_multipart_formdata([*fields, (name, file)])
        self._tail = empty[empty.rindex(b"\r\n--") :]
        self._head = empty.removesuffix(self._tail)
        self._recording = recording
        recording.stream.seek(0)  # Another try may have read it.

    def __len__(self) -> int:
        return len(self._head) + self._recording.size + len(self._tail)

    def __iter__(self) -> Iterator[bytes]:
        """The blocks, one in memory at once; the framing is sent in the first and the last."""
        head, left = self._head, self._recording.size
        while left > 0:
            size = min(left, BLOCK_BYTES)
            left -= size
            yield head + self._recording.stream.read(size) + (b"" if left else self._tail)
            if left:
                let_others_run()  # Neither reading a file nor an upstream that takes it all waits.
            head = b""


Body = Mapping[str, Any] | Form  # What is sent: a mapping as JSON, or a form.
