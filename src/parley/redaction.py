"""Whether a text shows a part of a secret key, and which request ids may be repeated."""

import re

REQUEST_ID = re.compile(r"(?!sk-)[A-Za-z0-9._:-]{1,128}")
"""An id that may be repeated and logged; none begins as OpenAI's keys do, sent there by mistake."""

PUBLIC = re.compile(
    r"\s*(?:(?:bearer|basic)(?:\s+|$))?(?:sk-(?:proj-|svcacct-|admin-)?)?", re.IGNORECASE
)
"""The public part of a credential: the scheme's name, and the prefixes of OpenAI's keys."""

TELLING_END, TELLING_RUN = 4, 6
"""What shows a key: this many of its secret part's first or last characters, or any in a row."""

MOST_JOINED = 10
"""How many keys are looked for in one header."""


def reveals(text: str, credential: str) -> bool:
    """Whether `text` shows a telling part of a key, or of a header that contains one.

    OpenAI's messages repeat a key's first and last characters around asterisks. A header that was
    sent twice arrives as one, with a comma in between, and each of its keys counts. The time that
    this takes is linear in both lengths, since callers choose both texts.
    """
    if not text:
        return False
    keys = dict.fromkeys((credential, *credential.split(",")[:MOST_JOINED]))
    secrets = [_secret_of(key) for key in keys]
    ends = {end for secret in secrets for end in (secret[:TELLING_END], secret[-TELLING_END:])}
    if any(end in text for end in ends if end):
        return True
    whole = secrets[0]
    runs = {text[i : i + TELLING_RUN] for i in range(len(text) - TELLING_RUN + 1)}
    return any(whole[i : i + TELLING_RUN] in runs for i in range(len(whole) - TELLING_RUN + 1))


def _secret_of(credential: str) -> str:
    return PUBLIC.sub("", credential, count=1).strip()


def valid_request_id(text: str, *credentials: str) -> str | None:
    """A request id that somebody else chose, if it may be repeated; else None.

    It must have the form of an id, and show no part of any of the credentials.
    """
    is_id = REQUEST_ID.fullmatch(text)
    return text if is_id and not any(reveals(text, each) for each in credentials) else None
