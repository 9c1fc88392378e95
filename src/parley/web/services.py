"""What the service was started with, for every section to work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import cast

from flask import current_app

from parley.models.registry import Registry
from parley.settings import Settings
from parley.web.serving.slots import Slots
from parley.wire.transport import Transport


@dataclass(frozen=True)
class Services:
    """Plain data, made once in wsgi.py."""

    settings: Settings
    registry: Registry
    transport: Transport
    today: Callable[[], date]  # Tells the current day, in UTC.
    slots: Slots  # The conversations that the process may still begin.


def services() -> Services:
    """The services of the application that answers the current request."""
    return cast(Services, current_app.extensions["parley"])
