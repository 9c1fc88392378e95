"""The operator's settings, read once from the environment."""

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from parley.base_urls import BaseUrl, EgressPolicy
from parley.errors import ConfigurationError

LOG_LEVELS = ("INFO", "WARNING", "ERROR", "CRITICAL")
MODEL_LIST = "MODEL_LIST.MD"
VISIBLE_ASCII = re.compile(r"[!-~]+")
"""What an HTTP header can carry as a key, on its own and behind `Bearer`."""

SHORTEST_TOKEN = 20
"""In characters."""

ORIGIN = re.compile(
    r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|(?!https?:)[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]{1,5})?"
)
"""An origin as browsers and apps' web views write it (RFC 6454, 6.1); `null` is none."""

NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
SYSTEM_PROMPT = (
    "You are talking with someone by voice. Answer in one to three short plain sentences, "
    "as people speak: no lists, no markup, no emoji, no code."
)


def _base_url(text: str) -> BaseUrl | None:
    try:
        return BaseUrl.parse(text) if text else None
    except ValueError as error:
        raise ValueError(f"{error}; set it to one like https://api.openai.com/v1.") from None


def _words(text: str) -> tuple[str, ...]:
    """The entries of a list. A comma is somebody's separator: two would silently become one."""
    _require("," not in text, "has a comma; separate its entries by spaces alone.")
    return tuple(text.split())


def _egress_policy(text: str) -> EgressPolicy:
    return EgressPolicy.parse(_words(text))


def _key(text: str) -> str:
    is_key = not text or VISIBLE_ASCII.fullmatch(text)
    _require(is_key, "has characters that no HTTP header can carry; set one key in visible ASCII.")
    return text


def _tokens(text: str) -> tuple[str, ...]:
    tokens = _words(text)
    for position, token in enumerate(tokens, 1):
        _require(
            len(token) >= SHORTEST_TOKEN and VISIBLE_ASCII.fullmatch(token),
            f"has a token, number {position}, that is too short, or has other characters than "
            f"visible ASCII; set tokens of at least {SHORTEST_TOKEN} characters, separated by "
            "spaces.",
        )
    return tokens


def _number(kind: Callable[[str], float], most: int, what: str) -> Callable[[str], float]:
    """How a number from 1 to `most` is read, such as an int or a float."""

    def read(text: str) -> float:
        number = math.nan
        with suppress(ValueError):
            # Python would also take other scripts' digits, and underscores between them.
            number = kind(text) if NUMBER.fullmatch(text) else number
        _require(1 <= number <= most, f"is {text!r}; set {what} from 1 to {most}.")
        return number

    return read


def _origins(text: str) -> tuple[str, ...]:
    origins = _words(text)
    for origin in origins:
        _require(
            origin == "*" or ORIGIN.fullmatch(origin),
            f"names {origin!r}; list origins like https://app.example, separated by spaces, or *.",
        )
    return origins


def _log_level(text: str) -> str:
    _require(text.upper() in LOG_LEVELS, f"is {text!r}; set one of {', '.join(LOG_LEVELS)}.")
    return text.upper()


def _yes(text: str) -> bool:
    # The value is not repeated: who takes it for another setting puts a key here.
    _require(text.lower() in ("yes", "no"), "is neither yes nor no; set one of them.")
    return text.lower() == "yes"


def _require(is_so: object, problem: str) -> None:
    """Raise ValueError with what to write behind the variable's name, unless that is so."""
    if not is_so:
        raise ValueError(problem)


def _read(reader: Callable[[str], Any], default: str = "") -> dict[str, Any]:
    """How a field is made of a text: of `default` where its variable is not set."""
    return {"reader": reader, "default": default}


def _require_usable_proxies(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a proxy over which every call would fail.

    As elsewhere (curl, Python's urllib) the lower-case variable counts where both are set.
    """
    for upper in PROXIES:
        name = upper.lower() if upper.lower() in environ else upper
        url = environ.get(name, "").strip()
        if url and not _is_proxy(url if "://" in url else f"http://{url}"):
            # The value is not repeated: it may hold a password.
            raise ConfigurationError(
                f"{name} is no URL of a proxy that speaks HTTP; set it to one like "
                "http://proxy.example:3128, or leave it out."
            )


def _is_proxy(url: str) -> bool:
    try:
        parts = urlsplit(url)
        has_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and has_place and not re.search(r"\s", url)


@dataclass(frozen=True)
class Settings:
    """Each field is read from the environment variable PARLEY_ plus its name in capitals."""

    openai_base_url: BaseUrl = field(metadata=_read(_base_url, "https://api.openai.com/v1"))
    allowed_base_urls: EgressPolicy = field(metadata=_read(_egress_policy))
    deadline: float = field(metadata=_read(_number(float, 600, "seconds"), "28"))
    """Seconds from the end of the upload to the answer: fewer than the platform's router waits."""

    model_list: str = field(metadata=_read(str, MODEL_LIST))
    system_prompt: str = field(repr=False, metadata=_read(str, SYSTEM_PROMPT))
    allowed_origins: tuple[str, ...] = field(metadata=_read(_origins))
    capacity: int = field(metadata=_read(_number(int, 10_000, "a whole number"), "1000"))
    """How many conversations one worker process holds at once."""

    log_level: str = field(metadata=_read(_log_level, "INFO"))
    key_required: bool = field(metadata=_read(_yes, "yes"))
    page: bool = field(metadata=_read(_yes, "yes"))
    stt_base_url: BaseUrl | None = field(metadata=_read(_base_url))
    text_base_url: BaseUrl | None = field(metadata=_read(_base_url))
    tts_base_url: BaseUrl | None = field(metadata=_read(_base_url))
    caller_tokens: tuple[str, ...] = field(repr=False, metadata=_read(_tokens))
    """Callers send one of them; none: callers send keys of their own."""

    openai_api_key: str = field(repr=False, metadata=_read(_key))
    """The operator's key for the main upstream; blank, as those below, where it asks for none."""

    stt_api_key: str = field(repr=False, metadata=_read(_key))
    text_api_key: str = field(repr=False, metadata=_read(_key))
    tts_api_key: str = field(repr=False, metadata=_read(_key))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; raise ConfigurationError with a sentence that names the bad variable.

        A variable that is set but blank counts as not set: platforms' dashboards leave such ones.
        """
        _require_usable_proxies(environ)
        values = {}
        for each in fields(cls):
            variable = f"PARLEY_{each.name.upper()}"
            text = environ.get(variable, "").strip() or each.metadata["default"]
            try:
                values[each.name] = each.metadata["reader"](text)
            except ValueError as error:
                raise ConfigurationError(f"{variable} {error}") from None
        settings = cls(**values)
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
            variable = f"PARLEY_{name.upper()}"
            if not self.caller_tokens:
                raise ConfigurationError(
                    f"{variable} is set without PARLEY_CALLER_TOKENS, so that anybody could use "
                    "the key; set tokens for your callers too, or leave the key out."
                )
            if key in self.caller_tokens:
                raise ConfigurationError(
                    f"{variable} is also one of PARLEY_CALLER_TOKENS; a key stays with you, so "
                    "choose another token."
                )
