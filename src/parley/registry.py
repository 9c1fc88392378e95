"""MODEL_LIST.MD as a Registry: which models each stage may use, and which it uses unasked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from parley.errors import StartRefused

STAGES = ("stt", "text", "tts")
ANY_MODEL = "*"
LEAVES = ("text", "code_inline")
WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]*")


@dataclass(frozen=True)
class Models:
    """The names of the models that one conversation uses."""

    stt: str
    text: str
    tts: str


@dataclass(frozen=True)
class Stage:
    """What one stage may use: `names` may hold `*`, which stands for every well-formed name."""

    default: str
    names: frozenset[str]

    def resolve(self, name: str) -> str:
        """The model to use for the caller's `name`, which may be anything, or blank."""
        if name in self.names and name != ANY_MODEL:
            return name
        if ANY_MODEL in self.names and WELL_FORMED.fullmatch(name):
            return name
        return self.default


@dataclass(frozen=True)
class Registry:
    """The models of the three stages."""

    stages: Mapping[str, Stage]

    def resolve(self, options: Mapping[str, str]) -> Models:
        """The models for a request's `stt_model`, `text_model` and `tts_model`."""
        return Models(
            **{
                name: stage.resolve(options.get(f"{name}_model", "").strip())
                for name, stage in self.stages.items()
            }
        )


def read(path: Path) -> Registry:
    """Read the model list at `path`; raise StartRefused where that cannot be done."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartRefused(
            f"PARLEY_MODEL_LIST names {path}, which cannot be read ({type(error).__name__})."
        ) from None
    return parse(text, path.name)


def parse(text: str, file_name: str) -> Registry:
    """Read the model list; raise StartRefused that names `file_name` and the line to mend.

    Under a heading with a stage's name stands a table with the columns `model` and `default`;
    other headings, prose and further columns are the reader's own.
    """
    try:
        tables = {}
        for table in _tables(text):
            if table.heading in STAGES:
                if table.heading in tables:
                    raise _Problem(table.line, f"{table.heading} has a second table; keep one.")
                tables[table.heading] = table
        for stage in STAGES:
            if stage not in tables:
                last = text.count("\n") + 1
                raise _Problem(last, f"a table under a heading '{stage}' is missing; add it.")
        return Registry({stage: _stage(tables[stage]) for stage in STAGES})
    except _Problem as problem:
        raise StartRefused(f"{file_name}, line {problem.line}: {problem}") from None


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
    names: set[str] = set()
    defaults: list[str] = []
    for row in table.rows:
        for column in ("model", "default"):
            if column not in row.cells:
                raise _Problem(table.line, f"the table has no column '{column}'; add it.")
        name, default = row.cells["model"], row.cells["default"]
        if name != ANY_MODEL and not WELL_FORMED.fullmatch(name):
            raise _Problem(row.line, f"{name!r} is no model's name; write one, or *.")
        if name in names:
            raise _Problem(row.line, f"{name} is listed twice; keep one row.")
        if default not in ("", "yes"):
            raise _Problem(row.line, f"'default' is {default!r}; write yes or leave it empty.")
        if default and name == ANY_MODEL:
            raise _Problem(row.line, "* cannot be the default; name a model.")
        if default and defaults:
            raise _Problem(row.line, f"{table.heading} has a second default; keep one.")
        if default:
            defaults.append(name)
        names.add(name)
    if not defaults:
        raise _Problem(table.line, f"{table.heading} has no default; write yes in one row.")
    return Stage(defaults[0], frozenset(names))


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
