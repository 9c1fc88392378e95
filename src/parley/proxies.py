"""Whether the proxies that the environment names can be used."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from parley.errors import ConfigurationError

VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


def require_usable(environ: Mapping[str, str]) -> None:
    """Raise ConfigurationError for a proxy over which every call would fail.

    As elsewhere (curl, Python's urllib) the lower-case variable counts where both are set.
    """
    for upper in VARIABLES:
        name = upper.lower() if upper.lower() in environ else upper
        url = environ.get(name, "").strip()
        if url and not _is_usable(url if "://" in url else f"http://{url}"):
            # The value is not repeated: it may hold a password.
            raise ConfigurationError(
                f"{name} is no URL of a proxy that speaks HTTP; set it to one like "
                "http://proxy.example:3128, or leave it out."
            )


def _is_usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    has_host = bool(parts.hostname) and not any(map(str.isspace, url))
    return parts.scheme in ("http", "https") and has_host and port != 0
