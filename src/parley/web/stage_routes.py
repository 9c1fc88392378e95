"""Three rules that choose each stage's host and key: a key belongs to the URL that it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from parley.base_urls import BaseUrl
from parley.models.registry import INTERFACES
from parley.settings import Settings

STAGES = tuple(INTERFACES)
MAIN = "openai"
"""Where names are by stage, the name of what is for the whole conversation, as in Settings."""


class Host(Enum):
    """Whose host a stage is called on, which is what the rules tell apart."""

    CALLERS = 1
    """The one that the caller names for the stage."""
    OPERATORS = 2
    """The one that the operator has for the stage."""
    MAIN = 3


@dataclass(frozen=True)
class Route:
    """Where a stage's calls go, with which key (blank: none is sent), and whose host that is.

    A URL that is a text is what a caller wrote for one, which is not judged yet.
    """

    url: BaseUrl | str
    key: str = field(repr=False)
    host: Host
    name: str
    """The name of its URL and its key in the headers: the stage's, or MAIN."""


def routes_of(
    urls: Mapping[str, str], keys: Mapping[str, str], settings: Settings
) -> dict[str, Route]:
    """The route of each stage, for a caller who names these URLs and keys, by stage or MAIN."""
    return {stage: _route_of(stage, urls, keys, settings) for stage in STAGES}


def _route_of(
    stage: str, urls: Mapping[str, str], keys: Mapping[str, str], settings: Settings
) -> Route:
    """The stage's route, by the first rule that applies.

    1. The caller names the stage's URL: its stage key, or none.
    2. The operator has a host for the stage, and the caller names no main URL: the stage key, or
       none; never a main key.
    3. The main URL, the caller's before the operator's: the stage key, else the main key.
    """
    stage_key, main_url = keys.get(stage, ""), urls.get(MAIN)
    if named := urls.get(stage):
        return Route(named, stage_key, Host.CALLERS, stage)
    if (own := getattr(settings, f"{stage}_base_url")) and not main_url:
        return Route(own, stage_key, Host.OPERATORS, stage)
    key = stage_key or keys.get(MAIN, "")
    return Route(main_url or settings.openai_base_url, key, Host.MAIN, MAIN)


def operator_routes(settings: Settings) -> dict[str, Route]:
    """The route of each stage for callers who name nothing, or stand for the operator by a token.

    The operator has keys only where there are tokens.
    """
    keys = {name: getattr(settings, f"{name}_api_key") for name in (MAIN, *STAGES)}
    return routes_of({}, keys, settings)
