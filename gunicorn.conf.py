"""How the service is served; PORT and WEB_CONCURRENCY are gunicorn's own."""

import os

# Names are looked up by c-ares: gevent's other way has ten threads for all callers' names.
os.environ.setdefault("GEVENT_RESOLVER", "ares")

from gevent import monkey

monkey.patch_all()  # Before anything else is imported, which would keep what it replaces.

import resource  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import wsgi  # noqa: E402  # Puts parley on the path.
from parley import cgroups  # noqa: E402

# gunicorn's own gevent worker, with limits on what a caller may do to others. A conversation spends
# its life waiting for the upstream, and small dynos allow 256 threads in all: each has a greenlet.
worker_class = "parley.web.worker.Worker"
# Not every platform says how many workers there should be.
if "WEB_CONCURRENCY" not in os.environ:
    workers = cgroups.workers()
# Beyond the conversations, room to refuse callers, to answer /healthz while every place is taken,
# and for connections that are kept alive. Past it the one that is idle longest is closed.
worker_connections = wsgi.settings.capacity + 1064
# Longer than a router keeps an idle connection (Heroku's: 90 s; HAProxy's, in deploy/: 60 s), so
# that it is always the router that closes, and none sends a request into a connection just closed.
keepalive = 95
# A platform kills 30 s after SIGTERM; what is in flight has until a second before. A conversation
# has its answer 28 s after its upload (PARLEY_DEADLINE), so the longest are let finish too.
graceful_timeout = 29
# Loaded before the fork: a bad setting stops the start with its sentence instead of a loop of
# dying workers, and the workers share the code's memory (13 MB for an idle one, of its own and
# its share; a process by itself has 43 MB).
preload_app = True
# Heartbeats must not wait for a disk, where there is memory to be had. gunicorn does not start
# where the folder is missing, as on macOS.
SHARED_MEMORY = "/dev/shm"  # noqa: S108  # gunicorn makes its file there safely.
if os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
    worker_tmp_dir = SHARED_MEMORY
# gunicorn would open it under $HOME, which may not be writable, and nothing here uses it.
control_socket_disable = True
# A caller's SCRIPT_NAME moves no address, even where the platform trusts every sender's headers.
forwarder_headers = ""
# Never DEBUG: gunicorn would log headers that it could not read to the end.
loglevel = "info" if wsgi.settings.log_level == "DEBUG" else wsgi.settings.log_level.lower()
# Some platforms switch the access log on. Nothing in it is as the caller wrote it: a user name, a
# query, a referer or a path may hold a key. The request's id leads to the conversation's line.
access_log_format = "%(h)s %(t)s %(m)s %(s)s %(B)s %(M)sms %({x-request-id}o)s"

# A conversation takes up to three files (caller, upstream, upload), so that the 1,024 which a
# process may open unless it asks for more last for some 330.
# macOS says that it has no limit, and takes no more than OPEN_MAX (its setrlimit(2)).
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
allowed = 10_240 if most == resource.RLIM_INFINITY else most
resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def on_starting(server: Any) -> None:
    """Refuse gunicorn's own TLS, which the worker would leave out: answers would go out plain."""
    if server.cfg.is_ssl:
        sys.exit("Parley does not start: it speaks plain HTTP; leave certfile and keyfile out.")
