"""The connection of the current request: what it brought, if it is open, what is left to read."""

import select
import socket
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress

from flask import Request, Response, request
from gevent.monkey import get_original

from parley.web.serving.connection_limits import CallerConnection

DRAIN_BYTES = 32 * 1024 * 1024
DRAIN_SECONDS = 20
"""How much of an upload is still read after the answer, and for how long."""

STALLED_SECONDS = 2
"""The same time where the caller has stalled once already."""

CHUNK_BYTES = 64 * 1024

HAS_LEFT = getattr(select, "POLLRDHUP", 0)
"""The event of a connection whose other side was closed. macOS has no such event: there, a caller
who leaves behind something unread is not seen to leave."""


def first_repeated(request: Request, names: Iterable[str]) -> str | None:
    """The first of these headers that the request holds more than once; None if there is none.

    WSGI has one text for each header, in which servers join repeated ones with commas. gunicorn's
    request still has each; with other servers, a comma in the text counts as a second header.
    """
    connection = request.environ.get("gunicorn.socket")
    if isinstance(connection, CallerConnection) and connection.request:
        times = Counter(name for name, _ in connection.request.headers)
        return next((name for name in names if times[name.upper()] > 1), None)
    return next((name for name in names if "," in request.headers.get(name, "")), None)


def still_connected(request: Request) -> Callable[[], bool]:
    """A function that tells, whenever it is called, whether the caller is still connected.

    A caller who has closed only its sending side (a FIN) counts as disconnected, even if something
    that it sent before was not read yet. Servers other than gunicorn do not give the connection;
    the function returns true there.
    """
    connection: socket.socket | None = request.environ.get("gunicorn.socket")
    if connection is None:
        return lambda: True

    def is_open() -> bool:
        if HAS_LEFT and connection.fileno() >= 0:
            # Not gevent's, which would let others run, and costs more.
            poll = get_original("select", "poll")()
            poll.register(connection, HAS_LEFT)
            return not poll.poll(0)
        timeout = connection.gettimeout()
        try:
            connection.settimeout(0)
            # CallerConnection.recv would apply the request's time limit, which may be over.
            return bool(socket.socket.recv(connection, 1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            connection.settimeout(timeout)

    return is_open


def drain_after_answer(response: Response) -> None:
    """Read what the caller still sends, within bounds, once the answer is written.

    Closing a socket that still receives data resets the connection, and a caller who is busy
    sending would never see the answer. The answer itself gets a time limit of its own.
    """
    body = request.environ["wsgi.input"]
    connection = request.environ.get("gunicorn.socket")

    def drain() -> None:
        if isinstance(connection, CallerConnection):
            # gunicorn sets `failed` where reading failed: the caller stalled or disconnected.
            failed = getattr(body, "failed", False)
            connection.start_drain(STALLED_SECONDS if failed else DRAIN_SECONDS)
        left = DRAIN_BYTES
        # A caller who disconnects, stalls or sends nonsense ends the drain. An error raised here
        # would skip the remaining callbacks, and gunicorn would log its text.
        with suppress(Exception):
            while left > 0 and (chunk := body.read(CHUNK_BYTES)):
                left -= len(chunk)
        if left <= 0:
            body.failed = True  # Otherwise gunicorn reads on, to find the next request.

    if isinstance(connection, CallerConnection):
        connection.start_answer()
    response.call_on_close(drain)
