"""How the service is served; PORT and WEB_CONCURRENCY are gunicorn's own."""

import os

# Look names up with c-ares: gevent's default resolver shares ten threads among all callers.
os.environ.setdefault("GEVENT_RESOLVER", "ares")

import gc
import resource
import sys
from typing import Any

import wsgi  # Patches what Python brings, and puts parley on the path.
from parley import log, worker_count
from parley.web.serving import log_stream

# Nobody waits for the reader of the log. gunicorn's own lines, of its arbiter too, go to these
# streams, as does whatever a library prints.
sys.stdout, sys.stderr = log_stream.unblocking(sys.stdout), log_stream.unblocking(sys.stderr)
log.write_to(sys.stdout, wsgi.settings.log_level)

# gunicorn's gevent worker, with limits that keep one caller from holding up others. A conversation
# mostly waits for the upstream, and small dynos allow only 256 threads, so each gets a greenlet.
worker_class = "parley.web.serving.worker.Worker"
# Not every platform sets the number of workers.
if "WEB_CONCURRENCY" not in os.environ:
    workers = worker_count.workers()
# Allow as many open files as the system permits. macOS reports no limit, but accepts at most
# OPEN_MAX (its setrlimit(2)).
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
allowed = 10_240 if most == resource.RLIM_INFINITY else most
resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
# A process opens up to 40 files for itself. A conversation opens up to five: the caller's
# connection, and, in a stream, one call for the text and three for speech. Where few files are
# allowed there are fewer conversations, and one connection more for each: else uploads that stall
# would hold every connection, and none could be closed to make room.
files = max(6, allowed - 40)
conversations = min(wsgi.settings.capacity, files // 6)
wsgi.services.slots.free = conversations
# 1,000 more connections than conversations: to refuse callers and answer /healthz while every slot
# is taken, and to keep idle connections. Past this number, the connection idle longest is closed.
worker_connections = min(conversations + 1000, files - 4 * conversations)
# Longer than a router keeps an idle connection (Heroku: 90 s; HAProxy, in deploy/: 60 s). So the
# router always closes first, and never sends a request on a connection that was just closed.
keepalive = 95
# A platform kills the process 30 s after SIGTERM; requests in flight have one second less. Every
# conversation whose upload has arrived finishes: it is answered within 28 s (PARLEY_DEADLINE).
graceful_timeout = 29
# Load the app before the fork: a bad setting stops the start with one message, instead of workers
# that die again and again. The workers also share the code's memory: an idle one uses 16 MB, its
# part of what is shared included, and a process that loads the app by itself uses about 40 MB.
preload_app = True
# Write heartbeats to memory where possible, since a disk can be slow. gunicorn does not start if
# the folder is missing, as on macOS.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # gunicorn creates its file safely.
if os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
    worker_tmp_dir = SHARED_MEMORY
# Unused; gunicorn would create the socket under $HOME, which may not be writable.
control_socket_disable = True
# No header of a proxy means anything here, whoever sends it: a SCRIPT_NAME never changes the path,
# contradicting schemes refuse no request, and nobody's address is compared with a list.
forwarder_headers, secure_scheme_headers, forwarded_allow_ips = "", {}, "*"
loglevel = wsgi.settings.log_level.lower()
# For platforms that switch the access log on. It holds nothing that the caller wrote: a method, a
# user name, query, referer or path may hold a key. The request's id leads to the conversation's own
# line.
access_log_format = "%(h)s %(t)s %(s)s %(B)s %(M)sms %({x-request-id}o)s"


def on_starting(server: Any) -> None:
    """Refuse what gunicorn would accept, and the callers would suffer from.

    With its own TLS, which the worker leaves out, answers would go out plain. Without workers,
    connections would be accepted and never answered.
    """
    if server.cfg.workers == 0:
        sys.exit("Parley does not start: WEB_CONCURRENCY is 0; set 1 or more, or leave it out.")
    if server.cfg.is_ssl:
        sys.exit("Parley does not start: it speaks plain HTTP; leave certfile and keyfile out.")


def when_ready(_: Any) -> None:
    """Leave what is loaded out of garbage collection, before the workers are forked.

    A full collection would hold up everything in a worker for 20 to 35 ms, once in about 300
    conversations, and write to memory that the workers share (Python's documentation: gc.freeze).
    """
    gc.collect()
    gc.freeze()
