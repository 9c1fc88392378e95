"""What goes into a call to an upstream and what comes back, as plain values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parley.base_urls import Destination
from parley.recordings import Recording

Form = Sequence[tuple[str, str | Recording]]
"""A form's fields by name; a recording is named and typed from its kind."""


@dataclass(frozen=True)
class Upstream:
    """Where a caller's calls go, and with which key."""

    destination: Destination
    api_key: str = field(repr=False)
    """Blank if the upstream needs none: then no `Authorization` is sent."""
    request_id: str = ""
    """The id that the upstream may log each call under, beside its own; blank: none is sent."""


@dataclass(frozen=True)
class Answer:
    """An upstream's whole answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str | None = None
