"""Where a call to an upstream goes, with which key, and what callers may read of its answers."""

from dataclasses import dataclass, field

from parley.base_urls import BaseUrl
from parley.redaction import Secrets


@dataclass(frozen=True)
class Upstream:
    """Where the calls of a stage go, and with which key."""

    url: BaseUrl
    api_key: str = field(repr=False)
    """Blank if the upstream needs none: then no `Authorization` is sent."""
    secrets: Secrets = field(repr=False, compare=False)
    """What shows a key of the conversation, this one or another."""
    request_id: str = ""
    """The id that the upstream may log each call under, beside its own; blank: none is sent."""
    is_quoted: bool = True
    """Whether callers are told what the upstream says of a failure: its own words, and its id."""
    key_header: str = ""
    """The header in which the caller may send a key for this call; blank if the caller may not."""
    is_operators_host: bool = False  # Whether the operator chose the host, which is not OpenAI's.

    def shows_key(self, text: str) -> bool:
        """Whether a text, which others chose, shows a part of a key."""
        return self.secrets.shown_in(text)

    def may_be_told(self, message: str) -> bool:
        """Whether the caller may read an upstream's message: it shows no key.

        Of the operator's key none may be read: a message can repeat what the caller wrote, so that
        leaving out only some of them would tell which words are in the key.
        """
        return self.is_quoted and not self.shows_key(message)
