"""gunicorn's gevent worker, in which no caller can hold up the others."""

import errno
import logging
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import gevent
from gevent.server import StreamServer
from gunicorn.http import Request, RequestParser
from gunicorn.http import errors as parsing
from gunicorn.http.body import ChunkedReader
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.ggevent import GeventWorker

from parley import errors, log
from parley.deadline import let_others_run
from parley.web.serving import connection_limits as limits
from parley.web.serving.watchdog import MARK, Watchdog

SPARE = 128  # Greenlets beyond the connections: gevent accepts up to 100 before it handles one.
HEADERS_BYTES = 32 * 1024  # And of trailers: gunicorn would scan 800 kB anew with each packet.
CHUNKS = 200_000  # Of a body (RFC 9112, 7.1), or pieces of them: 130 bytes each in the largest.
CHUNKS_AT_ONCE = 16  # Then others run: each takes 10 microseconds, and 1,300 may arrive at once.
STAND_IN = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"  # Answered in place of broken requests.


class BoundedRequest(Request):  # type: ignore[misc]  # gunicorn has no types.
    """gunicorn's request, which takes no more than HEADERS_BYTES of headers, and CHUNKS chunks."""

    def parse(self, unreader: Any) -> bytes:
        """Read the headers."""
        self.max_buffer_headers = HEADERS_BYTES
        return super().parse(unreader)  # type: ignore[no-any-return]

    def set_body_reader(self) -> None:
        """Prepare to read the body."""
        super().set_body_reader()
        if isinstance(self.body.reader, ChunkedReader):
            self.body.reader.parser = _bounded(self.body.reader.parser)


RequestParser.mesg_class = BoundedRequest


class Listener(StreamServer):  # type: ignore[misc]  # gevent's is not typed.
    """gevent's server, which disconnects idle callers where file descriptors run out."""

    def __init__(self, worker: "Worker", listener: Any, *, spawn: Any, **_: object) -> None:
        super().__init__(listener, partial(worker.handle, self), spawn=spawn)
        self.connections = worker.connections
        if worker.cfg.workers > 1:
            self.max_accept = 1  # As gunicorn does, so that workers share connections evenly.
        worker.listeners.append(self)

    def getsockname(self) -> object:
        """The address, for which gunicorn asks even after the socket is closed."""
        return self.address

    def do_read(self) -> tuple[socket.socket, object] | None:
        """Accept a connection; None where none waits, or where another must be closed first."""
        try:
            return super().do_read()  # type: ignore[no-any-return]
        except OSError as error:
            is_full = error.errno in (errno.EMFILE, errno.ENFILE)
            if is_full and self.connections.disconnect_longest_waiting():
                return None
            raise

    def close(self) -> None:
        """Accept every connection that the kernel has queued, which would be reset, then close."""
        with suppress(OSError):
            while self.started and (arrived := self.do_read()):
                self.do_handle(*arrived)
        super().close()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types.
    """The gevent worker, but it stops quickly, makes room when it is full, and answers in JSON."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Below INFO gunicorn logs what a caller sent who disconnects within the headers.
        self.log.error_log.setLevel(max(self.log.error_log.level, logging.INFO))
        self.connections = limits.CallerConnections(self.worker_connections, self.cfg.keepalive)
        self.worker_connections += SPARE
        self.listeners: list[Listener] = []
        self.server_class = partial(Listener, self)

    def run(self) -> None:
        """Serve, watched, and log each unexpected error without its text, which may quote a key."""
        self.log.error_log.addFilter(_without_text)
        hub = gevent.get_hub()
        hub.print_exception = lambda _, __, error, ___: log.unexpected(error, "request")
        Watchdog().start()
        super().run()

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM: stop at once, in a greenlet, since a signal's handler must not wait."""
        super().handle_exit(sig, frame)
        limits.end_of_streams.extend(self.cfg.graceful_timeout - limits.FINISH_SECONDS)
        gevent.spawn(self.stop_serving)

    def stop_serving(self) -> None:
        """Close the listeners, and every connection as soon as no answer is owed on it."""
        for listener in self.listeners:
            listener.close()
        self.connections.stop()

    def timeout_ctx(self) -> nullcontext[None]:
        """No time limit of gunicorn's: it would count a request's headers as idle time."""
        return nullcontext()

    def handle(self, listener: Listener, client: socket.socket, addr: object) -> None:
        """Handle a connection to its end, in a greenlet that the watchdog may end."""
        gevent.getcurrent().spawn_tree_locals[MARK] = True
        with self.connections.opened(client.detach()) as connection:
            super().handle(listener, connection, addr)

    def handle_request(
        self, listener_name: object, req: Request, sock: limits.CallerConnection, addr: object
    ) -> None:
        """Handle a request, whose headers have arrived."""
        sock.start_request(req)
        super().handle_request(listener_name, req, sock, addr)
        sock.await_request()

    def handle_error(
        self, req: Request | None, client: limits.CallerConnection, addr: object, exc: BaseException
    ) -> None:
        """Answer a broken request in the app's shape, quoting nothing of it: it may hold a key."""
        if client.has_begun_answer:
            log.unexpected(exc, "request")
            client.disconnect()
            return
        client.refusal = _error_of(exc)
        # Number 2: of a connection's first request gunicorn may want a line of the PROXY protocol.
        stand_in = BoundedRequest(self.cfg, IterUnreader([STAND_IN]), addr, 2)
        # gunicorn takes no path that begins otherwise.
        stand_in.path = os.environ.get("SCRIPT_NAME", "") + stand_in.path
        # The caller may have disconnected. gunicorn says by StopIteration that it is the last.
        with suppress(OSError, StopIteration):
            super().handle_request(client.getsockname(), stand_in, client, addr)


def _bounded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces of a chunked body, of which CHUNKS may come; others run in between."""
    for number, piece in enumerate(pieces, start=1):
        if number > CHUNKS:
            raise errors.RequestMalformed("The body has too many chunks; send it in larger ones.")
        if not number % CHUNKS_AT_ONCE:
            let_others_run()
        yield piece


def _error_of(exception: BaseException) -> errors.ConversationError:
    """The error of ours that gunicorn's exception means; an unexpected one is logged."""
    match exception:
        case parsing.LimitRequestLine() | parsing.LimitRequestHeaders():
            return errors.HeadersTooLarge()
        case parsing.InvalidResponseHeader() | parsing.InvalidResponseHeaderName():
            pass  # An answer of ours breaks HTTP.
        case parsing.ParseException():
            broken = "The bytes sent are not a valid HTTP request; use an HTTP client to send it."
            return errors.RequestMalformed(broken)
    log.unexpected(exception, "request")
    return errors.InternalError()


def _without_text(record: logging.LogRecord) -> bool:
    """Log a record of gunicorn's without the traceback, which ends with the error's text."""
    if record.exc_info and (error := record.exc_info[1]):
        log.unexpected(error, "request")
        record.exc_info = None
    return True
