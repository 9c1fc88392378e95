"""The Flask application, put together from what arrives as arguments."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from threading import Semaphore
from typing import cast

from flask import Blueprint, Flask, Response, current_app, g, request
from flask_cors import CORS
from werkzeug.datastructures import Headers

from parley.base_urls import BaseUrl, Destination
from parley.deadline import Deadline
from parley.errors import Overloaded
from parley.models.end_warnings import EndWarnings
from parley.models.registry import Models, Registry
from parley.settings import Settings
from parley.upstream.client import Client
from parley.web import error_handlers as handlers
from parley.web import forms as upload
from parley.web.admission import BASE_URL_HEADER, api_key_of
from parley.web.slots import SLOT, release_after_answer
from parley.wire.messages import Upstream
from parley.wire.transport import Transport

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
    slots: Semaphore
    """How many conversations the process may still begin."""

    def upstream_for(self, headers: Headers) -> Upstream:
        """Where a request's headers send its calls, with the caller's key.

        One of the places is held from here on until the answer is out. Raises ApiKeyMissing,
        Overloaded or BaseUrlRefused, in that order: judging a base URL can take as long as DNS.
        """
        api_key = api_key_of(headers)
        if not request.environ[SLOT].take():
            raise Overloaded(retry_after=RETRY_SECONDS)
        named = headers.get(BASE_URL_HEADER, "").strip()
        if not named:
            destination = Destination(self.settings.openai_base_url)
        else:
            destination = self.settings.allowed_base_urls.destination_of(named)
            self.transport.require_allowed(destination)
        return Upstream(destination, api_key, g.request_id)

    def models_for(self, options: Mapping[str, str], headers: Headers) -> Models:
        """The models of a request, by its options and by where its headers send its calls.

        The model list describes OpenAI's hosts and the service's own upstream: on another host, a
        self-hosted tts-1 say, what is listed lives on.
        """
        named, own = headers.get(BASE_URL_HEADER, "").strip(), self.settings.openai_base_url
        try:
            url = BaseUrl.parse(named) if named else own
        except ValueError:
            url = own  # Refused, so that it does not matter.
        listed = url.is_openai or (url.host, url.port) == (own.host, own.port)
        return self.registry.resolve(options, self.today() if listed else None)

    def client(self, upstream: Upstream) -> Client:
        """The calls to an upstream, for one conversation whose time begins now."""
        deadline = Deadline.after(self.settings.deadline)
        return Client(self.transport, upstream, deadline, self.settings.system_prompt)


class Application(Flask):
    """Flask's, whose answer to OPTIONS is empty and says so."""

    def make_default_options_response(self) -> Response:
        """204 with `Allow`; flask-cors adds what a preflight asks for."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def create_app(services: Services, blueprints: Iterable[Blueprint]) -> Flask:
    """The service, with the sections of its API that `blueprints` bring."""
    app = Application("parley", static_folder=None)
    app.request_class = upload.FormRequest
    app.config.update(upload.LIMITS)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["parley"] = services
    app.wsgi_app = release_after_answer(app.wsgi_app, services.slots)  # type: ignore[method-assign]
    handlers.install(app)
    warn = EndWarnings(services.registry)
    warn(services.today())
    app.before_request(lambda: warn(services.today()))
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
