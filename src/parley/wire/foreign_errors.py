"""The errors of requests and of the layers below it, as ours."""

from contextlib import AbstractContextManager
from http.client import HTTPException

import requests
import urllib3

from parley.errors import UpstreamTimeout, UpstreamUnavailable

TOO_LATE = (requests.Timeout, urllib3.exceptions.TimeoutError)
BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    urllib3.exceptions.ProxySchemeUnsupported,
    HTTPException,
    OSError,
)
"""What requests and the layers below it raise when an exchange fails."""


class ErrorsTranslated(AbstractContextManager[None]):
    """A block that raises UpstreamTimeout or UpstreamUnavailable for foreign errors.

    Their texts, which may quote a key, are left behind.
    """

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Raise our error for a foreign one."""
        if isinstance(error, TOO_LATE):
            raise UpstreamTimeout() from None
        if isinstance(error, BROKEN):
            raise UpstreamUnavailable() from None


errors_translated = ErrorsTranslated()
