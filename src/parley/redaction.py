"""Whose key a request carries, and what shows a part of it."""

import re

from werkzeug.datastructures import Headers

from parley.errors import ApiKeyMissing

KEY_HEADER = "X-OpenAI-API-Key"
BASE_URL_HEADER = "X-OpenAI-Base-URL"
VISIBLE_ASCII = re.compile(r"[!-~]+")
REQUEST_ID = re.compile(r"(?!sk-)[A-Za-z0-9._:-]{1,128}")
"""What is repeated and logged; never what a key of OpenAI's begins with, sent there by mistake."""
PUBLIC = re.compile(
    r"\s*(?:(?:bearer|basic)(?:\s+|$))?(?:sk-(?:proj-|svcacct-|admin-)?)?", re.IGNORECASE
)
"""What anybody knows of a credential: the scheme's word, and the prefixes of OpenAI's keys."""

TELLING_END, TELLING_RUN = 4, 6
"""How many characters show a key: of its secret part's first or last ones, and of any in a row."""


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


def reveals(text: str, credential: str) -> bool:
    """Whether `text` shows a telling part of a key, or of a header that holds one.

    OpenAI's messages repeat a key's first and last characters around asterisks. Takes a time that
    grows with the lengths' sum, since callers choose both.
    """
    secret = PUBLIC.sub("", credential, count=1).strip()
    if not secret:
        return False
    if secret[:TELLING_END] in text or secret[-TELLING_END:] in text:
        return True
    runs = {text[i : i + TELLING_RUN] for i in range(len(text) - TELLING_RUN + 1)}
    return any(secret[i : i + TELLING_RUN] in runs for i in range(len(secret) - TELLING_RUN + 1))


def sane_request_id(text: str, api_key: str = "") -> str | None:
    """A request's id as somebody else made it, where it is fit to be repeated."""
    return text if REQUEST_ID.fullmatch(text) and not reveals(text, api_key) else None
