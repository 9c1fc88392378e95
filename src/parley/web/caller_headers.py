"""The headers in which callers name hosts and send keys or a token, and what is wrong with them."""

from collections.abc import Iterable, Mapping
from hmac import compare_digest

from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from parley.errors import ApiKeyMissing, BaseUrlRefused, OptionInvalid, RequestError, TokenRejected
from parley.settings import VISIBLE_ASCII, Settings
from parley.web.serving.connection_limits import connection_of
from parley.web.stage_routes import MAIN, Route, operator_routes, routes_by_rule

STAGE_KEY_HEADERS = {"stt": "X-STT-API-Key", "text": "X-Text-API-Key", "tts": "X-TTS-API-Key"}
STAGE_URL_HEADERS = {"stt": "X-STT-Base-URL", "text": "X-Text-Base-URL", "tts": "X-TTS-Base-URL"}
KEY_HEADERS = {MAIN: "X-OpenAI-API-Key", **STAGE_KEY_HEADERS}
BASE_URL_HEADERS = {MAIN: "X-OpenAI-Base-URL", **STAGE_URL_HEADERS}
CREDENTIAL_HEADERS = (KEY_HEADERS[MAIN], "Authorization", *STAGE_KEY_HEADERS.values())
NAMES = ("stt_model", "text_model", "tts_model", "voice")  # The options that may be any name.
PASTED = 12  # So many characters of a key in a row are no accident, as those of "ollama" can be.


def urls_of(headers: Headers) -> dict[str, str]:
    """By stage or MAIN, the base URLs that a caller's headers name; blank ones are not named."""
    sent = {name: headers.get(header, "").strip() for name, header in BASE_URL_HEADERS.items()}
    return {name: url for name, url in sent.items() if url}


def keys_of(headers: Headers) -> dict[str, str]:
    """By stage or MAIN, the keys in a caller's headers, or the token; blank where there is none."""
    keys = {name: headers.get(header, "").strip() for name, header in KEY_HEADERS.items()}
    scheme, _, credentials = headers.get("Authorization", "").strip().partition(" ")
    if not keys[MAIN] and scheme.lower() == "bearer":  # RFC 6750.
        keys[MAIN] = credentials.strip()
    return keys


def credentials_of(headers: Headers) -> list[str]:
    """The headers that may hold a key or a token, as they were sent, used or not."""
    return [headers[name] for name in CREDENTIAL_HEADERS if name in headers]


def caller_routes(headers: Headers, settings: Settings) -> dict[str, Route]:
    """The route of each stage, by what a caller names or, with tokens, by the settings alone."""
    if settings.caller_tokens:
        return operator_routes(settings)
    return routes_by_rule(urls_of(headers), keys_of(headers), settings)


def require_once(request: Request, names: Iterable[str], error: type[RequestError]) -> None:
    """Raise the error for a header of these that the request holds more than once."""
    if (connection := connection_of(request)) and connection.request:
        sent = [name for name, _ in connection.request.headers]
        repeated = [name for name in names if sent.count(name.upper()) > 1]
    else:  # Other servers' WSGI has one text, in which repeated ones are joined with commas.
        repeated = [name for name in names if "," in request.headers.get(name, "")]
    for name in repeated:
        raise error(f"Send {name} once; the request holds it several times, and none was used.")


def require_keys(headers: Headers, routes: Mapping[str, Route], *, required: bool) -> None:
    """Raise ApiKeyMissing for a key that no header may carry, or where one is missing."""
    for name, key in keys_of(headers).items():
        if key and not VISIBLE_ASCII.fullmatch(key):
            own = f"Send the key in {KEY_HEADERS[name]} in visible ASCII, or leave it out."
            raise ApiKeyMissing("" if name == MAIN else own)
    missing = [stage for stage, route in routes.items() if route.name == MAIN and not route.key]
    if required and missing:
        own = ", ".join(STAGE_KEY_HEADERS[stage] for stage in missing)
        places = f"X-OpenAI-API-Key, Authorization: Bearer KEY, or {own}"
        some = f"Send your API key for {' and '.join(missing)} in visible ASCII, as {places}."
        raise ApiKeyMissing(some if len(missing) < len(routes) else "")


def require_no_key_in(form: Mapping[str, str], headers: Headers) -> None:
    """Raise OptionInvalid for a name that contains a good part of a key that the caller sends."""
    for field in filter(form.get, NAMES):
        name = form[field]
        parts = [name[i : i + PASTED] for i in range(len(name) - PASTED + 1)]
        # Not the operator's: the refusals would tell what they are.
        if any(part in key for key in credentials_of(headers) for part in parts):
            raise OptionInvalid(f"Send a name as '{field}'; a key belongs in its header alone.")


def require_token(headers: Headers, tokens: Iterable[str]) -> None:
    """Raise ApiKeyMissing without a token, and TokenRejected for one that is none of these."""
    token = keys_of(headers)[MAIN]
    if not VISIBLE_ASCII.fullmatch(token):
        places = "X-OpenAI-API-Key or Authorization: Bearer TOKEN"
        raise ApiKeyMissing(f"Send a token of this service in visible ASCII, as {places}.")
    # A list, so that each is compared, found or not: the time does not tell what is right.
    if True not in [compare_digest(token, valid) for valid in tokens]:
        raise TokenRejected()


def require_no_hosts(headers: Headers) -> None:
    """Raise BaseUrlRefused if a caller with a token names a base URL or a stage's key."""
    rule = "With a token, calls go to the hosts of this service's operator only"
    for name in (*BASE_URL_HEADERS.values(), *STAGE_KEY_HEADERS.values()):
        if headers.get(name, "").strip():
            raise BaseUrlRefused(f"{rule}; leave {name} out.")
