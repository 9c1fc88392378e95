"""Whether a request may begin: by its keys, its slot and its base URLs."""

from flask import request

from parley.base_urls import BaseUrl
from parley.errors import ApiKeyMissing, BaseUrlRefused, Overloaded
from parley.web import caller_headers
from parley.web.request_record import current_record
from parley.web.services import services
from parley.web.serving.slots import RETRY_SECONDS, SLOT
from parley.web.stage_routes import MAIN
from parley.wire.transport import Upstream


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
