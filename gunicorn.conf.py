"""How the service is served; PORT and WEB_CONCURRENCY are gunicorn's own."""

from wsgi import settings

# A conversation spends its life waiting for the upstream, so threads are what counts.
# gunicorn's own gthread, with limits on how long a caller may stall.
worker_class = "parley.worker.Worker"
threads = settings.threads
# Connections beyond the threads are kept alive or wait; there must be room for some.
worker_connections = threads + 1000
# Loaded before the fork: a bad setting stops the start with its sentence instead of a loop of
# dying workers, and the workers share the code's memory.
preload_app = True
# Heartbeats must not wait for a disk.
worker_tmp_dir = "/dev/shm"  # noqa: S108  # Memory, and gunicorn makes its file there safely.
# gunicorn would open it under $HOME, which may not be writable, and nothing here uses it.
control_socket_disable = True
loglevel = settings.log_level.lower()
