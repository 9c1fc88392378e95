"""The operator's settings, read once from the environment; other limits stand beside their use."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from parley.base_urls import BaseUrl, EgressPolicy
from parley.errors import ConfigurationError

MODEL_LIST = "MODEL_LIST.MD"
SYSTEM_PROMPT = (
    "You are talking with someone by voice. Answer in one to three short plain sentences, "
    "as people speak: no lists, no markup, no emoji, no code."
)
LEVEL = "(?ai)INFO|WARNING|ERROR|CRITICAL"  # In any case.
VISIBLE_ASCII = re.compile(r"[!-~]+")  # A key that a header can carry, on its own or as `Bearer`.
ORIGIN = (
    r"https?://[a-z0-9.-]+(:[0-9]{1,5})?"
    r"|(?!https?:)[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+(:[0-9]{1,5})?|file://|\*"
)
"""An origin of a browser or a web view (RFC 6454, 6.1; Cordova's `file://`), or any; not `null`."""


def _base_url(text: str) -> BaseUrl | None:
    try:
        return BaseUrl.parse(text) if text else None
    except ValueError as error:
        raise ValueError(f"{error}; set it to one like https://api.openai.com/v1.") from None


def _like(form: str, problem: str, meaning: Callable[[str], Any] = str) -> Callable[[str], Any]:
    """How a text of a form is read. The error does not repeat it: it may be, or hold, a key."""

    def read(text: str) -> Any:
        if not re.fullmatch(form, text):
            raise ValueError(problem)
        return meaning(text)

    return read


def _list_of(read_entry: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    """How a list is read. A comma is somebody's separator: two would silently become one."""

    def read(text: str) -> tuple[Any, ...]:
        if "," in text:
            raise ValueError("has a comma; separate its entries by spaces alone.")
        entries = []
        for position, word in enumerate(text.split(), 1):
            try:
                entries.append(read_entry(word))
            except ValueError as error:
                raise ValueError(f"has an entry, number {position}, that {error}") from None
        return tuple(entries)

    return read


def _egress_policy(text: str) -> EgressPolicy:
    urls = _list_of(lambda word: word if word == "*" else _base_url(word))(text)
    return EgressPolicy(tuple(url for url in urls if url != "*"), everything="*" in urls)


_origin = _like(ORIGIN, "is no origin; write each like https://app.example, or * for any.")
_token = _like("[!-~]{20,}", "is no token; set at least 20 characters of visible ASCII for each.")
_key = _like("[!-~]*", "has characters that no HTTP header can carry; set a key in visible ASCII.")
_yes = _like("(?ai)yes|no", "is neither yes nor no; set one.", lambda x: x.lower() == "yes")
_level = _like(LEVEL, "is none of INFO, WARNING, ERROR, CRITICAL; set one of them.", str.upper)


def _number(kind: type[float], most: int, what: str) -> Callable[[str], float]:
    """How a number from 1 to `most` is read, such as an int or a float."""
    # Python would also take other scripts' digits, and underscores between them.
    form = re.compile(r"[0-9]+" if kind is int else r"[0-9]+(\.[0-9]+)?")

    def read(text: str) -> float:
        if not form.fullmatch(text) or not 1 <= float(text) <= most:
            raise ValueError(f"is out of range or no number; set {what} from 1 to {most}.")
        return kind(text)

    return read


def _read(reader: Callable[[str], Any], default: str = "", *, is_shown: bool = True) -> Any:
    """A field that is made of a text: of `default` where its variable is not set."""
    return field(repr=is_shown, metadata={"reader": reader, "default": default})


@dataclass(frozen=True)
class Settings:
    """Each field is read from the environment variable PARLEY_ plus its name in capitals."""

    openai_base_url: BaseUrl = _read(_base_url, "https://api.openai.com/v1")
    allowed_base_urls: EgressPolicy = _read(_egress_policy)
    deadline: float = _read(_number(float, 600, "seconds"), "28")
    """Seconds from the upload's end to the answer (routers wait 30); in a stream, for each wait."""
    model_list: str = _read(str, MODEL_LIST)
    system_prompt: str = _read(str, SYSTEM_PROMPT, is_shown=False)
    allowed_origins: tuple[str, ...] = _read(_list_of(_origin))
    capacity: int = _read(_number(int, 10_000, "a whole number"), "1000")
    """How many conversations one worker process holds at once, where it may open enough files."""
    log_level: str = _read(_level, "INFO")
    key_required: bool = _read(_yes, "yes")
    page: bool = _read(_yes, "yes")
    stt_base_url: BaseUrl | None = _read(_base_url)
    text_base_url: BaseUrl | None = _read(_base_url)
    tts_base_url: BaseUrl | None = _read(_base_url)
    caller_tokens: tuple[str, ...] = _read(_list_of(_token), is_shown=False)
    # Callers with tokens use the operator's keys, each blank where its upstream asks for none.
    openai_api_key: str = _read(_key, is_shown=False)
    stt_api_key: str = _read(_key, is_shown=False)
    text_api_key: str = _read(_key, is_shown=False)
    tts_api_key: str = _read(_key, is_shown=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings, a blank one as not set; a ConfigurationError names the bad one."""
        _require_usable_proxies(environ)
        values = {}
        for each in fields(cls):
            variable = f"PARLEY_{each.name.upper()}"
            text = environ.get(variable, "").strip() or each.metadata["default"]
            try:
                values[each.name] = each.metadata["reader"](text)
            except ValueError as error:
                raise ConfigurationError(f"{variable} {error}") from None
        return cls(**values)

    @cached_property
    def operator_keys(self) -> dict[str, str]:
        """The operator's keys that are set, by the names of their fields."""
        names = (each.name for each in fields(self) if each.name.endswith("_api_key"))
        return {name: getattr(self, name) for name in names if getattr(self, name)}

    def __post_init__(self) -> None:
        """Raise ConfigurationError for a key that anybody could use, or that callers would send."""
        for name, key in self.operator_keys.items():
            if not self.caller_tokens:
                why = "is set without PARLEY_CALLER_TOKENS, so that anybody could use the key"
                advice = "set tokens for your callers too, or leave the key out"
                raise ConfigurationError(f"PARLEY_{name.upper()} {why}; {advice}.")
            if key in self.caller_tokens:
                why = "is also one of PARLEY_CALLER_TOKENS; a key stays with you"
                raise ConfigurationError(f"PARLEY_{name.upper()} {why}, so choose another token.")


def _require_usable_proxies(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a proxy over which every call would fail."""
    for upper in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        name = upper.lower() if upper.lower() in environ else upper  # Which counts in curl, too.
        scheme, separator, rest = environ.get(name, "").strip().rpartition("://")
        try:
            if separator or rest:
                BaseUrl.parse(f"{scheme or 'http'}://{rest.rpartition('@')[2]}")
        except ValueError:
            # The value is not repeated: it may hold a password.
            told = f"{name} is no URL of a proxy that speaks HTTP"
            advice = "set it to one like http://proxy.example:3128, or leave it out"
            raise ConfigurationError(f"{told}; {advice}.") from None
