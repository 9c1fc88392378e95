"""Whose key a request carries, and what shows a part of it."""

import re

from werkzeug.datastructures import Headers

from parley.errors import ApiKeyMissing

KEY_HEADER = "X-OpenAI-API-Key"
BASE_URL_HEADER = "X-OpenAI-Base-URL"
VISIBLE_ASCII = re.compile(r"[!-~]+")
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


def api_key_of(headers: Headers, *, required: bool = True) -> str:
    """The caller's API key, from KEY_HEADER or else from `Authorization: Bearer KEY` (RFC 6750).

    Raises ApiKeyMissing where there is none, or one that could not be sent on in a header. Where no
    key is required, none is the empty string.
    """
    key = headers.get(KEY_HEADER, "").strip()
    if not key:
        scheme, _, credentials = headers.get("Authorization", "").strip().partition(" ")
        key = credentials.strip() if scheme.lower() == "bearer" else ""
    if not VISIBLE_ASCII.fullmatch(key) and (key or required):
        raise ApiKeyMissing()
    return key


def reveals(text: str, api_key: str) -> bool:
    """Whether `text` shows the key, or four of its characters in a row.

    OpenAI's messages repeat a key's first and last characters around asterisks.
    """
    return any(api_key[i : i + 4] in text for i in range(max(1, len(api_key) - 3)))


def sane_request_id(text: str, api_key: str = "") -> str | None:
    """A request's id as somebody else made it, where it is fit to be repeated."""
    fit = REQUEST_ID.fullmatch(text) and not (api_key and reveals(text, api_key))
    return text if fit else None
