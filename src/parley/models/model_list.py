"""MODEL_LIST.MD, a Markdown page, read as a Registry or refused with the line to correct."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from parley.errors import ConfigurationError
from parley.models import registry
from parley.models.registry import ANY_MODEL, INTERFACES, LANGUAGE_FIELDS, Model, StageModels

ONLY_IN = {"voices": "tts", "language": "stt"}  # By column, the one stage whose table may fill it.
SENT = {
    "transcriptions": {"model", "response_format", "file", *LANGUAGE_FIELDS},
    "chat": {"model", "messages", "stream"},
    "speech": {"model", "input", "voice", "response_format"},
    "realtime": {"model", "conversation", "output_modalities", "instructions", "input", "audio"},
}
"""By interface, the fields that the service itself sends. No parameter may overwrite them."""


def read(path: Path) -> registry.Registry:
    """Read the model list at `path`; raise ConfigurationError if it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        told = f"PARLEY_MODEL_LIST names {path}, which cannot be read"
        raise ConfigurationError(f"{told} ({type(error).__name__}).") from None
    return parse(text, path.name)


def parse(text: str, file_name: str) -> registry.Registry:
    """Read the model list; a ConfigurationError names `file_name` and the line to correct.

    Each stage has one table, under a heading with its name, with columns `model` and `default`, and
    optionally `shuts down`, `replacement`, `interface`, `parameters`, `voices` and `language`.
    """
    stages: dict[str, StageModels] = {}
    for stage, header, rows in _tables(text, file_name):
        if stage in INTERFACES:
            header.require(stage not in stages, f"{stage} has a second table; keep one.")
            stages[stage] = _stage(stage, header, rows)
    last = text.count("\n") + 1
    end = _Row(f"{file_name}, line {last}", {})
    for stage in INTERFACES:
        end.require(stage in stages, f"a table under a heading '{stage}' is missing; add it.")
    return {stage: stages[stage] for stage in INTERFACES}


@dataclass(frozen=True)
class _Row:
    place: str  # The file and the line, as a refusal names them.
    cells: Mapping[str, str]  # By column; a header's are the columns themselves.

    def require(self, is_so: object, sentence: str) -> None:
        """Raise ConfigurationError with the row's place unless that is so."""
        if not is_so:
            raise ConfigurationError(f"{self.place}: {sentence}")

    def one_of(self, column: str, *values: str) -> str:
        """The cell of a column, which is one of the values, or empty; raises as `require` does."""
        cell = self.cells.get(column, "")
        known = " or ".join(values)
        is_known = cell in ("", *values)
        self.require(is_known, f"'{column}' is {cell!r}; write {known}, or leave it empty.")
        return cell


def _stage(stage: str, header: _Row, rows: list[_Row]) -> StageModels:
    for column in ("model", "default"):
        header.require(column in header.cells, f"the table has no column '{column}'; add it.")
    models, default = dict[str, Model](), ""
    for row in rows:
        name, chosen = row.cells["model"], row.one_of("default", "yes")
        is_name = name == ANY_MODEL or registry.WELL_FORMED.fullmatch(name)
        row.require(is_name, f"{name!r} is not a model's name; write one, or *.")
        row.require(name not in models, f"{name} is listed twice; keep one row.")
        row.require(not chosen or name != ANY_MODEL, "* cannot be the default; name a model.")
        row.require(not (chosen and default), f"{stage} has a second default; keep one.")
        default = name if chosen else default
        models[name] = _model(stage, row)
    header.require(default, f"{stage} has no default; write yes in one row.")
    _check_replacements(models, dict(zip(models, rows, strict=True)), default)
    return StageModels(default, models)


def _model(stage: str, row: _Row) -> Model:
    """The model of one row, optional columns included."""
    for column, only in ONLY_IN.items():
        is_right = stage == only or not row.cells.get(column)
        row.require(is_right, f"'{column}' belongs to the table of {only}; leave it empty.")
    interface = row.one_of("interface", *INTERFACES[stage]) or INTERFACES[stage][0]
    voices = row.cells.get("voices", "").split()
    for number, voice in enumerate(voices):
        is_name = "," not in voice and ";" not in voice
        row.require(is_name, f"'voices' holds {voice!r}; write names with spaces between.")
        row.require(voice not in voices[:number], f"'voices' holds {voice!r} twice; keep one.")
    ends, shutdown = row.cells.get("shuts down", ""), None
    with suppress(ValueError):
        shutdown = date.fromisoformat(ends)
    advice = "write a day like 2027-01-06, or leave it empty."
    row.require(shutdown or not ends, f"'shuts down' is {ends!r}; {advice}")
    try:
        parameters = parameters_in(row.cells.get("parameters", ""), interface)
    except ValueError as error:
        raise ConfigurationError(f"{row.place}: 'parameters' {error}") from None
    name, replacement = row.cells["model"], row.cells.get("replacement", "")
    language = row.one_of("language", *LANGUAGE_FIELDS)
    return Model(name, interface, parameters, shutdown, replacement, tuple(voices), language)


def parameters_in(text: str, interface: str) -> dict[str, Any]:
    """Read a JSON object, or nothing, as an interface takes it; ValueError says what to correct."""
    repeated: list[str] = []

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        repeated.extend(name for name in names if names.count(name) > 1)
        return dict(pairs)

    try:
        parameters = json.loads(text or "{}", object_pairs_hook=noted)
        json.dumps(parameters, allow_nan=False)  # Python alone reads NaN (RFC 8259, section 6).
    except (ValueError, RecursionError):
        parameters = None
    if not isinstance(parameters, dict):
        raise ValueError('is not a JSON object; write one, such as {"reasoning_effort": "none"}.')
    for name in repeated:
        raise ValueError(f"holds {name!r} twice; keep one.")
    for name in parameters:  # The first in the file: a set would name another at each start.
        if name in SENT[interface]:
            raise ValueError(f"holds {name!r}, which the service itself sends; leave it out.")
    if interface != "transcriptions":  # It alone takes a form, in which each value is text.
        return parameters
    texts = (each if isinstance(each, str) else json.dumps(each) for each in parameters.values())
    return dict(zip(parameters, texts, strict=True))


def _check_replacements(models: dict[str, Model], rows: dict[str, _Row], default: str) -> None:
    """Raise ConfigurationError for a replacement with no row, a circle, or a default that ends."""
    for name, model in models.items():
        has_row = model.replacement != ANY_MODEL and model.replacement in {"", *models}
        rows[name].require(has_row, f"{model.replacement} replaces {name} but has no row; add one.")
    try:
        TopologicalSorter({name: [model.replacement] for name, model in models.items()}).prepare()
    except CycleError as circle:
        name = circle.args[1][0]
        rows[name].require(False, f"{name} replaces itself in a circle; name a lasting model.")
    while models[default].shutdown:
        replacement = models[default].replacement
        sentence = f"the default ends with {default}; name its replacement."
        rows[default].require(replacement, sentence)
        default = replacement


def _tables(text: str, file_name: str) -> Iterator[tuple[str, _Row, list[_Row]]]:
    """Each table of the Markdown text: the heading above it in lower case, its header, its rows."""
    heading = ""
    for node in SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).children:
        if node.type == "heading":
            heading = _text_of(node).lower()
        elif node.type == "table":
            rows = [each for each in node.walk() if each.type == "tr"]
            columns = [_text_of(cell).lower() for cell in rows[0].children]
            texts = (dict(zip(columns, map(_text_of, row.children), strict=True)) for row in rows)
            lines = (row.map[0] + 1 if row.map else 0 for row in rows)
            header, *others = map(_Row, (f"{file_name}, line {line}" for line in lines), texts)
            yield heading, header, others


def _text_of(node: SyntaxTreeNode) -> str:
    """A node's text without markup, such as the backticks around a model's name."""
    leaves = (each for each in node.walk() if each.type in ("text", "code_inline"))
    return "".join(leaf.content for leaf in leaves).strip()
