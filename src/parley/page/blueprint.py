"""The page to talk to the service: its assets, and what the service tells the page of itself."""

from mimetypes import MimeTypes
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request

from parley.models.registry import ANY_MODEL, StageModels
from parley.web.services import services
from parley.web.stage_routes import MAIN, default_models, operator_routes, undated_stages

TYPES = MimeTypes()  # Python's; the system's own table differs from machine to machine.
TYPES.add_type("text/javascript", ".js")  # As of Python 3.12.
ASSETS = {path.name: path.read_bytes() for path in (Path(__file__).parent / "assets").iterdir()}
"""Read once: they are small, and a request then needs no file."""
HEADERS = {
    # Asked for anew each time, and seldom sent: a deploy is never mixed with an old module.
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "microphone=(self)",
}

bp = Blueprint("page", __name__)


def asset(name: str) -> Response:
    """Answer with what lies beside the page, or with the page itself."""
    return Response(ASSETS[name], mimetype=TYPES.guess_type(name)[0])


# Their names alone: a rule for any name would answer for addresses that are not the page's. A rule
# each took most of the time in which the application is made.
NAMES = ", ".join(f'"{name}"' for name in sorted(ASSETS.keys() - {"index.html"}))
bp.add_url_rule("/", "index", asset, defaults={"name": "index.html"})
bp.add_url_rule(f"/<any({NAMES}):name>", "asset", asset)


@bp.get("/page.json")
def offer() -> dict[str, Any]:
    """Tell the page the models of today, and what is needed: no prompt, base URL, key or token."""
    settings, registry = services().settings, services().registry
    undated = undated_stages(settings)
    defaults = default_models(services(), services().today())
    stages = {
        name: {
            "default": defaults[name].name,
            "open": ANY_MODEL in stage.models,
            "own_host": getattr(settings, f"{name}_base_url") is not None,
            "models": _living(stage, dated=name not in undated),
        }
        for name, stage in registry.items()
    }
    has_tokens = bool(settings.caller_tokens)
    calls_main = any(route.name == MAIN for route in operator_routes(settings).values())
    key_required = has_tokens or (settings.key_required and calls_main)
    return {"key_required": key_required, "tokens": has_tokens, "stages": stages}


def _living(stage: StageModels, *, dated: bool) -> list[dict[str, Any]]:
    """The models that may be used today; `dated`, with the first day on which each may not."""
    today = services().today()
    return [
        {
            "name": model.name,
            "ends": model.shutdown.isoformat() if dated and model.shutdown else None,
            "voices": model.voices,
            "language": bool(model.language),
        }
        for model in stage.models.values()
        if model.name != ANY_MODEL and not (dated and model.has_ended(today))
    ]


@bp.after_request
def complete(response: Response) -> Response:
    """Add what all of them have; 304 for a browser that has the same already."""
    response.headers.update(HEADERS)
    response.add_etag()
    response.make_conditional(request)
    return response
