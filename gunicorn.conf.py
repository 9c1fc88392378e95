"""How the service is served; PORT and WEB_CONCURRENCY are gunicorn's own."""

import os

# Look names up with c-ares: gevent's default resolver shares ten threads among all callers.
os.environ.setdefault("GEVENT_RESOLVER", "ares")

from gevent import monkey

monkey.patch_all()  # Before other imports, which would keep the unpatched functions.

import resource  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import wsgi  # noqa: E402  # Puts parley on the path.
from parley import cgroups  # noqa: E402

# gunicorn's gevent worker, with limits that keep one caller from holding up others. A conversation
# mostly waits for the upstream, and small dynos allow only 256 threads, so each gets a greenlet.
worker_class = "parley.web.worker.Worker"
# Not every platform sets the number of workers.
if "WEB_CONCURRENCY" not in os.environ:
    workers = cgroups.workers()
# More connections than conversations: to refuse callers and answer /healthz while every slot is
# taken, and to keep idle connections. Past this number, the connection idle longest is closed.
worker_connections = wsgi.settings.capacity + 1064
# Longer than a router keeps an idle connection (Heroku: 90 s; HAProxy, in deploy/: 60 s). So the
# router always closes first, and never sends a request on a connection that was just closed.
keepalive = 95
# A platform kills the process 30 s after SIGTERM; requests in flight have one second less. Even the
# longest conversation finishes: it is answered 28 s after its upload (PARLEY_DEADLINE).
graceful_timeout = 29
# Load the app before the fork: a bad setting stops the start with one message, instead of workers
# that die again and again. The workers also share the code's memory: an idle one uses 13 MB, its
# part of what is shared included, and a process that loads the app by itself uses 43 MB.
preload_app = True
# Write heartbeats to memory where possible, since a disk can be slow. gunicorn does not start if
# the folder is missing, as on macOS.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # gunicorn creates its file safely.
if os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
    worker_tmp_dir = SHARED_MEMORY
# Unused; gunicorn would create the socket under $HOME, which may not be writable.
control_socket_disable = True
# A SCRIPT_NAME header never changes the path, even if the platform trusts all forwarded headers.
forwarder_headers = ""
# Never DEBUG: gunicorn would log incomplete headers, which may hold a key.
loglevel = "info" if wsgi.settings.log_level == "DEBUG" else wsgi.settings.log_level.lower()
# For platforms that switch the access log on. It holds nothing that the caller wrote: a user name,
# query, referer or path may hold a key. The request's id leads to the conversation's own line.
access_log_format = "%(h)s %(t)s %(m)s %(s)s %(B)s %(M)sms %({x-request-id}o)s"

# Allow as many open files as the system permits. A conversation opens up to three (caller,
# upstream, upload), so the usual limit of 1,024 is enough for only some 330 conversations.
# macOS reports no limit, but accepts at most OPEN_MAX (its setrlimit(2)).
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
allowed = 10_240 if most == resource.RLIM_INFINITY else most
resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def on_starting(server: Any) -> None:
    """Refuse gunicorn's own TLS, which the worker would leave out: answers would go out plain."""
    if server.cfg.is_ssl:
        sys.exit("Parley does not start: it speaks plain HTTP; leave certfile and keyfile out.")
