"""The documents say what is so."""

import configparser
import dataclasses
import json
import re
from datetime import date

import pytest
from testing.builders import ROOT

from parley import errors
from parley.conversation import segments, stages
from parley.models.request_parameters import SENT
from parley.settings import Settings
from parley.upstream.options import AUDIO_FORMATS, VOICE
from parley.web import event_stream, option_fields, sound
from parley.web import openapi as openapi_module
from parley.web.caller_headers import (
    BASE_URL_HEADER,
    KEY_HEADER,
    STAGE_BASE_URL_HEADERS,
    STAGE_KEY_HEADERS,
)
from parley.web.schemas import ConversationRequestSchema, ConversationSchema
from parley.web.uploads import LIMITS

API_DOCS = (ROOT / "API_DOCS.md").read_text()
README = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
MODEL_LIST = (ROOT / "MODEL_LIST.MD").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
DOCUMENTS = ("README.md", "API_DOCS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


@pytest.fixture(scope="module")
def openapi():
    return openapi_module.document()


def rows(document: str, first: str) -> list[list[str]]:
    """The rows of the table whose header begins with the cell `first`, below its rule."""
    lines = iter(document.splitlines())
    for line in lines:
        if line.startswith(f"| {first} |"):
            break
    table = []
    for line in lines:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split("|")])
    return table[1:]


def every_error(root: type[Exception] = errors.ConversationError) -> set[type]:
    """The error classes that a caller can meet: all but the tree's branches."""
    branches = {errors.ConversationError, errors.RequestError, errors.UpstreamError}
    return ({root} - branches).union(*(every_error(child) for child in root.__subclasses__()))


def test_every_code_is_documented_with_its_status():
    """API_DOCS.md lists the codes of errors.py, no more and no less, each with its status."""
    documented = {row[0].strip("`"): row[1].split(", ")[0] for row in rows(API_DOCS, "code")}
    assert documented == {error.code: str(error.status) for error in every_error()}


def drawn_tree(picture: str) -> dict[str, tuple[str | None, int | None]]:
    """Each class that is drawn: what it stands below, and its status, its parent's unless drawn."""
    tree: dict[str, tuple[str | None, int | None]] = {}
    above: list[str] = []
    for line in picture.splitlines():
        if drawn := re.fullmatch(r"([ │├└─]*)([A-Z]\w+(?:, \w+)*)(?:  +(\d{3})?.*)?", line):
            depth = len(drawn[1]) // 4
            parent = above[depth - 1] if depth else None
            status = int(drawn[3]) if drawn[3] else tree[parent][1] if parent else None
            for name in drawn[2].split(", "):
                tree[name] = parent, status
                above[depth:] = [name]
    return tree


def tree_of(error: type, parent: str | None = None) -> dict[str, tuple[str | None, int | None]]:
    """The same of the classes as they are."""
    tree = {error.__name__: (parent, getattr(error, "status", None))}
    for child in error.__subclasses__():
        tree |= tree_of(child, error.__name__)
    return tree


def test_every_error_says_what_to_do():
    """Each code has one plain sentence for the caller."""
    for error in every_error():
        assert error.message.endswith(".")
        assert len(error.message) < 160


def test_the_tree_of_errors_is_drawn_whole():
    """The picture at the top of errors.py holds every class, below its parent, with its status."""
    assert drawn_tree(errors.__doc__) == tree_of(errors.ParleyError)


def test_every_setting_is_documented():
    """README.md's table holds the settings that are read, and no other."""
    documented = {name for row in rows(README, "variable") for name in re.findall(r"\w+", row[0])}
    read = {f"PARLEY_{field.name.upper()}" for field in dataclasses.fields(Settings)}
    assert documented == read | {"PORT", "WEB_CONCURRENCY"}


def test_the_documented_defaults_are_the_defaults():
    """What README.md gives as a default is what the service uses when nothing is set."""
    given = {row[0].strip("`"): row[1] for row in rows(README, "variable")}
    values = {
        name: default.strip("`")
        for name, default in given.items()
        if name.startswith("PARLEY_") and default.startswith("`")
    }
    assert len(values) >= 4
    assert Settings.from_env(values) == Settings.from_env({})


def test_every_make_command_of_the_documents_exists():
    """README.md names targets that make knows, and CONTRIBUTING.md tells what each of them does."""
    targets = set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.M)) - {"help"}
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, re.M))
    assert {"run", "test"} <= named <= targets
    told = {row[0].strip("`").removeprefix("make ") for row in rows(CONTRIBUTING, "command")}
    assert told == targets


def test_the_map_names_every_room():
    """README.md shows each folder of src/parley, and nothing that is not there."""
    drawn = README.partition("src/parley/\n")[2].partition("src/local_engine/")[0]
    folders = {path.parent.name for path in (ROOT / "src" / "parley").glob("*/__init__.py")}
    assert set(re.findall(r"^    (\w+)/ ", drawn, re.M)) == folders


def test_every_path_that_the_documents_name_exists():
    """A file that was moved is named where it is now."""
    for name in DOCUMENTS:
        text = (ROOT / name).read_text()
        named = re.findall(r"`((?:src|tests|docs|deploy|blueprints|benchmarks)/[\w./-]*)`", text)
        gone = [path for path in named if not (ROOT / path).exists() and "NAME" not in path]
        assert not gone, name


def test_the_changelog_knows_the_version():
    """The newest release of CHANGELOG.md is the version in setup.cfg, with its day."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    text = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^## (.*)", text, re.M)
    assert headings[0] == "[Unreleased]"
    version, day = re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", headings[1]).groups()
    assert version == config["metadata"]["version"]
    assert date.fromisoformat(day)


def test_every_file_that_the_documents_link_to_exists():
    """A link leads somewhere."""
    for document in (*(ROOT / name for name in DOCUMENTS), *(ROOT / "docs").glob("**/*.md")):
        for link in re.findall(r"\]\(((?!http)[^)]+)\)", document.read_text()):
            path, _, heading = link.partition("#")
            linked = document.parent / path if path else document
            assert linked.exists(), link
            headings = re.findall(r"^#+ (.*)", linked.read_text(), re.M) if heading else []
            assert heading in ["", *(each.lower().replace(" ", "-") for each in headings)], link


def test_the_readme_begins_with_an_answer():
    """What a newcomer gets is seen before any command: the six keys, in their order."""
    before = README.partition("## Try it")[0]
    [sample] = re.findall(r"```json\n(.*?)```", before, re.DOTALL)
    assert list(json.loads(sample)) == list(ConversationSchema().fields)


def test_the_example_recording_is_there():
    """The README's curl has something to send."""
    assert (ROOT / "examples" / "question.wav").read_bytes()[:4] == b"RIFF"


def test_the_parameters_that_are_refused_are_listed():
    """MODEL_LIST.MD names, by interface, what the service itself sends."""
    told = MODEL_LIST.partition("cannot be set: `model`, and by interface")[2].partition(".")[0]
    listed = {
        interface: {"model", *re.findall(r"`([\w\[\]]+)`", names)}
        for names, interface in re.findall(r"([^()]+)\s\(`(\w+)`\)", told)
    }
    assert listed == SENT


def test_every_warning_is_explained():
    """README.md says of each event in the log what it means, and of no other."""
    events = re.findall(r'"event": "(\w+)', (ROOT / "src" / "parley" / "log.py").read_text())
    assert [row[0].strip("`") for row in rows(README, "in the log")] == events


def test_the_openapi_document_is_fresh(openapi):
    """docs/openapi.json is what `flask --app wsgi openapi` prints."""
    assert (ROOT / "docs" / "openapi.json").read_text() == f"{openapi}\n"


def test_the_openapi_document_is_complete(openapi):
    """Every status and code of API_DOCS.md is in it with an example, and every header."""
    responses = json.loads(openapi)["paths"]["/api/conversation/"]["post"]["responses"]
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
    headers = {name for response in responses.values() for name in response["headers"]}
    told = API_DOCS.partition("### Sound alone")[2]
    assert all(f"`{name}" in told for name in headers)


def test_every_field_is_documented():
    """API_DOCS.md's table holds the fields of the form, in the schema's order, and no other."""
    documented = [row[0].strip("`") for row in rows(API_DOCS, "field")]
    assert documented == list(ConversationRequestSchema().fields)


def test_every_header_of_a_request_is_documented(openapi):
    """API_DOCS.md's table and the OpenAPI document hold the headers that are read."""
    documented = {
        name for row in rows(API_DOCS, "header") for name in re.findall("`(.*?)`", row[0])
    }
    read = {BASE_URL_HEADER, KEY_HEADER, "X-Request-ID"}
    read |= {*STAGE_BASE_URL_HEADERS.values(), *STAGE_KEY_HEADERS.values()}
    assert documented == read
    whole = json.loads(openapi)
    schemes = whole["components"]["securitySchemes"].values()
    parameters = whole["paths"]["/api/conversation/"]["post"]["parameters"]
    described = {each["name"] for each in (*schemes, *parameters) if "name" in each}
    assert described == read


def test_the_documented_limits_are_the_limits():
    """What the options' rows promise is what is checked, and so is what a form may hold."""
    told = {row[0].strip("`"): row[2] for row in rows(API_DOCS, "field")}
    assert f"{option_fields.PROMPT_CHARACTERS:,} characters" in told["system_prompt"]
    assert f"{option_fields.HISTORY_TURNS} turns" in told["history"]
    assert f"({option_fields.HISTORY_BYTES:,} bytes)" in told["history"]
    assert all(f"`{name}`" in told["audio_format"] for name in AUDIO_FORMATS)
    assert f"`{VOICE}`" in told["voice"]
    malformed = next(row[3] for row in rows(API_DOCS, "code") if row[0] == "`request_malformed`")
    assert f"over {LIMITS['MAX_FORM_PARTS']} parts" in malformed
    assert f"over {LIMITS['MAX_FORM_MEMORY_SIZE'] // 1024} kB of text" in malformed


def test_the_documented_times_and_sizes_of_a_stream_are_its_own():
    """What API_DOCS.md says of streams and of sound alone in numbers."""
    text = " ".join(API_DOCS.split())
    assert f"nothing else to send for {event_stream.HEARTBEAT_SECONDS} seconds" in text
    assert f"at most {segments.LONGEST} characters" in text
    assert stages.STREAM_SECONDS == 600
    assert "ten minutes bound the whole stream" in text
    sizes = f"over {sound.TRANSCRIPT_BYTES:,} bytes, or a reply of over {sound.REPLY_BYTES:,}"
    assert sizes in text


def test_the_documented_stream_is_the_openapi_documents(openapi):
    """The sample holds every event of the table, as the OpenAPI document has it."""
    [sample] = re.findall(r"```\n(event: .*?)\n```", API_DOCS, re.DOTALL)
    responses = json.loads(openapi)["paths"]["/api/conversation/"]["post"]["responses"]
    assert f"{sample}\n\n" == responses["200"]["content"]["text/event-stream"]["example"]
    shown = [*dict.fromkeys(re.findall(r"^event: (\w+)", sample, re.M))]
    documented = [row[0].strip("`") for row in rows(API_DOCS, "event")]
    assert [event for event in documented if event != "error"] == shown
    events = responses["200"]["content"]["text/event-stream"]["schema"]["oneOf"]
    assert [event["properties"]["event"]["const"] for event in events] == documented
