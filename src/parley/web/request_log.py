"""What is told of a request: an id, its times in the answer, and a conversation's log line."""

import time
import uuid

from flask import Response, g, request

from parley.conversation.state import Conversation
from parley.log import log
from parley.redaction import reveals, valid_request_id
from parley.web.admission import KEY_HEADER


def begin() -> None:
    """Begin the request's time, and give it the caller's id if that is sane, else a new one."""
    g.began = time.monotonic()
    named = valid_request_id(request.headers.get("X-Request-ID", "")) or ""
    g.request_id = _discreet(named) or uuid.uuid4().hex


def finish(response: Response) -> None:
    """Put id and times (in milliseconds) into the answer, and log the conversation, if any."""
    talk: Conversation | None = g.get("conversation")
    seconds = {**(talk.seconds if talk else {}), "total": time.monotonic() - g.began}
    durations = {name: round(1000 * duration, 1) for name, duration in seconds.items()}
    response.headers["X-Request-ID"] = g.request_id
    response.headers["Server-Timing"] = ", ".join(
        f"{name};dur={duration}" for name, duration in durations.items()
    )
    if talk is None:
        return
    log.info(
        {
            "request_id": g.request_id,
            "status": response.status_code,
            "stage": talk.failure.stage if talk.failure else None,
            "code": talk.failure.code if talk.failure else None,
            "bytes_in": request.content_length,
            "bytes_out": response.content_length,
            **{
                f"{stage}_model": _discreet(model.name) for stage, model in talk.models_used.items()
            },
            **{f"{name}_ms": duration for name, duration in durations.items()},
            "retries": talk.retries,
            "upstream_ids": ",".join(map(_discreet, talk.upstream_ids)),
        }
    )


def _discreet(text: str) -> str:
    """What others made up, or nothing where it shows a part of the caller's key."""
    keys = (request.headers.get(name, "") for name in (KEY_HEADER, "Authorization"))
    return "" if any(reveals(text, key) for key in keys) else text
