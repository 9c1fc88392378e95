"""How the service is served; PORT and WEB_CONCURRENCY are gunicorn's own."""

import os
import resource

from wsgi import settings

# gunicorn's own gthread, with limits on how long a caller may stall. A conversation spends its
# life waiting for the upstream, so threads are what counts. PARLEY_THREADS is 1,000 unless set:
# workers accept unevenly (of 1,000 callers at once one took 456 and the other 534; nothing keeps it
# near that), and one may be gone. One in flight costs up to 225 KB: two full workers stay below
# 500 MB.
worker_class = "parley.worker.Worker"
# Beyond the conversations, room to refuse callers and to answer /healthz while every place is
# taken, and for those that take their time to send the headers or to hear the refusal.
threads = settings.threads + 64
# Connections beyond the threads are kept alive or wait; there must be room for some.
worker_connections = threads + 1000
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
loglevel = settings.log_level.lower()

# A conversation takes up to four files (caller, upstream, upload, a poll), so that the 1,024 which
# a process may open unless it asks for more last for some 250.
# macOS says that it has no limit, and takes no more than OPEN_MAX (its setrlimit(2)).
_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
allowed = 10_240 if most == resource.RLIM_INFINITY else most
resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
