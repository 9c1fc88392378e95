"""Whether a request may begin, and with what: its key, its slot, its base URL, its models.

`upstream_of` makes the checks in the order that the API promises: the key, a slot, the base URL.
The base URL is last because its check can take as long as a DNS lookup.
"""

import re
from collections.abc import Mapping
from typing import Any

from flask import Request, g
from marshmallow import ValidationError
from werkzeug.datastructures import Headers, MIMEAccept

from parley.base_urls import BaseUrl, Destination
from parley.deadline import Deadline
from parley.errors import ApiKeyMissing, Overloaded
from parley.models.registry import Models
from parley.settings import Settings
from parley.upstream.calls import Calls
from parley.upstream.client import Client
from parley.upstream.options import Options
from parley.web.representation import SOUND_TYPES, Representation, accepted
from parley.web.services import Services
from parley.web.slots import SLOT
from parley.wire.messages import Upstream

KEY_HEADER = "X-OpenAI-API-Key"
BASE_URL_HEADER = "X-OpenAI-Base-URL"
VISIBLE_ASCII = re.compile(r"[!-~]+")

OPTIONS = ("system_prompt", "voice", "audio_format", "language", "history")

RETRY_SECONDS = 2
"""When a refused caller may try again: a conversation takes about as long, and frees its slot."""


def upstream_of(request: Request, services: Services) -> Upstream:
    """Where the request's calls go, and with which key; the request holds a slot from here on.

    Raises ApiKeyMissing, Overloaded or BaseUrlRefused.
    """
    api_key = api_key_of(request.headers, required=services.settings.key_required)
    take_slot(request)
    return Upstream(destination_of(request.headers, services), api_key, g.request_id)


def api_key_of(headers: Headers, *, required: bool = True) -> str:
    """The caller's API key, from KEY_HEADER or else from `Authorization: Bearer KEY` (RFC 6750).

    Raises ApiKeyMissing for a key that no HTTP header may carry, and, where a key is `required`, if
    there is none. Otherwise no key is the empty string.
    """
    key = headers.get(KEY_HEADER, "").strip()
    if not key:
        scheme, _, credentials = headers.get("Authorization", "").strip().partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
    if not VISIBLE_ASCII.fullmatch(key) and (key or required):
        raise ApiKeyMissing()
    return key


def take_slot(request: Request) -> None:
    """Take one of the process's slots; the request holds it until its answer is closed.

    Raises Overloaded where all slots are taken.
    """
    if not request.environ[SLOT].take():
        raise Overloaded(retry_after=RETRY_SECONDS)


def destination_of(headers: Headers, services: Services) -> Destination:
    """The base URL that the caller names and may use, else the service's own.

    Raises BaseUrlRefused.
    """
    named = headers.get(BASE_URL_HEADER, "").strip()
    if not named:
        return Destination(services.settings.openai_base_url)
    destination = services.settings.allowed_base_urls.destination_of(named)
    services.transport.require_allowed(destination)
    return destination


def models_of(options: Mapping[str, str], headers: Headers, services: Services) -> Models:
    """The request's models: those that `options` name, or what MODEL_LIST.MD has in their stead.

    The list's shutdown dates apply to OpenAI's hosts and to the service's own upstream. A model of
    the same name on another host, such as a self-hosted tts-1, does not shut down with OpenAI's.
    """
    own, named = services.settings.openai_base_url, headers.get(BASE_URL_HEADER, "").strip()
    try:
        url = BaseUrl.parse(named) if named else own
    except ValueError:
        url = own  # `destination_of` refuses such a request; its answer still names the models.
    dates_apply = url.is_openai or (url.host, url.port) == (own.host, own.port)
    return services.registry.resolve(options, services.today() if dates_apply else None)


def options_of(
    form: Mapping[str, Any], accept: MIMEAccept, settings: Settings
) -> tuple[Representation, Options]:
    """What the answer is to look like, and what the form chooses of the speech and of the reply.

    Raises ValidationError where `audio_format` is a kind of sound that is not accepted.
    """
    representation, sound = accepted(accept)
    chosen = {name: form[name] for name in OPTIONS if name in form}
    if sound:
        asked = chosen.setdefault("audio_format", sound)
        if asked != sound and not accept[SOUND_TYPES[asked]]:
            message = f"Send 'audio_format' as {sound}, as Accept asks, or leave it out."
            raise ValidationError(message, "audio_format", valid_data=dict(form))
    return representation, Options(**{"system_prompt": settings.system_prompt, **chosen})


def client_of(upstream: Upstream, options: Options, services: Services) -> Client:
    """The client for one conversation with the upstream; the conversation's time begins now."""
    deadline = Deadline.after(services.settings.deadline)
    return Client(Calls(services.transport, upstream, deadline), options)
