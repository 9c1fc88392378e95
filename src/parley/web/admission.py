"""Whether a request may begin a conversation: whose key it carries, and which upstream it names."""

import re

from werkzeug.datastructures import Headers

from parley.errors import ApiKeyMissing

KEY_HEADER = "X-OpenAI-API-Key"
BASE_URL_HEADER = "X-OpenAI-Base-URL"
VISIBLE_ASCII = re.compile(r"[!-~]+")


def api_key_of(headers: Headers) -> str:
    """The caller's API key, from KEY_HEADER or else from `Authorization: Bearer KEY` (RFC 6750).

    Raises ApiKeyMissing where there is none, or one that could not be sent on in a header.
    """
    key = headers.get(KEY_HEADER, "").strip()
    if not key:
        scheme, _, credentials = headers.get("Authorization", "").strip().partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
    if not VISIBLE_ASCII.fullmatch(key):
        raise ApiKeyMissing()
    return key
