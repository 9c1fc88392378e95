"""The errors of requests and of the layers below it, as ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import requests
import urllib3

from parley.errors import UpstreamTimeout, UpstreamUnavailable

BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    HTTPException,
    OSError,
)
"""What requests and the layers below it raise when an exchange fails."""


@contextmanager
def errors_translated() -> Iterator[None]:
    """Raise UpstreamTimeout or UpstreamUnavailable for foreign errors.

    Their texts, which may quote a key, are left behind.
    """
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError):
        raise UpstreamTimeout() from None
    except BROKEN:
        raise UpstreamUnavailable() from None
