"""What an upstream says of a failure, read from every shape in which hosts say it."""

from dataclasses import dataclass, field
from typing import Any

DEEPEST = 5
"""How many objects or lists may lie around the reason."""

READ_CHARACTERS, LISTED = 1000, 5
"""How much of a reason, and how many of several, are examined."""

WAITS = ("retry", "reset")
"""What stands in the name of a field that says when to try again (`retryDelay`, `retry_after`)."""


@dataclass(frozen=True)
class Report:
    """A failure's names, such as `error.code` and `error.type`, and its reason in one line."""

    names: tuple[str, ...] = ()
    message: str = ""
    source: Any = field(default=None, repr=False)

    @property
    def status(self) -> int | None:
        """The HTTP status that one of the names is (`429`, `"502"`), if it is that of a failure."""
        for name in self.names:
            if name.isascii() and name.isdecimal() and 400 <= int(name) <= 599:
                return int(name)
        return None

    @property
    def has_wait(self) -> bool:
        """Whether a field says when to try again."""
        return _has_wait(self.source, DEEPEST)


def error_in(value: Any) -> Any:
    """The `error` of an answer or an event, which counts whatever else there is; else None.

    Gemini puts its answer into a list.
    """
    if isinstance(value, list) and value:
        value = value[0]
    return (value.get("error") or None) if isinstance(value, dict) else None


def report_of(value: Any) -> Report:
    """What a JSON value says of a failure: an object with `error`, `detail` or `message`, or less.

    The value may also be what stands in `error`. Linear in its size.
    """
    names, message = _read(value, DEEPEST)
    return Report(names, " ".join(message[:READ_CHARACTERS].split()), value)


def _read(value: Any, depth: int) -> tuple[tuple[str, ...], str]:
    """The names and the reason."""
    if isinstance(value, str):
        return (), value
    if not depth or not isinstance(value, dict | list):
        return (), ""
    if isinstance(value, list):
        read = [_read(item, depth - 1) for item in value[:LISTED]]
        return next(iter(read), ((), ""))[0], "; ".join(filter(None, (text for _, text in read)))
    names = [value.get("code"), value.get("type")]
    for key in ("error", "errors", "detail", "message", "msg"):
        inner = value.get(key)
        if key == "error" and _is_name(value):
            names.append(inner)
        elif inner:
            others, message = _read(inner, depth - 1)
            if message or others:
                own = tuple(str(name)[:100] for name in names if isinstance(name, str | int))
                return own + others, _placed(value, message)
    return tuple(str(name)[:100] for name in names if isinstance(name, str | int)), ""


def _is_name(value: dict[str, Any]) -> bool:
    """Whether `error` only names the failure, and the reason stands beside it."""
    is_short = isinstance(value.get("error"), str | int)
    return is_short and any(value.get(key) for key in ("detail", "message", "msg"))


def _placed(value: dict[str, Any], message: str) -> str:
    """The reason, and before it the field that it is about, as FastAPI names it in `loc`."""
    place = value.get("loc")
    if not isinstance(place, list) or not message:
        return message
    steps = [str(step)[:100] for step in place[:LISTED] if step not in ("body", "query")]
    return f"{'.'.join(steps)}: {message}" if steps else message


def _has_wait(value: Any, depth: int) -> bool:
    if isinstance(value, list):
        return bool(depth) and any(_has_wait(item, depth - 1) for item in value)
    if not isinstance(value, dict):
        return False
    return any(
        (item and any(word in str(key).lower() for word in WAITS))
        or (bool(depth) and _has_wait(item, depth - 1))
        for key, item in value.items()
    )
