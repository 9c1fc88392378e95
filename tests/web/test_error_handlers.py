"""What a section raises or aborts with is answered in the one shape, by no code of its own."""

import pytest
from flask import Blueprint, abort, request
from testing.builders import make_app

from parley.errors import AudioEmpty
from parley.web.app import create_app


@pytest.fixture
def caller():
    """A caller of an application with a section that only fails."""
    bp = Blueprint("failing", __name__, url_prefix="/api/failing")

    @bp.get("/abort/<int:status>")
    def give_up(status):
        abort(status)

    @bp.get("/raise")
    def fail():
        raise AudioEmpty

    @bp.get("/break")
    def fail_unforeseen():
        raise RuntimeError(request.args["text"])

    app = create_app(make_app().extensions["parley"], [bp])
    return app.test_client()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("abort/400", 400, "request_malformed"),
        ("abort/404", 404, "not_found"),
        ("abort/409", 409, "conflict"),
        ("abort/415", 415, "unsupported_media_type"),
        ("abort/503", 503, "service_unavailable"),
        ("raise", 400, "audio_empty"),
        ("break", 500, "internal_error"),
    ],
)
def test_each_failure_has_its_status_and_code(caller, logged, path, status, code):
    response = caller.get(f"/api/failing/{path}?text=sk-secret")
    assert response.status_code == status
    assert list(response.json) == ["success", "errors"]
    assert response.json["errors"][0]["code"] == code
    assert "secret" not in response.text + logged.text


def test_what_nobody_foresaw_is_logged_where_it_arose(caller, logged):
    """The kind and the place are logged, without the text, which may quote a key."""
    caller.get("/api/failing/break?text=sk-secret")
    assert "code=internal_error" in logged.text
    assert "kind=RuntimeError" in logged.text
    assert "fail_unforeseen" in logged.text
