"""What is known of a request, from its headers to its line in the log, in one object."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from flask import g, request

from parley.conversation.state import Conversation
from parley.redaction import Secrets, valid_request_id
from parley.web.caller_headers import credentials_of, routes_for
from parley.web.services import services
from parley.web.serving.connection_limits import connection_of
from parley.web.stage_routes import Route


@dataclass
class RequestRecord:
    """Begun with the request's headers; what is found out later is added where it is found out."""

    request_id: str
    secrets: Secrets  # What shows a key or the token of the request, or a key of the operator's.
    routes: Mapping[str, Route]  # By stage, where its calls go.
    began: float = field(default_factory=time.monotonic)
    form: Mapping[str, Any] = field(default_factory=dict)
    """Its valid fields, once `form_of` has read them, unless they may hold a key."""
    other_hosts: Mapping[str, str] = field(default_factory=dict)
    """By stage, the host, where it is not the main one's; `admit` sets it."""
    conversation: Conversation | None = None  # With one, the log gets a line.
    bytes_in: int | None = None


def begin() -> None:
    """Begin the request's record, with the caller's id or ours; raise the server's refusal."""
    headers, settings = request.headers, services().settings
    secrets = Secrets(*credentials_of(headers), *settings.operator_keys.values())
    # With tokens, which ids are kept would tell what the operator's keys contain.
    named = "" if settings.caller_tokens else headers.get("X-Request-ID", "")
    request_id = valid_request_id(named, secrets) or uuid.uuid4().hex
    g.record = RequestRecord(request_id, secrets, routes_for(headers, settings))
    if (connection := connection_of(request)) and connection.refusal:
        raise connection.refusal


def current_record() -> RequestRecord:
    """That of the current request."""
    return cast(RequestRecord, g.record)
