"""Three rules that choose each stage's host and key: a key belongs to the URL that it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from parley.base_urls import BaseUrl
from parley.models.registry import INTERFACES
from parley.settings import Settings

STAGES = tuple(INTERFACES)


Url = BaseUrl | str
"""A base URL of the operator's, or what a caller wrote for one, which is not judged yet."""


@dataclass(frozen=True)
class Hosts:
    """The base URLs and the keys that a caller or the operator names.

    The main ones are for the whole conversation, the others for single stages. What is not named is
    None, blank or absent.
    """

    main_url: Url | None = None
    main_key: str = field(default="", repr=False)
    stage_urls: Mapping[str, Url] = field(default_factory=dict)
    stage_keys: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Route:
    """Where a stage's calls go, with which key (blank: none is sent), and by which of the rules."""

    url: Url
    key: str = field(repr=False)
    rule: int


def operator_hosts(settings: Settings) -> Hosts:
    """What the operator names."""
    urls = {stage: getattr(settings, f"{stage}_base_url") for stage in STAGES}
    return Hosts(
        settings.openai_base_url,
        settings.openai_api_key,
        {stage: url for stage, url in urls.items() if url},
        {stage: getattr(settings, f"{stage}_api_key") for stage in STAGES},
    )


def with_operators_keys(operator: Hosts) -> Hosts:
    """What a caller with a token stands for: the operator's keys, and no URL."""
    return Hosts(main_key=operator.main_key, stage_keys=operator.stage_keys)


def route_of(stage: str, caller: Hosts, operator: Hosts) -> Route:
    """The stage's route, by the first rule that applies.

    1. The caller names the stage's URL: its stage key, or none.
    2. The operator has a host for the stage, and the caller names no main URL: the stage key, or
       none; never a main key.
    3. The main URL, the caller's before the operator's: the stage key, else the main key.

    The keys are the caller's: the operator has some only with tokens, and there they are what the
    caller stands for (`with_operators_keys`).
    """
    stage_key = caller.stage_keys.get(stage, "")
    if named := caller.stage_urls.get(stage):
        return Route(named, stage_key, 1)
    if (own := operator.stage_urls.get(stage)) and not caller.main_url:
        return Route(own, stage_key, 2)
    main = caller.main_url or operator.main_url
    assert main  # noqa: S101  # The operator always has one.
    return Route(main, stage_key or caller.main_key, 3)


def operator_routes(settings: Settings) -> dict[str, Route]:
    """The route of each stage for callers who name nothing."""
    operator = operator_hosts(settings)
    return routes_of(with_operators_keys(operator), operator)


def routes_of(caller: Hosts, operator: Hosts) -> dict[str, Route]:
    """The route of each stage."""
    return {stage: route_of(stage, caller, operator) for stage in STAGES}
