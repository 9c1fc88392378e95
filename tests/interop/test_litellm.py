"""Conversations through LiteLLM's proxy, with the local engine and aimock behind it."""

import json
from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from interop.servers import program
from testing import aimock
from testing.builders import KEY, ROOT
from testing.gunicorn_process import free_port, serving_models
from testing.processes import started
from testing.representations import JSON, REPRESENTATIONS, STREAM, ask

pytestmark = pytest.mark.interop

QUESTION = (ROOT / "examples" / "question.wav").read_bytes()
NOBODY = {"api_base": "http://127.0.0.1:9/v1", "num_retries": 0}
AIMOCK = {"behind": "aimock", "api_key": KEY}
BUDGET = {"max_budget": 1e-12, "budget_duration": "1d"}
MODES = {"stt": "audio_transcription", "tts": "audio_speech"}


def mocked(error: str) -> dict[str, object]:
    return {"model": "openai/mocked", "mock_response": f"litellm.{error}"}


# By the name of the model: its deployments, the code, and what is told of the reason.
FAILURES: Mapping[str, tuple[list[dict[str, object]], str, str]] = {
    "limited": ([mocked("RateLimitError")], "rate_limited", "mock rate limit error"),
    "broken": ([mocked("InternalServerError")], "upstream_unavailable", "mock internal server"),
    "window": ([mocked("ContextWindowExceededError")], "upstream_rejected", "context window"),
    "stalled": (
        [{"model": "openai/mocked", "mock_timeout": True, "timeout": 1}],
        "upstream_timeout",
        "mock timeout error",
    ),
    "nobody": ([NOBODY], "upstream_unavailable", "Connection error"),
    "cooling": ([NOBODY, {**NOBODY, "model": "openai/other"}], "rate_limited", "Try again in 30"),
    "unpaid": ([AIMOCK], "quota_exhausted", "No credits."),
    "unmade": ([AIMOCK], "upstream_rejected", "Not made."),
    "length": ([AIMOCK], "text_incomplete", ""),
    "cut": ([AIMOCK], "upstream_unavailable", "Connection error."),
}
ANSWERS = [
    aimock.answer("text", name, response={"status": status, "error": {"message": message}})
    for name, status, message in (("unpaid", 402, "No credits."), ("unmade", 501, "Not made."))
]
ANSWERS += [
    aimock.answer("text", "length", response={"content": aimock.REPLY, "finishReason": "length"}),
    aimock.answer("text", "cut", truncateAfterChunks=4, latency=100),
]


def configuration(engine: str, models: Mapping[str, str], others: str) -> dict[str, object]:
    """What LiteLLM is told: the engine's models as they are, and a model for each row."""
    behind = {"engine": engine, "aimock": others}

    def deployment(name: str, mode: str = "chat", **params: object) -> dict[str, object]:
        base = behind.get(str(params.pop("behind", "")))
        params = {"api_key": "any", "model": f"openai/{name}", "num_retries": 0, **params}
        params |= {"api_base": base} if base else {}
        return {"model_name": name, "litellm_params": params, "model_info": {"mode": mode}}

    rows = [
        deployment(model, MODES.get(stage, "chat"), behind="engine")
        for stage, model in models.items()
    ]
    rows += [deployment(name, **params) for name, row in FAILURES.items() for params in row[0]]
    rows += [
        deployment("gone", behind="engine"),
        deployment("relieved", **NOBODY),
        deployment("poor", behind="engine", model=f"openai/{models['text']}", **BUDGET),
    ]
    rows[-1]["model_info"] |= {"input_cost_per_token": 1, "output_cost_per_token": 1}
    session = f"openai/{models['tts']}"
    rows.append(
        deployment("session", "realtime", model=session, api_base=engine.removesuffix("/v1"))
    )
    return {
        "model_list": rows,
        "router_settings": {
            "fallbacks": [{"relieved": [models["text"]]}],
            "allowed_fails": 0,
            "cooldown_time": 30,
        },
        "litellm_settings": {"telemetry": False, "num_retries": 0},
        "general_settings": {"master_key": KEY},
    }


@pytest.fixture(scope="module")
def service(engine, engine_models, tmp_path_factory) -> Iterator[str]:
    """The service, with LiteLLM as the host of all three stages."""
    litellm = program("litellm", "litellm")
    folder = tmp_path_factory.mktemp("litellm")
    named = "".join(f"| {name} | | | |\n" for name in ("gone", "unknown"))
    sessions = "".join(f"| {name} | | realtime | |\n" for name in ("session", "ghost"))
    rows = {"stt": named, "text": named, "tts": f"{named}{sessions}"}
    port = str(free_port())
    with aimock.running(folder, ANSWERS) as others:
        config = configuration(engine, engine_models, others)
        (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML, too.
        command = [litellm, "--config", folder / "config.yaml"]
        command += ["--host", "127.0.0.1", "--port", port]
        address = f"http://127.0.0.1:{port}/health/liveliness"
        local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        models = aimock.model_list(engine_models, **rows)
        base = f"http://127.0.0.1:{port}/v1"
        with (
            started(command, folder / "litellm", address, **local),
            serving_models(folder, models, PARLEY_OPENAI_BASE_URL=base) as served,
        ):
            yield served.url


@REPRESENTATIONS
@pytest.mark.parametrize("form", ["mp3", "wav"])
def test_it_hears_replies_and_speaks(service, engine_models, accept, form):
    """All three stages are its, and the engine behind it is heard."""
    told = ask(service, accept, audio=QUESTION, audio_format=form)
    assert (told.status, told.models) == (200, engine_models)
    assert told.transcript == "What is the capital of France?"
    assert "Paris" in told.reply
    assert len(told.sound) > 10_000


@REPRESENTATIONS
def test_it_speaks_over_its_realtime_api(service, accept):
    """As the engine behind it does."""
    told = ask(service, accept, audio=QUESTION, tts_model="session")
    assert (told.status, told.models["tts"]) == (200, "session")
    assert len(told.sound) > 10_000


@REPRESENTATIONS
@pytest.mark.parametrize("name", FAILURES)
def test_its_failures_are_told(service, accept, name):
    """The first words of its sentence, whose other ones are advice to its operator."""
    _, code, reason = FAILURES[name]
    told = ask(service, accept, audio=QUESTION, text_model=name)
    if name == "cut" and accept != STREAM:  # What is behind it cuts streams alone.
        code = None
    assert (told.status, told.code) == (206 if code else 200, code)
    if accept in (JSON, STREAM) and code:
        assert told.stage == "text"
        assert reason in told.message
    assert bool(told.reply) is bool(told.sound) is (name in ("length", "cut"))


@pytest.mark.parametrize(
    ("stage", "name"), [*product(("stt", "text", "tts"), ("gone", "unknown")), ("tts", "ghost")]
)
def test_a_model_that_is_nowhere_is_replaced(service, engine_models, stage, name):
    """Whether it or the host behind it does not know the name; over its Realtime API, too."""
    told = ask(service, audio=QUESTION, **{f"{stage}_model": name})
    assert (told.status, told.models) == (200, engine_models)


def test_its_own_fallback_is_a_success(service):
    """Nobody here hears of it."""
    told = ask(service, audio=QUESTION, text_model="relieved")
    assert (told.status, told.models["text"]) == (200, "relieved")


@REPRESENTATIONS
def test_a_budget_is_spent(service, accept):
    """The first reply costs more than all of it."""
    ask(service, audio=QUESTION, text_model="poor")
    told = ask(service, accept, audio=QUESTION, text_model="poor")
    assert (told.status, told.code, told.stage) == (206, "quota_exhausted", "text")
    assert "crossed budget" in told.message


@REPRESENTATIONS
def test_a_key_that_is_not_its_master_key_is_refused(service, accept):
    """Without a database it says so as a 400."""
    told = ask(service, accept, {"X-OpenAI-API-Key": "sk-of-nobody-here-123456"}, audio=QUESTION)
    assert (told.status, told.code, told.stage) == (401, "api_key_rejected", "stt")
    assert "No connected db." in told.message


def test_what_the_host_behind_it_refuses_is_told(service):
    """In that host's words."""
    told = ask(service, audio=QUESTION, voice="nobody")
    assert (told.status, told.code, told.stage) == (206, "upstream_rejected", "tts")
    assert "Invalid 'voice'" in told.message
