"""The operator's settings, read once from the environment."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property

from parley import proxies
from parley.base_urls import BaseUrl, EgressPolicy
from parley.errors import ConfigurationError

LOG_LEVELS = ("INFO", "WARNING", "ERROR", "CRITICAL")
LONGEST_DEADLINE = 600
"""In seconds."""

MOST_CAPACITY = 10_000
MODEL_LIST = "MODEL_LIST.MD"
VISIBLE_ASCII = re.compile(r"[!-~]+")
"""What an HTTP header can carry as a key, on its own and behind `Bearer`."""

SHORTEST_TOKEN = 20
"""In characters."""

ORIGIN = re.compile(
    r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|(?!https?:)[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]{1,5})?"
)
"""An origin as browsers and apps' web views write it (RFC 6454, 6.1); `null` is none."""

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
    stt_base_url: BaseUrl | None
    text_base_url: BaseUrl | None
    tts_base_url: BaseUrl | None
    caller_tokens: tuple[str, ...] = field(repr=False)
    """Callers send one of them; none: callers send keys of their own."""

    openai_api_key: str = field(repr=False)
    """The operator's key for the main upstream; blank, as those below, where it asks for none."""

    stt_api_key: str = field(repr=False)
    text_api_key: str = field(repr=False)
    tts_api_key: str = field(repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise ConfigurationError with a sentence that names the bad variable.

        A variable that is set but blank counts as not set: platforms' dashboards leave such ones.
        """
        proxies.require_usable(environ)

        def read(name: str, default: str) -> str:
            return environ.get(name, "").strip() or default

        def stage_url(name: str) -> BaseUrl | None:
            text = read(name, "")
            return _base_url(name, text) if text else None

        settings = cls(
            openai_base_url=_base_url(
                "PARLEY_OPENAI_BASE_URL",
                read("PARLEY_OPENAI_BASE_URL", "https://api.openai.com/v1"),
            ),
            allowed_base_urls=_egress_policy(read("PARLEY_ALLOWED_BASE_URLS", "")),
            deadline=_deadline(read("PARLEY_DEADLINE", "28")),
            model_list=read("PARLEY_MODEL_LIST", MODEL_LIST),
            system_prompt=read("PARLEY_SYSTEM_PROMPT", SYSTEM_PROMPT),
            allowed_origins=_origins(read("PARLEY_ALLOWED_ORIGINS", "")),
            capacity=_capacity(read("PARLEY_CAPACITY", "1000")),
            log_level=_log_level(read("PARLEY_LOG_LEVEL", "INFO")),
            key_required=_yes("PARLEY_KEY_REQUIRED", read("PARLEY_KEY_REQUIRED", "yes")),
            page=_yes("PARLEY_PAGE", read("PARLEY_PAGE", "yes")),
            stt_base_url=stage_url("PARLEY_STT_BASE_URL"),
            text_base_url=stage_url("PARLEY_TEXT_BASE_URL"),
            tts_base_url=stage_url("PARLEY_TTS_BASE_URL"),
            caller_tokens=_tokens(read("PARLEY_CALLER_TOKENS", "")),
            openai_api_key=_key("PARLEY_OPENAI_API_KEY", read("PARLEY_OPENAI_API_KEY", "")),
            stt_api_key=_key("PARLEY_STT_API_KEY", read("PARLEY_STT_API_KEY", "")),
            text_api_key=_key("PARLEY_TEXT_API_KEY", read("PARLEY_TEXT_API_KEY", "")),
            tts_api_key=_key("PARLEY_TTS_API_KEY", read("PARLEY_TTS_API_KEY", "")),
        )
        settings._check_keys_against_tokens()
        return settings

    @property
    def has_own_model_list(self) -> bool:
        """Whether the model list is the operator's own, written for the operator's hosts."""
        return self.model_list != MODEL_LIST

    @cached_property
    def operator_keys(self) -> dict[str, str]:
        """The operator's keys that are set, by the names of their fields."""
        names = (each.name for each in fields(self) if each.name.endswith("_api_key"))
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def is_openai_or_main(self, url: BaseUrl) -> bool:
        """Whether a base URL is one of OpenAI's hosts, or on the host of the main upstream."""
        main = self.openai_base_url
        return url.is_openai or (url.host, url.port) == (main.host, main.port)

    def _check_keys_against_tokens(self) -> None:
        """Raise ConfigurationError for a key that anybody could use, or that callers would send."""
        for name, key in self.operator_keys.items():
            if not self.caller_tokens:
                raise ConfigurationError(
                    f"PARLEY_{name.upper()} is set without PARLEY_CALLER_TOKENS, so that anybody "
                    "could use the key; set tokens for your callers too, or leave the key out."
                )
            if key in self.caller_tokens:
                raise ConfigurationError(
                    f"PARLEY_{name.upper()} is also one of PARLEY_CALLER_TOKENS; a key stays with "
                    "you, so choose another token."
                )


def _base_url(name: str, text: str) -> BaseUrl:
    try:
        return BaseUrl.parse(text)
    except ValueError as error:
        raise ConfigurationError(
            f"{name} {error}; set it to one like https://api.openai.com/v1."
        ) from None


def _egress_policy(text: str) -> EgressPolicy:
    try:
        return EgressPolicy.parse(_words("PARLEY_ALLOWED_BASE_URLS", text))
    except ValueError as error:
        raise ConfigurationError(
            f"PARLEY_ALLOWED_BASE_URLS: {error}; list base URLs, separated by spaces."
        ) from None


def _words(name: str, text: str) -> list[str]:
    """The entries of a list. A comma is somebody's separator: two would silently become one."""
    if "," in text:
        raise ConfigurationError(f"{name} has a comma; separate its entries by spaces alone.")
    return text.split()


def _key(name: str, text: str) -> str:
    if text and not VISIBLE_ASCII.fullmatch(text):
        raise ConfigurationError(
            f"{name} has characters that no HTTP header can carry; set one key in visible ASCII."
        )
    return text


def _tokens(text: str) -> tuple[str, ...]:
    tokens = tuple(_words("PARLEY_CALLER_TOKENS", text))
    for position, token in enumerate(tokens, 1):
        if len(token) < SHORTEST_TOKEN or not VISIBLE_ASCII.fullmatch(token):
            raise ConfigurationError(
                f"PARLEY_CALLER_TOKENS: token {position} is too short, or has other characters "
                f"than visible ASCII; set tokens of at least {SHORTEST_TOKEN} characters, "
                "separated by spaces."
            )
    return tokens


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
    origins = tuple(_words("PARLEY_ALLOWED_ORIGINS", text))
    for origin in origins:
        if origin != "*" and not ORIGIN.fullmatch(origin):
            raise ConfigurationError(
                f"PARLEY_ALLOWED_ORIGINS names {origin!r}; list origins like https://app.example, "
                "separated by spaces, or *."
            )
    return origins


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
        # The value is not repeated: who takes it for another setting puts a key here.
        raise ConfigurationError(f"{name} is neither yes nor no; set one of them.")
    return text.lower() == "yes"
