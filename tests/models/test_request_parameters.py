"""A model's parameters go out as what they are, and never in place of what the service sends."""

import json
import re
from itertools import product

import pytest
from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.builders import make_app
from testing.conversation_forms import MAIN, converse

from parley.models.model_list import SENT, parameters_in


@pytest.mark.parametrize(
    ("text", "fields", "in_a_form"),
    [
        ("", {}, {}),
        ("{}", {}, {}),
        ('{"effort": "none"}', {"effort": "none"}, {"effort": "none"}),
        ('{"a": 0.2, "b": "5"}', {"a": 0.2, "b": "5"}, {"a": "0.2", "b": "5"}),
        ('{"a": true, "b": null}', {"a": True, "b": None}, {"a": "true", "b": "null"}),
        ('{"a": {"b": [1, "x"]}}', {"a": {"b": [1, "x"]}}, {"a": '{"b": [1, "x"]}'}),
    ],
)
def test_a_cell_is_a_json_object(text, fields, in_a_form):
    """A JSON body has its values as they are; in a form each is text."""
    parsed = parameters_in(text, "chat")
    assert parsed == fields
    assert [type(value) for value in parsed.values()] == [type(value) for value in fields.values()]
    assert parameters_in(text, "transcriptions") == in_a_form


@pytest.mark.parametrize(
    "text",
    [
        *("x", "reasoning_effort=none"),  # The second was how 0.1.0 had it.
        *("[1]", '"x"', "1", "{", "{'a': 1}", '{"a": 1}, b=2', "[" * 100_000),
        # What Python alone takes for JSON (RFC 8259, section 6).
        *('{"a": NaN}', '{"a": [Infinity]}', '{"a": 1e999}'),
    ],
)
def test_what_is_no_object_is_refused(text):
    with pytest.raises(ValueError, match="is not a JSON object; write one, such as "):
        parameters_in(text, "chat")


@pytest.mark.parametrize("text", ['{"a": 1, "a": 1}', '{"b": {"a": 1, "a": 2}}'])
def test_a_name_that_comes_twice_is_refused(text):
    """Which of two values is meant cannot be told."""
    with pytest.raises(ValueError, match="'a' twice"):
        parameters_in(text, "chat")


def test_no_parameter_may_be_what_the_service_sends(at_once):
    asked = {interface: {"model"} for interface in SENT}

    def hear(connection, request):
        asked["realtime"] |= set(realtime.Session(connection, request).begin())

    choices = [
        {"stt_model": "whisper-1", "tts_model": "tts-1"},
        {"stt_model": "gpt-transcribe", "tts_model": "gpt-realtime-2.1-mini"},
    ]
    with fake.running() as upstream:
        client = make_app(PARLEY_OPENAI_BASE_URL=upstream.url).test_client()
        for choice, accept in product(choices, ("application/json", "text/event-stream")):
            upstream.answers = {"tts": hear} if choice is choices[1] else {}
            converse(client, {**MAIN, "Accept": accept}, language="en", **choice)
    for request in upstream.requests:
        name = request.path.rpartition("/")[2]
        if name == "transcriptions":
            names = re.findall(rb'form-data; name="([^"]+)"', request.body)
            asked["transcriptions"] |= {name.decode() for name in names}
        elif name in ("completions", "speech"):
            asked["chat" if name == "completions" else name] |= set(json.loads(request.body))
    assert asked == SENT
