"""One call over a transport, as the tests of the wire make it, and what it leaves open."""

import os

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.redaction import Secrets
from parley.wire.messages import Upstream
from testing.builders import KEY


def post(transport, url, path="/chat/completions", body=None, limit=1_000_000, seconds=5):
    """One call with the test's key, of JSON unless said."""
    upstream = Upstream(BaseUrl.parse(url), KEY, Secrets(KEY))
    deadline = Deadline.after(seconds)
    body = body or {"model": "m"}
    with transport.stream(upstream, path, body, limit=limit, deadline=deadline) as answer:
        return answer.whole()


def descriptors() -> int:
    """How many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  # A folder of /proc.
