"""Three rules that choose each stage's host and key: a key belongs to the URL that it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.base_urls import BaseUrl
from parley.models.registry import INTERFACES
from parley.settings import Settings

STAGES = tuple(INTERFACES)
MAIN = "openai"  # Beside the stages' names, that of what is for all of them, as in Settings.


@dataclass(frozen=True)
class Route:
    """Where a stage's calls go, and with which key (blank: none is sent)."""

    url: BaseUrl | str
    """A text is what the caller wrote, which is not judged yet; else it is the operator's."""
    key: str = field(repr=False)
    name: str  # Whose URL it is: the stage's own, by its name, or MAIN.


def routes_of(
    urls: Mapping[str, str], keys: Mapping[str, str], settings: Settings
) -> dict[str, Route]:
    """The route of each stage, for a caller who names these URLs and keys, by stage or MAIN.

    The first rule that applies: (1) the URL that the caller names for the stage, (2) the operator's
    for it, unless the caller names a main URL, both with the stage's key or none; (3) the main URL,
    the caller's before the operator's, with the stage's key or else the main one.
    """
    main = urls.get(MAIN) or settings.openai_base_url
    routes = {}
    for stage in STAGES:
        key, own = keys.get(stage, ""), urls.get(stage)
        if not own and MAIN not in urls:
            own = getattr(settings, f"{stage}_base_url")
        with_main = Route(main, key or keys.get(MAIN, ""), MAIN)
        routes[stage] = Route(own, key, stage) if own else with_main
    return routes


def operator_routes(settings: Settings) -> dict[str, Route]:
    """The route of each stage for callers who name nothing, or send a token for the operator's."""
    keys = {name: getattr(settings, f"{name}_api_key") for name in (MAIN, *STAGES)}
    return routes_of({}, keys, settings)
