"""API_DOCS.md and the OpenAPI document say what a conversation answers, codes included."""

import json
import re

import jsonschema
import pytest
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from testing.builders import ROOT
from testing.tables import rows

from parley import errors
from parley.conversation import segments, stages
from parley.models.registry import INTERFACES
from parley.upstream.client import VOICE
from parley.upstream.speech_formats import AUDIO_FORMATS
from parley.web import event_stream, request_schema, sound, uploads
from parley.web.answers import ERROR_ANSWER, ConversationSchema
from parley.web.caller_headers import BASE_URL_HEADERS, KEY_HEADERS

# The conversation's section alone: other sections have tables of their own.
_, API_DOCS, _ = re.split("<!-- .*: CONVERSATION -->", (ROOT / "API_DOCS.md").read_text())

OPENAPI = json.loads((ROOT / "docs" / "openapi.json").read_text())
SCHEMAS = OPENAPI["components"]["schemas"]
CONVERSE = OPENAPI["paths"]["/api/conversation/"]["post"]
EXAMPLES = [
    pytest.param(answer["schema"], example["value"], id=f"{path} {status} {name}")
    for path, operations in OPENAPI["paths"].items()
    for operation in operations.values()
    for status, response in operation["responses"].items()
    for answer in [response["content"]["application/json"]]
    for name, example in answer["examples"].items()
]


def every_error(root: type[Exception] = errors.ConversationError) -> set[type]:
    """The error classes that a caller can meet: all but the tree's branches."""
    branches = {errors.ConversationError, errors.RequestError, errors.UpstreamError}
    return ({root} - branches).union(*(every_error(child) for child in root.__subclasses__()))


def test_every_code_is_documented_with_its_status():
    """Both documents list the codes of errors.py, no more and no less; one has their statuses."""
    documented = {row[0].strip("`"): row[1].split(", ")[0] for row in rows(API_DOCS, "code")}
    assert documented == {error.code: str(error.status) for error in every_error()}
    described = SCHEMAS["Error"]["properties"]
    assert described["code"]["enum"] == sorted(documented)
    assert described["stage"]["enum"] == ["request", *INTERFACES]
    assert all(re.fullmatch(r".{1,158}\.", error.message) for error in every_error())


def test_the_openapi_document_describes_the_schemas():
    """Their fields in their order, and of each the type and the limits that apispec reads."""
    spec = APISpec("Parley", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("ConversationRequest", schema=request_schema.SCHEMA)
    spec.components.schema("Conversation", schema=ConversationSchema)
    spec.components.schema("ErrorAnswer", schema=ERROR_ANSWER)
    read = spec.to_dict()["components"]["schemas"]
    assert set(read) == set(SCHEMAS)
    for name, schema in read.items():
        described = SCHEMAS[name]
        assert list(described["properties"]) == list(schema["properties"])
        for field, limits in schema["properties"].items():
            limits.pop("readOnly", None)  # Answers are never sent, whatever makes a field's value.
            limits.pop("default", None)
            assert limits.items() <= described["properties"][field].items()
        always = schema.get("required", list(schema["properties"]))
        assert described["required"] == (always[:3] if name == "Error" else always)


@pytest.mark.parametrize(("schema", "value"), EXAMPLES)
def test_the_examples_of_the_openapi_document_are_answers(schema, value):
    jsonschema.validate(value, {**schema, "components": OPENAPI["components"]})
    told = {(error["code"], error["message"]) for error in value.get("errors", [])}
    assert told <= {(error.code, error.message) for error in every_error()}


def test_the_openapi_document_is_complete():
    """Every status and code of API_DOCS.md is in it with an example, and every header."""
    responses = CONVERSE["responses"]
    assert sorted(responses) == sorted(row[0] for row in rows(API_DOCS, "status"))
    examples = {
        (example["value"]["errors"][0]["code"], status)
        for status, response in responses.items()
        for example in response["content"]["application/json"]["examples"].values()
        if example["value"]["errors"]
    }
    assert examples == {
        (row[0].strip("`"), status)
        for row in rows(API_DOCS, "code")
        for status in row[1].split(", ")
        if row[0] not in ("`not_found`", "`headers_too_large`")
    }
    for status, of_json_and in (("200", {"text/event-stream"}), ("206", set())):
        kinds = {"application/json", *AUDIO_FORMATS.values()} | of_json_and
        assert set(responses[status]["content"]) == kinds
    headers = {name for response in responses.values() for name in response["headers"]}
    told = API_DOCS.partition("### Sound alone")[2]
    assert all(f"`{name}" in told for name in headers)


def test_every_field_and_header_of_a_request_is_documented():
    """API_DOCS.md's tables, and of headers the OpenAPI document, hold what is read."""
    documented = [row[0].strip("`") for row in rows(API_DOCS, "field")]
    assert documented == list(request_schema.SCHEMA.fields)
    headers = (re.findall("`(.*?)`", row[0]) for row in rows(API_DOCS, "header"))
    documented = {name for row in headers for name in row}
    read = {*BASE_URL_HEADERS.values(), *KEY_HEADERS.values(), "X-Request-ID"}
    assert documented == read
    schemes = OPENAPI["components"]["securitySchemes"].values()
    described = {each["name"] for each in (*schemes, *CONVERSE["parameters"]) if "name" in each}
    assert described == read


def test_the_documented_limits_are_the_limits():
    """Of options, of a form, of a stream's times and sizes."""
    told = {row[0].strip("`"): row[2] for row in rows(API_DOCS, "field")}
    assert f"{request_schema.PROMPT_CHARACTERS:,} characters" in told["system_prompt"]
    assert f"{request_schema.HISTORY_TURNS} turns" in told["history"]
    assert f"({request_schema.HISTORY_BYTES:,} bytes)" in told["history"]
    described = SCHEMAS["ConversationRequest"]["properties"]["history"]["description"]
    assert f"at most {request_schema.HISTORY_TURNS} objects" in described
    assert f"{request_schema.HISTORY_BYTES // 1024} KB in all" in described
    assert all(f"`{name}`" in told["audio_format"] for name in AUDIO_FORMATS)
    assert f"`{VOICE}`" in told["voice"]
    malformed = next(row[3] for row in rows(API_DOCS, "code") if row[0] == "`request_malformed`")
    assert f"over {uploads.PARTS} parts" in malformed
    assert f"over {uploads.TEXT_BYTES // 1024} kB of text" in malformed
    text = " ".join(API_DOCS.split())
    assert f"nothing else to send for {event_stream.HEARTBEAT_SECONDS} seconds" in text
    assert f"at most {segments.LONGEST_SEGMENT} characters" in text
    assert stages.STREAM_SECONDS == 600
    assert "ten minutes bound the whole stream" in text
    sizes = f"over {sound.TRANSCRIPT_BYTES:,} bytes, or a reply of over {sound.REPLY_BYTES:,}"
    assert sizes in text


def test_the_documented_stream_is_the_openapi_documents():
    """The sample holds every event of the table, and the OpenAPI document describes it."""
    [sample] = re.findall(r"```\n(event: .*?)\n```", API_DOCS, re.DOTALL)
    stream = CONVERSE["responses"]["200"]["content"]["text/event-stream"]
    assert f"{sample}\n\n" == stream["example"]
    shown = [*dict.fromkeys(re.findall(r"^event: (\w+)", sample, re.M))]
    documented = [row[0].strip("`") for row in rows(API_DOCS, "event")]
    assert [event for event in documented if event != "error"] == shown
    described = {
        event["properties"]["event"]["const"]: event["properties"]["data"]["contentSchema"]
        for event in stream["schema"]["oneOf"]
    }
    assert list(described) == documented
    for event, data in re.findall(r"event: (\w+)\ndata: (.*)", sample):
        whole = {**described[event], "components": OPENAPI["components"]}
        jsonschema.validate(json.loads(data), whole)
    assert described["segment"]["properties"]["format"]["enum"] == list(AUDIO_FORMATS)
    code = {"$ref": "#/components/schemas/Error/properties/code"}
    for event, name, linked in (("error", "Error", {"code": code}), ("done", "Conversation", {})):
        at = {"at": {"type": "integer", "minimum": 0}}
        assert described[event]["properties"] == at | SCHEMAS[name]["properties"] | linked
        assert described[event]["required"] == ["at", *SCHEMAS[name]["required"]]
