"""A model's parameters go out as what they are, and never in place of what the service sends."""

import io
import json
import re
from itertools import product

import pytest
from testing import fake_openai as fake
from testing import fake_realtime as realtime
from testing.builders import KEY, make_app, wav

from parley.models.parameters import SENT, parse


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("", {}),
        (" , ", {}),
        ("effort=none", {"effort": "none"}),
        ("a=1, b=2 c=3,d=4", {"a": 1, "b": 2, "c": 3, "d": 4}),
        ("a=0.2 b=-1 c=1e3", {"a": 0.2, "b": -1, "c": 1000.0}),
        ("a=true b=false c=null", {"a": True, "b": False, "c": None}),
        ("a=True b=1.x c=01", {"a": "True", "b": "1.x", "c": "01"}),
        ('a="two words, and a comma" b=1', {"a": "two words, and a comma", "b": 1}),
        (r'a="say \"yes\""', {"a": 'say "yes"'}),
        ('a="5" b=""', {"a": "5", "b": ""}),
        ('a={"b": [1, 2]}, c=[true, "x y"]', {"a": {"b": [1, 2]}, "c": [True, "x y"]}),
        ('a=b"c', {"a": 'b"c'}),
    ],
)
def test_in_json_bodies_a_value_that_is_json_is_json(text, fields):
    """Numbers, truth values, null, lists and objects; any other word is a text."""
    parsed = parse(text, "chat")
    assert parsed == fields
    assert [type(value) for value in parsed.values()] == [type(value) for value in fields.values()]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("temperature=0.20 stream=true", {"temperature": "0.20", "stream": "true"}),
        ('prompt="two words" user="5"', {"prompt": "two words", "user": "5"}),
        ('chunking={"type": "x"}', {"chunking": '{"type": "x"}'}),
        ("a=NaN", {"a": "NaN"}),
        ("include[]=logprobs", {"include[]": "logprobs"}),
    ],
)
def test_in_forms_a_value_is_as_it_is_written(text, fields):
    """A form has nothing but text; quotes are there for the spaces."""
    assert parse(text, "transcriptions") == fields


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", '{"a": [NaN]}'])
def test_what_python_alone_takes_for_json_is_refused(value):
    """No upstream reads NaN or Infinity (RFC 8259, section 6)."""
    with pytest.raises(ValueError, match="'top_p'"):
        parse(f"a=1 top_p={value}", "chat")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("x", "'x'"),
        ("a=1 b=", "'b='"),
        ("a= 1", "'a='"),
        ("=1", "'=1'"),
        ("A=1", "'A=1'"),
        ("a=b=c", "'a=b=c'"),
        ('a="open', "'a=\"open'"),
        ("a=[1", "'a=[1'"),
        ('a="x"y', "'a=\"x\"y'"),
        ("a={'b': 1}", "\"a={'b':\""),
        (f"a={'[' * 100_000}", "'a=[["),
    ],
)
def test_what_is_no_pair_is_refused(text, word):
    """The operator learns which word to mend, and how."""
    with pytest.raises(ValueError, match=r"write name=value\.$") as refusal:
        parse(text, "chat")
    assert word in str(refusal.value)


def test_a_name_that_comes_twice_is_refused():
    """Which of two values is meant cannot be told."""
    with pytest.raises(ValueError, match="'a' twice"):
        parse("a=1 b=2 a=3", "chat")


def test_no_parameter_may_be_what_the_service_sends(at_once):
    """The names that are refused are those of each interface's own requests, all of them."""
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
            form = {"audio": (io.BytesIO(wav()), "a.wav"), "language": "en", **choice}
            headers = {"X-OpenAI-API-Key": KEY, "Accept": accept}
            assert client.post("/api/conversation/", data=form, headers=headers).data
    for request in upstream.requests:
        name = request.path.rpartition("/")[2]
        if name == "transcriptions":
            names = re.findall(rb'form-data; name="([^"]+)"', request.body)
            asked["transcriptions"] |= {name.decode() for name in names}
        elif name in ("completions", "speech"):
            asked["chat" if name == "completions" else name] |= set(json.loads(request.body))
    assert asked == SENT
