"""Where a call to an upstream goes, with which key, and what callers may read of its answers."""

from dataclasses import dataclass, field

from parley.base_urls import BaseUrl
from parley.redaction import Secrets


@dataclass(frozen=True)
class Upstream:
    """Where the calls of a stage go, and with which key."""

    url: BaseUrl
    api_key: str = field(repr=False)  # Blank where none is sent.
    secrets: Secrets = field(repr=False, compare=False)  # What shows any key of the conversation.
    request_id: str = ""  # What the upstream may log each call under, beside its own.
    is_quoted: bool = True  # Whether callers are told its own words of a failure, and its id.
    key_header: str = ""  # The header in which the caller may send a key for this call, if any.
    is_operators_host: bool = False  # Whether the operator chose the host, which is not OpenAI's.

    def may_be_told(self, message: str) -> bool:
        """Whether the caller may read an upstream's message: it shows no key, nor tells a guess."""
        return self.is_quoted and not self.secrets.shown_in(message)
