"""The operator's settings, read once from the environment."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.base_urls import BaseUrl, EgressPolicy
from parley.errors import ConfigurationError

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
LONGEST_DEADLINE = 600
"""In seconds."""

MOST_CAPACITY = 10_000
ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
"""An origin as browsers write it (RFC 6454, 6.1)."""

SYSTEM_PROMPT = (
    "You are talking with someone by voice. Answer in one to three short plain sentences, "
    "as people speak: no lists, no markup, no emoji, no code."
)


@dataclass(frozen=True)
class Settings:
    """Each field is read from the environment variable PARLEY_ plus its name in capitals."""

    openai_base_url: BaseUrl
    allowed_base_urls: EgressPolicy
    deadline: float
    """Seconds from the end of the upload to the answer."""

    model_list: str
    system_prompt: str = field(repr=False)
    allowed_origins: tuple[str, ...]
    capacity: int
    """How many conversations one worker process holds at once."""

    log_level: str
    key_required: bool
    page: bool

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise ConfigurationError with a sentence that names the bad variable.

        A variable that is set but blank counts as not set: platforms' dashboards leave such ones.
        """

        def read(name: str, default: str) -> str:
            return environ.get(name, "").strip() or default

        return cls(
            openai_base_url=_base_url(read("PARLEY_OPENAI_BASE_URL", "https://api.openai.com/v1")),
            allowed_base_urls=_egress_policy(read("PARLEY_ALLOWED_BASE_URLS", "")),
            deadline=_deadline(read("PARLEY_DEADLINE", "28")),
            model_list=read("PARLEY_MODEL_LIST", "MODEL_LIST.MD"),
            system_prompt=read("PARLEY_SYSTEM_PROMPT", SYSTEM_PROMPT),
            allowed_origins=_origins(read("PARLEY_ALLOWED_ORIGINS", "")),
            capacity=_capacity(read("PARLEY_CAPACITY", "1000")),
            log_level=_log_level(read("PARLEY_LOG_LEVEL", "INFO")),
            key_required=_yes("PARLEY_KEY_REQUIRED", read("PARLEY_KEY_REQUIRED", "yes")),
            page=_yes("PARLEY_PAGE", read("PARLEY_PAGE", "yes")),
        )


def _base_url(text: str) -> BaseUrl:
    try:
        return BaseUrl.parse(text)
    except ValueError as error:
        raise ConfigurationError(
            f"PARLEY_OPENAI_BASE_URL {error}; set it to one like https://api.openai.com/v1."
        ) from None


def _egress_policy(text: str) -> EgressPolicy:
    try:
        return EgressPolicy.parse(text.split())
    except ValueError as error:
        raise ConfigurationError(
            f"PARLEY_ALLOWED_BASE_URLS: {error}; list base URLs, separated by spaces."
        ) from None


def _deadline(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 1 <= seconds <= LONGEST_DEADLINE:
        raise ConfigurationError(
            f"PARLEY_DEADLINE is {text!r}; set seconds from 1 to {LONGEST_DEADLINE}, "
            "less than the timeout of the platform's router."
        )
    return seconds


def _origins(text: str) -> tuple[str, ...]:
    for origin in text.split():
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"PARLEY_ALLOWED_ORIGINS names {origin!r}; list origins like https://app.example, "
                "separated by spaces, or *."
            )
    return tuple(text.split())


def _capacity(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_CAPACITY):
        raise ConfigurationError(
            f"PARLEY_CAPACITY is {text!r}; set a whole number from 1 to {MOST_CAPACITY}."
        )
    return int(text)


def _log_level(text: str) -> str:
    level = text.upper()
    if level not in LOG_LEVELS:
        raise ConfigurationError(
            f"PARLEY_LOG_LEVEL is {text!r}; set one of {', '.join(LOG_LEVELS)}."
        )
    return level


def _yes(name: str, text: str) -> bool:
    if text.lower() not in ("yes", "no"):
        raise ConfigurationError(f"{name} is {text!r}; set yes or no.")
    return text.lower() == "yes"
