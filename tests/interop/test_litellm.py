"""Conversations through LiteLLM's proxy, with the local engine and aimock behind it."""

import json
from collections.abc import Iterator, Mapping
from itertools import product

import pytest
from interop.servers import at_a_port, program
from testing import aimock
from testing.builders import KEY, ROOT
from testing.gunicorn_process import serving_models
from testing.representations import JSON, REPRESENTATIONS, STREAM, ask

pytestmark = pytest.mark.interop

QUESTION = (ROOT / "examples" / "question.wav").read_bytes()
NOBODY = {"api_base": "http://127.0.0.1:9/v1", "num_retries": 0}
AIMOCK = {"behind": "aimock", "api_key": KEY}
STALLED = {"model": "openai/mocked", "mock_timeout": True, "timeout": 1}
BUDGET = {"max_budget": 1e-12, "budget_duration": "1d"}
MODES = {"stt": "audio_transcription", "tts": "audio_speech"}


def mocked(error: str) -> dict[str, object]:
    return {"model": "openai/mocked", "mock_response": f"litellm.{error}"}


# By the name of the model: its deployments, the code, and what is told of the reason.
FAILURES: Mapping[str, tuple[list[dict[str, object]], str, str]] = {
    "limited": ([mocked("RateLimitError")], "rate_limited", "mock rate limit error"),
    "broken": ([mocked("InternalServerError")], "upstream_unavailable", "mock internal server"),
    "window": ([mocked("ContextWindowExceededError")], "upstream_rejected", "context window"),
    "stalled": ([STALLED], "upstream_timeout", "mock timeout error"),
    "nobody": ([NOBODY], "upstream_unavailable", "Connection error"),
    "cooling": ([NOBODY, {**NOBODY, "model": "openai/other"}], "rate_limited", "Try again in 30"),
    "unpaid": ([AIMOCK], "quota_exhausted", "No credits."),
    "length": ([AIMOCK], "text_incomplete", ""),
    "cut": ([AIMOCK], "upstream_unavailable", "Connection error."),
}
UNPAID = {"status": 402, "error": {"message": "No credits."}}
ANSWERS = [
    aimock.answer("text", "unpaid", response=UNPAID),
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
    poor = deployment("poor", behind="engine", model=f"openai/{models['text']}", **BUDGET)
    poor["model_info"] |= {"input_cost_per_token": 1, "output_cost_per_token": 1}
    session = {"model": f"openai/{models['tts']}", "api_base": engine.removesuffix("/v1")}
    rows += [
        *(poor, deployment("gone", behind="engine"), deployment("relieved", **NOBODY)),
        deployment("session", "realtime", **session),
    ]
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
    with aimock.running(folder, ANSWERS) as others:
        config = configuration(engine, engine_models, others)
        (folder / "config.yaml").write_text(json.dumps(config))  # JSON is YAML, too.
        command = [litellm, "--config", folder / "config.yaml"]
        local = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        models = aimock.model_list(engine_models, **rows)
        with (
            at_a_port(command, folder, "/health/liveliness", **local) as base,
            serving_models(folder, models, PARLEY_OPENAI_BASE_URL=base) as served,
        ):
            yield served.url


@REPRESENTATIONS
def test_it_hears_replies_and_speaks(service, engine_models, accept):
    """All three stages are its, and the engine behind it is heard."""
    told = ask(service, accept, audio=QUESTION)
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


@pytest.mark.parametrize("name", FAILURES)
def test_its_failures_are_told(service, name):
    """The first words of its sentence, whose other ones are advice to its operator."""
    _, code, reason = FAILURES[name]
    told = ask(service, STREAM, audio=QUESTION, text_model=name)
    assert (told.status, told.code, told.stage) == (206, code, "text")
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


WRONG_KEY = {"X-OpenAI-API-Key": "sk-of-nobody-here-123456"}
# Headers and fields; the status, the code, its stage, and words of the reason.
REFUSALS = {
    "a budget is spent": ({}, {"text_model": "poor"}, 206, "quota_exhausted", "text", "budget"),
    "without a database, a key": (WRONG_KEY, {}, 401, "api_key_rejected", "stt", "connected db."),
    "what is behind it": ({}, {"voice": "nobody"}, 206, "upstream_rejected", "tts", "'voice'"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_it_refuses_is_told(service, name):
    """In its words, or those of the host behind it."""
    headers, fields, status, code, stage, reason = REFUSALS[name]
    if stage == "text":  # The first reply costs more than all of the budget.
        ask(service, audio=QUESTION, **fields)
    told = ask(service, JSON, headers, audio=QUESTION, **fields)
    assert (told.status, told.code, told.stage) == (status, code, stage)
    assert reason in told.message
