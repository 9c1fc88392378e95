"""MODEL_LIST.MD as a Registry: which models each stage may use, until when, and what then."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from parley.errors import ConfigurationError
from parley.models import parameters

INTERFACES = {"stt": ("transcriptions",), "text": ("chat",), "tts": ("speech", "realtime")}
"""By stage, the parts of the upstream's API that can serve it; the first unless a row says."""

NOTICE = timedelta(days=60)
"""How long before its end a model is warned of."""

ANY_MODEL = "*"
LEAVES = ("text", "code_inline")
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")


@dataclass(frozen=True)
class Model:
    """A model, the interface that serves it, and the fields that its requests need."""

    name: str
    interface: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    shutdown: date | None = None
    """The first day (UTC) on which the upstream refuses it."""

    replacement: str = ""
    successor: "Model | None" = field(default=None, repr=False)
    """What to use should the upstream not know the model after all."""


@dataclass(frozen=True)
class Models:
    """The models that one conversation uses."""

    stt: Model
    text: Model
    tts: Model


@dataclass(frozen=True)
class Stage:
    """What one stage may use: `models` may hold `*`, which stands for every well-formed name."""

    default: str
    models: Mapping[str, Model]

    def resolve(self, name: str, today: date | None) -> Model:
        """The model to use for the caller's `name`, which may be anything, or blank.

        What is shut down by `today` gives way to what replaces it; without a day, nothing does,
        unless the upstream turns out not to know it.
        """
        known = name in self.models and name != ANY_MODEL
        if not known and ANY_MODEL in self.models and WELL_FORMED.fullmatch(name):
            return replace(self.models[ANY_MODEL], name=name)
        model = self.models[name if known else self.default]
        model = self._living(model, today)
        successor = self._living(self._next(model), today)
        return model if successor == model else replace(model, successor=successor)

    def _living(self, model: Model, today: date | None) -> Model:
        while today and model.shutdown and model.shutdown <= today:
            model = self._next(model)
        return model

    def _next(self, model: Model) -> Model:
        return self.models[model.replacement or self.default]


@dataclass(frozen=True)
class Registry:
    """The models of the three stages, of which each default leads to one without an end."""

    stages: Mapping[str, Stage]

    def resolve(self, options: Mapping[str, str], today: date | None) -> Models:
        """The models for a request's `stt_model`, `text_model` and `tts_model` on a day (UTC).

        The list tells the lifetimes on OpenAI's hosts and on the service's own upstream: for
        another, give no day.
        """
        return Models(
            **{
                name: stage.resolve(options.get(f"{name}_model", "").strip(), today)
                for name, stage in self.stages.items()
            }
        )

    def ending(self, today: date) -> dict[str, Model]:
        """By stage, the models used unasked that shut down within NOTICE."""
        models = vars(self.resolve({}, today))
        return {
            stage: model
            for stage, model in models.items()
            if model.shutdown and model.shutdown - today <= NOTICE
        }


def read(path: Path) -> Registry:
    """Read the model list at `path`; raise ConfigurationError where that cannot be done."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"PARLEY_MODEL_LIST names {path}, which cannot be read ({type(error).__name__})."
        ) from None
    return parse(text, path.name)


def parse(text: str, file_name: str) -> Registry:
    """Read the model list; raise ConfigurationError that names `file_name` and the line to mend.

    Under a heading with a stage's name stands a table with the columns `model` and `default`, and
    where they are needed `shuts down`, `replacement`, `interface` and `parameters`; other headings,
    prose and further columns are the reader's own.
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


def _stage(table: _Table) -> Stage:
    models: dict[str, Model] = {}
    lines: dict[str, int] = {}
    defaults: list[str] = []
    for row in table.rows:
        for column in ("model", "default"):
            if column not in row.cells:
                raise _Problem(table.line, f"the table has no column '{column}'; add it.")
        name, default = row.cells["model"], row.cells["default"]
        if name != ANY_MODEL and not WELL_FORMED.fullmatch(name):
            raise _Problem(row.line, f"{name!r} is no model's name; write one, or *.")
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
    _follow(models, lines, defaults[0])
    return Stage(defaults[0], models)


def _model(stage: str, name: str, row: _Row) -> Model:
    """The row's model, with what its optional columns say of it."""
    interface = row.cells.get("interface") or INTERFACES[stage][0]
    if interface not in INTERFACES[stage]:
        known = " or ".join(INTERFACES[stage])
        raise _Problem(row.line, f"'interface' is {interface!r}; write {known}.")
    shutdown = row.cells.get("shuts down", "")
    try:
        ends = date.fromisoformat(shutdown) if shutdown else None
    except ValueError:
        message = f"'shuts down' is {shutdown!r}; write a day like 2027-01-06, or nothing."
        raise _Problem(row.line, message) from None
    try:
        fields = parameters.parse(row.cells.get("parameters", ""), interface)
    except ValueError as error:
        raise _Problem(row.line, f"'parameters' {error}") from None
    return Model(name, interface, fields, ends, row.cells.get("replacement", ""))


def _follow(models: Mapping[str, Model], lines: Mapping[str, int], default: str) -> None:
    """Raise _Problem where replacements lead nowhere, or the default to nothing that lives on."""
    for model in models.values():
        passed: set[str] = set()
        while model.replacement:
            name = model.name
            if name in passed:
                raise _Problem(lines[name], f"{name} is replaced in a circle; name one that lives.")
            if model.replacement == ANY_MODEL or model.replacement not in models:
                sentence = f"{model.replacement} replaces {name} but has no row; add one."
                raise _Problem(lines[name], sentence)
            passed.add(name)
            model = models[model.replacement]  # noqa: PLW2901  # One chain is walked to its end.
    model = models[default]
    while model.shutdown:
        if not model.replacement:
            sentence = f"the default ends with {model.name}; name what replaces it."
            raise _Problem(lines[model.name], sentence)
        model = models[model.replacement]


def _tables(text: str) -> Iterator[_Table]:
    """Each table of the Markdown text, with the heading that it stands under, in lower case."""
    heading = ""
    for node in SyntaxTreeNode(MarkdownIt("commonmark").enable("table").parse(text)).children:
        if node.type == "heading":
            heading = _plain(node).lower()
        elif node.type == "table":
            header, *rows = (row for row in node.walk() if row.type == "tr")
            columns = [_plain(cell).lower() for cell in header.children]
            cells = [dict(zip(columns, map(_plain, row.children), strict=True)) for row in rows]
            yield _Table(heading, _line(header), list(map(_Row, map(_line, rows), cells)))


def _line(node: SyntaxTreeNode) -> int:
    return node.map[0] + 1 if node.map else 0


def _plain(node: SyntaxTreeNode) -> str:
    """A node's text without its markup: `whisper-1` in backticks or not is whisper-1."""
    return "".join(leaf.content for leaf in node.walk() if leaf.type in LEAVES).strip()
