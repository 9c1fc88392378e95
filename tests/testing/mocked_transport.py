"""requests_mock in place of the transport's adapters: by itself it replaces a session's alone."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests
import requests_mock

from parley.wire.adapter import Adapter


class _Session(requests.Session):
    """What the mocker replaces the adapters of; an adapter alone knows nothing of redirects."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: nothing is a redirect."""


def _send(_: Adapter, request: requests.PreparedRequest, **options: object) -> requests.Response:
    return _Session().send(request, **options)


@contextmanager
def mocked_requests() -> Iterator[requests_mock.Mocker]:
    """What is called meanwhile is answered as the mocker is told; anything else fails."""
    with requests_mock.Mocker() as mocker, pytest.MonkeyPatch.context() as patch:
        patch.setattr(Adapter, "send", _send)
        yield mocker
