"""Whether a request may begin, and with what: its keys, slot, base URLs, options and Accept."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_options_header

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import ApiKeyMissing, BaseUrlRefused, OptionInvalid, Overloaded
from parley.models.registry import Model
from parley.settings import Settings
from parley.upstream.client import Client, Options
from parley.upstream.speech_formats import AUDIO_FORMATS
from parley.web import caller_headers
from parley.web.request_record import current_record
from parley.web.services import services
from parley.web.serving.slots import RETRY_SECONDS, SLOT
from parley.web.stage_routes import MAIN
from parley.wire.transport import Upstream

JSON, STREAM, SOUND = "json", "stream", "sound"
OURS = {
    **dict.fromkeys(("application/json", "application/*", "text/*", "*/*"), (JSON, "")),
    "text/event-stream": (STREAM, ""),
    "audio/*": (SOUND, ""),
    **{kind: (SOUND, name) for name, kind in AUDIO_FORMATS.items() if name != "pcm"},
}
"""By media type, the representation that it asks for, and the audio format if it names one."""


def admit() -> dict[str, Upstream]:
    """Check keys, take a slot, and judge base URLs; return, by stage, where its calls go.

    The base URLs are last because their check can take as long as a DNS lookup. The hosts are noted
    in the request's record. Raises ApiKeyMissing, TokenRejected, Overloaded or BaseUrlRefused.
    """
    settings, headers, record = services().settings, request.headers, current_record()
    caller_headers.require_once(request, caller_headers.CREDENTIAL_HEADERS, ApiKeyMissing)
    if settings.caller_tokens:
        caller_headers.require_token(headers, settings.caller_tokens)
    else:
        caller_headers.require_keys(headers, record.routes, required=settings.key_required)
    if not request.environ[SLOT].take():
        raise Overloaded(retry_after=RETRY_SECONDS)
    if settings.caller_tokens:
        caller_headers.require_no_hosts(headers)
    caller_headers.require_once(request, caller_headers.BASE_URL_HEADERS.values(), BaseUrlRefused)
    named = {
        name: settings.allowed_base_urls.admitted(url, caller_headers.BASE_URL_HEADERS[name])
        for name, url in caller_headers.urls_of(headers).items()
    }
    services().transport.require_allowed_addresses(*named.values())
    upstreams = {
        stage: Upstream(
            named[route.name] if isinstance(route.url, str) else route.url,  # A text is a caller's.
            route.key,
            record.secrets,
            record.request_id,
            is_quoted=not settings.caller_tokens,
            key_header="" if settings.caller_tokens else caller_headers.KEY_HEADERS[route.name],
            is_operators_host=isinstance(route.url, BaseUrl) and not route.url.is_openai,
        )
        for stage, route in record.routes.items()
    }
    main = named.get(MAIN, settings.openai_base_url).authority
    hosts = {stage: upstream.url.authority for stage, upstream in upstreams.items()}
    record.other_hosts = {stage: host for stage, host in hosts.items() if host != main}
    return upstreams


def accepted(accept: MIMEAccept) -> tuple[str, str]:
    """The representation that weighs most, and the audio format that it asks for, if it does.

    Types are without parameters (RFC 9110, 12.5.1). Of equal ones the first more specific counts.
    """
    for value, weight in sorted(accept, key=lambda item: -item[1]):
        media_type = parse_options_header(value)[0].lower()
        if weight > 0 and media_type in OURS:
            return OURS[media_type]
    return JSON, ""


def options_of(
    form: Mapping[str, Any], accept: MIMEAccept, settings: Settings
) -> tuple[str, Options]:
    """The answer's shape, and the options; raise OptionInvalid where Accept forbids one."""
    representation, named = accepted(accept)
    names = [option.name for option in fields(Options)]  # Not the recording and the models.
    chosen = {name: form[name] for name in names if name in form}
    if named:
        sent = chosen.setdefault("audio_format", named)
        if sent != named and not accept[AUDIO_FORMATS[sent]]:
            raise OptionInvalid(f"Send 'audio_format' as {named}, as Accept asks, or leave it out.")
    return representation, Options(**{"system_prompt": settings.system_prompt, **chosen})


def begin_client(
    upstreams: Mapping[str, Upstream], models: dict[str, Model], options: Options
) -> Client:
    """The client for one conversation; its time begins now, and its slot counts its memory."""
    usage, ours = request.environ[SLOT].usage, services()
    for text in (options.system_prompt, *(turn["content"] for turn in options.history)):
        usage.add_text(text)
    deadline = Deadline.after(ours.settings.deadline)
    return Client(ours.transport, upstreams, models, deadline, options, usage)
