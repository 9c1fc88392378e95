"""What must hold under threads holds with gevent's sockets, too."""

import subprocess
import sys

from testing.builders import ROOT

FILES = (
    "tests/upstream/test_faults.py",
    "tests/upstream/test_realtime_handshakes.py",
    "tests/upstream/test_realtime_sessions.py",
    "tests/wire/test_connecting.py",
    "tests/wire/test_timed_sockets.py",
    "tests/wire/test_resolver.py",
    "tests/wire/streams",
    "tests/web/test_dismissal.py",
)


def test_sockets_keep_their_promises_under_gevent():
    """Those tests that wait for a peer run again as the service does, patched before all imports.

    The others are about what an answer means, and no socket's matter.
    """
    command = [sys.executable, "-m", "gevent.monkey", "--module", "pytest", "-m", "both_models"]
    done = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider", *FILES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
