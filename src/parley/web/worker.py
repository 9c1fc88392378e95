"""gunicorn's gevent worker, in which nothing that one caller does is felt by another."""

import errno
import logging
import resource
import socket
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from functools import partial
from typing import Any
from wsgiref.util import setup_testing_defaults

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn.http import errors as http
from gunicorn.http.message import Request
from gunicorn.http.wsgi import Response
from gunicorn.workers.ggevent import GeventWorker

from parley import log
from parley.errors import REFUSAL, HeadersTooLarge, InternalError, RequestBroken
from parley.web.caller_connections import PARTING_SECONDS, CallerConnection, CallerConnections

SPARE = 128
"""Greenlets beyond the connections: gevent accepts up to 100 at a time before one of them runs."""

FILES_KEPT = 40
FILES_EACH = 3
"""What a process opens for itself, and for a conversation: caller, upstream, upload."""


class Listener(StreamServer):  # type: ignore[misc]  # gevent's is not typed.
    """gevent's server, which makes room where descriptors run out."""

    def __init__(
        self, handle: Callable[..., None], callers: CallerConnections, **options: Any
    ) -> None:
        """Accept on a socket; `handle` is told this, the connection and the peer's address."""
        self.callers = callers
        super().__init__(handle=partial(handle, self), **options)

    def getsockname(self) -> object:
        """The socket's address, also when it is closed and those it let in are still handled."""
        return self.address

    def do_read(self) -> tuple[socket.socket, object] | None:
        """Accept one; None where nobody waits, or where somebody must go first."""
        try:
            arrived: tuple[socket.socket, object] | None = super().do_read()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE) and self.callers.dismiss_one():
                return None
            raise
        return arrived

    def close(self) -> None:
        """Close, once all whom the kernel has let in are accepted: they would be reset."""
        with suppress(OSError):
            while self.started and (arrived := self.do_read()):
                self.do_handle(*arrived)
        super().close()


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn has no types.
    """gevent's worker stops slowly, accepts nobody when it is full, and answers errors in HTML."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        """Take what the arbiter gives."""
        super().__init__(*arguments, **options)
        # Below INFO gunicorn logs what it has read when a caller disconnects within the headers.
        self.log.error_log.setLevel(max(self.log.error_log.level, logging.INFO))
        most, (files, _) = self.worker_connections, resource.getrlimit(resource.RLIMIT_NOFILE)
        if files != resource.RLIM_INFINITY:
            most = min(most, max(1, (files - FILES_KEPT) // FILES_EACH))
        self.callers = CallerConnections(most, self.cfg.keepalive)
        self.worker_connections += SPARE
        self.listeners: list[Listener] = []

    def server_class(self, listener: Any, *, spawn: Pool, **_: object) -> Listener:
        """The server of a listening socket: gunicorn calls its class, and this is in its place."""
        server = Listener(self.handle, self.callers, listener=listener, spawn=spawn)
        if self.cfg.workers > 1:
            server.max_accept = 1  # As gunicorn does, so that they share evenly.
        self.listeners.append(server)
        return server

    def handle_exit(self, sig: int, frame: object) -> None:
        """SIGTERM: leave at once, in a greenlet, since a signal's handler must not wait."""
        super().handle_exit(sig, frame)
        gevent.spawn(self.leave)

    def leave(self) -> None:
        """Close the listeners, and every connection as soon as it owes no answer.

        gunicorn would accept for another second, and wait for idle connections to their end.
        """
        for listener in self.listeners:
            listener.close()
        self.callers.part()
        gevent.sleep(PARTING_SECONDS)
        self.callers.dismiss_idle()

    def timeout_ctx(self) -> AbstractContextManager[None]:
        """No time limit of gunicorn's: it counts a request's headers as time in which it waits."""
        return nullcontext()

    def handle(self, listener: Listener, client: socket.socket, addr: object) -> None:
        """Handle a connection to its end."""
        with self.callers.entering(client.detach()) as caller:
            super().handle(listener, caller, addr)

    def handle_request(
        self, listener_name: object, req: Request, sock: CallerConnection, addr: Any
    ) -> bool:
        """Handle a request, whose headers have arrived."""
        sock.serve(req)
        goes_on: bool = super().handle_request(listener_name, req, sock, addr)
        sock.await_request()
        return goes_on

    def handle_error(
        self, req: Request | None, client: CallerConnection, addr: Any, exc: Exception
    ) -> None:
        """Answer what is no HTTP as the whole app answers errors, and quote nothing of it.

        gunicorn would repeat the line in its answer and its log, and it may hold a key.
        """
        error: Exception
        if isinstance(exc, http.InvalidResponseHeader | http.InvalidResponseHeaderName):
            error = exc
        elif isinstance(exc, http.LimitRequestLine | http.LimitRequestHeaders):
            error = HeadersTooLarge()
        elif isinstance(exc, http.ParseException):
            error = RequestBroken()
        else:
            error = exc
        if error is exc:
            log.unexpected(exc, "request")
            error = InternalError()
        environ = {REFUSAL: error, "gunicorn.socket": client}
        setup_testing_defaults(environ)
        response = Response(_Refused(), client, self.cfg)
        with suppress(OSError):  # The caller may have gone.
            for piece in self.wsgi(environ, response.start_response):
                response.write(piece)
            response.close()


class _Refused:
    """What gunicorn's response must know of a request that was never read whole."""

    method = "GET"
    version = (1, 1)

    def should_close(self) -> bool:
        return True
