"""The connection of a request: which headers it brought, and whether it is still open."""

from collections import Counter
from collections.abc import Callable, Iterable

from werkzeug.wrappers import Request

from parley.errors import ConversationError
from parley.web.serving.connection_limits import CallerConnection


def connection_of(request: Request) -> CallerConnection | None:
    """The request's connection; servers other than the worker do not give it."""
    connection = request.environ.get("gunicorn.socket")
    return connection if isinstance(connection, CallerConnection) else None


def require_once(request: Request, names: Iterable[str], error: type[ConversationError]) -> None:
    """Raise the error for a header of these that the request holds more than once.

    WSGI has one text for each header, in which servers join repeated ones with commas. gunicorn's
    request still has each; with other servers, a comma in the text counts as a second header.
    """
    if (connection := connection_of(request)) and connection.request:
        times = Counter(name for name, _ in connection.request.headers)
        repeated = [name for name in names if times[name.upper()] > 1]
    else:
        repeated = [name for name in names if "," in request.headers.get(name, "")]
    if repeated:
        raise error(
            f"Send {repeated[0]} once; the request holds it several times, and none was used."
        )


def connection_check(request: Request) -> Callable[[], bool]:
    """A function that tells, whenever it is called, whether the caller is still connected.

    Without the connection, the function returns true.
    """
    connection = connection_of(request)
    return connection.is_open if connection else lambda: True
