"""The commands of `flask --app wsgi`: `models` and `models check`. They are above all rooms."""

import os
from collections.abc import Mapping
from datetime import date

import click
from flask.cli import AppGroup, with_appcontext

from parley.base_urls import BaseUrl
from parley.deadline import Deadline
from parley.errors import UpstreamError
from parley.models.registry import ANY_MODEL
from parley.redaction import Secrets
from parley.settings import VISIBLE_ASCII, Settings
from parley.upstream.announced_dates import Day, shutdown_dates
from parley.web.services import services
from parley.web.stage_routes import MAIN, default_models, operator_routes, undated_stages
from parley.wire.transport import Upstream

KEY_VARIABLE = "OPENAI_API_KEY"
NO_DATES = "where the list's dates do not hold"


@click.group(cls=AppGroup, invoke_without_command=True)
@click.option("--date", "day", metavar="YYYY-MM-DD", help="Show this day instead of today (UTC).")
@click.pass_context
@with_appcontext
def models(context: click.Context, day: str | None) -> None:
    """Print the model of each stage for callers who name none, and at which host it is."""
    if context.invoked_subcommand:
        return
    try:
        today = date.fromisoformat(day) if day else services().today()
    except ValueError:
        raise click.BadParameter("write a day like 2027-03-01.", param_hint="--date") from None
    undated = undated_stages(services().settings)
    routes = operator_routes(services().settings)
    for stage, model in default_models(services(), today).items():
        until = f", until {model.shutdown}" if model.shutdown and stage not in undated else ""
        but = f", {NO_DATES}" if stage in undated else ""
        click.echo(f"{stage}: {model.name} ({model.interface}{until}) at {routes[stage].url}{but}")


@models.command()
def check() -> None:
    """Compare MODEL_LIST.MD with the dates that each stage's host announces; exit 1 if they differ.

    The hosts are the operator's. Where the list's dates do not hold, the list does not describe the
    host: only the default is expected there, and what else the host has is compared. A sentence
    names each host that cannot be asked (it may have no `GET /models`), and the exit status is 2.
    """
    upstreams, differences = _operators_upstreams(services().settings), 0
    announced = {upstream: _announced(upstream) for upstream in set(upstreams.values())}
    for stage, upstream in upstreams.items():
        if (dates := announced[upstream]) is None:
            click.echo(f"{stage}: not compared with {upstream.url}")
        else:
            differences += _compare(stage, upstream, dates)
    click.echo(f"differences: {differences}")
    raise SystemExit(2 if None in announced.values() else min(differences, 1))


def _compare(stage: str, upstream: Upstream, announced: Mapping[str, Day]) -> int:
    """Print how a stage's models differ from what its host announces; how many do."""
    listed, today = services().registry[stage], services().today()
    is_dated = stage not in undated_stages(services().settings)
    expected = listed.models.keys() if is_dated else {*announced, listed.default}
    names = [name for name in listed.models if name in expected and name != ANY_MODEL]
    if not is_dated:
        click.echo(f"{stage}: compared {' '.join(names)} at {upstream.url}, {NO_DATES}")
    differences = 0
    for name in names:
        ends = listed.models[name].shutdown if is_dated else None
        says, is_right = "unknown", bool(ends and ends <= today)
        if name in announced:
            says, is_right = f"shuts down {announced[name] or 'never'}", announced[name] == ends
        if not is_right:
            click.echo(f"{stage}: {name}: listed {ends or 'never'}, upstream: {says}")
            differences += 1
    return differences


def _operators_upstreams(settings: Settings) -> dict[str, Upstream]:
    """By stage, whom to ask; KEY_VARIABLE is for OpenAI's hosts or, without any, the main one."""
    openai_key = os.environ.get(KEY_VARIABLE, "").strip()
    if openai_key and not VISIBLE_ASCII.fullmatch(openai_key):
        raise click.UsageError(f"Set {KEY_VARIABLE} to one key in visible ASCII.")
    routes = operator_routes(settings)
    urls = {stage: route.url for stage, route in routes.items() if isinstance(route.url, BaseUrl)}
    has_openai = any(url.is_openai for url in urls.values())
    upstreams = {}
    for stage, url in urls.items():
        key = routes[stage].key
        if url.is_openai if has_openai else routes[stage].name == MAIN:
            key = key or openai_key
            if not key and settings.key_required and not settings.caller_tokens:
                raise click.UsageError(f"Set {KEY_VARIABLE} to a key of {url}.")
        upstreams[stage] = Upstream(url, key, Secrets(key))
    return upstreams


def _announced(upstream: Upstream) -> dict[str, Day] | None:
    """What the host announces; None, and a sentence on stderr, where it cannot be asked."""
    deadline = Deadline.after(services().settings.deadline)
    try:
        return shutdown_dates(services().transport, upstream, deadline)
    except UpstreamError as error:
        click.echo(f"Error: {upstream.url}: {error.message}", err=True)
        return None
