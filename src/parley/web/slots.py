"""A conversation's place: taken once for a request, and given back once, whatever happens."""

from collections.abc import Callable, Iterable, Iterator
from threading import Semaphore
from typing import Any

WSGI = Callable[..., Iterable[bytes]]
PLACE = "parley.place"
"""The request's place in its WSGI environment."""


class Place:
    """The right of one request to one of the process's places."""

    def __init__(self, places: Semaphore) -> None:
        """Hold none yet."""
        self._places = places
        self._held = False

    def take(self) -> bool:
        """Whether the request holds a place, now or since it asked before."""
        self._held = self._held or self._places.acquire(blocking=False)
        return self._held

    def leave(self) -> None:
        """Give the place back, if there is one."""
        if self._held:
            self._held = False
            self._places.release()


def giving_back(app: WSGI, places: Semaphore) -> WSGI:
    """The WSGI application, each of whose requests leaves its place when its answer is closed."""

    def call(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        place = environ[PLACE] = Place(places)
        try:
            return _Answer(app(environ, start_response), place)
        except BaseException:
            place.leave()
            raise

    return call


class _Answer:
    def __init__(self, body: Iterable[bytes], place: Place) -> None:
        self._body = body
        self._place = place

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        try:
            if close := getattr(self._body, "close", None):
                close()
        finally:
            self._place.leave()
