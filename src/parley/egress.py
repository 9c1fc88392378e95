"""Where the service may connect: what a base URL is, and whose word allows one."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from parley.errors import BaseUrlRefused

ANYTHING = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class BaseUrl:
    """An OpenAI-compatible API's address: what stands before `/audio/transcriptions`.

    `path` is empty, or begins with a slash and does not end with one.
    """

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, text: str) -> "BaseUrl":
        """Read `text` as a base URL; raise ValueError with the reason where it is none."""
        if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
            raise ValueError("has characters that no URL may hold")
        parts = urlsplit(text)
        if parts.scheme not in DEFAULT_PORTS:
            raise ValueError("is neither https:// nor http://")
        if "@" in parts.netloc:
            raise ValueError("holds a user name or a password")
        if "?" in text or "#" in text:
            raise ValueError("has a query string or a fragment")
        if not parts.hostname:
            raise ValueError("names no host")
        path = parts.path.rstrip("/")
        if any(segment in (".", "..") for segment in path.split("/")) or "%" in path:
            raise ValueError("has a path that can be read in more than one way")
        return cls(parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS[parts.scheme], path)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"

    def covers(self, other: "BaseUrl") -> bool:
        """Whether `other` is this URL or lies below it: the path counts by whole segments."""
        origin = (self.scheme, self.host, self.port)
        return origin == (other.scheme, other.host, other.port) and (
            f"{other.path}/".startswith(f"{self.path}/")
        )


@dataclass(frozen=True)
class EgressPolicy:
    """Which base URLs a caller may name; the operator's own is not judged."""

    allowed: tuple[BaseUrl, ...] = ()
    everything: bool = False

    @classmethod
    def parse(cls, words: Iterable[str]) -> "EgressPolicy":
        """Read base URLs, or `*`; raise ValueError that names the one that cannot be read."""
        allowed = []
        for word in words:
            if word == ANYTHING:
                return cls(everything=True)
            try:
                allowed.append(BaseUrl.parse(word))
            except ValueError as error:
                raise ValueError(f"{word!r} {error}") from None
        return cls(tuple(allowed))

    def admit(self, text: str) -> BaseUrl:
        """The base URL that a caller named as `text`; raise BaseUrlRefused where it is barred."""
        try:
            url = BaseUrl.parse(text)
        except ValueError as error:
            raise BaseUrlRefused(
                f"The base URL in X-OpenAI-Base-URL {error}; send one like "
                "https://api.openai.com/v1."
            ) from None
        if not (self.everything or any(base.covers(url) for base in self.allowed)):
            raise BaseUrlRefused()
        return url
