"""The errors of requests and of the layers below it, as ours."""

from contextlib import AbstractContextManager
from http.client import HTTPException

import requests
from urllib3 import exceptions

from parley.errors import UpstreamTimeout, UpstreamUnavailable

TOO_LATE = (requests.Timeout, exceptions.TimeoutError)
# What the layers below requests raise when an exchange fails; its own are each an OSError.
BROKEN = (exceptions.HTTPError, exceptions.ProxySchemeUnsupported, HTTPException, OSError)


class ErrorsTranslated(AbstractContextManager[None]):
    """A block that raises UpstreamTimeout or UpstreamUnavailable for foreign errors."""

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        """Raise our error for a foreign one, whose text may quote a key and is left behind."""
        if isinstance(error, TOO_LATE):
            raise UpstreamTimeout() from None
        if isinstance(error, BROKEN):
            raise UpstreamUnavailable() from None


errors_translated = ErrorsTranslated()
