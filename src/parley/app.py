"""The Flask application, put together from what arrives as arguments."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Semaphore
from typing import cast

from flask import Blueprint, Flask, current_app, g
from flask_cors import CORS
from werkzeug.datastructures import Headers

from parley import handlers, log, upload
from parley.credentials import BASE_URL_HEADER, api_key_of
from parley.deadline import Deadline
from parley.egress import BaseUrl, Destination
from parley.errors import Overloaded
from parley.openai import Client
from parley.registry import Models, Registry
from parley.settings import Settings
from parley.transport import Transport, Upstream

RETRY_SECONDS = 2
"""When a refused caller may come back: about a conversation's length, so a place was left."""

EXPOSED = ("Retry-After", "Server-Timing", "X-Request-ID")
"""What a page on another origin may read of an answer's headers."""


@dataclass(frozen=True)
class Services:
    """What every section works with."""

    settings: Settings
    registry: Registry
    transport: Transport
    today: Callable[[], date]
    """The day it is, in UTC."""
    places: Semaphore
    """How many conversations the process may still begin."""

    def upstream_for(self, headers: Headers) -> Upstream:
        """Where a request's headers send its calls, with the caller's key.

        One of the places is held from here on until the answer is out. Raises ApiKeyMissing,
        Overloaded or BaseUrlRefused, in that order: judging a base URL can take as long as DNS.
        """
        api_key = api_key_of(headers, required=self.settings.key_required)
        if not self.places.acquire(blocking=False):
            raise Overloaded(retry_after=RETRY_SECONDS)
        g.leave_place = self.places.release
        named = headers.get(BASE_URL_HEADER, "").strip()
        if not named:
            destination = Destination(self.settings.openai_base_url)
        else:
            destination = self.settings.allowed_base_urls.admit(named)
            self.transport.admit(destination)
        return Upstream(destination, api_key, g.request_id)

    def models_for(self, options: Mapping[str, str], headers: Headers) -> Models:
        """The models of a request, by its options and by where its headers send its calls.

        The model list describes the service's own upstream: on another host, a self-hosted tts-1
        say, what is listed lives on.
        """
        named, own = headers.get(BASE_URL_HEADER, "").strip(), self.settings.openai_base_url
        try:
            url = BaseUrl.parse(named) if named else own
        except ValueError:
            url = own  # Refused, so that it does not matter.
        same = (url.host, url.port) == (own.host, own.port)
        return self.registry.resolve(options, self.today() if same else None)

    def client(self, upstream: Upstream) -> Client:
        """The calls to an upstream, for one conversation whose time begins now."""
        deadline = Deadline.after(self.settings.deadline)
        return Client(self.transport, upstream, deadline, self.settings.system_prompt)


def create_app(services: Services, blueprints: Iterable[Blueprint]) -> Flask:
    """The service, with the sections of its API that `blueprints` bring."""
    app = Flask("parley", static_folder=None)
    app.request_class = upload.FormRequest
    app.config.update(upload.LIMITS)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["parley"] = services
    handlers.install(app)
    for stage, model in services.registry.ending(services.today()).items():
        then = services.registry.stages[stage].resolve(model.name, model.shutdown)
        log.model_ends(stage, model.name, model.shutdown, then.name)
    CORS(
        app,
        origins=services.settings.allowed_origins,
        methods=["GET", "POST"],
        expose_headers=EXPOSED,
    )
    for blueprint in blueprints:
        app.register_blueprint(blueprint)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        """Say that the process is alive; nothing is asked of the upstream."""
        return {"status": "ok"}

    return app


def services() -> Services:
    """What the application that answers the current request works with."""
    return cast(Services, current_app.extensions["parley"])
