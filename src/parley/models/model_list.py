"""MODEL_LIST.MD, a Markdown page, read as a Registry or refused with the line to correct."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from parley.errors import ConfigurationError
from parley.models import request_parameters
from parley.models.registry import (
    ANY_MODEL,
    INTERFACES,
    LANGUAGE_FIELDS,
    WELL_FORMED,
    Model,
    Registry,
    StageModels,
)

LEAVES = ("text", "code_inline")
"""The kinds of Markdown nodes that hold a cell's text."""

ONLY_IN = {"voices": "tts", "language": "stt"}
"""By column, the one stage whose table may fill it."""

VOICE = re.compile(r"[^\s,;]+")


def read(path: Path) -> Registry:
    """Read the model list at `path`; raise ConfigurationError if it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"PARLEY_MODEL_LIST names {path}, which cannot be read ({type(error).__name__})."
        ) from None
    return parse(text, path.name)


def parse(text: str, file_name: str) -> Registry:
    """Read the model list. Raises ConfigurationError with `file_name` and the line to correct.

    Each stage has one table, under a heading with the stage's name. Its columns are `model` and
    `default`, and optionally `shuts down`, `replacement`, `interface`, `parameters`, `voices` (tts)
    and `language` (stt). Everything else on the page is for people.
    """
    try:
        tables = {}
        for table in _tables(text):
            if table.heading in INTERFACES:
                if table.heading in tables:
                    raise _Problem(table.line, f"{table.heading} has a second table; keep one.")
                tables[table.heading] = table
        for stage in INTERFACES:
            if stage not in tables:
                last = text.count("\n") + 1
                raise _Problem(last, f"a table under a heading '{stage}' is missing; add it.")
        return Registry({stage: _stage(tables[stage]) for stage in INTERFACES})
    except _Problem as problem:
        raise ConfigurationError(f"{file_name}, line {problem.line}: {problem}") from None


class _Problem(Exception):
    """Why the list cannot be used, and on which line."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class _Row:
    line: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class _Table:
    heading: str
    line: int
    rows: list[_Row]


def _stage(table: _Table) -> StageModels:
    models: dict[str, Model] = {}
    lines: dict[str, int] = {}
    defaults: list[str] = []
    for row in table.rows:
        for column in ("model", "default"):
            if column not in row.cells:
                raise _Problem(table.line, f"the table has no column '{column}'; add it.")
        name, default = row.cells["model"], row.cells["default"]
        if name != ANY_MODEL and not WELL_FORMED.fullmatch(name):
            raise _Problem(row.line, f"{name!r} is not a model's name; write one, or *.")
        if name in models:
            raise _Problem(row.line, f"{name} is listed twice; keep one row.")
        if default not in ("", "yes"):
            raise _Problem(row.line, f"'default' is {default!r}; write yes or leave it empty.")
        if default and name == ANY_MODEL:
            raise _Problem(row.line, "* cannot be the default; name a model.")
        if default and defaults:
            raise _Problem(row.line, f"{table.heading} has a second default; keep one.")
        if default:
            defaults.append(name)
        models[name], lines[name] = _model(table.heading, name, row), row.line
    if not defaults:
        raise _Problem(table.line, f"{table.heading} has no default; write yes in one row.")
    _check_replacements(models, lines, defaults[0])
    return StageModels(defaults[0], models)


def _model(stage: str, name: str, row: _Row) -> Model:
    """The model of one row, optional columns included."""
    interface = row.cells.get("interface") or INTERFACES[stage][0]
    if interface not in INTERFACES[stage]:
        known = " or ".join(INTERFACES[stage])
        raise _Problem(row.line, f"'interface' is {interface!r}; write {known}.")
    shutdown = row.cells.get("shuts down", "")
    try:
        ends = date.fromisoformat(shutdown) if shutdown else None
    except ValueError:
        message = f"'shuts down' is {shutdown!r}; write a day like 2027-01-06, or leave it empty."
        raise _Problem(row.line, message) from None
    try:
        fields = request_parameters.parse(row.cells.get("parameters", ""), interface)
    except ValueError as error:
        raise _Problem(row.line, f"'parameters' {error}") from None
    for column, only in ONLY_IN.items():
        if row.cells.get(column) and stage != only:
            raise _Problem(row.line, f"'{column}' belongs to the table of {only}; leave it empty.")
    language = row.cells.get("language", "")
    if language not in ("", *LANGUAGE_FIELDS):
        known = " or ".join(LANGUAGE_FIELDS)
        message = f"'language' is {language!r}; write {known}, or leave it empty."
        raise _Problem(row.line, message)
    replacement = row.cells.get("replacement", "")
    return Model(name, interface, fields, ends, replacement, _voices(row), language)


def _voices(row: _Row) -> tuple[str, ...]:
    voices: list[str] = []
    for voice in row.cells.get("voices", "").split():
        if not VOICE.fullmatch(voice):
            raise _Problem(row.line, f"'voices' holds {voice!r}; write names with spaces between.")
        if voice in voices:
            raise _Problem(row.line, f"'voices' holds {voice!r} twice; keep one.")
        voices.append(voice)
    return tuple(voices)


def _check_replacements(
    models: Mapping[str, Model], lines: Mapping[str, int], default: str
) -> None:
    """Raise _Problem if a replacement has no row, or the default ends without a replacement.

    Replacements that form a circle are refused too.
    """
    for model in models.values():
        if model.replacement == ANY_MODEL or model.replacement not in {"", *models}:
            sentence = f"{model.replacement} replaces {model.name} but has no row; add one."
            raise _Problem(lines[model.name], sentence)
    try:
        TopologicalSorter({name: [model.replacement] for name, model in models.items()}).prepare()
    except CycleError as circle:
        name = circle.args[1][0]
        sentence = f"{name} replaces itself in a circle; name a lasting model."
        raise _Problem(lines[name], sentence) from None
    model = models[default]
    while model.shutdown:
        if not model.replacement:
            sentence = f"the default ends with {model.name}; name its replacement."
            raise _Problem(lines[model.name], sentence)
        model = models[model.replacement]


def _tables(text: str) -> Iterator[_Table]:
    """Each table of the Markdown text, with the heading above it in lower case."""
    heading = ""
    for node in SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).children:
        if node.type == "heading":
            heading = _text_of(node).lower()
        elif node.type == "table":
            header, *rows = (row for row in node.walk() if row.type == "tr")
            columns = [_text_of(cell).lower() for cell in header.children]
            cells = [dict(zip(columns, map(_text_of, row.children), strict=True)) for row in rows]
            yield _Table(heading, _line(header), list(map(_Row, map(_line, rows), cells)))


def _line(node: SyntaxTreeNode) -> int:
    return node.map[0] + 1 if node.map else 0


def _text_of(node: SyntaxTreeNode) -> str:
    """A node's text without markup, such as the backticks around a model's name."""
    return "".join(leaf.content for leaf in node.walk() if leaf.type in LEAVES).strip()
