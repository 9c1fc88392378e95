"""What must hold under threads holds with gevent's sockets, too."""

import subprocess
import sys

from support import ROOT

FILES = (
    *("test_connecting", "test_connections", "test_faults", "test_realtime", "test_resolver"),
    "wire/test_streaming",
)


def test_sockets_keep_their_promises_under_gevent():
    """Those tests that wait for a peer run again as the service does, patched before all imports.

    The others are about what an answer means, and no socket's matter.
    """
    command = [sys.executable, "-m", "gevent.monkey", "--module", "pytest", "-m", "both_models"]
    files = [f"tests/{name}.py" for name in FILES]
    done = subprocess.run(
        [*command, "-q", "-p", "no:cacheprovider", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
