"""The commands of `flask --app wsgi`: `models`, `models check` and `openapi`."""

import os
from datetime import date

import click
from flask.cli import AppGroup, with_appcontext

from parley.base_urls import Destination
from parley.deadline import Deadline
from parley.errors import UpstreamError
from parley.models.registry import ANY_MODEL
from parley.upstream.shutdown_dates import shutdown_dates
from parley.web.services import services
from parley.wire.messages import Upstream

KEY_VARIABLE = "OPENAI_API_KEY"


class NotCompared(click.ClickException):
    """The upstream could not be asked. The exit code is not 1, which means a difference."""

    exit_code = 2


@click.group(cls=AppGroup, invoke_without_command=True)
@click.option("--date", "day", metavar="YYYY-MM-DD", help="Show this day instead of today (UTC).")
@click.pass_context
@with_appcontext
def models(context: click.Context, day: str | None) -> None:
    """Print the model that each stage uses where a caller names none."""
    if context.invoked_subcommand:
        return
    try:
        today = date.fromisoformat(day) if day else services().today()
    except ValueError:
        raise click.BadParameter("write a day like 2027-03-01.", param_hint="--date") from None
    for stage, model in services().registry.resolve({}, today).by_stage().items():
        until = f", until {model.shutdown}" if model.shutdown else ""
        click.echo(f"{stage}: {model.name} ({model.interface}{until})")


@models.command()
def check() -> None:
    """Compare MODEL_LIST.MD with the dates that the upstream announces; exit 1 if they differ."""
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        raise click.UsageError(f"Set {KEY_VARIABLE} to a key of the upstream.")
    upstream = Upstream(Destination(services().settings.openai_base_url), key)
    deadline = Deadline.after(services().settings.deadline)
    try:
        announced = shutdown_dates(services().transport, upstream, deadline)
    except UpstreamError as error:
        raise NotCompared(error.message) from None
    differences = 0
    for stage, listed in services().registry.stages.items():
        for name, model in listed.models.items():
            known = name in announced
            ended = bool(model.shutdown and model.shutdown <= services().today())
            if name == ANY_MODEL or (announced[name] == model.shutdown if known else ended):
                continue
            differences += 1
            says = f"shuts down {announced[name] or 'never'}" if known else "unknown"
            click.echo(f"{stage}: {name}: listed {model.shutdown or 'never'}, upstream: {says}")
    click.echo(f"differences: {differences}")
    raise SystemExit(1 if differences else 0)


@click.command()
def openapi() -> None:
    """Print the API as an OpenAPI document, which docs/openapi.json holds."""
    try:
        from parley.web.openapi import document  # noqa: PLC0415  # Servers do not install apispec.
    except ImportError as missing:
        raise click.ClickException(
            f"{missing.name} is missing; install it with: pip install -r requirements-test.txt"
        ) from None
    click.echo(document())
