"""The errors of requests and of the layers below it, as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import requests
from urllib3 import exceptions

from parley.errors import UpstreamTimeout, UpstreamUnavailable

TOO_LATE = (requests.Timeout, exceptions.TimeoutError)
# What the layers below requests raise when an exchange fails; its own are each an OSError.
BROKEN = (exceptions.HTTPError, exceptions.ProxySchemeUnsupported, HTTPException, OSError)


@contextmanager
def errors_translated() -> Iterator[None]:
    """A block that raises our error for a foreign one, whose text may quote a key and is lost."""
    try:
        yield
    except TOO_LATE:
        raise UpstreamTimeout() from None
    except BROKEN:
        raise UpstreamUnavailable() from None
