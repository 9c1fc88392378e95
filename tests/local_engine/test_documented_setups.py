"""The set-ups of docs/hosts.md and README.md work as they stand there, with real models."""

import base64
import os
import signal
import socket
from contextlib import ExitStack

import pytest
from testing import fake_openai
from testing.builders import KEY
from testing.documented_setups import STOP_SECONDS, Terminal, engine_lines, place, section
from testing.fake_openai import soon
from testing.stream_readers import events_of, heard
from testing.word_errors import joined, word_error_rate

HOSTS = "docs/hosts.md"
SECOND_VOICE, NO_OPENAI, TEAM = (
    section(HOSTS, heading)
    for heading in ("A voice from a second engine", "No OpenAI at all", "A team behind tokens")
)
README = section("README.md", "A host for each stage")
ENGINES = engine_lines(NO_OPENAI[0])
QUESTION = "What is the capital of France?"
EACH_ITS_OWN = {"8001": ["transcriptions"], "8002": ["completions"], "8003": ["speech"]}
"""What each of three hosts is asked in one conversation."""


@pytest.fixture(scope="module")
def ground(base_url, tmp_path_factory):
    """The ports on which the engines of all tests here answer."""
    third = int(base_url.removesuffix("/v1").rpartition(":")[2])
    return place(tmp_path_factory.mktemp("engines"), **{"8003": third})


@pytest.fixture(scope="module")
def engines(ground, engine_log):
    """Three engines by their ports as written; more would take seconds each to start.

    They are `make run`'s beside the operator's service, a document's line's, and the tests' own.
    """
    assert len({line.replace(port, "") for port, line in ENGINES.items()}) == 1
    with ExitStack() as stack:
        proxies = stack.enter_context(pytest.MonkeyPatch.context())
        # A proxy that the environment names, which knows nothing of this machine, is not asked.
        for name in ("http_proxy", "no_proxy", "NO_PROXY"):
            proxies.delenv(name, raising=False)
        first = ground.terminal(SECOND_VOICE[1], HTTP_PROXY="http://127.0.0.1:9")
        running = [stack.enter_context(each) for each in (first, ground.terminal(ENGINES["8002"]))]
        running[0].wait_for("Try this: ")
        running[1].wait_for("ready on ")
        yield dict(zip(ENGINES, [*running, Terminal(running[0].process, engine_log)], strict=True))


@pytest.fixture
def here(engines, ground, tmp_path):
    """A place with a free port for the service, in front of the three engines."""
    return place(tmp_path, **{port: ground.ports[port] for port in engines})


@pytest.fixture
def are_asked(engines):
    """Each engine was asked so since the test began; what `hear` asks of the third is left out."""
    before = {port: len(engine.asked()) for port, engine in engines.items()}

    def since():
        asked = {port: engine.asked()[before[port] :] for port, engine in engines.items()}
        asked["8003"] = [stage for stage in asked["8003"] if stage != "transcriptions"]
        return {port: stages for port, stages in asked.items() if stages}

    def check(expected):
        # An engine tells of a request after the answer's last byte, when its caller has gone on.
        soon(lambda: since() == expected)
        assert since() == expected

    return check


def is_answered(answer: dict, hear) -> None:
    """The question was heard, and the reply is what the speech says."""
    assert answer["errors"] == []
    assert word_error_rate(QUESTION, answer["transcript"]) == 0
    assert word_error_rate(answer["text_response"], hear(base64.b64decode(answer["audio"]))) <= 0.2


def test_a_second_engine_speaks_beside_the_first(ground, are_asked, hear):
    """The first engine hears and replies; the second is asked for the speech alone."""
    assert SECOND_VOICE[0].strip() == ENGINES["8002"]
    is_answered(ground.answer(SECOND_VOICE[2]), hear)
    are_asked({"8001": ["transcriptions", "completions"], "8002": ["speech"]})


def test_a_caller_names_the_second_engine(here, are_asked, hear):
    """Where the operator allows it; `make run` brings an engine of its own."""
    service, call = SECOND_VOICE[3:]
    first = place(here.folder, **{"8002": here.ports["8002"]})
    with first.terminal(service) as running:
        running.wait_for("Try this: ")
        is_answered(first.answer(call), hear)
        assert soon(lambda: running.asked() == ["transcriptions", "completions"]), running.log
        said_to_try = running.log.partition("Try this: ")[2].splitlines()[0]
        assert str(first.ports["8000"]) in said_to_try
        assert "Paris" in first.answer(said_to_try)["text_response"]
        os.killpg(running.process.pid, signal.SIGINT)  # Ctrl-C frees both ports.
        running.process.wait(STOP_SECONDS)
        for written in ("8000", "8001"):
            socket.create_server(("127.0.0.1", first.ports[written])).close()
        assert "Traceback" not in running.log
    are_asked({"8002": ["speech"]})


def test_three_hosts_answer_without_openai(here, are_asked, hear, models):
    """In JSON, in a stream and as sound alone, each host is asked for its stage and no other."""
    as_json, as_stream, as_sound = NO_OPENAI[2].splitlines()
    with here.terminal(NO_OPENAI[1]) as running:
        running.wait_for("Booting worker")
        answer = here.answer(as_json)
        is_answered(answer, hear)
        assert answer["models_used"] == models
        are_asked(EACH_ITS_OWN)
        stream = heard(events_of([here.call(as_stream)]))
        here.call(as_sound)
    assert word_error_rate(QUESTION, stream.transcript) == 0
    assert word_error_rate(stream.text, hear(joined(stream.sounds, "mp3"))) <= 0.2
    assert "paris" in hear((here.folder / "answer.mp3").read_bytes()).lower()
    three = {port: stages * 3 for port, stages in EACH_ITS_OWN.items()}
    are_asked(three | {"8003": ["speech"] * (2 + len(stream.segments))})


def test_the_readmes_caller_names_three_hosts(here, are_asked, hear, models):
    """Without a key, with models as they are written, from a service that knows none of them."""
    engines, service, call = README
    assert engine_lines(engines) == ENGINES
    with here.terminal(service) as running:
        running.wait_for("Booting worker")
        answer = here.answer(call)
    is_answered(answer, hear)
    assert answer["models_used"] == models
    are_asked(EACH_ITS_OWN)


def test_a_team_talks_with_a_token(here, upstream):
    """A member's token opens the service, and is changed for the operator's key; no other does."""
    service, call = TEAM
    variables = {"PARLEY_OPENAI_BASE_URL": upstream.url, "OPENAI_API_KEY": KEY}
    with here.terminal(service, **variables) as running:
        running.wait_for("Booting worker")
        token = running.log.splitlines()[0]
        answer = here.answer(call, TOKEN=token)
        for other, code in {"": "api_key_missing", f"{token}x": "api_key_rejected"}.items():
            assert here.answer(call, TOKEN=other)["errors"][0]["code"] == code
        chosen = call.replace("-F", '-H "X-TTS-Base-URL: http://127.0.0.1:8002/v1" -F')
        assert here.answer(chosen, TOKEN=token)["errors"][0]["code"] == "base_url_refused"
        assert KEY not in running.log
        assert running.log.count(token) == 1  # The line that shows it to the operator.
    assert answer["text_response"] == fake_openai.REPLY
    sent = [request.headers["authorization"] for request in upstream.requests]
    assert sent == [f"Bearer {KEY}"] * 3
    assert not any(token.encode() in request.sent for request in upstream.requests)
