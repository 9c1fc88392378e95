"""What is known of a request, from its headers to its line in the log, in one object."""

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

from flask import Response, g, request

from parley import errors, log
from parley.conversation.stages import Conversation
from parley.redaction import Secrets, valid_request_id
from parley.web.caller_headers import caller_routes, credentials_of
from parley.web.services import services
from parley.web.serving.connection_limits import connection_check, connection_of
from parley.web.stage_routes import Route

CALLER_LEFT = "caller_disconnected"  # In the log; in answers, which some read: request_malformed.
MOST_IDS = 20  # Of the upstream's ids, in the line: a long stream makes thousands of calls.


@dataclass
class RequestRecord:
    """Begun with the request's headers; what is found out later is added where it is found out."""

    request_id: str
    secrets: Secrets  # What shows a key or the token of the request, or a key of the operator's.
    routes: Mapping[str, Route]  # By stage, where its calls go.
    began: float = field(default_factory=time.monotonic)
    form: Mapping[str, Any] = field(default_factory=dict)  # Its valid fields, if none holds a key.
    other_hosts: Mapping[str, str] = field(default_factory=dict)  # By stage, if not the main one's.
    conversation: Conversation | None = None  # With one, the log gets a line.
    bytes_in: int | None = None
    bytes_out: int = 0
    is_cut: bool = False  # Whether the answer was not written to its end, or its caller had left.

    def durations(self) -> dict[str, float]:
        """The milliseconds of each stage that was begun, and of the whole request so far."""
        stages = self.conversation.seconds if self.conversation else {}
        seconds = {**stages, "total": time.monotonic() - self.began}
        return {name: round(1000 * duration, 1) for name, duration in seconds.items()}

    def counted(self, pieces: Iterable[bytes], is_connected: Callable[[], bool]) -> Iterator[bytes]:
        """The pieces of the answer; notes how much of it the server has written."""
        # Asked first, since writing does not tell: the kernel takes a short answer all the same.
        self.is_cut, has_left = True, not is_connected()
        for piece in pieces:
            yield piece
            self.bytes_out += len(piece)  # The server takes the next piece once it has written one.
        self.is_cut = has_left

    def log(self, conversation: Conversation, status: int) -> None:
        """Log the conversation, whose answer is closed, whole or cut."""
        if self.is_cut:
            conversation.note(errors.CallerDisconnected())
        stage, code = _failed(conversation)
        secrets, hosts, attempts = self.secrets, self.other_hosts, conversation.attempts
        ids = [attempt.upstream_id for attempt in attempts]
        models = conversation.models_used.items()
        lowered = Secrets(*map(str.lower, secrets.credentials)) if hosts else secrets  # As hosts.
        fields: dict[str, object] = {
            "request_id": self.request_id,
            "status": status,
            "stage": stage,
            "code": code,
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            **{f"{stage}_model": secrets.kept_out_of(model.name) for stage, model in models},
            **{f"{stage}_host": lowered.kept_out_of(host) for stage, host in hosts.items()},
            **{f"{name}_ms": duration for name, duration in self.durations().items()},
            "retries": sum(attempt.is_retry for attempt in attempts),
            "upstream_ids": ",".join(map(secrets.kept_out_of, ids[:MOST_IDS])),
        }
        if len(ids) > MOST_IDS:
            fields["more_upstream_ids"] = len(ids) - MOST_IDS
        log.conversation(fields, cut=self.is_cut or code == CALLER_LEFT)


def begin() -> None:
    """Begin the request's record, with the caller's id or ours; raise the refusal of the worker."""
    headers, settings = request.headers, services().settings
    secrets = Secrets(*credentials_of(headers), *settings.operator_keys.values())
    # With tokens, which ids are kept would tell what the operator's keys contain.
    named = "" if settings.caller_tokens else headers.get("X-Request-ID", "")
    request_id = valid_request_id(named, secrets) or uuid.uuid4().hex
    g.record = RequestRecord(request_id, secrets, caller_routes(headers, settings))
    if (connection := connection_of(request)) and connection.refusal:
        raise connection.refusal


def current_record() -> RequestRecord:
    """The record that `begin` has made for the current request."""
    return cast(RequestRecord, g.record)


def complete(response: Response) -> Response:
    """Add the request's id and its times so far in milliseconds, and begin the answer."""
    record = current_record()
    times = (f"{name};dur={duration}" for name, duration in record.durations().items())
    response.headers["X-Request-ID"] = record.request_id
    response.headers["Server-Timing"] = ", ".join(times)
    if conversation := record.conversation:
        pieces = cast(Iterable[bytes], response.response)
        if close := getattr(pieces, "close", None):
            response.call_on_close(close)
        response.response = record.counted(pieces, connection_check(request))
        record.bytes_in = request.content_length  # The request is gone when its answer ends.
        response.call_on_close(partial(record.log, conversation, response.status_code))
    if connection := connection_of(request):
        connection.start_answer()
    return response


def _failed(conversation: Conversation) -> tuple[str | None, str | None]:
    """The stage and the code of the failure, if any; of a caller who left, the last stage begun."""
    failure = conversation.failure
    if isinstance(failure, errors.CallerDisconnected):
        begun = [stage for stage in conversation.models_used if stage in conversation.seconds]
        return begun[-1] if begun else failure.stage, CALLER_LEFT
    return (failure.stage, failure.code) if failure else (None, None)
