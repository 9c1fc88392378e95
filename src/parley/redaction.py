"""Whether a text shows a part of a key (it is then left out), and which request ids are kept."""

import re
from collections.abc import Iterator

REQUEST_ID = re.compile(r"(?!sk-)[A-Za-z0-9._:-]{1,128}")  # None begins as OpenAI's keys do.
PUBLIC = re.compile(r"(?i)\s*(?:(?:bearer|basic)(?:\s+|$))?(?:sk-(?:proj-|svcacct-|admin-)?)?")
"""The public part of a credential: the scheme's name, and the prefixes of OpenAI's keys."""
TELLING_END, TELLING_RUN = 4, 6
"""What shows a key: this many of its secret part's first or last characters, or any in a row."""
MOST_JOINED = 10  # How many keys are looked for in one header.


class Secrets:
    """What shows a conversation's keys and tokens: found once, then looked for in linear time."""

    def __init__(self, *credentials: str) -> None:
        """Each is a key, or a header of keys: with their scheme, and commas where it came twice."""
        self.credentials = credentials
        keys = {part for each in credentials for part in each.split(",")[:MOST_JOINED]}
        secrets = {_secret_of(key) for key in keys.union(credentials)} - {""}
        self._ends = {end for each in secrets for end in (each[:TELLING_END], each[-TELLING_END:])}
        self._runs = {run for each in credentials for run in _runs_of(_secret_of(each))}

    def shown_in(self, text: str) -> bool:
        """Whether the text shows a telling part of one of them, as OpenAI's messages do."""
        return any(map(text.__contains__, self._ends)) or not self._runs.isdisjoint(_runs_of(text))

    def kept_out_of(self, text: str) -> str:
        """The text, which others chose, or nothing where it shows one of them."""
        return "" if self.shown_in(text) else text


def _runs_of(text: str) -> Iterator[str]:
    return (text[i : i + TELLING_RUN] for i in range(len(text) - TELLING_RUN + 1))


def _secret_of(credential: str) -> str:
    return PUBLIC.sub("", credential, count=1).strip()


def valid_request_id(text: str, secrets: Secrets) -> str | None:
    """A request id that somebody else chose, if it is one and shows no secret; else None."""
    return text if REQUEST_ID.fullmatch(text) and not secrets.shown_in(text) else None
