"""Requests in parts, to a service whose time limits are shortened."""

from testing.builders import KEY, wav

HEADERS = (
    b"POST /api/conversation/ HTTP/1.1\r\nHost: x\r\nX-OpenAI-API-Key: " + KEY.encode() + b"\r\n"
    b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 5000\r\n\r\n"
)
PART = b'--b\r\nContent-Disposition: form-data; name="audio"; filename="a"\r\n\r\n'
BODY = PART + wav() + b"\r\n--b--\r\n"
WHOLE = HEADERS.replace(b"5000", b"%d" % len(BODY)) + BODY
SILENCE, REQUEST, IDLE = 1, 2, 8
