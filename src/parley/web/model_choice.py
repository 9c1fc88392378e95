"""Which models a request uses, on the hosts that serve its stages."""

from collections.abc import Mapping
from datetime import date, timedelta

from parley import log
from parley.base_urls import BaseUrl
from parley.models.registry import UNLISTED, Model
from parley.settings import MODEL_LIST, Settings
from parley.web.services import Services
from parley.web.stage_routes import Route, operator_routes

NOTICE = timedelta(days=60)  # How long before a model shuts down the service warns of it.


def models_of(
    names: Mapping[str, str], routes: Mapping[str, Route], services: Services, day: date
) -> dict[str, Model]:
    """By stage, the model that a form names, or what MODEL_LIST.MD has in its stead on that day."""
    models = {}
    for stage, route in routes.items():
        is_callers_own = route.name == stage and isinstance(route.url, str)
        models[stage] = services.registry[stage].resolve(
            names.get(f"{stage}_model", ""),
            day if _dates_hold(route, services.settings) else None,
            UNLISTED[stage] if is_callers_own else None,
        )
    return models


def default_models(services: Services, day: date) -> dict[str, Model]:
    """The models of a day for callers who name neither models nor hosts."""
    return models_of({}, operator_routes(services.settings), services, day)


def warn_of_ends(services: Services, day: date) -> None:
    """Log `model_ends` for each model that is used by default on a day, and shuts down soon."""
    undated = undated_stages(services.settings)
    for stage, model in default_models(services, day).items():
        if stage not in undated and model.shutdown and model.has_ended(day + NOTICE):
            then = services.registry[stage].resolve(model.name, model.shutdown)
            log.model_ends(stage, model.name, model.shutdown, then.name)


def undated_stages(settings: Settings) -> set[str]:
    """The stages in which the list's dates do not hold, for callers who name no hosts."""
    routes = operator_routes(settings)
    return {stage for stage, route in routes.items() if not _dates_hold(route, settings)}


def _dates_hold(route: Route, settings: Settings) -> bool:
    """Whether the list's dates do: a self-hosted tts-1 does not shut down with OpenAI's."""
    url = route.url
    if isinstance(url, str):
        try:
            url = BaseUrl.parse(url)
        except ValueError:
            return True  # Such a request is refused; its answer still names the models.
    elif settings.model_list != MODEL_LIST:
        return True  # The operator's own list is written for the operator's hosts.
    return url.is_openai or url.authority == settings.openai_base_url.authority
