"""The Flask application, put together from what arrives as arguments."""

from collections.abc import Iterable
from contextlib import closing
from functools import lru_cache, partial
from typing import Any

from flask import Blueprint, Flask, Response
from flask_cors import CORS

from parley.errors import HeldTooLong, InternalError
from parley.web import request_record
from parley.web.answers import add_promised_headers, answer_exception
from parley.web.services import Services
from parley.web.serving.slots import SLOT, Slot
from parley.web.sound import SOUND_HEADERS
from parley.web.stage_routes import warn_of_ends
from parley.web.uploads import FORM_BYTES


class Application(Flask):
    """Flask's application, which answers OPTIONS with 204, and HeldTooLong as any other error."""

    def wsgi_app(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer over HTTP/1.1, as RFC 9110, 7.8 allows, and hold the request's Slot meanwhile."""
        environ.pop("HTTP_UPGRADE", None)  # Werkzeug would refuse it.
        environ["HTTP_ACCEPT"] = environ.get("HTTP_ACCEPT", "").replace("=.", "=0.")  # Java's q=.2
        slot = environ[SLOT] = Slot(self.extensions["parley"].slots)
        with closing(slot), closing(super().wsgi_app(environ, start_response)) as body:  # type: ignore[type-var]
            for piece in body:  # noqa: UP028  # `yield from` would close it a second time.
                yield piece

    def dispatch_request(self) -> Any:
        """The route's answer. Flask hands no BaseException to the error handlers."""
        try:
            return super().dispatch_request()
        except HeldTooLong:
            raise InternalError() from None

    def make_default_options_response(self) -> Response:
        """204 with `Allow`; flask-cors adds what a preflight asks for."""
        response = super().make_default_options_response()
        response.status_code = 204
        del response.headers["Content-Type"]
        return response


def create_app(services: Services, blueprints: Iterable[Blueprint]) -> Flask:
    """The service, with the sections of its API that `blueprints` bring."""
    app = Application("parley", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider has it.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions["parley"] = services
    app.before_request(request_record.begin)
    app.after_request(request_record.complete)
    app.after_request(add_promised_headers)  # Before `complete`: Flask calls the last first.
    app.register_error_handler(Exception, answer_exception)
    warn_once = lru_cache(maxsize=1)(partial(warn_of_ends, services))
    warn_once(services.today())
    app.before_request(lambda: warn_once(services.today()))
    if origins := services.settings.allowed_origins:
        exposed = ("Retry-After", "Server-Timing", "X-Request-ID", *SOUND_HEADERS)
        told: Any = {"methods": ["GET", "POST"], "expose_headers": exposed}
        CORS(app, origins=origins, send_wildcard=True, allow_private_network=True, **told)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.add_url_rule("/healthz", "healthz", lambda: {"status": "ok"})  # The upstream is not called.
    return app
