"""Each stage's host, key and model. A key belongs to the URL that it came with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from parley import log
from parley.base_urls import BaseUrl
from parley.models.registry import INTERFACES, WITHOUT_ROW, Model
from parley.settings import MODEL_LIST, Settings
from parley.web.services import Services

MAIN = "openai"  # Beside the stages' names, that of what is for all of them, as in Settings.
NOTICE = timedelta(days=60)  # How long before a model shuts down the service warns of it.


@dataclass(frozen=True)
class Route:
    """Where a stage's calls should go, and with which key; `admit` makes Upstreams of these."""

    url: BaseUrl | str  # A text is what a caller wrote, not judged yet; else it is the operator's.
    key: str = field(repr=False)  # Blank where none is sent.
    name: str  # Whose URL it is: the stage's own, by its name, or MAIN.


def routes_by_rule(
    urls: Mapping[str, str], keys: Mapping[str, str], settings: Settings
) -> dict[str, Route]:
    """The route of each stage, for a caller who names these URLs and keys, by stage or MAIN.

    The first rule that applies: (1) the URL that the caller names for the stage, (2) the operator's
    for it, unless the caller names a main URL, both with the stage's key or none; (3) the main URL,
    the caller's before the operator's, with the stage's key or else the main one.
    """
    main = urls.get(MAIN) or settings.openai_base_url
    routes = {}
    for stage in INTERFACES:
        key, own = keys.get(stage, ""), urls.get(stage)
        if not own and MAIN not in urls:
            own = getattr(settings, f"{stage}_base_url")
        with_main = Route(main, key or keys.get(MAIN, ""), MAIN)
        routes[stage] = Route(own, key, stage) if own else with_main
    return routes


def operator_routes(settings: Settings) -> dict[str, Route]:
    """The route of each stage for callers who name nothing, or send a token for the operator's."""
    keys = {name: getattr(settings, f"{name}_api_key") for name in (MAIN, *INTERFACES)}
    return routes_by_rule({}, keys, settings)


def models_of(
    names: Mapping[str, str], routes: Mapping[str, Route], services: Services, day: date
) -> dict[str, Model]:
    """By stage, the model that a form names, or what MODEL_LIST.MD has in its stead on that day."""
    return {
        stage: services.registry[stage].resolve(
            names.get(f"{stage}_model", ""),
            day if _dates_hold(route, services.settings) else None,
            WITHOUT_ROW[stage] if route.name == stage and isinstance(route.url, str) else None,
        )
        for stage, route in routes.items()
    }


def default_models(services: Services, day: date) -> dict[str, Model]:
    """The models of a day for callers who name neither models nor hosts."""
    return models_of({}, operator_routes(services.settings), services, day)


def warn_of_ends(services: Services, day: date) -> None:
    """Log `model_ends` for each model that is used by default on a day, and shuts down soon."""
    undated = undated_stages(services.settings)
    for stage, model in default_models(services, day).items():
        if stage not in undated and model.shutdown and model.has_ended(day + NOTICE):
            then = services.registry[stage].resolve(model.name, model.shutdown).name
            log.warn("model_ends", stage=stage, model=model.name, date=model.shutdown, then=then)


def undated_stages(settings: Settings) -> set[str]:
    """The stages in which the list's dates do not hold, for callers who name no hosts."""
    routes = operator_routes(settings)
    return {stage for stage, route in routes.items() if not _dates_hold(route, settings)}


def _dates_hold(route: Route, settings: Settings) -> bool:
    """Whether the list's dates hold at a host: a self-hosted tts-1 outlives OpenAI's."""
    url = route.url
    if isinstance(url, str):
        try:
            url = BaseUrl.parse(url)
        except ValueError:
            return True  # Such a request is refused; its answer still names the models.
    elif settings.model_list != MODEL_LIST:
        return True  # The operator's own list is written for the operator's hosts.
    return url.is_openai or url.authority == settings.openai_base_url.authority
