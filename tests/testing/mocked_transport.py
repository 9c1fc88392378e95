"""requests_mock in place of the transport's adapters: by itself it replaces a session's alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import requests_mock

from parley.wire.connections import Adapter


def _send(_: Adapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
    return requests.Session().send(request, allow_redirects=False, **options)


@contextmanager
def mocked_requests() -> Iterator[requests_mock.Mocker]:
    """What is called meanwhile is answered as the mocker is told; anything else fails."""
    with requests_mock.Mocker() as mocker, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Adapter, "send", _send)
        yield mocker
