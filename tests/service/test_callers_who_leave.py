"""A caller who leaves is one line in the log, which says the same of it whenever it leaves."""

import time
from contextlib import closing, suppress

import pytest
from testing import fake_openai as fake
from testing.raw_callers import connect, until_closed
from testing.served_streams import LEAVES, is_quiet, log_line, post, request, served

JSON = "application/json"


@pytest.fixture
def upstream(served_upstream):
    """The upstream, which answers as it should until the test says otherwise."""
    served_upstream.answers = {}
    served_upstream.requests.clear()
    return served_upstream


@pytest.fixture(scope="module")
def service(served_upstream, tmp_path_factory):
    with served(tmp_path_factory.mktemp("service"), served_upstream.url) as running:
        yield running


def line_of(service, name):
    """The conversation's line, which is the only one that names it."""
    line = log_line(service, name)
    assert service.log.count(name) == 1
    assert "event=answer_cut" in line
    assert line.startswith("at=WARNING ")
    is_quiet(service)
    return line


@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("leave", LEAVES)
def test_before_the_upload_has_ended(service, leave, framing):
    """Whichever way the body's end was promised."""
    name = f"upload-{leave}-{framing}"
    sent = request(JSON, name)[:-100]
    if framing == "chunks":
        head, _, body = sent.partition(b"\r\n\r\n")
        head = head.replace(b"Content-Length", b"Transfer-Encoding: chunked\r\nX-Length")
        sent = head + b"\r\n\r\n%x\r\n" % (len(body) + 100) + body
    with connect(service) as connection:
        connection.sendall(sent)
        LEAVES[leave](connection)
        if leave == "half-closes":
            assert b'"request_malformed"' in until_closed(connection)
        line = line_of(service, name)
    assert "status=400 stage=request code=caller_disconnected" in line


STAGES = [
    (stage, status, more)
    for stage, status in (("stt", 206), ("text", 206), ("tts", 200))
    for more in (b"", b"x")
]
LEAVING = [(leave, *stage) for leave in LEAVES for stage in STAGES]


@pytest.mark.parametrize(("leave", "stage", "status", "more"), LEAVING)
def test_amid_an_answer_in_json(service, upstream, leave, stage, status, more):
    """At the stage that ran when it left, also where it had sent more than its request."""
    name = f"json-{leave}-{stage}-{len(more)}"

    def answers_late(connection, asked):
        with suppress(OSError):  # It has left already where an earlier stage was tried again.
            caller.sendall(more)
        LEAVES[leave](caller)
        time.sleep(0.2)
        return connection.sendall(fake.good(asked)) or True

    upstream.answers[stage] = answers_late
    with connect(service) as caller:
        caller.sendall(request(JSON, name))
        line = line_of(service, name)
    assert f"status={status} stage={stage} code=caller_disconnected" in line
    assert upstream.requests[-1].stage == stage


def test_a_failure_before_it_left_is_what_the_line_tells(service, upstream):
    """The first failure stands, and the event says that its answer was not read."""
    upstream.answers["tts"] = lambda connection, asked: (
        LEAVES["closes"](caller),
        time.sleep(0.2),
        connection.sendall(fake.http(b"{}", "400 No")),
    )
    with connect(service) as caller:
        caller.sendall(request(JSON, "failed"))
        line = line_of(service, "failed")
    assert "status=206 stage=tts code=upstream_rejected" in line


def test_whoever_reads_the_whole_answer_has_not_left(service, upstream):
    """Though it closes the connection as soon as it has it."""
    with closing(post(service, JSON)) as response:
        assert response.status_code == 200
        assert response.content
    assert "event" not in log_line(service, response.headers["X-Request-ID"])
